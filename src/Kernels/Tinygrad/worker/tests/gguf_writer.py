"""Writes small GGUF files: scalar metadata, string and number lists, tensors as F32, F16 or Q8_0."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np

ALIGNMENT = 32
_F32, _F16, _Q8_0 = 0, 1, 8


def quantise_q8_0(values: np.ndarray) -> bytes:
    """Q8_0 blocks of a tensor whose rows are whole numbers of 32."""
    blocks = values.astype(np.float32).reshape(-1, 32)
    scale = (np.abs(blocks).max(axis=1, keepdims=True) / 127).astype(np.float16)
    quants = np.round(blocks / np.maximum(scale.astype(np.float32), 1e-9)).clip(-127, 127).astype(np.int8)
    return np.concatenate([scale.view(np.uint8), quants.view(np.uint8)], axis=1).tobytes()


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
    return (_Q8_0, quantise_q8_0(values)) if values.shape[-1] % 32 == 0 else (_F32, values.astype("<f4").tobytes())
