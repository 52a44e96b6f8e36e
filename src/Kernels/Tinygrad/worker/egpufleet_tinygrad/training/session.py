"""A model being trained: every call leaves it as it was where it fails."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..config import ModelConfig
from ..errors import EngineError, bad_model, invalid
from ..gguf import GgufFile
from ..weights import read_bytes
from .adam import Adam
from .batch import TrainBatch
from .estimate import TrainEstimate
from .frozen import Kind, load_part
from .graphs import Graphs
from .spec import TrainSpec
from .state import State

Heed = Callable[[], None]
"""Called between the parts of a pass: raises EngineError cancelled where nobody waits for the work any more."""

_MIXING = ("attn_q", "attn_k")


@dataclass(frozen=True)
class Sums:
    """Of a batch: cross-entropy in nats and the positions it is of."""

    loss: float
    tokens: int


class TrainingSession:
    """Owns the weights, the adapter and the graphs. Not for several threads."""

    def __init__(
        self,
        file: GgufFile,
        config: ModelConfig,
        spec: TrainSpec,
        kinds: tuple[Kind, list[Kind]],
        needed: TrainEstimate,
    ) -> None:
        edges, layers = kinds
        self._config, self._spec, self._needed = config, spec, needed
        self._base_parameters = sum(tensor.items for kind in [edges, *layers] for _, tensor in kind.tensors)
        self._edges, self._rope_factors = load_part(file.path, edges), _rope_factors(file)
        self._graphs = Graphs(config, spec, self._edges, self._rope_factors)
        self._one_row = self._graphs if spec.rows_per_pass == 1 else None
        self._state = State(config, spec)
        self._layers = [self._state.layer(index, load_part(file.path, kind)) for index, kind in enumerate(layers)]
        self._adam = Adam(spec.optimizer)
        self._is_checked = False

    def info(self) -> dict[str, Any]:
        """What it is, and the step it is at."""
        return {
            "content_hash": self._spec.content_hash,
            "architecture": self._config.architecture,
            "vocabulary": self._config.vocabulary,
            "context_tokens": self._config.trained_context,
            "trained_parameters": sum(math.prod(place.entry.shape) for place in self._state.places),
            "base_parameters": self._base_parameters,
            "estimate": self._needed.to_wire(),
            "step": self._state.step,
            "tensors": [{"name": place.entry.name, "shape": list(place.entry.shape)} for place in self._state.places],
        }

    def step(self, batch: TrainBatch, rate: float, heed: Heed) -> dict[str, Any]:
        """One step of the optimizer."""
        sums = self._differentiate(batch, heed)
        return self._update(sums.tokens, rate, sums.loss / sums.tokens)

    def evaluate(self, batch: TrainBatch, heed: Heed) -> dict[str, Any]:
        """Cross-entropy without learning."""
        loss = 0.0
        for part in batch.passes(self._spec.rows_per_pass):
            loss += self._forward(part, False, heed)
        return {"loss_sum": _finite(loss, "loss"), "tokens": batch.trained_tokens}

    def backward(self, batch: TrainBatch, path: str, heed: Heed) -> dict[str, Any]:
        """The first half of a step: sums of gradients, in a file."""
        sums = self._differentiate(batch, heed)
        _finite(self._adam.square_sum(self._state.trained), "gradient")
        self._state.write_gradients(path)
        return {"loss_sum": sums.loss, "trained_tokens": sums.tokens}

    def update(self, path: str, trained_tokens: int, rate: float) -> dict[str, Any]:
        """The second half: a step from a file of summed gradients. Its loss is not known here, and told as 0."""
        self._state.read_gradients(path)
        return self._update(trained_tokens, rate, 0.0)

    def save(self, path: str, weights_only: bool) -> dict[str, Any]:
        """Writes the state to a file."""
        return {"bytes": self._state.save(path, weights_only), "step": self._state.step}

    def restore(self, path: str) -> dict[str, Any]:
        """Takes a state from a file."""
        self._state.restore(path)
        return self.info()

    def continue_(
        self, prompt: np.ndarray, max_tokens: int, stops: Sequence[int], heed: Heed
    ) -> dict[str, Any]:
        """The most likely continuation, as far as a row holds it; each token is a forward pass over one row."""
        room = self._spec.row_tokens
        if not 1 <= prompt.size <= room:
            raise EngineError("context_length_exceeded", f"A row holds 1 to {room} tokens.", prompt.size, room)
        if prompt.min() < 0 or prompt.max() >= self._config.vocabulary:
            raise invalid(f"A token is not in 0..{self._config.vocabulary - 1}.")
        graphs = self._graphs_of_one_row()
        inputs = np.zeros((1, room), np.int32)
        inputs[0, : prompt.size] = prompt
        nothing = np.full_like(inputs, -1)
        tokens: list[int] = []
        for position in range(prompt.size - 1, min(room, prompt.size - 1 + max_tokens)):
            self._layers_forward(graphs, TrainBatch(inputs, nothing, np.zeros_like(inputs)), heed)
            token = graphs.most_likely(position)
            if token in stops:
                break
            tokens.append(token)
            if position + 1 < room:
                inputs[0, position + 1] = token
        return {"tokens": tokens}

    def _differentiate(self, batch: TrainBatch, heed: Heed) -> Sums:
        """Sums up the gradients of a batch, pass by pass."""
        self._adam.clear(self._state.trained)
        loss = 0.0
        for part in batch.passes(self._spec.rows_per_pass):
            loss += self._forward(part, True, heed)
            for layer in range(self._config.layers - 1, -1, -1):
                heed()
                self._graphs.backward(layer, self._layers[layer])
        sums = Sums(_finite(loss, "loss"), batch.trained_tokens)
        if not self._is_checked:
            self._require_gradients(batch)
        return sums

    def _forward(self, part: TrainBatch, with_gradient: bool, heed: Heed) -> float:
        self._layers_forward(self._graphs, part, heed)
        return float(self._graphs.losses(with_gradient).astype(np.float64).sum())

    def _layers_forward(self, graphs: Graphs, part: TrainBatch, heed: Heed) -> None:
        heed()
        graphs.begin(part)
        for layer, tensors in enumerate(self._layers):
            heed()
            graphs.forward(layer, tensors)

    def _graphs_of_one_row(self) -> Graphs:
        if self._one_row is None:
            spec = replace(self._spec, rows_per_pass=1, recompute=True)
            self._one_row = Graphs(self._config, spec, self._edges, self._rope_factors)
        return self._one_row

    def _update(self, tokens: int, rate: float, loss: float) -> dict[str, Any]:
        norm = math.sqrt(_finite(self._adam.square_sum(self._state.trained), "gradient")) / tokens
        clip = self._spec.optimizer.clip_norm
        scale = clip / norm if 0 < clip < norm else 1.0
        self._adam.update(self._state.trained, self._state.step + 1, rate, scale / tokens)
        self._state.step += 1
        return {"step": self._state.step, "loss": loss, "gradient_norm": norm, "trained_tokens": tokens}

    def _require_gradients(self, batch: TrainBatch) -> None:
        """A device or compiler that loses a gradient says nothing: the model would learn with a part of its adapter."""
        lost = [
            place.entry.name
            for place in self._state.zero_gradients()
            if batch.mixes or place.target not in _MIXING
        ]
        if lost:
            raise EngineError("internal", f"The gradient of {lost[0]} and {len(lost) - 1} more is zero throughout.")
        self._is_checked = batch.mixes


def _finite(value: float, what: str) -> float:
    if not math.isfinite(value):
        raise EngineError("not_finite", f"The {what} is {value}; nothing was changed.")
    return value


def _rope_factors(file: GgufFile) -> np.ndarray | None:
    tensor = file.tensors.get("rope_freqs.weight")
    if tensor is None:
        return None
    if tensor.type.name != "F32":
        raise bad_model(f"The tensor rope_freqs.weight is {tensor.type.name}, not F32.")
    return read_bytes(file.path, tensor).view(np.float32).astype(np.float64)
