#!/usr/bin/env python3
"""Times transformers' fast tokenizer on the prompts of TokenizerBenchmark.

Optional: the build never runs it. Needs transformers:

    python3 -m venv venv && venv/bin/pip install transformers
    venv/bin/python bench/peers/tokenizer.py examples/models/emoji-ldm/tokenizer

One call pads and truncates one prompt, as TokenizerBenchmark's does. Prints processor time.
"""

import os
import statistics
import sys
import time

os.environ["TOKENIZERS_PARALLELISM"] = "false"

import transformers

PROMPTS = {
    "SHORT": "a red apple on a light blue background",
    "LONG": "an intricate oil painting of a lighthouse above a stormy sea at dusk, " * 8,
}
RUNS, CALLS = 7, 2000

tokenizer = transformers.PreTrainedTokenizerFast.from_pretrained(sys.argv[1])
length = tokenizer.model_max_length
print("transformers", transformers.__version__, "length", length)
for name, prompt in PROMPTS.items():
    times = []
    for _ in range(RUNS):
        start = time.process_time()
        for _ in range(CALLS):
            tokenizer(prompt, padding="max_length", truncation=True, max_length=length)
        times.append((time.process_time() - start) / CALLS * 1e6)
    print(f"{name}: {statistics.median(times):.1f} us ({min(times):.1f} to {max(times):.1f})")
