"""The verbs of training, which all run on the thread that owns the device. One session at a time."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .. import limits
from ..config import ModelConfig, read_config
from ..device import DeviceFacts, memory_used_bytes
from ..errors import EngineError, bad_model, invalid
from ..gguf import GgufFile, read_gguf
from ..params import Params
from .batch import TrainBatch, read_batch
from .estimate import TrainEstimate, estimate_training, require_room
from .frozen import Kind, part_kinds
from .session import Heed, TrainingSession
from .spec import TrainSpec, read_spec

ARCHITECTURES = ("llama", "qwen2", "qwen3")
"""What this engine trains; a gated delta net has no way back here."""

_HIGHEST_RATE = 1e3
_HIGHEST_TOKENS = (1 << 53) - 1
_HIGHEST_ID = (1 << 31) - 1


@dataclass(frozen=True)
class _Base:
    """What is known of a model before it is loaded."""

    spec: TrainSpec
    file: GgufFile
    config: ModelConfig
    kinds: tuple[Kind, list[Kind]]


class Training:
    """The session of a worker, if there is one."""

    def __init__(self, open_device: Callable[[], DeviceFacts]) -> None:
        self._open_device = open_device
        self._session: TrainingSession | None = None
        self._spec: TrainSpec | None = None
        self._vocabulary = 0

    def call(self, verb: str, params: Params, body: bytes, heed: Heed) -> dict[str, Any]:
        """Any of the verbs. Raises EngineError."""
        opening = {"train_estimate": self._estimate, "train_open": self._open, "train_close": self._close}
        if verb in opening:
            return opening[verb](params)
        if self._session is None:
            raise EngineError("model_not_loaded", "No training session is open in this worker.")
        working: dict[str, Callable[[TrainingSession, Params, bytes, Heed], dict[str, Any]]] = {
            "train_step": self._step,
            "train_evaluate": self._evaluate,
            "train_backward": self._backward,
            "train_update": self._update,
            "train_save": self._save,
            "train_restore": self._restore,
            "train_continue": self._continue,
        }
        if verb not in working:
            raise EngineError("protocol_violation", f"There is no verb {verb[: limits.VERB_CHARACTERS]!r}.")
        return working[verb](self._session, params, body, heed)

    def _estimate(self, params: Params) -> dict[str, Any]:
        return self._needs(_read(params)).to_wire()

    def _open(self, params: Params) -> dict[str, Any]:
        base = _read(params)
        self._drop()
        needed = self._needs(base)
        smaller = None if base.spec.recompute else self._needs(replace(base, spec=replace(base.spec, recompute=True)))
        require_room(needed, smaller)
        self._session = TrainingSession(base.file, base.config, base.spec, base.kinds, needed)
        self._spec, self._vocabulary = base.spec, base.config.vocabulary
        return self._session.info()

    def _close(self, params: Params) -> dict[str, Any]:
        params.finish()
        self._drop()
        return {"memory_used_bytes": memory_used_bytes()}

    def _step(
        self, session: TrainingSession, params: Params, body: bytes, heed: Heed
    ) -> dict[str, Any]:
        rate = params.number("learning_rate", 0.0, _HIGHEST_RATE)
        return session.step(self._batch(params, body), rate, heed)

    def _evaluate(
        self, session: TrainingSession, params: Params, body: bytes, heed: Heed
    ) -> dict[str, Any]:
        return session.evaluate(self._batch(params, body), heed)

    def _backward(
        self, session: TrainingSession, params: Params, body: bytes, heed: Heed
    ) -> dict[str, Any]:
        path = _path(params)
        return session.backward(self._batch(params, body), path, heed)

    def _update(self, session: TrainingSession, params: Params, _: bytes, __: Heed) -> dict[str, Any]:
        path = _path(params)
        tokens = params.integer("trained_tokens", 1, _HIGHEST_TOKENS)
        rate = params.number("learning_rate", 0.0, _HIGHEST_RATE)
        params.finish()
        return session.update(path, tokens, rate)

    def _save(self, session: TrainingSession, params: Params, _: bytes, __: Heed) -> dict[str, Any]:
        path = _path(params)
        weights_only = params.flag("weights_only", False)
        params.finish()
        return session.save(path, weights_only)

    def _restore(self, session: TrainingSession, params: Params, _: bytes, __: Heed) -> dict[str, Any]:
        path = _path(params)
        params.finish()
        return session.restore(path)

    def _continue(
        self, session: TrainingSession, params: Params, body: bytes, heed: Heed
    ) -> dict[str, Any]:
        most = params.integer("max_tokens", 1, limits.ROW_TOKENS)
        stops = params.integers("stops", limits.STOP_TOKENS, 0, _HIGHEST_ID, [])
        params.finish()
        if len(body) % 4:
            raise invalid(f"A prompt is ids of 4 bytes; the body has {len(body)} bytes.")
        return session.continue_(np.frombuffer(body, "<i4").astype(np.int32), most, stops, heed)

    def _batch(self, params: Params, body: bytes) -> TrainBatch:
        assert self._spec is not None
        rows = params.integer("rows", 1, limits.BATCH_ROWS)
        row_tokens = params.integer("row_tokens", 1, limits.ROW_TOKENS)
        params.finish()
        if row_tokens != self._spec.row_tokens:
            raise invalid(f"A batch of rows of {row_tokens} tokens; the session has rows of {self._spec.row_tokens}.")
        return read_batch(body, rows, row_tokens, self._vocabulary)

    def _needs(self, base: _Base) -> TrainEstimate:
        capacity = self._open_device().capacity_bytes
        edges, layers = base.kinds
        return estimate_training(base.config, base.spec, edges, layers, capacity, memory_used_bytes())

    def _drop(self) -> None:
        self._session = self._spec = None
        gc.collect()


def _read(params: Params) -> _Base:
    spec = read_spec(params)
    file = read_gguf(spec.path)
    config = read_config(file)
    if config.architecture not in ARCHITECTURES:
        raise bad_model(f"This engine trains {', '.join(ARCHITECTURES)}; the model is {config.architecture}.")
    if spec.row_tokens > config.trained_context:
        text = f"The model knows {config.trained_context} positions; rows have {spec.row_tokens}."
        raise EngineError("invalid_request", text, spec.row_tokens, config.trained_context)
    return _Base(spec, file, config, part_kinds(file, config))


def _path(params: Params) -> str:
    path = params.text("path", limits.PATH_BYTES)
    if not os.path.isabs(path):
        raise invalid("path is not absolute.")
    return path
