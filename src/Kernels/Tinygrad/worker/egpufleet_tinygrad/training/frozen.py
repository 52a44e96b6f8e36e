"""The base model's tensors on the device, as the file stores them; layers that are stored alike share their graphs."""

from __future__ import annotations

from dataclasses import dataclass

from tinygrad import Tensor

from ..config import ModelConfig
from ..gguf import GgufFile, GgufTensor
from ..tensors import block_prefix, select_tensors
from ..weights import Weights, load_stored, numbers


@dataclass(frozen=True)
class Kind:
    """How the tensors of a part of a model are stored: short names in order, with their shapes and types."""

    tensors: tuple[tuple[str, GgufTensor], ...]

    @property
    def key(self) -> tuple[object, ...]:
        """Equal where the same graph computes with them."""
        return tuple((name, tensor.shape, tensor.type.name) for name, tensor in self.tensors)

    def weights(self, stored: list[Tensor]) -> Weights:
        """What is stored, as numbers; lazily, so within a graph nothing is dequantised but by who reads it."""
        return Weights({name: numbers(part, tensor) for part, (name, tensor) in zip(stored, self.tensors)})


@dataclass(frozen=True)
class Part:
    """A layer, or what is around the layers."""

    kind: Kind
    stored: list[Tensor]


def part_kinds(file: GgufFile, config: ModelConfig) -> tuple[Kind, list[Kind]]:
    """Of what is around the layers, and of each layer. Raises EngineError model_invalid."""
    tensors = select_tensors(file, config, range(config.layers))
    edges = [tensor for tensor in tensors if not tensor.name.startswith("blk.") and tensor.name != "rope_freqs.weight"]
    layers = []
    for layer in range(config.layers):
        prefix = block_prefix(layer)
        layers.append(_kind([tensor for tensor in tensors if tensor.name.startswith(prefix)], prefix))
    return _kind(edges, ""), layers


def load_part(path: str, kind: Kind) -> Part:
    """Reads the byte ranges of its tensors."""
    return Part(kind, [load_stored(path, tensor) for _, tensor in kind.tensors])


def _kind(tensors: list[GgufTensor], prefix: str) -> Kind:
    return Kind(tuple((tensor.name.removeprefix(prefix), tensor) for tensor in tensors))
