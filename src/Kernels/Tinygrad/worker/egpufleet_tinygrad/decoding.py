"""What the batch asks of a model; the batch itself knows no tensors, so it is tested without a device."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np


@dataclass(frozen=True)
class Row:
    """The next token of a slot, at the position where its keys and values go."""

    slot: int
    position: int
    token: int


@dataclass(frozen=True)
class LoadOptions:
    """How a model is held.

    context_tokens: positions of each slot; sequences: slots; kv: type of keys and values, f16 or f32; exact: numbers
    must not depend on how many slots run.
    """

    context_tokens: int
    sequences: int
    kv: str
    exact: bool


class Decoded(Protocol):
    """What one decode call gave: per row the most likely token, the lowest id on ties, and its logit."""

    tokens: list[int]
    highest: list[float]

    def logits(self, row: int) -> np.ndarray:
        """The logits (vocabulary) of one row, f32; only until the model's next call."""


class DecodableModel(Protocol):
    """A model as the batch uses it."""

    options: LoadOptions

    def prefill(self, slot: int, start: int, tokens: Sequence[int]) -> None:
        """Computes a chunk of a prompt from the position `start` on."""

    def decode(self, rows: Sequence[Row]) -> Decoded:
        """Computes one token of each row, at most one row per slot; row i of the result is row i of the argument."""
