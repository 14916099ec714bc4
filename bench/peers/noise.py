#!/usr/bin/env python3
"""Times torch.randn on the CPU as NoiseBenchmark times its counterparts in Java: one thread, processor time.

Optional: the build never runs it. Needs torch. Prints microseconds of one tensor: median, least, most.
"""

import statistics
import time

import torch

ROUNDS = 7
VALUES_A_ROUND = 30_000_000


def main():
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(42)
    print(f"torch {torch.__version__}")
    for shape in ((4, 64, 64), (16, 128, 128)):
        draws = VALUES_A_ROUND // torch.Size(shape).numel()
        rounds = []
        for _ in range(ROUNDS + 1):
            start = time.thread_time()
            for _ in range(draws):
                torch.randn(shape, generator=generator)
            rounds.append((time.thread_time() - start) / draws * 1e6)
        rounds = rounds[1:]  # the first one warms up
        print("x".join(map(str, shape)), *(f"{f(rounds):.1f}" for f in (statistics.median, min, max)))


if __name__ == "__main__":
    main()
