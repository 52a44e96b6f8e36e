"""Reads the header of a GGUF file as hostile input: every count, length and offset is checked against the file."""

from __future__ import annotations

import math
import os
import struct
from dataclasses import dataclass
from typing import BinaryIO

from . import limits
from .errors import EngineError, bad_model
from .gguf_types import TYPES, TensorType

Scalar = int | float | bool | str
Value = Scalar | tuple[int | float | bool, ...] | None
"""A metadata value; None for an array this engine has no use for (texts, and long ones)."""

_NUMBERS = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"}
_TEXT, _ARRAY = 8, 9
_DEFAULT_ALIGNMENT = 32


@dataclass(frozen=True)
class GgufTensor:
    """A tensor's place in the file. `shape` is row-major, outermost dimension first; offset and size are bytes."""

    name: str
    shape: tuple[int, ...]
    type: TensorType
    offset: int
    nbytes: int

    @property
    def items(self) -> int:
        """How many numbers it holds."""
        return math.prod(self.shape)


@dataclass(frozen=True)
class GgufFile:
    """The checked header of a file."""

    path: str
    metadata: dict[str, Value]
    tensors: dict[str, GgufTensor]


def read_gguf(path: str) -> GgufFile:
    """Reads and checks the header; no tensor data is read. Raises EngineError model_invalid."""
    try:
        with open(path, "rb") as stream:
            return _Header(stream, os.fstat(stream.fileno()).st_size).read(path)
    except OSError as failure:
        raise bad_model(f"{path} cannot be read: {failure.strerror}.") from failure


class _Header:
    """One walk over a file from its first byte to its tensor data."""

    def __init__(self, stream: BinaryIO, size: int) -> None:
        self._stream = stream
        self._size = size
        self._position = 0
        self._end = min(size, limits.GGUF_HEADER_BYTES)

    def read(self, path: str) -> GgufFile:
        if self._take(4, "the magic") != b"GGUF":
            raise bad_model("The file does not start with the letters GGUF.")
        version = self._number("<I", "the version")
        if version not in (2, 3):
            raise bad_model(f"GGUF version {version} is not read; 2 and 3 in little-endian order are.")
        tensor_count = self._count(limits.TENSORS, "The number of tensors")
        pair_count = self._count(limits.METADATA_PAIRS, "The number of metadata pairs")
        metadata: dict[str, Value] = {}
        for index in range(pair_count):
            key = self._text(limits.KEY_BYTES, f"metadata key {index}")
            if key in metadata:
                raise bad_model(f"The metadata key {key} appears twice.")
            metadata[key] = self._value(self._number("<I", f"the type of {key}"), key)
        infos = [self._tensor_info(index) for index in range(tensor_count)]
        return GgufFile(path, metadata, self._place(infos, _alignment(metadata)))

    def _value(self, kind: int, key: str) -> Value:
        if kind == _TEXT:
            return self._text(limits.STRING_BYTES, f"the value of {key}")
        if kind == _ARRAY:
            return self._array(key)
        if kind not in _NUMBERS:
            raise bad_model(f"The value of {key} has the unknown type {kind}.")
        if kind == 7:
            return self._flag(key)
        return self._number(_NUMBERS[kind], f"the value of {key}")

    def _flag(self, key: str) -> bool:
        value = self._take(1, f"the value of {key}")[0]
        if value > 1:
            raise bad_model(f"The flag {key} is {value}, neither 0 nor 1.")
        return value == 1

    def _array(self, key: str) -> Value:
        kind = self._number("<I", f"the item type of {key}")
        count = self._count(limits.ARRAY_ITEMS, f"The number of items of {key}")
        if kind == _TEXT:
            for index in range(count):
                self._skip(self._count(limits.ARRAY_STRING_BYTES, f"The length of item {index} of {key}"), key)
            return None
        if kind not in _NUMBERS:
            raise bad_model(f"The items of {key} have the type {kind}, which is unknown or an array again.")
        item = struct.Struct(_NUMBERS[kind])
        if count > limits.KEPT_ARRAY_ITEMS:
            self._skip(count * item.size, key)
            return None
        data = self._take(count * item.size, f"the items of {key}")
        return tuple(value for (value,) in item.iter_unpack(data))

    def _tensor_info(self, index: int) -> tuple[str, tuple[int, ...], TensorType, int]:
        name = self._text(limits.TENSOR_NAME_BYTES, f"the name of tensor {index}")
        dimensions = self._number("<I", f"the dimensions of {name}")
        if not 1 <= dimensions <= limits.DIMENSIONS:
            raise bad_model(f"The tensor {name} has {dimensions} dimensions, not 1 to {limits.DIMENSIONS}.")
        shape = tuple(self._number("<Q", f"a dimension of {name}") for _ in range(dimensions))
        if any(size == 0 for size in shape):
            raise bad_model(f"The tensor {name} has a dimension of 0.")
        type_id = self._number("<I", f"the type of {name}")
        if type_id not in TYPES:
            raise bad_model(f"The tensor {name} has the unknown type {type_id}.")
        if shape[0] % TYPES[type_id].block_items:
            raise bad_model(f"A row of {name} has {shape[0]} items, no whole number of {TYPES[type_id].name} blocks.")
        return name, shape[::-1], TYPES[type_id], self._number("<Q", f"the offset of {name}")

    def _place(
        self, infos: list[tuple[str, tuple[int, ...], TensorType, int]], alignment: int
    ) -> dict[str, GgufTensor]:
        start = -(-self._position // alignment) * alignment
        tensors: dict[str, GgufTensor] = {}
        for name, shape, kind, offset in infos:
            nbytes = math.prod(shape) // kind.block_items * kind.block_bytes
            if offset % alignment:
                raise bad_model(f"The tensor {name} starts at {offset}, no multiple of the alignment {alignment}.")
            if start + offset + nbytes > self._size:
                raise bad_model(f"The tensor {name} lies outside the file of {self._size} bytes.")
            if name in tensors:
                raise bad_model(f"Two tensors are named {name}.")
            tensors[name] = GgufTensor(name, shape, kind, start + offset, nbytes)
        placed = sorted(tensors.values(), key=lambda tensor: tensor.offset)
        for left, right in zip(placed, placed[1:]):
            if left.offset + left.nbytes > right.offset:
                raise bad_model(f"The tensors {left.name} and {right.name} overlap.")
        return tensors

    def _count(self, limit: int, what: str) -> int:
        count = self._number("<Q", what)
        if count > limit:
            raise EngineError("model_invalid", f"{what} is {count}, more than {limit}.", count, limit)
        return count

    def _text(self, limit: int, what: str) -> str:
        data = self._take(self._count(limit, f"The length of {what}"), what)
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError as failure:
            raise bad_model(f"The text of {what} is not valid UTF-8.") from failure

    def _number(self, layout: str, what: str) -> int:
        return struct.unpack(layout, self._take(struct.calcsize(layout), what))[0]

    def _take(self, count: int, what: str) -> bytes:
        self._require(count, what)
        data = self._stream.read(count)
        if len(data) < count:
            raise bad_model(f"The file ends inside {what}.")
        return data

    def _skip(self, count: int, what: str) -> None:
        self._require(count, what)
        self._stream.seek(count, os.SEEK_CUR)

    def _require(self, count: int, what: str) -> None:
        self._position += count
        if self._position > self._end:
            raise bad_model(f"The file ends, or its header exceeds {limits.GGUF_HEADER_BYTES} bytes, inside {what}.")


def _alignment(metadata: dict[str, Value]) -> int:
    value = metadata.get("general.alignment", _DEFAULT_ALIGNMENT)
    whole = isinstance(value, int) and not isinstance(value, bool)
    if not whole or not 1 <= value <= limits.ALIGNMENT_BYTES or value & (value - 1):
        raise bad_model(f"general.alignment is no power of two from 1 to {limits.ALIGNMENT_BYTES}.")
    return value
