"""tinygrad's own language model program, unmodified: loads one file, then measures once for every line it is given."""

from __future__ import annotations

import json
import sys
import time

from tinygrad.llm.model import Transformer

path, context, tokens = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
model, _ = Transformer.from_gguf(path, max_context=context)
model.warmup()
run = 0
print("ready", flush=True)
for _ in sys.stdin:
    # Another first token each time: it keeps what it has computed of an equal prompt.
    ids = model.generate([run % 200, 11, 12, 13, 14, 15, 16, 17])
    next(ids)
    begun = time.perf_counter()
    for _ in range(tokens - 1):
        next(ids)
    print(json.dumps({"tokens_s": (tokens - 1) / (time.perf_counter() - begun)}), flush=True)
    run += 1
