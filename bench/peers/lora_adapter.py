#!/usr/bin/env python3
"""Writes an adapter of ONNX Runtime: what the benchmark program LoraAdapter measures.

Optional: the build never runs it. Needs onnxruntime, numpy and safetensors:

    python3 bench/peers/lora_adapter.py FOLDER

Reads FOLDER/lora.safetensors, whose tensors have the names of the network's inputs, and writes
FOLDER/lora.onnx_adapter.
"""

import sys
from pathlib import Path

import onnxruntime
from safetensors.numpy import load_file

folder = Path(sys.argv[1])
values = load_file(folder / "lora.safetensors")  # an OrtValue does not keep its array
adapter = onnxruntime.AdapterFormat()
adapter.set_adapter_version(1)
adapter.set_model_version(1)
adapter.set_parameters(
    {name: onnxruntime.OrtValue.ortvalue_from_numpy(array) for name, array in values.items()})
adapter.export_adapter(str(folder / "lora.onnx_adapter"))
