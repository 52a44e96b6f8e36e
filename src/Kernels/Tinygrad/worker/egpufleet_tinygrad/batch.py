"""Continuous batching of one model: step by step, generations join free slots, advance one token, and leave.

A step decodes one token of every slot that can, in one device call, then computes one chunk of one prompt, so that a
long prompt delays running generations by a chunk and not by its length. All but the last tokens of a prompt go in
chunks; what is left, less than the smallest chunk, goes one by one with the decode calls.
"""

from __future__ import annotations

import traceback
from collections import deque
from dataclasses import dataclass

import numpy as np

from . import limits
from .config import ModelConfig
from .decoding import DecodableModel, Decoded, Row
from .errors import EngineError, classify
from .generation import Generation
from .sampling import log_probabilities, sample
from .slots import Slot, choose_slot


@dataclass
class BatchCounters:
    """Since the model was loaded."""

    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    decode_calls: int = 0


class Batch:
    """The generations of one model. Everything but `counters` and `sizes` belongs to the decode thread."""

    def __init__(self, model: DecodableModel, config: ModelConfig) -> None:
        self._model = model
        self._config = config
        self._slots = [Slot(number) for number in range(model.options.sequences)]
        self._waiting: dict[bool, deque[Generation]] = {True: deque(), False: deque()}
        self._clock = 0
        self.counters = BatchCounters()

    @property
    def sizes(self) -> tuple[int, int]:
        """Busy slots and waiting generations."""
        busy = sum(slot.generation is not None for slot in self._slots)
        return busy, sum(len(queue) for queue in self._waiting.values())

    @property
    def idle(self) -> bool:
        """Whether a step would do nothing."""
        return self.sizes == (0, 0)

    def submit(self, generation: Generation) -> None:
        """Raises EngineError invalid_request, context_length_exceeded or queue_full; then nothing was queued."""
        highest = max(generation.request.prompt)
        if highest >= self._config.vocabulary:
            text = f"The prompt has the token {highest}; the vocabulary has {self._config.vocabulary}."
            raise EngineError("invalid_request", text, highest, self._config.vocabulary - 1)
        generation.admit(self._model.options.context_tokens)
        waiting = self.sizes[1]
        if waiting >= limits.WAITING_GENERATIONS:
            text = f"{waiting} generations wait already."
            raise EngineError("queue_full", text, waiting + 1, limits.WAITING_GENERATIONS)
        self._waiting[generation.request.interactive].append(generation)

    def step(self) -> None:
        """One round. A failure answers the generations it concerned; only a device's is raised, as EngineError."""
        self._leave_cancelled()
        self._join()
        try:
            self._decode()
            self._prefill()
        except Exception as failure:
            error = classify(failure)
            self._fail_running(error)
            if error.device_failed:
                raise error from failure
            if error.error_class == "internal":
                traceback.print_exc()

    def forget(self) -> None:
        """Whatever the slots hold is no longer what they say: nothing of it is used again."""
        for slot in self._slots:
            slot.held.clear()

    def cancel(self) -> None:
        """Ends everything that runs or waits as cancelled."""
        running = [slot.generation for slot in self._slots if slot.generation is not None]
        for generation in running + [waiting for queue in self._waiting.values() for waiting in queue]:
            generation.cancelled.set()
        self._leave_cancelled()

    def _leave_cancelled(self) -> None:
        for slot in self._slots:
            if slot.generation is not None and slot.generation.cancelled.is_set():
                slot.generation.cancel()
                slot.generation = None
        for interactive, queue in self._waiting.items():
            for generation in queue:
                if generation.cancelled.is_set():
                    generation.cancel()
            self._waiting[interactive] = deque(generation for generation in queue if not generation.finished)

    def _join(self) -> None:
        # The exact profile computes every prompt in the same pieces, so that its numbers are always the same.
        reuse = not self._model.options.exact
        for queue in (self._waiting[True], self._waiting[False]):
            while queue:
                chosen = choose_slot(self._slots, queue[0].tokens, self._config.is_recurrent, reuse)
                if chosen is None:
                    return
                slot, kept = chosen
                self._clock += 1
                slot.used = self._clock
                slot.generation = queue.popleft()
                slot.generation.cached = kept
                del slot.held[kept:]
                self.counters.cached_tokens += kept

    def _decode(self) -> None:
        ready = [slot for slot in self._slots if slot.generation is not None and self._chunk(slot) == 0]
        if not ready:
            return
        rows = [Row(slot.number, len(slot.held), _tokens(slot)[len(slot.held)]) for slot in ready]
        result = self._model.decode(rows)
        self.counters.decode_calls += 1
        for place, (slot, row) in enumerate(zip(ready, rows)):
            slot.held.append(row.token)
            if len(slot.held) < len(_tokens(slot)):
                self.counters.prompt_tokens += 1
            else:
                self._sample(slot, result, place)

    def _sample(self, slot: Slot, result: Decoded, place: int) -> None:
        generation = slot.generation
        assert generation is not None
        request = generation.request
        if generation.produced == 0:
            self.counters.prompt_tokens += 1
        try:
            token = _choose(generation, result, place)
            top = request.top_logprobs
            logprobs = None if top is None else log_probabilities(result.logits(place), token, top)
        except EngineError as error:
            generation.fail(error)
        else:
            generation.accept(token, logprobs)
            self.counters.completion_tokens += 1
        if generation.finished:
            slot.generation = None

    def _prefill(self) -> None:
        prompts = [slot for slot in self._slots if slot.generation is not None and self._chunk(slot)]
        if not prompts:
            return
        slot = min(prompts, key=_prefill_order)
        start, count = len(slot.held), self._chunk(slot)
        tokens = _tokens(slot)[start : start + count]
        self._model.prefill(slot.number, start, tokens)
        slot.held += tokens
        self.counters.prompt_tokens += count

    def _chunk(self, slot: Slot) -> int:
        """Tokens of the slot's next chunk, 0 where it decodes."""
        left = len(_tokens(slot)) - len(slot.held) - 1
        return next((count for count in self._config.chunk_tokens if count <= left), 0)

    def _fail_running(self, error: EngineError) -> None:
        self.forget()
        for slot in self._slots:
            if slot.generation is not None:
                slot.generation.fail(error)
                slot.generation = None


def _choose(generation: Generation, result: Decoded, place: int) -> int:
    sampling = generation.request.sampling
    if sampling.temperature == 0 and np.isfinite(result.highest[place]):
        return result.tokens[place]
    return sample(result.logits(place), sampling, generation.produced)


def _tokens(slot: Slot) -> list[int]:
    assert slot.generation is not None
    return slot.generation.tokens


def _prefill_order(slot: Slot) -> tuple[bool, int]:
    assert slot.generation is not None
    return not slot.generation.request.interactive, slot.used
