#!/usr/bin/env python3
"""Makes variants of a model whose UNet is smaller: what `compare` of the benchmarks looks at.

Optional: the build never runs it. Needs onnx and onnxruntime:

    python3 -m venv venv && venv/bin/pip install onnx onnxruntime
    venv/bin/python bench/peers/quantize.py examples/models/emoji-ldm variants/

fp32          float32 weights, constants folded: what the others are made of
fp16          float16 weights and arithmetic, float32 inputs and outputs
uint8-matmul  8-bit weights of the matrix products; their inputs are quantized as they come
uint8-all     the same, and convolutions
"""

import argparse
import shutil
from pathlib import Path

import onnx
import onnxruntime
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.transformers.float16 import convert_float_to_float16

QUANTIZED = {"uint8-matmul": ["MatMul", "Gemm"], "uint8-all": ["MatMul", "Gemm", "Conv"]}


def folded(model, target):
    """The network without casts of constants, which the quantizer does not look behind."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(target)
    onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("variants", type=Path, help="folder for the variants, each a whole model")
    arguments = parser.parse_args()
    unet = {}
    for name in ("fp32", "fp16", *QUANTIZED):
        folder = arguments.variants / name
        shutil.copytree(arguments.model, folder, ignore=lambda _, names: [n for n in names if n == "unet"])
        shutil.copytree(arguments.model / "unet", folder / "unet", ignore=shutil.ignore_patterns("*.onnx*"))
        unet[name] = folder / "unet" / "model.onnx"
    folded(arguments.model / "unet" / "model.onnx", unet["fp32"])
    onnx.save(convert_float_to_float16(onnx.load(unet["fp32"]), keep_io_types=True), unet["fp16"])
    for name, operators in QUANTIZED.items():
        quantize_dynamic(unet["fp32"], unet[name], weight_type=QuantType.QUInt8, op_types_to_quantize=operators)
    for name, file in unet.items():
        print(f"{name}: {file.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
