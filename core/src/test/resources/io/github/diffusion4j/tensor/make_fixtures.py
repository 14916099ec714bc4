"""Writes the fixtures of this folder. See README.md."""

import os

import ml_dtypes
import numpy as np
import safetensors
from safetensors.numpy import save_file

HERE = os.path.dirname(os.path.abspath(__file__))
rng = np.random.default_rng(7)

values = rng.normal(0, 3, (2, 3, 5)).astype(np.float32)
save_file(
    {
        "f64": rng.normal(0, 1, (4,)),
        "f32": values,
        "f16": values.astype(np.float16),
        "bf16": values.astype(ml_dtypes.bfloat16),
        "i64": np.array([-(2**63), -1, 0, 2**63 - 1]),
        "i32": np.array([-(2**31), 7], np.int32),
        "i16": np.array([-(2**15), 7], np.int16),
        "i8": np.array([[-128], [127]], np.int8),
        "u8": np.array([0, 255], np.uint8),
        "bool": np.array([True, False, True]),
        "f16.float": values.astype(np.float16).astype(np.float32),
        "bf16.float": values.astype(ml_dtypes.bfloat16).astype(np.float32),
        "scalar": np.array(2.5, np.float32),
        "empty": np.zeros((3, 0, 2), np.float32),
    },
    os.path.join(HERE, "types.safetensors"),
    metadata={"format": "pt"},
)
save_file(
    {
        "step.1": np.arange(6, dtype=np.float32).reshape(2, 3) / 4,
        "step.0": np.array([[1.5, -2.25]], np.float32),
        "ids": np.array([[49406, 320, -1]]),
        "übung": np.array(0.5, np.float32),
    },
    os.path.join(HERE, "written.safetensors"),
    metadata={"made by": 'a "test"\n'},
)
print("safetensors", safetensors.__version__, "numpy", np.__version__)
