"""Failures as they go over the wire, and the class that a failure of tinygrad or of the device belongs to."""

from __future__ import annotations

import traceback
from collections.abc import Iterator

RETRYABLE = frozenset(
    {
        "out_of_memory",
        "queue_full",
        "cancelled",
        "engine_unavailable",
        "model_not_loaded",
        "worker_lost",
        "worker_hung",
        "file_failed",
        "internal",
    }
)
"""Classes for which the same request may succeed on another worker or a little later."""

DEVICE_CLASSES = frozenset({"worker_lost", "worker_hung"})
"""After one of these the device is in an unknown state: the process answers and ends."""

_TEXT_CHARACTERS = 2000

_PLACE_CALLS = 3
_PLACE_CHARACTERS = 200

_SIGNATURES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("worker_hung", ("Wait timeout", "Device hang detected", "Timeout waiting for RPC response")),
    (
        "worker_lost",
        ("Connection closed", "Device is in error state", "Device fault detected", "MMU fault", "RPC failed"),
    ),
    ("out_of_memory", ("Failed to allocate memory", "Allocation of", "(OOM)")),
    (
        "engine_unavailable",
        (
            "No interface for",
            "devices available)",
            "Failed to acquire lock",
            "TinyGPU",
            "tinygpu",
            "Driver not available",
            "discovery signatures mismatch",
            "Booter failed",
            "FSP didn't respond",
            "RPC call",
            "no usable devices",
        ),
    ),
)
"""Texts of tinygrad's own failures, the first match decides."""


class EngineError(Exception):
    """A failure with a class of the worker protocol.

    `error_class` is the snake_case name of a C# `EngineErrorClass`; `actual` and `limit` are the number that was too
    large and what it may be at most, where there is one.
    """

    def __init__(self, error_class: str, text: str, actual: int | None = None, limit: int | None = None) -> None:
        super().__init__(text)
        self.error_class = error_class
        self.text = text[:_TEXT_CHARACTERS]
        self.actual = actual
        self.limit = limit

    @property
    def device_failed(self) -> bool:
        """Whether the process must end after answering."""
        return self.error_class in DEVICE_CLASSES

    def to_wire(self) -> dict[str, object]:
        """The `error` member of an answer."""
        wire: dict[str, object] = {
            "error_class": self.error_class,
            "text": self.text,
            "retryable": self.error_class in RETRYABLE,
        }
        if self.actual is not None:
            wire["actual"] = self.actual
        if self.limit is not None:
            wire["limit"] = self.limit
        return wire


def invalid(text: str) -> EngineError:
    """A parameter is missing, of the wrong type or out of its range."""
    return EngineError("invalid_request", text)


def bad_model(text: str) -> EngineError:
    """The file is no model this engine can run."""
    return EngineError("model_invalid", text)


def classify(failure: BaseException, opening: bool = False) -> EngineError:
    """The typed form of any exception; `opening` the device, every failure means that it is not there."""
    if isinstance(failure, EngineError):
        return failure
    text = _describe(failure)
    said = "\n".join(said for _, said in _tree(failure))
    for error_class, signatures in _SIGNATURES:
        if any(signature in said for signature in signatures):
            absent = opening and error_class != "out_of_memory"
            return EngineError("engine_unavailable" if absent else error_class, text)
    if isinstance(failure, MemoryError):
        return EngineError("out_of_memory", text)
    if isinstance(failure, ConnectionError):
        return EngineError("engine_unavailable" if opening else "worker_lost", text)
    return EngineError("engine_unavailable" if opening else "internal", text)


def _describe(failure: BaseException) -> str:
    return " ".join(" | ".join(f"{said}{_place(one)}" for one, said in _tree(failure)).split())


def _tree(failure: BaseException) -> Iterator[tuple[BaseException, str]]:
    """The failure and, of a group, all that are in it, each with what it says."""
    yield failure, f"{type(failure).__name__}: {failure}"
    for inner in getattr(failure, "exceptions", ()):
        yield from _tree(inner)


def _place(failure: BaseException) -> str:
    """Where it was raised: many of tinygrad's failures say little or nothing, and are known by their place."""
    frames = traceback.extract_tb(failure.__traceback__)[-_PLACE_CALLS:]
    if not frames:
        return ""
    calls = " > ".join(frame.name for frame in frames)
    return f" (in {calls}: {frames[-1].line or ''})"[:_PLACE_CHARACTERS]
