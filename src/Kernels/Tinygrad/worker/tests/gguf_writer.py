"""Writes small GGUF files: scalar metadata, string and number lists, tensors as F32, F16, Q8_0, Q4_0 or Q4_K."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np

ALIGNMENT = 32
_F32, _F16, _Q4_0, _Q8_0, _Q4_K = 0, 1, 2, 8, 12
_MIDDLE_SCALE = 32
"""Of every part of a Q4_K block: the block's own scale and minimum do the rest."""


def quantise_q8_0(values: np.ndarray) -> bytes:
    """Q8_0 blocks of a tensor whose rows are whole numbers of 32."""
    blocks = values.astype(np.float32).reshape(-1, 32)
    scale = (np.abs(blocks).max(axis=1, keepdims=True) / 127).astype(np.float16)
    quants = np.round(blocks / np.maximum(scale.astype(np.float32), 1e-9)).clip(-127, 127).astype(np.int8)
    return np.concatenate([scale.view(np.uint8), quants.view(np.uint8)], axis=1).tobytes()


def quantise_q4_0(values: np.ndarray) -> bytes:
    """Q4_0 blocks of a tensor whose rows are whole numbers of 32."""
    blocks = values.astype(np.float32).reshape(-1, 32)
    widest = np.take_along_axis(blocks, np.abs(blocks).argmax(axis=1, keepdims=True), axis=1)
    scale = (widest / -8).astype(np.float16)
    quants = (np.round(blocks / np.where(scale == 0, 1, scale)) + 8).clip(0, 15).astype(np.uint8)
    return np.concatenate([scale.view(np.uint8), quants[:, :16] | quants[:, 16:] << 4], axis=1).tobytes()


def quantise_q4_k(values: np.ndarray) -> bytes:
    """Q4_K blocks, coarsely, of a tensor whose rows are whole numbers of 256."""
    blocks = values.astype(np.float32).reshape(-1, 256)
    low = np.minimum(blocks.min(axis=1, keepdims=True), 0)
    scale = ((blocks.max(axis=1, keepdims=True) - low) / 15 / _MIDDLE_SCALE).astype(np.float16)
    minimum = (-low / _MIDDLE_SCALE).astype(np.float16)
    step = scale.astype(np.float32) * _MIDDLE_SCALE
    quants = np.round((blocks + minimum.astype(np.float32) * _MIDDLE_SCALE) / step).clip(0, 15).astype(np.uint8)
    quants = quants.reshape(-1, 4, 2, 32)
    # Of the eight 6-bit scales and minima the first four stand whole, the upper bits of the others above them.
    packed = np.array([[_MIDDLE_SCALE | _MIDDLE_SCALE >> 4 << 6] * 8 + [0] * 4], np.uint8).repeat(len(blocks), axis=0)
    nibbles = (quants[:, :, 0] | quants[:, :, 1] << 4).reshape(-1, 128)
    return np.concatenate([scale.view(np.uint8), minimum.view(np.uint8), packed, nibbles], axis=1).tobytes()


def write_gguf(path: Path, metadata: dict[str, Any], tensors: dict[str, np.ndarray], kind: str = "F32") -> None:
    """Vectors are always F32, as converters write them; matrices are of the given kind."""
    infos, data = b"", b""
    for name, values in tensors.items():
        type_id, raw = _encode(values, kind)
        dimensions = b"".join(struct.pack("<Q", size) for size in reversed(values.shape))
        infos += text(name) + struct.pack("<I", values.ndim) + dimensions + struct.pack("<IQ", type_id, len(data))
        data += raw + b"\0" * (-len(raw) % ALIGNMENT)
    pairs = b"".join(text(key) + value(item) for key, item in metadata.items())
    header = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(metadata)) + pairs + infos
    path.write_bytes(header + b"\0" * (-len(header) % ALIGNMENT) + data)


def text(item: str) -> bytes:
    """A length-prefixed text."""
    return struct.pack("<Q", len(item.encode())) + item.encode()


def value(item: Any) -> bytes:
    """A typed metadata value."""
    if isinstance(item, bool):
        return struct.pack("<I?", 7, item)
    if isinstance(item, int):
        return struct.pack("<II", 4, item)
    if isinstance(item, float):
        return struct.pack("<If", 6, item)
    if isinstance(item, str):
        return struct.pack("<I", 8) + text(item)
    if all(isinstance(part, str) for part in item):
        return struct.pack("<IIQ", 9, 8, len(item)) + b"".join(text(part) for part in item)
    return struct.pack("<IIQ", 9, 4, len(item)) + struct.pack(f"<{len(item)}I", *item)


def _encode(values: np.ndarray, kind: str) -> tuple[int, bytes]:
    if values.ndim == 1 or kind == "F32":
        return _F32, values.astype("<f4").tobytes()
    if kind == "F16":
        return _F16, values.astype("<f2").tobytes()
    # Convolution kernels are narrower than a block: converters keep them as F32.
    items, type_id, quantise = _QUANTISED[kind]
    return (type_id, quantise(values)) if values.shape[-1] % items == 0 else (_F32, values.astype("<f4").tobytes())


_QUANTISED = {
    "Q8_0": (32, _Q8_0, quantise_q8_0),
    "Q4_0": (32, _Q4_0, quantise_q4_0),
    "Q4_K": (256, _Q4_K, quantise_q4_k),
}
"""Numbers of a block, ggml's type, and how to write it."""
