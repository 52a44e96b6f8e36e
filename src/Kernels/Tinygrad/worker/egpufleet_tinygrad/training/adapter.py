"""Where the values of an adapter stand, and their first values, the same as those of every engine of the fleet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..config import ModelConfig
from ..tensors import block_prefix, layer_tensors

TARGETS = ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")
"""Matrices of a block that an adapter may be put beside, in the order of a block."""

_GOLDEN, _FIRST, _SECOND = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
_FNV_START, _FNV_PRIME = 0xCBF29CE484222325, 0x100000001B3
_MASK = (1 << 64) - 1


@dataclass(frozen=True)
class AdapterShape:
    """Rank, scale (alpha over rank) and targets in their order; `frozen_a`: only B is trained."""

    rank: int
    scale: float
    targets: tuple[str, ...]
    frozen_a: bool = False


@dataclass(frozen=True)
class Slot:
    """Where a matrix stands within the flat A or B of its layer: values from `start` on, in this shape."""

    start: int
    shape: tuple[int, int]

    @property
    def stop(self) -> int:
        """Past its last value."""
        return self.start + self.shape[0] * self.shape[1]


@dataclass(frozen=True)
class Layout:
    """Of every layer's adapter: A (rank, inputs) and B (outputs, rank) by target; `a_size` and `b_size` values in all."""

    a: dict[str, Slot]
    b: dict[str, Slot]
    a_size: int
    b_size: int

    @staticmethod
    def of(config: ModelConfig, shape: AdapterShape) -> Layout:
        """All layers are alike."""
        matrices = layer_tensors(config, 0).required
        a: dict[str, Slot] = {}
        b: dict[str, Slot] = {}
        a_size = b_size = 0
        for target in shape.targets:
            outputs, inputs = matrices[f"{target}.weight"]
            a[target], b[target] = Slot(a_size, (shape.rank, inputs)), Slot(b_size, (outputs, shape.rank))
            a_size, b_size = a[target].stop, b[target].stop
        return Layout(a, b, a_size, b_size)


def tensor_name(layer: int, target: str, side: str) -> str:
    """Of A (`side` a) or B (b) in a state file."""
    return f"{block_prefix(layer)}{target}.lora_{side}"


def first_values(seed: int, name: str, shape: tuple[int, int]) -> np.ndarray:
    """Values of A (rank, inputs), f32: uniform in ±1/sqrt(inputs), a function of seed, name and place alone."""
    stream = (seed & _MASK) ^ _fnv(name)
    places = np.arange(1, shape[0] * shape[1] + 1, dtype=np.uint64)
    z = np.uint64(stream) + places * np.uint64(_GOLDEN)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(_FIRST)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(_SECOND)
    # The upper 24 bits make a float in [0, 1) exactly.
    unit = ((z ^ (z >> np.uint64(31))) >> np.uint64(40)).astype(np.float32) * np.float32(1 / (1 << 24))
    return ((np.float32(2) * unit - np.float32(1)) * np.float32(1 / np.sqrt(shape[1]))).reshape(shape)


def first_a(seed: int, layout: Layout, targets: Sequence[str], layer: int) -> np.ndarray:
    """The flat A of a layer as it begins."""
    parts = [first_values(seed, tensor_name(layer, target, "a"), layout.a[target].shape) for target in targets]
    return np.concatenate([part.reshape(-1) for part in parts])


def _fnv(name: str) -> int:
    value = _FNV_START
    for byte in name.encode():
        value = ((value ^ byte) * _FNV_PRIME) & _MASK
    return value
