"""Frames of the worker protocol: u32 little-endian header length, u32 body length, header as JSON, raw body."""

from __future__ import annotations

import json
import struct
import threading
from dataclasses import dataclass
from typing import Any, Protocol

from . import limits
from .errors import EngineError

_PREFIX = struct.Struct("<II")


class RawStream(Protocol):
    """An unbuffered stream: a call may move fewer bytes than asked for."""

    def read(self, size: int, /) -> bytes | None:
        """At most `size` bytes, none at the end."""

    def write(self, data: memoryview, /) -> int:
        """Takes a beginning of the data; returns how many bytes."""


@dataclass(frozen=True)
class Frame:
    """One message as it arrived; the header is not parsed yet."""

    header: bytes
    body: bytes


def read_frame(stream: RawStream) -> Frame | None:
    """The next frame, or None where the stream ends between two frames.

    Lengths are checked before a byte is allocated for them. Raises EngineError protocol_violation for a length out of
    bounds and EOFError where the stream ends inside a frame.
    """
    prefix = _read(stream, _PREFIX.size)
    if not prefix:
        return None
    if len(prefix) < _PREFIX.size:
        raise EOFError("The stream ended inside a frame's lengths.")
    header_bytes, body_bytes = _PREFIX.unpack(prefix)
    _require("header", header_bytes, 1, limits.HEADER_BYTES)
    _require("body", body_bytes, 0, limits.BODY_BYTES)
    return Frame(_read_exactly(stream, header_bytes), _read_exactly(stream, body_bytes))


def parse_header(header: bytes) -> dict[str, Any]:
    """The header as an object. Raises EngineError protocol_violation where it is none, or nests too deeply."""
    try:
        value = json.loads(header.decode("utf-8"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as failure:
        raise EngineError("protocol_violation", f"A header is not JSON: {failure}") from failure
    if not isinstance(value, dict):
        raise EngineError("protocol_violation", "A header is not a JSON object.")
    return value


def encode_frame(header: dict[str, Any], body: bytes = b"") -> bytes:
    """The bytes of a frame. Raises EngineError internal where it exceeds the limits."""
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode("utf-8")
    if len(text) > limits.HEADER_BYTES or len(body) > limits.BODY_BYTES:
        raise EngineError("internal", f"An answer of {len(text)} and {len(body)} bytes exceeds the protocol's limits.")
    return _PREFIX.pack(len(text), len(body)) + text + body


class FrameWriter:
    """Writes whole frames from several threads. A reader that lags stops the writers: the pipe is the only buffer."""

    def __init__(self, stream: RawStream) -> None:
        self._stream = stream
        self._lock = threading.Lock()

    def write(self, header: dict[str, Any], body: bytes = b"") -> None:
        """Raises OSError where the other side is gone."""
        frame = encode_frame(header, body)
        with self._lock:
            left = memoryview(frame)
            while left:
                left = left[self._stream.write(left) :]


def _require(part: str, actual: int, least: int, most: int) -> None:
    if not least <= actual <= most:
        text = f"A frame's {part} of {actual} bytes is not in {least}..{most}."
        raise EngineError("protocol_violation", text, actual, most)


def _read(stream: RawStream, count: int) -> bytes:
    """As many bytes, fewer only at the end of the stream."""
    data = bytearray()
    while len(data) < count and (part := stream.read(count - len(data))):
        data += part
    return bytes(data)


def _read_exactly(stream: RawStream, count: int) -> bytes:
    data = _read(stream, count)
    if len(data) < count:
        raise EOFError("The stream ended inside a frame.")
    return data


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")
