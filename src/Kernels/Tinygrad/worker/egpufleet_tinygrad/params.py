"""Parameters of a request, taken one by one with type and range; what is left over is refused."""

from __future__ import annotations

import math
from typing import Any

from .errors import invalid

_REQUIRED: Any = object()


class Params:
    """The `params` object of a request header. Every failure is an EngineError invalid_request that names the field."""

    def __init__(self, value: Any, where: str) -> None:
        if value is None:
            value = {}
        if not isinstance(value, dict):
            raise invalid(f"{where} is not an object.")
        self._left: dict[str, Any] = dict(value)
        self._where = where

    def integer(self, name: str, least: int, most: int, default: Any = _REQUIRED) -> Any:
        """A whole number from `least` to `most`, or the default where it is absent or null."""
        value = self._take(name, default)
        if value is default:
            return value
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise invalid(f"{name} is {_short(value)}, not a whole number from {least} to {most}.")
        return value

    def number(self, name: str, least: float, most: float, default: Any = _REQUIRED) -> Any:
        """A finite number from `least` to `most`."""
        value = self._take(name, default)
        if value is default:
            return value
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            raise invalid(f"{name} is {_short(value)}, not a number.")
        if not least <= value <= most:
            raise invalid(f"{name} {_short(value)} is not in {least}..{most}.")
        return float(value)

    def text(self, name: str, characters: int, default: Any = _REQUIRED) -> Any:
        """A text of 1 to `characters` characters."""
        value = self._take(name, default)
        if value is default:
            return value
        if not isinstance(value, str) or not 1 <= len(value) <= characters or "\0" in value:
            raise invalid(f"{name} is no text of 1 to {characters} characters.")
        return value

    def choice(self, name: str, choices: tuple[str, ...], default: Any = _REQUIRED) -> Any:
        """One of some words."""
        value = self._take(name, default)
        if value is not default and value not in choices:
            raise invalid(f"{name} is {_short(value)}, none of {', '.join(choices)}.")
        return value

    def flag(self, name: str, default: bool) -> bool:
        """True or false."""
        value = self._take(name, default)
        if not isinstance(value, bool):
            raise invalid(f"{name} is {_short(value)}, neither true nor false.")
        return value

    def integers(self, name: str, count: int, least: int, most: int, default: Any = _REQUIRED) -> Any:
        """A list of at most `count` whole numbers."""
        value = self._take(name, default)
        if value is default:
            return value
        if not isinstance(value, list) or len(value) > count:
            raise invalid(f"{name} is no list of at most {count} numbers.")
        if any(isinstance(item, bool) or not isinstance(item, int) or not least <= item <= most for item in value):
            raise invalid(f"{name} has an item that is no whole number from {least} to {most}.")
        return value

    def texts(self, name: str, choices: tuple[str, ...]) -> list[str]:
        """A list of different words out of some."""
        value = self._take(name, _REQUIRED)
        if not isinstance(value, list) or len(value) > len(choices):
            raise invalid(f"{name} is no list of at most {len(choices)} words.")
        for index, item in enumerate(value):
            if item not in choices or item in value[:index]:
                raise invalid(f"{name} has {_short(item)}, which is none of {', '.join(choices)} or there twice.")
        return value

    def nested(self, name: str) -> Params:
        """An object, empty where absent."""
        return Params(self._take(name, None), name)

    def finish(self) -> None:
        """Refuses what nothing has taken: a parameter that has no effect must not look as if it had."""
        if self._left:
            raise invalid(f"{self._where} has the unknown field {_short(next(iter(self._left)))}.")

    def _take(self, name: str, default: Any) -> Any:
        value = self._left.pop(name, None)
        if value is not None:
            return value
        if default is _REQUIRED:
            raise invalid(f"{self._where} has no {name}.")
        return default


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
