#!/usr/bin/env python3
"""Opens a folder that `diffusion4j export` wrote with optimum, paints, and compares with our picture.

Optional: the build never runs it. Needs torch, diffusers, transformers, optimum-onnx, onnxruntime and
Pillow:

    ./diffusion4j export MODEL --out FOLDER
    ./diffusion4j generate "a red apple" -m FOLDER --seed 7 --steps 8 --width 512 --height 512 -o ours.png
    venv/bin/python bench/peers/exported.py FOLDER ours.png "a red apple" --seed 7 --steps 8 --size 512

Prints the peak signal-to-noise ratio and the largest difference of a channel; exits with 1 if the
ratio is less than asked for.
"""

import argparse
import sys

import numpy
import onnxruntime
import torch
from optimum.onnxruntime import ORTDiffusionPipeline
from PIL import Image


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder")
    parser.add_argument("picture")
    parser.add_argument("prompt")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--least", type=float, default=60, help="decibels; 45 suits 16 bits")
    parser.add_argument("--guidance", type=float, default=7.5)
    arguments = parser.parse_args()
    pipeline = ORTDiffusionPipeline.from_pretrained(arguments.folder, provider="CPUExecutionProvider")
    pipeline.set_progress_bar_config(disable=True)
    image = pipeline(
        arguments.prompt,
        num_inference_steps=arguments.steps,
        height=arguments.size,
        width=arguments.size,
        guidance_scale=arguments.guidance,
        generator=torch.Generator("cpu").manual_seed(arguments.seed),
    ).images[0]
    theirs = numpy.asarray(image, dtype=numpy.float64)
    ours = numpy.asarray(Image.open(arguments.picture).convert("RGB"), dtype=numpy.float64)
    if theirs.shape != ours.shape:
        sys.exit(f"pictures of different sizes, {ours.shape} and {theirs.shape}")
    error = numpy.mean((ours - theirs) ** 2)
    decibels = float("inf") if error == 0 else 10 * numpy.log10(255**2 / error)
    largest = int(numpy.abs(ours - theirs).max())
    print(
        f"{type(pipeline).__name__}, onnxruntime {onnxruntime.__version__}: {decibels:.1f} dB,"
        f" largest difference {largest}"
    )
    sys.exit(0 if decibels >= arguments.least else 1)


if __name__ == "__main__":
    main()
