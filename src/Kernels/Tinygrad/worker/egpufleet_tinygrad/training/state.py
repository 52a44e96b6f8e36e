"""The trained tensors of a session by name, and their way into and out of files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from tinygrad import Tensor

from ..config import ModelConfig
from ..device import device_array, read_array, write_array
from ..errors import invalid
from .adam import Trained
from .adapter import Layout, Slot, first_a, tensor_name
from .frozen import Part
from .graphs import LayerTensors
from .safetensors import Entry, SafetensorsFile, write_safetensors
from .spec import TrainSpec

_FORMAT = "egpufleet-train-1"
_FIRST, _SECOND = _MOMENTS = ("adam.m.", "adam.v.")
_HIGHEST_STEP = (1 << 62) - 1


@dataclass(frozen=True)
class Place:
    """A named tensor within the flat trained tensor of its layer."""

    entry: Entry
    layer: int
    target: str
    side: str
    slot: Slot


class State:
    """A and B of every layer. `trained` are those that change, in order; a frozen A is a function of the seed."""

    def __init__(self, config: ModelConfig, spec: TrainSpec) -> None:
        self._spec, self._config = spec, config
        self.layout = layout = Layout.of(config, spec.adapter)
        first = [first_a(spec.seed, layout, spec.adapter.targets, layer) for layer in range(config.layers)]
        frozen = spec.adapter.frozen_a
        self._frozen = [device_array(values) for values in first] if frozen else []
        self._a = [] if frozen else [Trained.of(values) for values in first]
        self._b = [Trained.of(np.zeros(layout.b_size, np.float32)) for _ in range(config.layers)]
        self.trained = [*self._a, *self._b]
        self.places = list(_places(config, spec, layout))
        self.step = 0

    def layer(self, layer: int, part: Part) -> LayerTensors:
        """What the graphs take of a layer."""
        a = self._a[layer] if self._a else None
        values = self._frozen[layer] if a is None else a.values
        b = self._b[layer]
        return LayerTensors(part, values, b.values, None if a is None else a.sums, b.sums)

    def write_gradients(self, path: str) -> None:
        """The sums under the names of what is trained."""
        entries = [place.entry for place in self.places]
        write_safetensors(path, {"format": _FORMAT}, entries, self._read("sums"))

    def read_gradients(self, path: str) -> None:
        """Takes sums; nothing is changed where they are not this session's. Raises EngineError invalid_request."""
        file = SafetensorsFile(path)
        self._require(file, ("",))
        self._write(file, "", "sums")

    def save(self, path: str, weights_only: bool) -> int:
        """Writes values, and moments unless they are left out; returns the bytes of the file."""
        parts = (("", "values"),) if weights_only else (("", "values"), (_FIRST, "first"), (_SECOND, "second"))
        entries = [Entry(prefix + one.entry.name, one.entry.shape) for prefix, _ in parts for one in self.places]
        metadata = {
            "format": _FORMAT,
            "step": str(self.step),
            "base_sha256": self._spec.content_hash,
            "method": "lora",
        }
        return write_safetensors(path, metadata, entries, (value for _, part in parts for value in self._read(part)))

    def restore(self, path: str) -> None:
        """Takes a saved state, or changes nothing. Raises EngineError invalid_request."""
        file = SafetensorsFile(path)
        wanted = {"format": _FORMAT, "base_sha256": self._spec.content_hash, "method": "lora"}
        for key, value in wanted.items():
            if file.metadata.get(key, value) != value:
                raise invalid(f"It is no state of this session: its {key} is {file.metadata[key][:80]}, not {value}.")
        step = file.metadata.get("step", str(self.step))
        if not step.isascii() or not step.isdecimal() or len(step) > 19 or int(step) > _HIGHEST_STEP:
            raise invalid(f"It is no state of this session: its step is {step[:80]}.")
        has_moments = any(name.startswith(_MOMENTS) for name in file.entries)
        self._require(file, ("", *_MOMENTS) if has_moments else ("",))
        self._write(file, "", "values")
        if has_moments:
            self._write(file, _FIRST, "first")
            self._write(file, _SECOND, "second")
        self.step = int(step)

    def zero_gradients(self) -> Iterator[Place]:
        """Tensors whose gradient sums are all zero, without an A whose B is."""
        values = dict(zip([place.entry.name for place in self.places], self._read("values")))
        for place, sums in zip(self.places, self._read("sums")):
            b = values[tensor_name(place.layer, place.target, "b")]
            if not sums.any() and (place.side == "b" or b.any()):
                yield place

    def _require(self, file: SafetensorsFile, prefixes: tuple[str, ...]) -> None:
        wanted = {prefix + place.entry.name: place.entry.shape for prefix in prefixes for place in self.places}
        for name, shape in wanted.items():
            if name not in file.entries:
                raise invalid(f"It has no tensor {name}.")
            if file.entries[name].shape != shape:
                raise invalid(f"Its tensor {name} has the shape {file.entries[name].shape}, not {shape}.")
        if unknown := next((name for name in file.entries if name not in wanted), None):
            raise invalid(f"It has the tensor {unknown[:80]}, which this session does not train.")

    def _read(self, part: str) -> Iterator[np.ndarray]:
        """Of every place its values, in order, one layer in memory at a time."""
        held: tuple[int, dict[str, np.ndarray]] = (-1, {})
        for place in self.places:
            if held[0] != place.layer:
                held = place.layer, {
                    side: read_array(getattr(flat[place.layer], part), np.float32)
                    for side, flat in (("a", self._a), ("b", self._b))
                    if flat
                }
            yield held[1][place.side][place.slot.start : place.slot.stop].reshape(place.slot.shape)

    def _write(self, file: SafetensorsFile, prefix: str, part: str) -> None:
        for side, flats in (("a", self._a), ("b", self._b)):
            for layer, flat in enumerate(flats):
                mine = [place for place in self.places if (place.layer, place.side) == (layer, side)]
                values = [file.read(prefix + place.entry.name).reshape(-1) for place in mine]
                write_array(_part(flat, part), np.concatenate(values))


def _part(flat: Trained, part: str) -> Tensor:
    return getattr(flat, part)


def _places(config: ModelConfig, spec: TrainSpec, layout: Layout) -> Iterator[Place]:
    for layer in range(config.layers):
        for target in spec.adapter.targets:
            for side, slots in (("a", layout.a), ("b", layout.b)):
                if side == "a" and spec.adapter.frozen_a:
                    continue
                slot = slots[target]
                yield Place(Entry(tensor_name(layer, target, side), slot.shape), layer, target, side, slot)
