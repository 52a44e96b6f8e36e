"""What quantised blocks mean, computed with numpy: the reference that a device's own dequantisation is held against."""

from __future__ import annotations

import numpy as np

_Q8_0_BYTES, _Q4_K_BYTES = 34, 144


def q8_0(data: np.ndarray) -> np.ndarray:
    """Bytes u8 of Q8_0 blocks (a half d, 32 signed bytes) to f32: d × q."""
    blocks = data.reshape(-1, _Q8_0_BYTES)
    scale = blocks[:, :2].copy().view(np.float16).astype(np.float32)
    return (scale * blocks[:, 2:].view(np.int8).astype(np.float32)).reshape(-1)


def q4_k(data: np.ndarray) -> np.ndarray:
    """Bytes u8 of Q4_K blocks to f32: halves d and m, eight 6-bit scales and minima, 256 nibbles; d s q − m o."""
    blocks = data.reshape(-1, _Q4_K_BYTES)
    d, m = (blocks[:, at : at + 2].copy().view(np.float16).astype(np.float32) for at in (0, 2))
    packed = blocks[:, 4:16]
    low, middle, high = packed[:, 0:4], packed[:, 4:8], packed[:, 8:12]
    scales = np.concatenate([low & 63, (high & 15) | (low >> 6 << 4)], axis=1).astype(np.float32)
    minima = np.concatenate([middle & 63, (high >> 4) | (middle >> 6 << 4)], axis=1).astype(np.float32)
    nibbles = blocks[:, 16:].reshape(-1, 4, 32)
    q = np.stack([nibbles & 15, nibbles >> 4], axis=2).reshape(-1, 8, 32).astype(np.float32)
    return ((d * scales)[:, :, None] * q - (m * minima)[:, :, None]).reshape(-1)
