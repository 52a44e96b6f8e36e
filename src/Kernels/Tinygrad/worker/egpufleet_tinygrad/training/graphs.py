"""The captured graphs of training: one forward and one backward for each kind of layer, whatever their number."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from tinygrad import Tensor, TinyJit, UOp, dtypes

from .. import limits
from ..config import ModelConfig
from ..device import device_array, read_array, write_array
from ..rope import rope_table
from ..weights import Weights
from .adapter import AdapterShape, Layout
from .batch import TrainBatch
from .block import CUTS, Block, Rows, cut_widths
from .frozen import Kind, Part
from .head import Head
from .linear import Gradients, Linear
from .spec import TrainSpec


@dataclass(frozen=True)
class LayerTensors:
    """What the graphs of one layer take: its stored weights, flat A and B, and the sums of their gradients."""

    part: Part
    a: Tensor
    b: Tensor
    a_sums: Tensor | None
    b_sums: Tensor


def head_tokens(positions: int, vocabulary: int) -> int:
    """Positions that go through the output matrix at once: a divisor of all."""
    most = max(1, min(limits.LOSS_TOKENS, limits.LOSS_BYTES // (4 * vocabulary)))
    return next(count for count in range(min(most, positions), 0, -1) if positions % count == 0)


class Graphs:
    """Computes passes of fixed size. `hidden[l]` is the input of layer l (N, width), the last one the head's; `back` the
    gradient on its way; `losses` (N) those of the last pass.
    """

    def __init__(self, config: ModelConfig, spec: TrainSpec, edges: Part, rope_factors: np.ndarray | None) -> None:
        self._config, self._spec, self._edges = config, spec, edges
        self._layout = Layout.of(config, spec.adapter)
        rows, tokens = spec.rows_per_pass, spec.row_tokens
        count = rows * tokens
        self._inputs = device_array(np.zeros(count, np.int32))
        self._targets = device_array(np.full(count, -1, np.int32))
        self._segments = device_array(np.zeros((rows, tokens), np.int32))
        self._table = device_array(rope_table(config.rope, tokens, rope_factors))
        self.hidden = [_floats(count, config.width) for _ in range(config.layers + 1)]
        kept = 1 if spec.recompute else config.layers
        self._cuts = [[_floats(count, width) for width in cut_widths(config)] for _ in range(kept)]
        self._back = _floats(count, config.width)
        self._losses = _floats(count)
        self._piece = head_tokens(count, config.vocabulary)
        self._start = UOp.variable("start", 0, count - self._piece)
        self._embed = TinyJit(self._run_embed)
        self._head_losses, self._head_back = TinyJit(self._run_head_losses), TinyJit(self._run_head_back)
        self._best = TinyJit(self._run_best)
        self._forwards: dict[object, Callable[..., None]] = {}
        self._backwards: dict[object, Callable[..., None]] = {}

    def begin(self, batch: TrainBatch) -> None:
        """Takes the rows of a pass and looks their tokens up."""
        write_array(self._inputs, batch.inputs.reshape(-1))
        write_array(self._targets, batch.targets.reshape(-1))
        write_array(self._segments, batch.segments)
        self._embed(self._edges.stored, self._inputs, self.hidden[0])

    def forward(self, layer: int, tensors: LayerTensors) -> None:
        """From `hidden[layer]` to the next."""
        kind = tensors.part.kind
        if kind.key not in self._forwards:
            self._forwards[kind.key] = TinyJit(lambda *arguments: self._run_forward(kind, *arguments))
        cuts = self._cuts[layer % len(self._cuts)]
        source, target = self.hidden[layer], self.hidden[layer + 1]
        self._forwards[kind.key](tensors.part.stored, [tensors.a, tensors.b], cuts, self._segments, source, target)

    def backward(self, layer: int, tensors: LayerTensors) -> None:
        """Takes the gradient through a layer, and adds those of its adapter to their sums."""
        if self._spec.recompute and layer < self._config.layers - 1:
            self.forward(layer, tensors)
        kind = tensors.part.kind
        if kind.key not in self._backwards:
            self._backwards[kind.key] = TinyJit(lambda *arguments: self._run_backward(kind, *arguments))
        sums = [tensors.b_sums] if tensors.a_sums is None else [tensors.b_sums, tensors.a_sums]
        adapter, cuts = [tensors.a, tensors.b], self._cuts[layer % len(self._cuts)]
        source = self.hidden[layer]
        self._backwards[kind.key](tensors.part.stored, adapter, cuts, sums, self._segments, source, self._back)

    def losses(self, with_gradient: bool) -> np.ndarray:
        """Cross-entropy of every position, f32; with the gradient, the way back begins here."""
        for start in range(0, self._losses.shape[0], self._piece):
            place = self._start.bind(start)
            if with_gradient:
                self._head_back(self._edges.stored, self.hidden[-1], self._targets, self._losses, self._back, place)
            else:
                self._head_losses(self._edges.stored, self.hidden[-1], self._targets, self._losses, place)
        return read_array(self._losses, np.float32)

    def most_likely(self, position: int) -> int:
        """The token that follows a position of the first row."""
        piece = position // self._piece * self._piece
        best = self._best(self._edges.stored, self.hidden[-1], self._start.bind(piece))
        return int(read_array(best, np.int32)[position - piece])

    def _run_embed(self, stored: list[Tensor], inputs: Tensor, target: Tensor) -> None:
        table = self._edges.kind.weights(stored)["token_embd.weight"]
        target.assign(table[inputs].float()).realize()

    def _run_forward(
        self, kind: Kind, stored: list[Tensor], adapter: list[Tensor], cuts: list[Tensor], segments: Tensor,
        source: Tensor, target: Tensor,
    ) -> None:
        output, kept = self._block(kind, stored, adapter).forward(source, self._rows(segments))
        Tensor.realize(*(place.assign(value) for place, value in zip([target, *cuts], [output, *kept])))

    def _run_backward(
        self, kind: Kind, stored: list[Tensor], adapter: list[Tensor], cuts: list[Tensor], sums: list[Tensor],
        segments: Tensor, source: Tensor, back: Tensor,
    ) -> None:
        gradients = Gradients.into(sums[1] if len(sums) > 1 else None, sums[0], self._layout)
        block = self._block(kind, stored, adapter)
        result = block.backward(back, source, tuple(cuts), self._rows(segments), gradients)
        Tensor.realize(back.assign(result), *gradients.finish())

    def _run_head_losses(
        self, stored: list[Tensor], hidden: Tensor, targets: Tensor, losses: Tensor, start: UOp
    ) -> None:
        piece = slice(start, start + self._piece)
        found = self._head(stored).losses(hidden[piece], targets[piece])
        Tensor(losses.uop.after(losses[piece].uop.store(found.uop))).realize()

    def _run_head_back(
        self, stored: list[Tensor], hidden: Tensor, targets: Tensor, losses: Tensor, back: Tensor, start: UOp
    ) -> None:
        piece = slice(start, start + self._piece)
        found, gradient = self._head(stored).backward(hidden[piece], targets[piece])
        Tensor.realize(
            Tensor(losses.uop.after(losses[piece].uop.store(found.uop))),
            Tensor(back.uop.after(back[piece].uop.store(gradient.uop))),
        )

    def _run_best(self, stored: list[Tensor], hidden: Tensor, start: UOp) -> Tensor:
        return self._head(stored).best(hidden[start : start + self._piece]).contiguous().realize()

    def _head(self, stored: list[Tensor]) -> Head:
        return Head(self._edges.kind.weights(stored), self._config.norm_epsilon)

    def _block(self, kind: Kind, stored: list[Tensor], adapter: list[Tensor]) -> Block:
        a, b = adapter

        def adapted(name: str, weights: Weights) -> Linear:
            bias = weights[f"{name}.bias"] if f"{name}.bias" in weights else None
            pair = (self._matrix(a, self._layout.a, name), self._matrix(b, self._layout.b, name))
            return Linear(name, weights[f"{name}.weight"], bias, *pair, self._spec.adapter.scale)

        return Block(self._config, kind.weights(stored), adapted)

    @staticmethod
    def _matrix(flat: Tensor, slots: dict, name: str) -> Tensor | None:
        slot = slots.get(name)
        return None if slot is None else flat[slot.start : slot.stop].reshape(slot.shape)

    def _rows(self, segments: Tensor) -> Rows:
        rows, tokens = segments.shape
        places = Tensor.arange(tokens, dtype=dtypes.int32)
        causal = places.unsqueeze(0) <= places.unsqueeze(1)
        same = segments.unsqueeze(1) == segments.unsqueeze(2)
        visible = (causal.unsqueeze(0) & same).reshape(rows, 1, 1, tokens, tokens)
        return Rows(rows, tokens, self._table[0].unsqueeze(0), self._table[1].unsqueeze(0), visible)


def _floats(*shape: int) -> Tensor:
    return device_array(np.zeros(shape, np.float32))
