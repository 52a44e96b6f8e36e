"""Computes on the device what numpy computes here.

All expected values are far from zero: a device that returns nothing, or only zeros, fails.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from tinygrad import Tensor
from tinygrad.llm.gguf import ggml_data_to_tensor

from .dequantise import q4_k, q8_0
from .device import device_array

_SIZE = 64
_Q8_0, _Q4_K = 8, 12
_BLOCKS = 32
_SEED = 20260822


def run_self_test() -> dict[str, Any]:
    """The result of the verb selftest: whether all checks passed, how many values, and the largest relative error."""
    worst, values, failed, lines = 0.0, 0, [], []
    for name, tolerance, compute in _CHECKS:
        actual, expected = compute(np.random.default_rng(_SEED))
        error = _relative_error(actual, expected)
        values += expected.size
        worst = max(worst, error)
        lines.append(f"{name} {error:.1e}")
        if error > tolerance:
            failed.append(name)
    text = "largest relative errors: " + ", ".join(lines)
    return {
        "passed": not failed,
        "values": values,
        "largest_relative_error": worst,
        "text": f"{', '.join(failed)} FAILED; {text}" if failed else text,
    }


Check = Callable[[np.random.Generator], tuple[np.ndarray, np.ndarray]]
"""Gives what the device computed and what it should have."""


def _matmul_f32(random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    left, right = (random.uniform(0.5, 1.5, (_SIZE, _SIZE)).astype(np.float32) for _ in range(2))
    return (device_array(left) @ device_array(right)).numpy(), left.astype(np.float64) @ right


def _matmul_f16(random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    left, right = (random.uniform(0.5, 1.5, (_SIZE, _SIZE)).astype(np.float16) for _ in range(2))
    return (device_array(left) @ device_array(right)).numpy(), left.astype(np.float64) @ right.astype(np.float64)


def _softmax(random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    values = random.uniform(-1, 1, (_SIZE, _SIZE)).astype(np.float32)
    exponentials = np.exp(values.astype(np.float64))
    return device_array(values).softmax(-1).numpy(), exponentials / exponentials.sum(-1, keepdims=True)


def _dequantise_q8_0(random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    blocks = random.integers(16, 112, (_BLOCKS, 34), dtype=np.uint8)
    blocks[:, :2] = _halves(random, _BLOCKS)
    return _device_dequantised(blocks, 32, _Q8_0), q8_0(blocks.reshape(-1))


def _dequantise_q4_k(random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    blocks = random.integers(0, 256, (_BLOCKS, 144), dtype=np.uint8)
    # No nibble or scale is 0 and the minima are tiny, so that every value is far from zero.
    blocks[:, 0:2] = _halves(random, _BLOCKS)
    blocks[:, 2:4] = np.full(_BLOCKS, 1 / 4096, np.float16).view(np.uint8).reshape(_BLOCKS, 2)
    blocks[:, 4:16] |= 0x11
    blocks[:, 16:] |= 0x11
    return _device_dequantised(blocks, 256, _Q4_K), q4_k(blocks.reshape(-1))


def _halves(random: np.random.Generator, count: int) -> np.ndarray:
    return random.uniform(0.5, 1.5, count).astype(np.float16).view(np.uint8).reshape(count, 2)


def _device_dequantised(blocks: np.ndarray, items: int, kind: int) -> np.ndarray:
    tensor: Tensor = ggml_data_to_tensor(device_array(blocks.reshape(-1)), len(blocks) * items, kind)
    return tensor.flatten().contiguous().numpy()


def _relative_error(actual: np.ndarray, expected: np.ndarray) -> float:
    if actual.shape != expected.shape or not np.isfinite(actual).all():
        return 1.0
    return float(np.max(np.abs(actual - expected) / np.abs(expected)))


_CHECKS: tuple[tuple[str, float, Check], ...] = (
    ("f32 matrix product", 1e-5, _matmul_f32),
    ("f16 matrix product", 4e-3, _matmul_f16),
    ("softmax", 1e-5, _softmax),
    ("Q8_0", 1e-6, _dequantise_q8_0),
    ("Q4_K", 1e-4, _dequantise_q4_k),
)
"""Name, largest relative error that passes, and the computation."""
