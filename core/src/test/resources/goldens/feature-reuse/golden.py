"""Goldens of feature reuse: python golden.py FOLDER GOLDENS, where GOLDENS is the folder above `pipelines`.

Whole generations of diffusers' pipelines, in which every INTERVAL-th call of the UNet is diffusers' own and the others
run the modules above the cut only, on the hidden state that the first module up above the cut read in the last own call.
"""
import json, os, shutil, sys, tempfile
import diffusers, torch
from diffusers import StableDiffusionPipeline, StableDiffusionXLPipeline, UNet2DConditionModel
from diffusers import DDIMScheduler, EulerDiscreteScheduler, HeunDiscreteScheduler
from safetensors.torch import save_file

OUT, GOLDENS = sys.argv[1], sys.argv[2]
PROMPT, NEGATIVE, SEED, SIDE, STEPS, GUIDANCE = "a photo of a cat in the sun", "blurry", 11, 64, 6, 5.0

class Reusing:
    """In place of a UNet's forward."""

    def __init__(self, unet, interval, branch):
        self.unet, self.own, self.interval, self.branch = unet, unet.forward, interval, branch
        self.calls, self.feature = 0, None
        self.down = []
        for block in unet.down_blocks:
            attentions = getattr(block, "attentions", [None] * len(block.resnets))
            self.down += list(zip(block.resnets, attentions))
            self.down += [(sampler, None) for sampler in block.downsamplers or []]
        self.up = []
        for block in unet.up_blocks:
            attentions = getattr(block, "attentions", [None] * len(block.resnets))
            for i, pair in enumerate(zip(block.resnets, attentions)):
                last = i == len(block.resnets) - 1
                self.up.append(pair + (block.upsamplers[0] if last and block.upsamplers else None,))
        first = self.up[len(self.up) - branch - 1][0]
        skip = unet.conv_in if branch == 0 else self.down[branch - 1][0]
        self.skip_channels = skip.out_channels
        first.register_forward_pre_hook(self.keep)

    def keep(self, module, args):
        if self.whole:
            self.feature = args[0][:, : args[0].shape[1] - self.skip_channels].clone()

    def __call__(self, sample, timestep, encoder_hidden_states, added_cond_kwargs=None, **kw):
        self.whole = self.calls % self.interval == 0
        self.calls += 1
        if self.whole:
            return self.own(sample, timestep, encoder_hidden_states=encoder_hidden_states, added_cond_kwargs=added_cond_kwargs, **kw)
        return (self.above(sample, timestep, encoder_hidden_states, added_cond_kwargs),)

    def above(self, sample, timestep, text, added):
        unet = self.unet
        told = unet.time_embedding(unet.get_time_embed(sample=sample, timestep=timestep))
        more = unet.get_aug_embed(emb=told, encoder_hidden_states=text, added_cond_kwargs=added)
        told = told if more is None else told + more

        def layer(resnet, attention, x):
            x = resnet(x, told)
            return x if attention is None else attention(x, encoder_hidden_states=text, return_dict=False)[0]

        skips = [unet.conv_in(sample)]
        for module, attention in self.down[: self.branch]:
            resnet = isinstance(module, diffusers.models.resnet.ResnetBlock2D)
            skips.append(layer(module, attention, skips[-1]) if resnet else module(skips[-1]))
        x = self.feature
        for resnet, attention, upsampler in self.up[len(self.up) - self.branch - 1 :]:
            x = layer(resnet, attention, torch.cat([x, skips.pop()], dim=1))
            x = x if upsampler is None else upsampler(x)
        return unet.conv_out(unet.conv_act(unet.conv_norm_out(x)))

def two_layers():
    torch.manual_seed(5)
    unet = UNet2DConditionModel(
        sample_size=8, block_out_channels=(4, 8), layers_per_block=2, norm_num_groups=2, attention_head_dim=2, cross_attention_dim=32,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"), up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"))
    unet.save_pretrained(f"{OUT}/unet")

def pipeline(model, folder):
    weights, tokens = {"sd15": ("sd15", "sd15-clip-skip"), "two-layers": ("sd15", "sd15-clip-skip"), "sdxl": ("sdxl", "sdxl")}[model]
    shutil.copytree(f"{GOLDENS}/pipelines/weights/{weights}", folder)
    for name in os.listdir(f"{GOLDENS}/pipelines/{tokens}/model"):
        if name.startswith("tokenizer"):
            shutil.copytree(f"{GOLDENS}/pipelines/{tokens}/model/{name}", f"{folder}/{name}")
    if model == "two-layers":
        shutil.rmtree(f"{folder}/unet")
        shutil.copytree(f"{OUT}/unet", f"{folder}/unet")
    return (StableDiffusionXLPipeline if model == "sdxl" else StableDiffusionPipeline).from_pretrained(folder)

SCHEDULERS = {"euler": EulerDiscreteScheduler, "ddim": DDIMScheduler, "heun": HeunDiscreteScheduler}
CASES = [("two-layers", "euler", 3, 0), ("two-layers", "ddim", 2, 1), ("two-layers", "ddim", 3, 2), ("two-layers", "euler", 2, 3),
         ("two-layers", "euler", 3, 5), ("two-layers", "heun", 2, 0), ("two-layers", "euler", 100, 0), ("two-layers", "euler", 1, 0),
         ("sd15", "euler", 2, 0), ("sd15", "ddim", 3, 1), ("sdxl", "euler", 3, 0), ("sdxl", "euler", 2, 2)]

two_layers()
tensors, cases = {}, []
for model, scheduler, interval, branch in CASES:
    with tempfile.TemporaryDirectory() as place:
        pipe = pipeline(model, f"{place}/model")
        pipe.scheduler = SCHEDULERS[scheduler].from_config(pipe.scheduler.config)
        pipe.set_progress_bar_config(disable=True)
        pipe.unet.forward = Reusing(pipe.unet, interval, branch)
        steps = []
        def keep(p, i, t, values):
            steps.append(values["latents"].clone())
            return values
        pipe(PROMPT, negative_prompt=NEGATIVE, num_inference_steps=STEPS, guidance_scale=GUIDANCE, height=SIDE, width=SIDE,
             generator=torch.Generator().manual_seed(SEED), callback_on_step_end=keep, output_type="latent")
        name = f"{model}_{scheduler}_{interval}_{branch}"
        tensors[name] = torch.stack(steps).contiguous()
        assert torch.isfinite(tensors[name]).all()
        config = {k: v for k, v in pipe.scheduler.config.items() if not k.startswith("_") or k == "_class_name"}
        config["_class_name"] = type(pipe.scheduler).__name__
        cases.append(dict(name=name, model=model, interval=interval, branch=branch, calls=pipe.unet.forward.calls, scheduler=config))
save_file(tensors, f"{OUT}/latents.safetensors")
json.dump({"diffusers": diffusers.__version__, "torch": torch.__version__, "prompt": PROMPT, "negative_prompt": NEGATIVE, "seed": SEED,
           "side": SIDE, "steps": STEPS, "guidance_scale": GUIDANCE, "cases": cases}, open(f"{OUT}/cases.json", "w"), indent=1)
