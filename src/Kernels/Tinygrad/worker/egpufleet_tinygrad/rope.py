"""Rotary positions: a table of cosines and sines, made on the host, and the turning of heads by it."""

from __future__ import annotations

import numpy as np
from tinygrad import Tensor

from .config import Rope


def rope_table(rope: Rope, positions: int, factors: np.ndarray | None) -> np.ndarray:
    """Cosines and sines (2, positions, width / 2), f32; `factors` (width / 2) divide the frequencies."""
    exponents = np.arange(0, rope.width, 2, dtype=np.float64) / rope.width
    frequencies = rope.scale / rope.base**exponents
    if factors is not None:
        frequencies = frequencies / factors
    angles = np.arange(positions, dtype=np.float64)[:, None] * frequencies[None, :]
    return np.stack([np.cos(angles), np.sin(angles)]).astype(np.float32)


def turn(x: Tensor, cosines: Tensor, sines: Tensor, rope: Rope) -> Tensor:
    """Turns the leading `rope.width` values of each head.

    x (B, T, H, head width), cosines and sines (B or 1, T, width / 2); the result has the shape of x.
    """
    cosines, sines = cosines.unsqueeze(2), sines.unsqueeze(2)
    turned, rest = x[..., : rope.width], x[..., rope.width :]
    if rope.interleaved:
        pairs = turned.reshape(*turned.shape[:-1], rope.width // 2, 2)
        left, right = pairs[..., 0], pairs[..., 1]
    else:
        left, right = turned[..., : rope.width // 2], turned[..., rope.width // 2 :]
    first, second = left * cosines - right * sines, left * sines + right * cosines
    if rope.interleaved:
        turned = first.stack(second, dim=-1).reshape(*turned.shape)
    else:
        turned = first.cat(second, dim=-1)
    return turned if rope.width == x.shape[-1] else turned.cat(rest, dim=-1)
