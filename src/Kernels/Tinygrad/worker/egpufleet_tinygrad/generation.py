"""One generation on its way from its request to its last token."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .errors import EngineError
from .sampling import SamplingOptions

Emit = Callable[[dict[str, Any]], None]
"""Sends one answer frame of the request, given without its id."""


@dataclass(frozen=True)
class GenerateRequest:
    """What to continue, and when to stop.

    prompt: token ids, at least one; max_tokens: None for what is left of the context; stop_tokens end the text and are
    not part of it; top_logprobs: tell the log-probability of every token and of so many most likely ones, None: of none;
    interactive ones get a free slot before others.
    """

    prompt: tuple[int, ...]
    sampling: SamplingOptions
    max_tokens: int | None = None
    stop_tokens: frozenset[int] = frozenset()
    top_logprobs: int | None = None
    interactive: bool = False


@dataclass
class Generation:
    """Its state. The decode loop owns all but `cancelled`, which the reader of the protocol sets.

    tokens: prompt and completion; cached: how many of the prompt were in the slot already.
    """

    request: GenerateRequest
    emit: Emit
    cancelled: threading.Event = field(default_factory=threading.Event)
    tokens: list[int] = field(init=False)
    cached: int = 0
    room: int = 0
    finished: bool = False

    def __post_init__(self) -> None:
        self.tokens = list(self.request.prompt)

    @property
    def produced(self) -> int:
        """Tokens sampled so far."""
        return len(self.tokens) - len(self.request.prompt)

    def admit(self, context_tokens: int) -> None:
        """Fixes how many tokens it may produce. Raises EngineError context_length_exceeded where that would be none."""
        prompt = len(self.request.prompt)
        if prompt >= context_tokens:
            most = context_tokens - 1
            text = f"The prompt has {prompt} tokens; with room for an answer the context holds {most}."
            raise EngineError("context_length_exceeded", text, prompt, most)
        left = context_tokens - prompt
        self.room = left if self.request.max_tokens is None else min(left, self.request.max_tokens)

    def accept(self, token: int, logprobs: dict[str, Any] | None) -> None:
        """Takes a sampled token and emits it; afterwards the generation may be finished."""
        if token in self.request.stop_tokens:
            self._finish("stop", stop_token=token)
            return
        frame: dict[str, Any] = {"index": self.produced, "id": token}
        if logprobs is not None:
            frame["log_probs"] = logprobs
        self.tokens.append(token)
        self.emit({"token": frame})
        if self.produced >= self.room:
            self._finish("length")

    def cancel(self) -> None:
        """Ends it between two tokens."""
        self._finish("cancelled")

    def fail(self, error: EngineError) -> None:
        """Ends it with an error."""
        if not self.finished:
            self.finished = True
            self.emit({"error": error.to_wire()})

    def _finish(self, reason: str, stop_token: int | None = None) -> None:
        self.finished = True
        result: dict[str, Any] = {
            "finish": reason,
            "prompt_tokens": len(self.request.prompt),
            "cached_tokens": self.cached,
            "completion_tokens": self.produced,
        }
        if stop_token is not None:
            result["stop_token"] = stop_token
        self.emit({"result": result})
