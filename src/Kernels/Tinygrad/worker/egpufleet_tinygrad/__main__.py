"""`python -m egpufleet_tinygrad`: serves the protocol on stdin and stdout."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .engine import Engine


def main() -> int:
    """Takes stdin and stdout for the protocol before anything else can use them, then serves.

    Both are unbuffered: a thread that waits in a buffered stream holds its lock, which breaks the interpreter's exit.
    """
    source, sink = os.fdopen(os.dup(0), "rb", buffering=0), os.fdopen(os.dup(1), "wb", buffering=0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    from .serve import Server

    return Server(source, sink, _open_engine).run()


def _open_engine() -> Engine:
    """Imports tinygrad, which takes half a second and may fail, when the first request needs it."""
    from .engine import Engine

    return Engine()


if __name__ == "__main__":
    sys.exit(main())
