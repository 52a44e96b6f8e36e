"""What is trained, and a step of AdamW over it, on the device and in place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from tinygrad import Tensor, TinyJit

from ..device import device_array, read_array, write_array
from .spec import AdamSettings

_PIECE = 4096


@dataclass(frozen=True)
class Trained:
    """A flat tensor that is trained, the sums of its gradients and its moments: f32 all."""

    values: Tensor
    sums: Tensor
    first: Tensor
    second: Tensor

    @staticmethod
    def of(values: np.ndarray) -> Trained:
        """With zero gradients and moments."""
        zeros = [device_array(np.zeros_like(values)) for _ in range(3)]
        return Trained(device_array(values), *zeros)


class Adam:
    """Captured graphs by size, so that no step compiles anything after the first ones."""

    def __init__(self, settings: AdamSettings) -> None:
        self._settings = settings
        self._scalars = device_array(np.zeros(4, np.float32))
        self._graphs: dict[tuple[str, int], Callable[..., Tensor]] = {}

    def clear(self, trained: list[Trained]) -> None:
        """Sets the sums of all gradients to zero."""
        for one in trained:
            self._graph("clear", one, _clear)(one.sums)

    def square_sum(self, trained: list[Trained]) -> float:
        """Of all gradient sums; no number where one of them is none."""
        total = 0.0
        for one in trained:
            # Pieces are added up in f32 on the device, their sums in f64 and in order here.
            pieces = read_array(self._graph("square", one, _square_sums)(one.sums), np.float32)
            total += float(pieces.astype(np.float64).sum())
        return total

    def update(self, trained: list[Trained], step: int, rate: float, scale: float) -> None:
        """The step with this number, from 1, its gradients being `scale` times their sums."""
        settings = self._settings
        first, second = 1 - settings.beta1**step, 1 - settings.beta2**step
        scalars = scale, rate / first, second, 1 - rate * settings.weight_decay
        write_array(self._scalars, np.array(scalars, np.float32))
        for one in trained:
            self._graph("update", one, self._update)(one.values, one.sums, one.first, one.second, self._scalars)

    def _graph(self, name: str, one: Trained, function: Callable[..., Tensor]) -> Callable[..., Tensor]:
        key = name, one.values.shape[0]
        if key not in self._graphs:
            self._graphs[key] = TinyJit(function)
        return self._graphs[key]

    def _update(self, values: Tensor, sums: Tensor, first: Tensor, second: Tensor, scalars: Tensor) -> Tensor:
        settings = self._settings
        gradient = sums * scalars[0]
        first.assign(first * settings.beta1 + gradient * (1 - settings.beta1)).realize()
        second.assign(second * settings.beta2 + gradient.square() * (1 - settings.beta2)).realize()
        change = first / ((second / scalars[2]).sqrt() + settings.epsilon) * scalars[1]
        return values.assign(values * scalars[3] - change).realize()


def _clear(sums: Tensor) -> Tensor:
    return sums.assign(Tensor.zeros(*sums.shape)).realize()


def _square_sums(sums: Tensor) -> Tensor:
    pieces = -(-sums.shape[0] // _PIECE)
    padded = sums.pad(((0, pieces * _PIECE - sums.shape[0]),))
    return padded.reshape(pieces, _PIECE).square().sum(-1).contiguous().realize()
