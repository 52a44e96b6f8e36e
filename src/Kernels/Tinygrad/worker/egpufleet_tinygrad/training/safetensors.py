"""Files of safetensors: written whole or not at all, read as hostile input. Only f32 tensors."""

from __future__ import annotations

import json
import math
import os
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import limits
from ..errors import EngineError, invalid

_LENGTH = struct.Struct("<Q")
_F32 = 4
_DIMENSIONS = 8


@dataclass(frozen=True)
class Entry:
    """A tensor's name and shape."""

    name: str
    shape: tuple[int, ...]

    @property
    def nbytes(self) -> int:
        """Of its f32 values."""
        return math.prod(self.shape) * _F32


def write_safetensors(
    path: str, metadata: dict[str, str], entries: Sequence[Entry], values: Iterable[np.ndarray]
) -> int:
    """Writes tensors in this order, one in memory at a time, beside the file, then in its place; returns its bytes.

    Raises EngineError file_failed where the disk does not take it; nothing is left behind then.
    """
    header: dict[str, Any] = {"__metadata__": metadata}
    end = 0
    for entry in entries:
        offsets = [end, end + entry.nbytes]
        header[entry.name] = {"dtype": "F32", "shape": list(entry.shape), "data_offsets": offsets}
        end += entry.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    partial = f"{path}.{os.getpid()}.part"
    try:
        with open(partial, "wb") as stream:
            stream.write(_LENGTH.pack(len(text)) + text)
            for entry, value in zip(entries, values, strict=True):
                assert value.size * _F32 == entry.nbytes, entry
                stream.write(np.ascontiguousarray(value, "<f4").tobytes())
        os.replace(partial, path)
    except OSError as failure:
        raise EngineError("file_failed", f"{path} cannot be written: {failure.strerror}.") from failure
    finally:
        if os.path.exists(partial):
            os.unlink(partial)
    return _LENGTH.size + len(text) + end


class SafetensorsFile:
    """An open file whose header was checked against its size: tensors fill the rest of it without gap or overlap."""

    def __init__(self, path: str) -> None:
        """Raises EngineError invalid_request, or file_failed where it cannot be read at all."""
        self._path = path
        try:
            with open(path, "rb") as stream:
                size = os.fstat(stream.fileno()).st_size
                header = self._header(stream.read(_LENGTH.size), stream, size)
        except OSError as failure:
            raise _unreadable(path, failure) from failure
        self.metadata = self._metadata(header.pop("__metadata__", {}))
        self._offsets: dict[str, int] = {}
        self.entries: dict[str, Entry] = {}
        end = 0
        for name, item in header.items():
            self.entries[name], self._offsets[name] = self._entry(name, item)
        for name in sorted(self._offsets, key=lambda one: (self._offsets[one], self.entries[one].nbytes)):
            if self._offsets[name] != end:
                raise invalid("Its tensors leave a gap or overlap.")
            end += self.entries[name].nbytes
        if self._data + end != size:
            raise invalid(f"Its tensors end at {self._data + end}, the file at {size}.")

    def read(self, name: str) -> np.ndarray:
        """The values of a tensor, f32, in its shape. Raises EngineError invalid_request where the file has changed."""
        entry = self.entries[name]
        try:
            values = np.fromfile(self._path, "<f4", math.prod(entry.shape), offset=self._data + self._offsets[name])
        except OSError as failure:
            raise _unreadable(self._path, failure) from failure
        if values.size * _F32 != entry.nbytes:
            raise invalid(f"The file ends inside the tensor {name[:80]}.")
        return values.reshape(entry.shape)

    def _header(self, prefix: bytes, stream: Any, size: int) -> dict[str, Any]:
        length = _LENGTH.unpack(prefix)[0] if len(prefix) == _LENGTH.size else size
        if length > min(limits.STATE_HEADER_BYTES, size - _LENGTH.size):
            raise invalid(f"It is no safetensors file: a header of {length} bytes in {size}.")
        self._data = _LENGTH.size + length
        try:
            header = json.loads(stream.read(length).decode("utf-8"), object_pairs_hook=_once)
        except (ValueError, RecursionError) as failure:
            raise invalid(f"Its header is not JSON: {failure}") from failure
        if not isinstance(header, dict) or len(header) > limits.STATE_TENSORS:
            raise invalid(f"Its header is no object of at most {limits.STATE_TENSORS} members.")
        return header

    @staticmethod
    def _metadata(value: Any) -> dict[str, str]:
        if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
            raise invalid("Its metadata are no texts.")
        return value

    @staticmethod
    def _entry(name: str, item: Any) -> tuple[Entry, int]:
        if not isinstance(item, dict) or item.get("dtype") != "F32":
            raise invalid(f"The tensor {name[:80]} is not F32.")
        shape, offsets = item.get("shape"), item.get("data_offsets")
        if not _counts(shape, _DIMENSIONS) or not _counts(offsets, 2) or len(offsets) != 2:
            raise invalid(f"The tensor {name[:80]} has no shape or no place.")
        entry = Entry(name, tuple(shape))
        if entry.nbytes != offsets[1] - offsets[0]:
            raise invalid(f"The tensor {name[:80]} has not as many bytes as its shape.")
        return entry, offsets[0]


def _unreadable(path: str, failure: OSError) -> EngineError:
    return EngineError("file_failed", f"{path} cannot be read: {failure.strerror}.")


def _counts(value: Any, most: int) -> bool:
    if not isinstance(value, list) or len(value) > most:
        return False
    return all(isinstance(item, int) and not isinstance(item, bool) and 0 <= item < 1 << 48 for item in value)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a name is there twice")
    return made
