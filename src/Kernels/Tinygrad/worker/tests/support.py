"""What the tests share: where tinygrad and the shared models are, and why a test that needs them is skipped."""

from __future__ import annotations

import os
import sys
import unittest
from pathlib import Path

_CHECKOUT = os.environ.get("EGPUFLEET_TINYGRAD", "")
if _CHECKOUT and _CHECKOUT not in sys.path:
    sys.path.insert(0, _CHECKOUT)

WORKER = Path(__file__).resolve().parents[1]
"""The folder that holds the package."""

_MODELS = WORKER.parents[3].parent / "shared" / "models"

STORIES = _MODELS / "stories260K" / "stories260K.gguf"
"""A llama model of 260,000 parameters whose greedy text is published."""

STORIES_TEXT = _MODELS / "README.md"
"""Quotes that text."""

needs_tinygrad = unittest.skipUnless(
    _CHECKOUT, "set EGPUFLEET_TINYGRAD to a checkout of tinygrad (and DEV to a device, such as CPU) to run this"
)
needs_stories = unittest.skipUnless(STORIES.is_file(), "the shared models are not beside this repository")


def child_environment() -> dict[str, str]:
    """For a child process that serves the protocol."""
    path = os.pathsep.join(part for part in (str(WORKER), _CHECKOUT, os.environ.get("PYTHONPATH", "")) if part)
    return os.environ | {"PYTHONPATH": path}
