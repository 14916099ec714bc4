"""Writes the goldens of this folder: python golden.py (diffusers 0.36.0, peft 0.18.0)."""

import inspect
import json
import os

import torch
from diffusers import FluxPipeline, FluxTransformer2DModel, SD3Transformer2DModel, StableDiffusion3Pipeline
from diffusers.loaders import lora_conversion_utils, single_file_utils
from peft import LoraConfig, get_peft_model_state_dict
from safetensors.torch import save_file

HERE = os.path.dirname(os.path.abspath(__file__))
WIDTH, RANK, SCALE = 16, 2, 0.7
TEXT = {"flux": (48, 32), "sd3": (12, 10)}  # as wide as text encoders among the goldens, where a test joins them
torch.manual_seed(4)


def flux():
    return FluxTransformer2DModel(
        patch_size=1, in_channels=16, num_layers=2, num_single_layers=2, attention_head_dim=8, num_attention_heads=2,
        joint_attention_dim=48, pooled_projection_dim=32, guidance_embeds=True, axes_dims_rope=(2, 2, 4))


def sd3():
    return SD3Transformer2DModel(
        sample_size=8, patch_size=2, in_channels=4, num_layers=2, attention_head_dim=8, num_attention_heads=2,
        joint_attention_dim=12, caption_projection_dim=WIDTH, pooled_projection_dim=10, out_channels=4,
        pos_embed_max_size=8, dual_attention_layers=(0,), qk_norm="rms_norm")


def inputs(name):
    text, pooled = TEXT[name]
    text = {"encoder_hidden_states": torch.randn(2, 5, text), "pooled_projections": torch.randn(2, pooled)}
    if name == "sd3":
        return {"hidden_states": torch.randn(2, 4, 8, 6), "timestep": torch.tensor([437.0]), **text}
    places = torch.stack([torch.zeros(6), torch.arange(6) // 3, torch.arange(6) % 3], 1).long()
    return {"hidden_states": torch.randn(2, 6, 16), "timestep": torch.tensor([0.437]), "img_ids": places,
            "txt_ids": torch.zeros(5, 3).long(), "guidance": torch.tensor([3.5, 2.0]), **text}


def run(model, given):
    with torch.no_grad():
        return model(**{**given, "timestep": given["timestep"].expand(2)}, return_dict=False)[0]


def originals(name, model):
    """Original layers: rows and columns (and kernel) of their weights."""
    w, (text, pooled) = WIDTH, TEXT[name]
    embedders = {"flux": [("time_in.{}_layer", 256), ("vector_in.{}_layer", pooled), ("guidance_in.{}_layer", 256)],
                 "sd3": [("t_embedder.mlp.{}", 256), ("y_embedder.mlp.{}", pooled)]}[name]
    first, second = ("in", "out") if name == "flux" else ("0", "2")
    layers = {}
    for place, wide in embedders:
        layers[place.format(first)] = (w, wide)
        layers[place.format(second)] = (w, w)
    out = model.proj_out.weight.shape[0]
    layers.update({"final_layer.linear": (out, w), "final_layer.adaLN_modulation.1": (2 * w, w)})
    if name == "flux":
        layers.update({"img_in": (w, 16), "txt_in": (w, text)})
        for i in range(2):
            for s in ("img", "txt"):
                at = f"double_blocks.{i}.{s}_"
                layers.update({at + "attn.qkv": (3 * w, w), at + "attn.proj": (w, w), at + "mod.lin": (6 * w, w),
                               at + "mlp.0": (4 * w, w), at + "mlp.2": (w, 4 * w)})
            at = f"single_blocks.{i}."
            layers.update({at + "linear1": (7 * w, w), at + "linear2": (w, 5 * w), at + "modulation.lin": (3 * w, w)})
        return layers
    layers.update({"context_embedder": (w, text), "x_embedder.proj": (w, 4, 2, 2)})
    for i in range(2):
        for s in ("x", "context"):
            at, last = f"joint_blocks.{i}.{s}_block.", i == 1 and s == "context"
            parts = 9 if i == 0 and s == "x" else 2 if last else 6
            layers.update({at + "attn.qkv": (3 * w, w), at + "adaLN_modulation.1": (parts * w, w)})
            if not last:
                layers.update({at + "attn.proj": (w, w), at + "mlp.fc1": (4 * w, w), at + "mlp.fc2": (w, 4 * w)})
    layers.update({"joint_blocks.0.x_block.attn2.qkv": (3 * w, w), "joint_blocks.0.x_block.attn2.proj": (w, w)})
    return layers


def halves(tensor):
    """Rounded to what the files hold."""
    return tensor.half().float()


def kohya(layers):
    """A file as kohya's scripts write it, and the products in the original layout."""
    tensors, products = {}, {}
    for layer, shape in layers.items():
        down, up = halves(torch.randn(RANK, *shape[1:]) * 0.2), halves(torch.randn(shape[0], RANK) * 0.2)
        alpha = torch.tensor(RANK * (0.5 if "attn" in layer else 1.5))
        at = "lora_unet_" + layer.replace(".", "_")
        tensors[at + ".lora_down.weight"] = down
        tensors[at + ".lora_up.weight"] = up.reshape(*up.shape, *[1] * (len(shape) - 2)).clone()
        tensors[at + ".alpha"] = alpha
        products[layer + ".weight"] = (up @ down.flatten(1)).reshape(shape) * (alpha / RANK)
    return tensors, products


class Checkpoint(dict):
    """Products as a checkpoint; what is asked for besides is dropped later."""

    def pop(self, key, *default):
        return super().pop(key) if key in self else torch.zeros(7 * WIDTH if "linear1" in key else 12)


def narrow(module, function):
    """A function of the reference, whose width is written into it, for models of another width."""
    source = inspect.getsource(function).replace("3072", str(WIDTH)).replace("12288", str(4 * WIDTH))
    names = dict(vars(module))
    exec(source, names)
    return names[function.__name__]


def converted(name, products):
    function = narrow(single_file_utils, getattr(
        single_file_utils, f"convert_{name}_transformer_checkpoint_to_diffusers"))
    dropped = {"pos_embed", "pos_embed.pos_embed"}
    return {k: v for k, v in function(Checkpoint(products)).items() if v.dim() > 1 and k not in dropped}


def write(name, model, pipeline):
    folder = os.path.join(HERE, name)
    os.makedirs(os.path.join(folder, "transformer"), exist_ok=True)
    for key, value in model.state_dict().items():
        with torch.no_grad():
            value.copy_((value if "pos_embed.pos_embed" in key else value + torch.randn_like(value) * 0.1).half())
    model.eval()
    stored = {k: v.half() for k, v in model.state_dict().items()}
    save_file(stored, os.path.join(folder, "transformer", "diffusion_pytorch_model.safetensors"))
    model.save_config(os.path.join(folder, "transformer"))
    index = {"_class_name": pipeline.__name__, "transformer": ["diffusers", type(model).__name__]}
    with open(os.path.join(folder, "model_index.json"), "w") as file:
        json.dump(index, file, indent=2)
    given = inputs(name)
    golden = {**given, "out": run(model, given)}

    targets = [n for n, m in model.named_modules() if isinstance(m, torch.nn.Linear)]
    model.add_adapter(LoraConfig(r=RANK, lora_alpha=3, target_modules=targets, init_lora_weights=False))
    adapter = {k: (v * 0.5).half() for k, v in get_peft_model_state_dict(model).items()}
    config = {**model.peft_config["default"].to_dict(), "target_modules": sorted(targets)}
    model.unload_lora()
    pipeline.save_lora_weights(folder, transformer_lora_layers=adapter, weight_name="lora_peft.safetensors",
                               transformer_lora_adapter_metadata=config)
    parts = {k: None for k in inspect.signature(pipeline.__init__).parameters if k != "self"}
    parts.pop("is_pixart", None)
    loaded = pipeline(**{**parts, "transformer": model})
    loaded.load_lora_weights(folder, weight_name="lora_peft.safetensors", adapter_name="peft")
    loaded.set_adapters("peft", SCALE)
    golden["out.lora_peft"] = run(model, given)
    loaded.unload_lora_weights()
    assert torch.allclose(run(model, given), golden["out"], atol=1e-6)

    tensors, products = kohya(originals(name, model))
    save_file({k: v.half() for k, v in tensors.items()}, os.path.join(folder, "lora_kohya.safetensors"))
    whole = model.state_dict()
    added = converted(name, products)
    changed = {k: whole[k] + SCALE * added[k] for k in added}
    assert len(changed) == len(targets) + (name == "sd3"), (len(changed), len(targets))
    model.load_state_dict({**whole, **changed})
    golden["out.lora_kohya"] = run(model, given)
    model.load_state_dict(whole)
    if name == "flux":
        blocks = {k: v for k, v in tensors.items() if "final_layer" not in k and "_in_" not in k and "_in." not in k}
        convert = narrow(lora_conversion_utils, lora_conversion_utils._convert_kohya_flux_lora_to_diffusers)
        lora = convert(dict(blocks))
        for key in [k for k in lora if k.endswith("lora_A.weight")]:
            layer = key.removeprefix("transformer.").removesuffix("lora_A.weight") + "weight"
            product = lora[key.replace("lora_A", "lora_B")] @ lora[key]
            assert torch.allclose(product, added[layer], atol=1e-6), layer
        print("blocks as by load_lora_weights:", len(lora) // 2)
    golden = {k: v.contiguous() for k, v in golden.items()}
    save_file(golden, os.path.join(folder, "golden.safetensors"))
    for key in ("out.lora_peft", "out.lora_kohya"):
        print(name, key, (golden[key] - golden["out"]).abs().max().item(), golden["out"].abs().max().item())


write("flux", flux(), FluxPipeline)
write("sd3", sd3(), StableDiffusion3Pipeline)
