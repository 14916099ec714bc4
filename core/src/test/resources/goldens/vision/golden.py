"""Tiny random CLIP image encoders and what transformers and diffusers compute with them.

Run with a folder as argument; see README.md.
"""

import json
import pathlib
import sys

import numpy as np
import torch
from diffusers.pipelines.stable_diffusion.safety_checker import StableDiffusionSafetyChecker
from safetensors.torch import load_file, save_file
from transformers import CLIPConfig, CLIPVisionConfig, CLIPVisionModelWithProjection
from transformers import CLIPImageProcessor

OUT = pathlib.Path(sys.argv[1])
SIZE = 22  # no multiple of the patch: the last row and column of pixels are not seen
VISION = dict(
    hidden_size=24, intermediate_size=40, num_hidden_layers=2, num_attention_heads=3,
    image_size=SIZE, patch_size=7, projection_dim=16,
)


def randomize(model, seed):
    generator = torch.Generator().manual_seed(seed)
    for name, value in model.named_parameters():
        if value.dim() > 1:
            value.data = torch.randn(value.shape, generator=generator) / value[0].numel() ** 0.5
        else:
            noise = 0.3 * torch.randn(value.shape, generator=generator)
            value.data = noise + (1.0 if "norm" in name and name.endswith("weight") else 0.0)
    return model.eval()


def save(model, folder, golden, buffers):
    model.save_pretrained(folder, safe_serialization=True)
    weights = load_file(folder / "model.safetensors")
    save_file({**weights, **buffers}, folder / "model.safetensors")
    save_file({k: v.contiguous() for k, v in golden.items()}, folder / "golden.safetensors")


def checker(folder):
    model = randomize(
        StableDiffusionSafetyChecker(CLIPConfig(vision_config=VISION, projection_dim=16)), 21
    )
    levels = np.random.default_rng(22).integers(0, 256, (6, SIZE, SIZE, 3), dtype=np.uint8)
    levels[:, :, :, 0] //= np.arange(1, 7, dtype=np.uint8)[:, None, None]
    processor = CLIPImageProcessor(
        size={"shortest_edge": SIZE}, crop_size={"height": SIZE, "width": SIZE}
    )
    clip_input = processor(list(levels), return_tensors="pt").pixel_values
    images = torch.from_numpy(levels.astype(np.float32) / np.float32(255))
    with torch.no_grad():
        seen = model.visual_projection(model.vision_model(clip_input)[1])
        seen = torch.nn.functional.normalize(seen)
        alone = torch.linalg.pinv(seen).T  # each is near one image only, though all are much alike

        def over(embeds, i, margin):
            return torch.nn.functional.normalize(embeds[None])[0] @ seen[i] - margin

        concepts, specials = model.concept_embeds.data, model.special_care_embeds.data
        thresholds = torch.full((17,), 0.999)
        cares = torch.full((3,), 0.999)
        # over its threshold; only with special care; not at all; rounded to 0; rounded to 0.001;
        # not, for the score of the special concept is rounded to 0
        for i, margin in enumerate([0.05, -0.005, -0.005, 0.0002, 0.0008, -0.005]):
            concepts[i] = 3 * alone[i]
            thresholds[i] = over(concepts[i], i, margin)
        for concept, (i, margin) in enumerate([(1, 0.05), (5, 0.0002)]):
            specials[concept] = 3 * alone[i]
            cares[concept] = over(specials[concept], i, margin)
        model.concept_embeds_weights.data = thresholds
        model.special_care_embeds_weights.data = cares
        golden = {"in.clip_input": clip_input, "in.images": images.clone()}
        shown, flags = model(clip_input, images)
    print(flags)
    assert flags == [True, True, False, False, True, False]
    golden["out.out_images"] = shown
    golden["out.has_nsfw_concepts"] = torch.tensor(flags, dtype=torch.float32)
    ids = torch.arange(10)[None]
    save(model, folder, golden, {"vision_model.vision_model.embeddings.position_ids": ids})


def encoder(folder):
    config = CLIPVisionConfig(**VISION, hidden_act="gelu", layer_norm_eps=1e-4)
    model = randomize(CLIPVisionModelWithProjection(config), 31)
    pixels = torch.randn((3, 3, SIZE, SIZE), generator=torch.Generator().manual_seed(32))
    with torch.no_grad():
        found = model(pixels)
    golden = {
        "in.pixel_values": pixels,
        "out.image_embeds": found.image_embeds,
        "out.last_hidden_state": found.last_hidden_state,
    }
    save(model, folder, golden, {})


checker(OUT / "safety-checker")
encoder(OUT / "image-encoder")
