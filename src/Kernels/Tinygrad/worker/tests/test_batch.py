"""Joining, advancing and leaving, over a scripted model that checks what it is given."""

from __future__ import annotations

import unittest
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from egpufleet_tinygrad.batch import Batch
from egpufleet_tinygrad.config import ModelConfig, read_config
from egpufleet_tinygrad.decoding import LoadOptions, Row
from egpufleet_tinygrad.errors import EngineError
from egpufleet_tinygrad.generation import GenerateRequest, Generation
from egpufleet_tinygrad.gguf import read_gguf
from egpufleet_tinygrad.sampling import SamplingOptions
from egpufleet_tinygrad.slots import Slot, choose_slot

from .synthetic import Shape, write_model

_VOCABULARY = 96


class CountingDecoded:
    """Every row's most likely token is (last token + 1) modulo the vocabulary."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self.tokens = [(row.token + 1) % _VOCABULARY for row in rows]
        self.highest = [1.0] * len(rows)

    def logits(self, row: int) -> np.ndarray:
        logits = np.zeros(_VOCABULARY, np.float32)
        logits[self.tokens[row]] = 1.0
        return logits


class CountingModel:
    """Keeps what each slot was fed and fails where a position does not follow the one before."""

    def __init__(self, sequences: int, context: int = 128, exact: bool = False) -> None:
        self.options = LoadOptions(context, sequences, "f32", exact)
        self.fed: list[list[int]] = [[] for _ in range(sequences)]
        self.calls: list[str] = []
        self.failure: Exception | None = None

    def prefill(self, slot: int, start: int, tokens: Sequence[int]) -> None:
        self.calls.append(f"prefill {len(tokens)}")
        self._feed(slot, start, tokens)

    def decode(self, rows: Sequence[Row]) -> CountingDecoded:
        if self.failure is not None:
            raise self.failure
        self.calls.append(f"decode {len(rows)}")
        assert len({row.slot for row in rows}) == len(rows)
        for row in rows:
            self._feed(row.slot, row.position, [row.token])
        return CountingDecoded(rows)

    def _feed(self, slot: int, start: int, tokens: Sequence[int]) -> None:
        assert start <= len(self.fed[slot]), "a hole in the slot"
        self.fed[slot][start:] = tokens


class Run:
    """A generation and what it sent."""

    def __init__(self, prompt: Sequence[int], **request: Any) -> None:
        self.answers: list[dict[str, Any]] = []
        wanted = GenerateRequest(tuple(prompt), request.pop("sampling", SamplingOptions()), **request)
        self.generation = Generation(wanted, self.answers.append)

    @property
    def tokens(self) -> list[int]:
        return [answer["token"]["id"] for answer in self.answers if "token" in answer]

    @property
    def result(self) -> dict[str, Any]:
        return self.answers[-1]["result"]


class BatchTests(unittest.TestCase):
    def test_a_prompt_goes_in_chunks_and_its_tail_with_the_decoding(self) -> None:
        model, batch = _batch(1)
        run = _finish(batch, Run(range(64 + 8 + 3), max_tokens=2))
        self.assertEqual(["prefill 64", "prefill 8"] + ["decode 1"] * 4, model.calls)
        self.assertEqual([75, 76], run.tokens)
        expected = {"finish": "length", "prompt_tokens": 75, "cached_tokens": 0, "completion_tokens": 2}
        self.assertEqual(expected, run.result)

    def test_generations_join_and_leave_between_steps(self) -> None:
        model, batch = _batch(3)
        runs = [Run([place * 20], max_tokens=3 + place) for place in range(5)]
        for run in runs:
            batch.submit(run.generation)
        _drain(batch)
        for place, run in enumerate(runs):
            self.assertEqual([place * 20 + 1 + offset for offset in range(3 + place)], run.tokens)
        self.assertIn("decode 3", model.calls)
        self.assertEqual(25, batch.counters.completion_tokens)

    def test_running_generations_advance_between_the_chunks_of_a_long_prompt(self) -> None:
        model, batch = _batch(2)
        first = Run([5], max_tokens=30)
        batch.submit(first.generation)
        batch.step()
        batch.submit(Run(range(90), max_tokens=1).generation)
        del model.calls[:]
        batch.step()
        batch.step()
        self.assertEqual(["decode 1", "prefill 64", "decode 1", "prefill 8"], model.calls)

    def test_a_stop_token_ends_and_is_not_part_of_it(self) -> None:
        _, batch = _batch(1)
        run = _finish(batch, Run([10], stop_tokens=frozenset({13})))
        self.assertEqual([11, 12], run.tokens)
        result = run.result
        self.assertEqual(("stop", 13, 2), (result["finish"], result["stop_token"], result["completion_tokens"]))

    def test_the_context_is_the_last_bound(self) -> None:
        _, batch = _batch(1, context=16)
        run = _finish(batch, Run([1] * 10))
        self.assertEqual(("length", 6), (run.result["finish"], run.result["completion_tokens"]))
        with self.assertRaises(EngineError) as caught:
            batch.submit(Run([1] * 16).generation)
        error = caught.exception
        self.assertEqual(("context_length_exceeded", 16, 15), (error.error_class, error.actual, error.limit))

    def test_an_id_outside_the_vocabulary_is_refused(self) -> None:
        _, batch = _batch(1)
        with self.assertRaises(EngineError) as caught:
            batch.submit(Run([_VOCABULARY]).generation)
        self.assertEqual("invalid_request", caught.exception.error_class)

    def test_a_cancelled_one_leaves_before_the_next_token(self) -> None:
        _, batch = _batch(1)
        running, waiting = Run([1]), Run([2])
        batch.submit(running.generation)
        batch.submit(waiting.generation)
        batch.step()
        running.generation.cancelled.set()
        waiting.generation.cancelled.set()
        batch.step()
        self.assertEqual(([2], "cancelled"), (running.tokens, running.result["finish"]))
        self.assertEqual(([], "cancelled"), (waiting.tokens, waiting.result["finish"]))
        self.assertTrue(batch.idle)

    def test_interactive_ones_go_first(self) -> None:
        _, batch = _batch(1)
        order: list[str] = []
        for name, interactive in (("batch", False), ("interactive", True)):
            run = Run([1], max_tokens=1, interactive=interactive)
            run.generation.emit = lambda answer, name=name: order.append(name) if "result" in answer else None
            batch.submit(run.generation)
        _drain(batch)
        self.assertEqual(["interactive", "batch"], order)

    def test_a_shared_beginning_is_not_computed_again(self) -> None:
        model, batch = _batch(2)
        _finish(batch, Run(range(40), max_tokens=3))
        del model.calls[:]
        again = _finish(batch, Run([*range(40), 40, 41, 9], max_tokens=1))
        self.assertEqual(42, again.result["cached_tokens"])
        self.assertEqual(["decode 1"], model.calls)
        same = _finish(batch, Run(range(40), max_tokens=1))
        self.assertEqual((39, [40]), (same.result["cached_tokens"], same.tokens))

    def test_the_exact_profile_computes_everything_again(self) -> None:
        _, batch = _batch(1, exact=True)
        _finish(batch, Run(range(40), max_tokens=3))
        self.assertEqual(0, _finish(batch, Run(range(40), max_tokens=3)).result["cached_tokens"])

    def test_a_failed_step_answers_those_it_concerned_and_the_next_starts_clean(self) -> None:
        model, batch = _batch(2)
        runs = [Run([1]), Run([2])]
        for run in runs:
            batch.submit(run.generation)
        batch.step()
        model.failure = MemoryError("Allocation of 5 GB failed")
        batch.step()
        self.assertEqual(["out_of_memory"] * 2, [run.answers[-1]["error"]["error_class"] for run in runs])
        model.failure = None
        self.assertEqual(0, _finish(batch, Run([1, 2, 3], max_tokens=1)).result["cached_tokens"])

    def test_a_failed_device_is_raised_after_the_answers(self) -> None:
        model, batch = _batch(1)
        run = Run([1])
        batch.submit(run.generation)
        model.failure = RuntimeError("Device hang detected")
        with self.assertRaises(EngineError) as caught:
            batch.step()
        self.assertEqual("worker_hung", caught.exception.error_class)
        self.assertEqual("worker_hung", run.answers[-1]["error"]["error_class"])

    def test_sampled_tokens_and_logprobs_come_from_the_logits(self) -> None:
        _, batch = _batch(1)
        run = _finish(batch, Run([1], max_tokens=3, top_logprobs=2, sampling=SamplingOptions(0.01, seed=3)))
        self.assertEqual([2, 3, 4], run.tokens)
        expected = -np.log(1 + 95 / np.e)
        told = run.answers[0]["token"]["log_probs"]
        self.assertAlmostEqual(expected, told["log_prob"], places=6)
        self.assertEqual([2, 0], [item["token_id"] for item in told["top"]])
        self.assertEqual(told["log_prob"], told["top"][0]["log_prob"])


class SlotTests(unittest.TestCase):
    def test_the_longest_beginning_wins_then_the_slot_used_longest_ago(self) -> None:
        slots = [Slot(0, [1, 2, 3], used=3), Slot(1, [1, 2], used=2), Slot(2, [9], used=1)]
        self.assertEqual((slots[0], 3), choose_slot(slots, [1, 2, 3, 4], recurrent=False, reuse=True))
        self.assertEqual((slots[1], 2), choose_slot(slots[1:], [1, 2, 3, 4], recurrent=False, reuse=True))
        self.assertEqual((slots[2], 0), choose_slot(slots, [5], recurrent=False, reuse=True))

    def test_a_recurrent_slot_goes_on_from_all_it_holds_or_from_nothing(self) -> None:
        slots = [Slot(0, [1, 2, 3])]
        self.assertEqual((slots[0], 3), choose_slot(slots, [1, 2, 3, 4], recurrent=True, reuse=True))
        for prompt in ([1, 2, 3], [1, 2, 4, 5], [1, 2]):
            self.assertEqual((slots[0], 0), choose_slot(slots, prompt, recurrent=True, reuse=True))


def _config() -> ModelConfig:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "model.gguf"
        write_model(path, Shape("llama", vocabulary=_VOCABULARY))
        return read_config(read_gguf(str(path)))


def _batch(sequences: int, context: int = 128, exact: bool = False) -> tuple[CountingModel, Batch]:
    model = CountingModel(sequences, context, exact)
    return model, Batch(model, _config())


def _finish(batch: Batch, run: Run) -> Run:
    batch.submit(run.generation)
    _drain(batch)
    return run


def _drain(batch: Batch) -> None:
    while not batch.idle:
        batch.step()


if __name__ == "__main__":
    unittest.main()
