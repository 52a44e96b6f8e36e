"""A Python whose tinygrad tells how much memory it has had at most: for tests that hold an estimate to what is used.

Usage: python_with_gauge.py FILE [-P] -m MODULE. The agent is given this in place of an interpreter. The file gets a line with
the bytes that tinygrad has in buffers of its device, each time they are more than ever before in this process.
"""

from __future__ import annotations

import runpy
import sys
from typing import Any


def watch(path: str) -> None:
    """Must come before the first buffer is allocated."""
    from tinygrad.device import Buffer
    from tinygrad.helpers import GlobalCounters

    allocate = Buffer.allocate
    highest = 0

    def watched(buffer: Any, *arguments: Any, **named: Any) -> Any:
        nonlocal highest
        made = allocate(buffer, *arguments, **named)
        if GlobalCounters.mem_used > highest:
            highest = GlobalCounters.mem_used
            with open(path, "a", encoding="ascii") as file:
                file.write(f"{highest}\n")
        return made

    Buffer.allocate = watched  # type: ignore[method-assign]


if __name__ == "__main__":
    module = sys.argv[sys.argv.index("-m") + 1]
    watch(sys.argv[1])
    sys.argv = [module]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
