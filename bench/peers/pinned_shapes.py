#!/usr/bin/env python3
"""Compares a network's sessions with free and with pinned dimensions, in turn in one process.

Optional: the build never runs it. Needs numpy and onnxruntime. Prints processor time of a run, pinned
over free, pair by pair, and with --only the peak of the resident memory of one of the two alone.
"""

import argparse
import json
import resource
import statistics
import time

import numpy
import onnxruntime


def shape_of(inputs, cells, rows):
    """Rows, then tokens or the cells of a square: sizes for the free dimensions, by their names."""
    sizes = {}
    for value in inputs:
        for axis, dim in enumerate(value.shape):
            if isinstance(dim, str):
                sizes[dim] = rows if axis == 0 else cells if len(value.shape) == 4 else 77
    return sizes


def open_session(arguments, sizes, pinned):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = arguments.threads
    if pinned:
        for name, size in sizes.items():
            options.add_free_dimension_override_by_name(name, size)
    return onnxruntime.InferenceSession(arguments.network, options, ["CPUExecutionProvider"])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("network", help="an ONNX file")
    parser.add_argument("--size", type=int, default=256, help="pixels")
    parser.add_argument("--rows", type=int, default=2)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", choices=("free", "pinned"))
    arguments = parser.parse_args()
    probe = onnxruntime.SessionOptions()
    probe.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    probe.add_session_config_entry("session.disable_prepacking", "1")
    inputs = onnxruntime.InferenceSession(arguments.network, probe, ["CPUExecutionProvider"]).get_inputs()
    sizes = shape_of(inputs, arguments.size // 8, arguments.rows)
    draw = numpy.random.default_rng(42)
    types = {"tensor(float)": "float32", "tensor(float16)": "float16", "tensor(int64)": "int64"}
    feed = {}
    for value in inputs:
        shape = [sizes.get(dim, dim) for dim in value.shape]
        feed[value.name] = numpy.asarray(draw.standard_normal(shape) if shape else 500).astype(types[value.type])
    names = [arguments.only] if arguments.only else ["free", "pinned"]
    sessions = {name: open_session(arguments, sizes, name == "pinned") for name in names}
    times = {name: [] for name in names}
    for measured in range(arguments.rounds + 1):
        for name in names if measured % 2 else names[::-1]:
            start = time.process_time()
            sessions[name].run(None, feed)
            if measured:
                times[name].append(time.process_time() - start)
    result = {"network": arguments.network, "sizes": sizes}
    result.update({f"{name}_cpu_s": round(statistics.median(values), 4) for name, values in times.items()})
    if not arguments.only:
        ratios = sorted(p / f for p, f in zip(times["pinned"], times["free"]))
        result["pinned/free"] = [round(r, 3) for r in (ratios[0], statistics.median(ratios), ratios[-1])]
    result["peak_resident_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps(result))


if __name__ == "__main__":
    main()
