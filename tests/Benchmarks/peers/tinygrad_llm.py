"""tinygrad's own language model program, unmodified: loads one file, then generates once for every line it is given.

A line is {"prompt": [ids], "tokens": how many}; the answer says the seconds to the first token, and from it to the last.
"""

from __future__ import annotations

import json
import sys
import time

from tinygrad.llm.model import Transformer

path, context = sys.argv[1], int(sys.argv[2])
model, _ = Transformer.from_gguf(path, max_context=context)
model.warmup()
print("ready", flush=True)
for line in sys.stdin:
    request = json.loads(line)
    asked = time.perf_counter()
    ids = model.generate(request["prompt"])
    next(ids)
    first = time.perf_counter()
    for _ in range(request["tokens"] - 1):
        next(ids)
    print(json.dumps({"first_s": first - asked, "rest_s": time.perf_counter() - first}), flush=True)
