"""Typed access to a model's metadata, most of it under the name of its architecture."""

from __future__ import annotations

import math

from .errors import bad_model
from .gguf import GgufFile, Value


class ModelMetadata:
    """Reads checked values of one file; every failure is an EngineError model_invalid that names the key."""

    def __init__(self, file: GgufFile) -> None:
        self._values = file.metadata
        architecture = self._values.get("general.architecture")
        if not isinstance(architecture, str) or not architecture:
            raise bad_model("The file has no general.architecture: it is not a language model.")
        self.architecture = architecture

    def has(self, key: str) -> bool:
        """Whether the architecture's key is there."""
        return self._key(key) in self._values

    def is_set(self, key: str) -> bool:
        """Whether the architecture's key is there and not 0 or false."""
        return bool(self._values.get(self._key(key)))

    def count(self, key: str, limit: int, default: int | None = None) -> int:
        """A whole number from 1 to `limit`."""
        value = self._get(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= limit:
            raise bad_model(f"{self._key(key)} is {value!r}, not one whole number from 1 to {limit}.")
        return value

    def number(self, key: str, default: float | None = None) -> float:
        """A finite number over 0."""
        value = self._get(key, default)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value) or value <= 0:
            raise bad_model(f"{self._key(key)} is {value!r}, not a finite number over 0.")
        return float(value)

    def text(self, key: str, default: str) -> str:
        """A text."""
        value = self._get(key, default)
        if not isinstance(value, str):
            raise bad_model(f"{self._key(key)} is {value!r}, not a text.")
        return value

    def flags(self, key: str, count: int) -> tuple[bool, ...] | None:
        """One flag per layer, or None where the key is absent."""
        if not self.has(key):
            return None
        value = self._values[self._key(key)]
        if not isinstance(value, tuple) or len(value) != count:
            raise bad_model(f"{self._key(key)} is no list of {count} flags.")
        return tuple(bool(item) for item in value)

    def _get(self, key: str, default: float | str | None) -> Value:
        if self.has(key):
            return self._values[self._key(key)]
        if default is None:
            raise bad_model(f"The file has no {self._key(key)}.")
        return default

    def _key(self, key: str) -> str:
        return f"{self.architecture}.{key}"
