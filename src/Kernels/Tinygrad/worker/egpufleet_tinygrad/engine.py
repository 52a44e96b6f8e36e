"""The verbs of the protocol that need tinygrad; all run on the thread that owns the device."""

from __future__ import annotations

import gc
import importlib.metadata
import os
import platform
import threading
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from . import limits
from .batch import Batch
from .config import ModelConfig, read_config
from .decoding import LoadOptions
from .device import DeviceFacts, device_name, memory_used_bytes, open_device
from .errors import EngineError, classify, invalid
from .generation import Emit
from .gguf import GgufFile, read_gguf
from .kernel_search import KernelSearch
from .memory import MemoryEstimate, estimate, require_room
from .model import Model
from .params import Params
from .selftest import run_self_test
from .training.verbs import Training
from .tuned_table import TunedTable

_PROTOCOL_VERSION = 1
_LEAST_CONTEXT_TOKENS = 16


@dataclass(frozen=True)
class LoadedModel:
    """A model on the device, and the generations on it."""

    model: Model
    batch: Batch
    needed: MemoryEstimate


class Engine:
    """Owns the device and the models. Every failure is an EngineError."""

    def __init__(self) -> None:
        self._device: DeviceFacts | None = None
        self._models: dict[str, LoadedModel] = {}
        self._tuned = TunedTable()
        self._search: tuple[str, KernelSearch] | None = None
        self.training = Training(self._open)

    def hello(self, params: Params) -> dict[str, Any]:
        """Who answers; the device is named, not opened."""
        params.finish()
        return {
            "pid": os.getpid(),
            "engine": "tinygrad",
            "version": _tinygrad_version(),
            "python": platform.python_version(),
            "device": device_name(),
            "protocol": _PROTOCOL_VERSION,
        }

    def probe(self, params: Params) -> dict[str, Any]:
        """Opens the device and tells what it is."""
        params.finish()
        return self._open().to_wire()

    def self_test(self, params: Params) -> dict[str, Any]:
        """Computes on the device what numpy computes here."""
        params.finish()
        self._open()
        return run_self_test()

    def estimate(self, params: Params) -> dict[str, Any]:
        """Bytes a model would need, from its header alone."""
        path = _path(params)
        file, config = _read(path)
        options = _options(params, config)
        layers = _layers(params, config)
        params.finish()
        return estimate(file, config, options.context_tokens, options.sequences, options.kv, layers).to_wire()

    def load(self, params: Params) -> dict[str, Any]:
        """Loads a whole model under a name. Out of memory is refused before anything is allocated, by the estimate."""
        name = params.text("model", limits.NAME_CHARACTERS)
        path = _path(params)
        file, config = _read(path)
        options = _options(params, config)
        layers = _layers(params, config)
        params.finish()
        if layers != range(config.layers):
            raise invalid("A part of the layers cannot generate: load them all.")
        if name in self._models:
            raise invalid(f"The model {name} is loaded already.")
        if len(self._models) >= limits.MODELS:
            raise EngineError("invalid_request", "Too many models are loaded.", len(self._models) + 1, limits.MODELS)
        needed = estimate(file, config, options.context_tokens, options.sequences, options.kv, layers)
        require_room(needed, self._open().capacity_bytes, memory_used_bytes())
        model = Model(file, config, options, None if options.exact else self._tuned.of_model())
        self._models[name] = LoadedModel(model, Batch(model, config), needed)
        return _describe(config, options) | needed.to_wire()

    def warm_up(self, params: Params) -> dict[str, Any]:
        """Compiles and captures everything a generation runs."""
        loaded = self.find(params.text("model", limits.NAME_CHARACTERS))
        params.finish()
        if not loaded.batch.idle:
            raise invalid("The model is generating.")
        begun = time.monotonic()
        loaded.batch.forget()
        self._warm_up(loaded.model)
        return {"seconds": round(time.monotonic() - begun, 3)}

    def unload(self, params: Params) -> dict[str, Any]:
        """Ends the model's generations as cancelled and frees its memory."""
        name = params.text("model", limits.NAME_CHARACTERS)
        params.finish()
        self.find(name).batch.cancel()
        if self._search is not None and self._search[0] == name:
            self._search[1].cancel()
            self._search = None
        del self._models[name]
        gc.collect()
        return {"memory_used_bytes": memory_used_bytes()}

    def find(self, name: str) -> LoadedModel:
        """Raises EngineError model_not_loaded."""
        loaded = self._models.get(name)
        if loaded is None:
            raise EngineError("model_not_loaded", f"No model {name} is loaded here.")
        return loaded

    def batches(self) -> Iterator[Batch]:
        """Of every loaded model."""
        return iter([loaded.batch for loaded in list(self._models.values())])

    def use_tunings(self, params: Params, body: bytes) -> dict[str, Any]:
        """Takes the tuned kernels for models loaded from now on, in place of earlier ones."""
        params.finish()
        refused = self._tuned.take(body)
        return {"kernels": len(self._tuned), "refused": refused}

    def tune(self, params: Params, emit: Emit, cancelled: threading.Event) -> None:
        """Begins a search for faster kernels of a loaded model; it answers by itself."""
        name = params.text("model", limits.NAME_CHARACTERS)
        seconds = params.number("seconds", 1, limits.TUNE_SECONDS)
        params.finish()
        kernels = self.find(name).model.kernels
        if kernels is None:
            raise invalid("The model is computed in the exact profile, which uses no tuned kernels.")
        if not kernels.steps:
            raise invalid("The model has to be warmed up before its kernels are known.")
        if self._search is not None:
            raise EngineError("queue_full", "Kernels of a model are searched already.", 2, 1)
        self._search = name, KernelSearch(kernels, seconds, emit, cancelled)

    @property
    def is_searching(self) -> bool:
        """Whether there is a piece of a search to do when nothing else is."""
        return self._search is not None

    def search_on(self) -> None:
        """One piece of the search. Its failure is its answer; only a device's is raised, as EngineError."""
        assert self._search is not None
        search = self._search[1]
        try:
            if not search.step():
                self._search = None
        except Exception as failure:
            self._search = None
            error = classify(failure)
            if error.error_class == "internal":
                traceback.print_exc()
            search.fail(error)
            if error.device_failed:
                raise error from failure

    def stats(self) -> dict[str, Any]:
        """Counters of the worker and its models; may be asked from another thread."""
        return {
            "memory_used_bytes": memory_used_bytes(),
            **vars(self._tuned.counters),
            "models": [_model_stats(name, loaded.batch) for name, loaded in list(self._models.items())],
        }

    def _warm_up(self, model: Model) -> None:
        """A tuned kernel that compiles and does not run must not keep a model from being used."""
        try:
            model.warm_up()
        except Exception as failure:
            if classify(failure).device_failed or not model.forget_tunings():
                raise
            traceback.print_exc()
            model.warm_up()

    def _open(self) -> DeviceFacts:
        if self._device is None:
            try:
                self._device = open_device()
            except Exception as failure:
                raise classify(failure, opening=True) from failure
        return self._device


def _path(params: Params) -> str:
    path = params.text("path", limits.PATH_BYTES)
    if not os.path.isabs(path):
        raise invalid("path is not absolute.")
    return path


def _read(path: str) -> tuple[GgufFile, ModelConfig]:
    file = read_gguf(path)
    return file, read_config(file)


def _options(params: Params, config: ModelConfig) -> LoadOptions:
    """context_tokens absent or more than the model was trained for: what it was trained for."""
    wanted = params.integer("context_tokens", _LEAST_CONTEXT_TOKENS, limits.CONTEXT, None)
    exact = params.flag("exact", False)
    kv = params.choice("kv", ("f16", "f32"), "f32" if exact else "f16")
    if exact and kv != "f32":
        raise invalid("The exact profile keeps keys and values as f32.")
    context = config.trained_context if wanted is None else min(wanted, config.trained_context)
    return LoadOptions(context, params.integer("sequences", 1, limits.SLOTS, 1), kv, exact)


def _layers(params: Params, config: ModelConfig) -> range:
    bounds = params.integers("layers", 2, 0, config.layers, [0, config.layers])
    if len(bounds) != 2 or bounds[0] >= bounds[1]:
        raise invalid("layers is not [from, to) with from < to.")
    return range(bounds[0], bounds[1])


def _describe(config: ModelConfig, options: LoadOptions) -> dict[str, Any]:
    return {
        "architecture": config.architecture,
        "layers": config.layers,
        "vocabulary": config.vocabulary,
        "trained_context_tokens": config.trained_context,
        "context_tokens": options.context_tokens,
        "sequences": options.sequences,
        "kv": options.kv,
        "exact": options.exact,
    }


def _model_stats(name: str, batch: Batch) -> dict[str, Any]:
    busy, waiting = batch.sizes
    return {"model": name, "busy_slots": busy, "waiting_requests": waiting} | vars(batch.counters)


def _tinygrad_version() -> str:
    """Of an installed package; a checkout on the path has none."""
    try:
        return importlib.metadata.version("tinygrad")
    except importlib.metadata.PackageNotFoundError:
        return "checkout"
