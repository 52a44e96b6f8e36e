"""One kernel on random inputs of its own: how long it takes, and whether it computes what the untuned one does."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from tinygrad import Device, dtypes
from tinygrad.codegen.opt.postrange import args_from_ast
from tinygrad.codegen.opt.search import _time_program
from tinygrad.device import Buffer
from tinygrad.dtype import DType
from tinygrad.engine.realize import time_call
from tinygrad.uop.ops import UOp

from . import limits

_RUNS = 3
_PAIRS = 9
_WON_PAIRS = 8
_LEAST_GAIN = 1.05
"""Faster by less is noise; and of the pairs that are timed in turn all but one must say so too."""

_TOLERANCE = {dtypes.float32: 1e-4, dtypes.float16: 1e-2, dtypes.bfloat16: 5e-2}
"""Of the largest value: another order of adding gives other last bits. All other types must be equal."""


class KernelTrial:
    """Holds a kernel's buffers, filled alike in every process, from `open` to `close`."""

    def __init__(self, kernel: UOp, untuned: UOp) -> None:
        self._buffers, self._variables = args_from_ast(kernel, Device.DEFAULT)
        self._untuned = untuned
        self._inputs: dict[int, np.ndarray] = {}
        self._expected: list[np.ndarray] = []

    @property
    def fits(self) -> bool:
        """Whether its buffers are small enough to be held beside the models."""
        return sum(buffer.nbytes for buffer in self._buffers) <= limits.TRIAL_BYTES

    def open(self) -> bool:
        """Allocates; False where what it computes says nothing, because it is all zeros or no numbers."""
        random = np.random.default_rng(7)
        for place, buffer in enumerate(self._buffers):
            values = _random(random, buffer.size, buffer.dtype)
            _write(buffer.ensure_allocated(), values)
            if place in self._untuned.arg.outs:
                self._inputs[place] = values
        self._expected = self._outputs(self._untuned)
        return all(_says_something(values) for values in self._expected)

    def close(self) -> None:
        """Frees the buffers."""
        for buffer in self._buffers:
            if buffer.is_allocated():
                buffer.deallocate()

    def seconds(self, program: UOp, stop_at: float) -> float:
        """The best of a few runs, fewer once one took longer than `stop_at`; infinite where it cannot run."""
        try:
            timed = _time_program(program, self._variables, self._buffers, early_stop=stop_at, cnt=_RUNS)
        except RuntimeError:
            return math.inf
        return min(timed, default=math.inf)

    def is_right(self, program: UOp) -> bool:
        """Whether it computes from the same inputs what the untuned kernel does."""
        outputs = self._outputs(program)
        kinds = [self._buffers[place].dtype for place in self._inputs]
        return all(_equal(kind, *pair) for kind, *pair in zip(kinds, outputs, self._expected, strict=True))

    def compare(self, program: UOp) -> tuple[float, float] | None:
        """Best seconds of the untuned and of this kernel, run in turn; None where it is not faster beyond the noise."""
        untuned, tuned = self._timer(self._untuned), self._timer(program)
        pairs = [(next(untuned), next(tuned)) for _ in range(_PAIRS)]
        before, after = min(pair[0] for pair in pairs), min(pair[1] for pair in pairs)
        won = sum(before > after for before, after in pairs)
        return (before, after) if won >= _WON_PAIRS and before > after * _LEAST_GAIN else None

    def _timer(self, program: UOp) -> Iterator[float]:
        return time_call(program.call(*[UOp.from_buffer(buffer) for buffer in self._buffers]), self._variables)

    def _outputs(self, program: UOp) -> list[np.ndarray]:
        for place, values in self._inputs.items():
            _write(self._buffers[place], values)
        next(self._timer(program))
        return [_read(self._buffers[place]) for place in self._inputs]


def _random(random: np.random.Generator, size: int, dtype: DType) -> np.ndarray:
    """Values far from zero and small: whole numbers stay indices of anything, bytes make finite scales of any block."""
    if dtype in (dtypes.float32, dtypes.float64, dtypes.float16):
        return random.uniform(0.25, 1, size).astype(dtype.fmt)
    if dtype == dtypes.bfloat16:
        return (random.uniform(0.25, 1, size).astype(np.float32).view(np.uint32) >> 16).astype(np.uint16)
    if dtype.itemsize == 1 and dtype != dtypes.bool:
        return random.integers(0x20, 0x3C, size).astype(np.uint8)
    return random.integers(0, 2, size).astype(f"u{dtype.itemsize}")


def _write(buffer: Buffer, values: np.ndarray) -> None:
    buffer.allocator._copyin(buffer._buf, memoryview(values).cast("B"))


def _read(buffer: Buffer) -> np.ndarray:
    kind = buffer.dtype
    values = np.empty(buffer.size, np.uint16 if kind == dtypes.bfloat16 else np.dtype(kind.fmt))
    buffer.allocator._copyout(memoryview(values).cast("B"), buffer._buf)
    return (values.astype(np.uint32) << 16).view(np.float32) if kind == dtypes.bfloat16 else values


def _says_something(values: np.ndarray) -> bool:
    return bool(np.any(values != 0)) and not bool(np.any(np.isnan(values)))


def _equal(kind: DType, actual: np.ndarray, expected: np.ndarray) -> bool:
    tolerance = _TOLERANCE.get(kind)
    if tolerance is None:
        return bool(np.array_equal(actual, expected))
    finite = np.isfinite(expected)
    scale = float(np.max(np.abs(expected[finite]), initial=0))
    return bool(np.allclose(actual, expected, rtol=tolerance, atol=tolerance * scale))

