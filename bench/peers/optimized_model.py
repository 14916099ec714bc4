#!/usr/bin/env python3
"""What a kept optimized model saves: processor time and memory of opening a network, and of one run.

Optional: the build never runs it. Needs numpy and onnxruntime. One way a process, so that memory is the
way's own:

    python bench/peers/optimized_model.py MODEL/unet/model.onnx plain
    python bench/peers/optimized_model.py MODEL/unet/model.onnx save --cache FOLDER
    python bench/peers/optimized_model.py MODEL/unet/model.onnx kept --cache FOLDER

plain           the network as it was exported
save            the same, and the network as it was rewritten is saved, weights beside the graph
kept            the saved one
kept-unchanged  the saved one, and no rewriting is tried again
no-prepacking   as exported; weights stay in their own layout
"""

import argparse
import json
import time
from pathlib import Path

import numpy
import onnxruntime

WAYS = ("plain", "save", "kept", "kept-unchanged", "no-prepacking")


def memory():
    """MiB resident now and at the most; anonymous memory is the process's own, files are shared."""
    with open("/proc/self/status") as status:
        fields = dict(line.split(":") for line in status)
    return {name: int(fields[name].split()[0]) // 1024 for name in ("VmHWM", "VmRSS", "RssAnon", "RssFile")}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("network")
    parser.add_argument("way", choices=WAYS)
    parser.add_argument("--cache", type=Path, default=Path("optimized"))
    parser.add_argument("--cells", type=int, default=16)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = arguments.threads
    network = arguments.network
    kept = arguments.cache / "model.onnx"
    if arguments.way == "save":
        arguments.cache.mkdir(parents=True)
        options.optimized_model_filepath = str(kept)
        options.add_session_config_entry("session.optimized_model_external_initializers_file_name", "model.onnx.data")
        options.add_session_config_entry("session.optimized_model_external_initializers_min_size_in_bytes", "1024")
    elif arguments.way.startswith("kept"):
        network = str(kept)
    elif arguments.way == "no-prepacking":
        options.add_session_config_entry("session.disable_prepacking", "1")
    if arguments.way == "kept-unchanged":
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    cpu, wall = time.process_time(), time.perf_counter()
    session = onnxruntime.InferenceSession(network, options, ["CPUExecutionProvider"])
    result = {
        "way": arguments.way,
        "open_cpu_s": round(time.process_time() - cpu, 2),
        "open_wall_s": round(time.perf_counter() - wall, 2),
        "open": memory(),
    }
    feed = {}
    for value in session.get_inputs():
        dims = enumerate(value.shape)
        cells = arguments.cells if len(value.shape) == 4 else 77
        shape = [d if isinstance(d, int) else 2 if i == 0 else cells for i, d in dims]
        feed[value.name] = numpy.full(shape, 1, "int64" if "int64" in value.type else "float32")
    for _ in range(2):
        cpu = time.process_time()
        session.run(None, feed)
    result["run_cpu_s"] = round(time.process_time() - cpu, 2)
    result["after"] = memory()
    print(json.dumps(result))


if __name__ == "__main__":
    main()
