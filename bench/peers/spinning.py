#!/usr/bin/env python3
"""What threads that wait cost: processor time of a run, wall time of a run, and processor time spent in
the second after it, for the ways in which ONNX Runtime's threads can wait. The ways take turns.

Optional: the build never runs it. Needs numpy and onnxruntime.
"""

import argparse
import statistics
import time

import numpy
import onnxruntime

WAYS = {
    "spinning": {},
    "spinning, stopped after a run": {"session.force_spinning_stop": "1"},
    "sleeping": {"session.intra_op.allow_spinning": "0"},
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("network", help="a UNet in ONNX")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--cells", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=15)
    arguments = parser.parse_args()
    sessions = {}
    for name, entries in WAYS.items():
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = arguments.threads
        for key, value in entries.items():
            options.add_session_config_entry(key, value)
        sessions[name] = onnxruntime.InferenceSession(arguments.network, options, ["CPUExecutionProvider"])
    feed = {}
    for value in sessions["sleeping"].get_inputs():
        dims = value.shape
        shape = [d if isinstance(d, int) else 2 if i == 0 else arguments.cells if len(dims) == 4 else 77 for i, d in enumerate(dims)]
        kind = "int64" if "int64" in value.type else "float32"
        feed[value.name] = numpy.full(shape, 1, kind)
    runs, walls, idles = ({name: [] for name in WAYS} for _ in range(3))
    for measured in range(arguments.rounds + 1):
        for name, session in sessions.items():
            cpu, wall = time.process_time(), time.perf_counter()
            session.run(None, feed)
            walls[name].append(time.perf_counter() - wall)
            runs[name].append(time.process_time() - cpu)
            cpu = time.process_time()
            time.sleep(1)
            idles[name].append(time.process_time() - cpu)
    for name in WAYS:
        run, wall, idle = (statistics.median(figure[name][1:]) * 1e3 for figure in (runs, walls, idles))
        least = min(walls[name][1:]) * 1e3
        print(
            f"{name}: run {run:.1f} ms of processor time, {wall:.1f} ms of the clock (least {least:.1f});"
            f" in the second after it {idle:.1f} ms of processor time"
        )


if __name__ == "__main__":
    main()
