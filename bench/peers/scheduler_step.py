#!/usr/bin/env python3
"""Times the step() of diffusers' schedulers as SchedulerStepBenchmark does it in Java.

Optional: the build never runs it. Needs torch and diffusers (a few classes: scipy, torchsde):

    python3 -m venv venv && venv/bin/pip install torch diffusers scipy torchsde
    venv/bin/python bench/peers/scheduler_step.py --jmh bench/target/jmh.json

For each scheduler class with its defaults: a fresh schedule of STEPS steps outside the clock, then
all steps inside it, with the same prediction for each and a CPU generator where noise is drawn.
Writes the form of JMH's JSON (--out), and with --jmh a Markdown table of both beside each other.
"""

import argparse
import importlib.metadata
import inspect
import json
import math
import statistics
import time

import diffusers
import torch

SEED = 42
SHAPES = ["4x64x64", "4x128x128", "16x128x128"]
BENCHMARK = "io.github.diffusion4j.bench.SchedulerStepBenchmark.generation"
# Two-sided 99.9 % quantiles of Student's t, by degrees of freedom, as JMH's error has them.
T_999 = {2: 31.599, 3: 12.924, 4: 8.610, 5: 6.869, 6: 5.959, 7: 5.408, 8: 5.041, 9: 4.781, 14: 4.140, 19: 3.883}


class Generation:
    """All steps of one generation, by one scheduler on one shape."""

    def __init__(self, name, shape, steps):
        self.scheduler = getattr(diffusers, name)()
        self.steps = self.most_steps(steps)
        generator = torch.Generator().manual_seed(SEED)
        size = [1] + [int(part) for part in shape.split("x")]
        self.sample = torch.randn(size, generator=generator)
        self.prediction = torch.randn(size, generator=generator)
        self.parameters = inspect.signature(self.scheduler.step).parameters

    def most_steps(self, wanted):
        """The most steps up to those wanted that the scheduler takes: SCM's defaults take two."""
        for steps in range(wanted, 1, -1):
            try:
                self.scheduler.set_timesteps(steps)
                return steps
            except ValueError:
                continue
        return 1

    def run(self):
        """Seconds that the steps took, seconds of this thread's processor time, number of steps."""
        scheduler = self.scheduler
        scheduler.set_timesteps(self.steps)
        extra = {}
        if "generator" in self.parameters:
            extra["generator"] = torch.Generator().manual_seed(SEED)
        timesteps = list(scheduler.timesteps)
        if type(scheduler).__name__ == "SCMScheduler":
            timesteps = timesteps[:-1]  # its last entry is where the last step arrives
        x, old, before = self.sample.clone(), None, None
        if hasattr(scheduler, "scale_model_input"):
            scheduler.scale_model_input(x, timesteps[0])  # some schedulers warn where it was never called
        start, start_cpu = time.perf_counter(), time.thread_time()
        for i, t in enumerate(timesteps):
            if "old_pred_original_sample" in self.parameters:  # CogVideoX DPM
                x, old = scheduler.step(self.prediction, old, t, before, x, return_dict=False, **extra)
                before = t
            elif "prev_timestep" in self.parameters:  # UnCLIP
                after = timesteps[i + 1] if i + 1 < len(timesteps) else None
                x = scheduler.step(self.prediction, t, x, prev_timestep=after, return_dict=False, **extra)[0]
            else:
                x = scheduler.step(self.prediction, t, x, return_dict=False, **extra)[0]
        return time.perf_counter() - start, time.thread_time() - start_cpu, len(timesteps)


def measure(generation, warmup, iterations, seconds):
    """Mean time and mean processor time of a step in each iteration, nanoseconds."""
    means, cpu_means = [], []
    for iteration in range(warmup + iterations):
        spent = spent_cpu = count = 0
        end = time.perf_counter() + seconds
        while count == 0 or time.perf_counter() < end:
            took, took_cpu, steps = generation.run()
            spent += took
            spent_cpu += took_cpu
            count += steps
        if iteration >= warmup:
            means.append(spent / count * 1e9)
            cpu_means.append(spent_cpu / count * 1e9)
    return {"step.time": means, "step.cpu": cpu_means}


def metric(means):
    error = T_999.get(len(means) - 1, math.nan) * statistics.stdev(means) / math.sqrt(len(means))
    return {"score": statistics.mean(means), "scoreError": error, "scoreUnit": "ns/step", "rawData": [means]}


def result(name, shape, steps, threads, measured):
    return {
        "benchmark": BENCHMARK,
        "params": {"scheduler": name, "shape": shape, "steps": str(steps), "threads": str(threads)},
        "secondaryMetrics": {label: metric(means) for label, means in measured.items()},
    }


def key(entry):
    return tuple(entry["params"][name] for name in ("scheduler", "shape", "steps"))


def figure(metric, unit=1e3):
    error = metric["scoreError"]
    margin = "" if error in ("NaN", None) or math.isnan(float(error)) else f" ± {float(error) / unit:.1f}"
    return f"{metric['score'] / unit:.1f}{margin}"


def table(ours, theirs, label):
    """A row for each scheduler: for each shape our time / diffusers' = ratio; bytes a step at the first shape."""
    peers = {key(entry): entry for entry in theirs}
    shapes, rows = [], {}
    for entry in ours:
        if entry["benchmark"] != BENCHMARK or key(entry) not in peers:
            continue
        mine = entry["secondaryMetrics"]
        peer = peers[key(entry)]["secondaryMetrics"][label]
        shape = entry["params"]["shape"]
        if shape not in shapes:
            shapes.append(shape)
        row = rows.setdefault(entry["params"]["scheduler"].removesuffix("Scheduler"), {"bytes": mine["step.alloc"]["score"]})
        row[shape] = f"{figure(mine[label])} / {figure(peer)} = {mine[label]['score'] / peer['score']:.2f}"
    lines = [f"| scheduler | {' | '.join(shapes)} | B/step at {shapes[0]} |", "|---" * (len(shapes) + 2) + "|"]
    for name, row in rows.items():
        lines.append(f"| {name} | {' | '.join(row.get(shape, '') for shape in shapes)} | {row['bytes']:.0f} |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--schedulers", nargs="*", help="classes; default: those of --jmh")
    parser.add_argument("--shapes", nargs="*", default=SHAPES)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--threads", type=int, default=1, help="torch's; the Java kernels take one")
    parser.add_argument("--warmup", type=int, default=1)
    parser.add_argument("--iterations", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.3, help="of one iteration")
    parser.add_argument("--jmh", help="results of the Java benchmark to compare with")
    parser.add_argument("--cpu", action="store_true", help="compare processor time: needs --threads 1")
    parser.add_argument("--out", default="scheduler_step.json")
    options = parser.parse_args()
    ours = json.load(open(options.jmh)) if options.jmh else []
    names = options.schedulers or sorted({e["params"]["scheduler"] for e in ours if e["benchmark"] == BENCHMARK})
    if not names:
        parser.error("give --schedulers, or --jmh with results of SchedulerStepBenchmark")
    if options.cpu and options.threads != 1:
        parser.error("--cpu needs --threads 1: the time of torch's other threads is not seen")
    torch.set_num_threads(options.threads)
    theirs = []
    with torch.no_grad():
        for name in names:
            for shape in options.shapes:
                measured = measure(Generation(name, shape, options.steps), options.warmup, options.iterations, options.seconds)
                theirs.append(result(name, shape, options.steps, options.threads, measured))
    with open(options.out, "w") as file:
        json.dump(theirs, file, indent=1)
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("torch", "diffusers"))
    print(f"{versions}, {options.threads} torch thread(s)\n")
    print(table(ours, theirs, "step.cpu" if options.cpu else "step.time") if ours else json.dumps(theirs, indent=1))


if __name__ == "__main__":
    main()
