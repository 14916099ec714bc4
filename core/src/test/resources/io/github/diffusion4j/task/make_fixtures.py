"""Writes the fixtures of this folder. See README.md."""

import os

import numpy as np
from diffusers.image_processor import VaeImageProcessor
from PIL import Image, ImageFilter
from safetensors.numpy import save_file

HERE = os.path.dirname(os.path.abspath(__file__))
rng = np.random.default_rng(20240612)
tensors = {}


def picture(width, height):
    """Smooth colours with some noise."""
    y, x = np.mgrid[0:height, 0:width]
    waves = [127 + 100 * np.sin(x / (5 + c) + y / (9 - 2 * c)) for c in range(3)]
    noise = rng.integers(-20, 20, (height, width, 3))
    return Image.fromarray(np.clip(np.stack(waves, -1) + noise, 0, 255).astype(np.uint8), "RGB")


def mask(width, height, box, soft):
    levels = np.zeros((height, width), np.uint8)
    left, top, right, bottom = box
    levels[top:bottom, left:right] = 255
    image = Image.fromarray(levels, "L")
    return image.filter(ImageFilter.GaussianBlur(2)) if soft else image


processor = VaeImageProcessor(vae_scale_factor=8)
masks = VaeImageProcessor(
    vae_scale_factor=8, do_normalize=False, do_binarize=True, do_convert_grayscale=True
)
CASES = {
    "inner": ((100, 80), (40, 30, 60, 50), False, 8, (64, 64)),
    "wide": ((120, 50), (5, 10, 100, 20), False, 4, (64, 64)),
    "high": ((50, 120), (10, 5, 20, 110), True, 4, (64, 64)),
    "corner": ((90, 70), (70, 50, 90, 70), True, 0, (80, 48)),
    "landscape": ((90, 70), (30, 2, 35, 60), False, 3, (96, 40)),
    "narrow": ((40, 90), (2, 40, 38, 60), True, 5, (96, 48)),
}
for name, (size, box, soft, padding, (width, height)) in CASES.items():
    image = picture(*size)
    where = mask(*size, box, soft)
    painting = picture(width, height)
    region = processor.get_crop_region(where, width, height, pad=padding)
    fitted = processor._resize_and_fill(image.crop(region), width, height)
    fitted_mask = masks._resize_and_fill(where.crop(region), width, height).convert("L")
    result = processor.apply_overlay(where, image, painting, region)
    whole = processor.apply_overlay(where, image, image.transpose(Image.Transpose.ROTATE_180))
    tensors |= {
        f"{name}.image": np.asarray(image),
        f"{name}.mask": np.asarray(where),
        f"{name}.painting": np.asarray(painting),
        f"{name}.region": np.asarray(region, np.int64),
        f"{name}.padding": np.asarray([padding], np.int64),
        f"{name}.fitted": np.asarray(fitted),
        f"{name}.fitted_mask": np.asarray(fitted_mask),
        f"{name}.result": np.asarray(result),
        f"{name}.whole": np.asarray(whole),
    }
save_file({k: np.ascontiguousarray(v) for k, v in tensors.items()}, os.path.join(HERE, "crops.safetensors"))
