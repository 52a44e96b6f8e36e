"""Tuned kernels: what entries are taken, that they are used and never wrong, and a search that ends when it is told to."""

from __future__ import annotations

import json
import math
import threading
import unittest
from typing import Any
from unittest.mock import patch

import numpy as np

from egpufleet_tinygrad import limits
from egpufleet_tinygrad.errors import EngineError

from .support import needs_tinygrad

_ANY = "ab" * 32


class _Clock:
    """Time that passes by a second whenever it is looked at."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1
        return self.now


class _Step:
    """A captured step of two kernels, one of which runs thrice, and what it computes."""

    def __init__(self, entries: dict[str, Any] | None = None) -> None:
        from tinygrad import Tensor, TinyJit

        from egpufleet_tinygrad.tuning import StepKernels, TuningCounters

        self.counters = TuningCounters()
        self.kernels = StepKernels(entries or {}, self.counters)
        random = np.random.default_rng(3)
        x = Tensor(random.uniform(0.5, 1, (4, 64)).astype(np.float32)).realize()
        weights = [Tensor(random.uniform(0.5, 1, (64, 64)).astype(np.float32) / 32).realize() for _ in range(3)]

        def run(x: Tensor) -> Tensor:
            for weight in weights:
                x = (x @ weight).contiguous()
            return x.exp().sum(0).contiguous().realize()

        jit = TinyJit(run)
        with self.kernels.capturing():
            for _ in range(3):
                self.result = jit(x).numpy()

    def search(self, seconds: float = 60, clock: Any = None) -> tuple[Any, list[dict[str, Any]], threading.Event]:
        """A search of its kernels, what it emits, and what cancels it."""
        import time

        from egpufleet_tinygrad.kernel_search import KernelSearch

        answers: list[dict[str, Any]] = []
        cancelled = threading.Event()
        return KernelSearch(self.kernels, seconds, answers.append, cancelled, clock or time.monotonic), answers, cancelled


def _run(search: Any) -> None:
    while search.step():
        pass


@needs_tinygrad
class EntryTests(unittest.TestCase):
    def test_what_a_search_writes_is_read_again(self) -> None:
        from egpufleet_tinygrad.tuned_opts import format_opts, parse_opts

        for text in ("", "UPCAST:0:4 UNROLL:1:8", "TC:0:-1,2,1 LOCAL:2:8", "NOLOCALS", "SWAP:0:2 THREAD:0:16"):
            self.assertEqual(text, format_opts(parse_opts(text)))

    def test_what_no_search_writes_is_refused(self) -> None:
        from egpufleet_tinygrad.tuned_opts import parse_opts

        for text in (
            " ",
            "UPCAST",
            "UPCAST:0",
            "UPCAST:0:0",
            "UPCAST:0:-4",
            "UPCAST:0:4,4",
            "UPCAST:100:4",
            "UPCAST:0:99999",
            "UPCAST:0:4  UPCAST:0:4",
            "TC:0:1",
            "NOLOCALS:1",
            "__CLASS__:0:1",
            "EXPLODE:0:1",
            "upcast:0:4",
            "UPCAST:0:16 UPCAST:1:16 UNROLL:0:2",
            "LOCAL:0:64 LOCAL:1:32",
            "UPCAST:0:2\n",
            " ".join(["SWAP:0:1"] * (limits.OPTS + 1)),
        ):
            with self.subTest(text=text), self.assertRaises(EngineError):
                parse_opts(text)

    def test_a_table_leaves_out_what_is_no_entry_and_believes_nothing_of_what_is_no_table(self) -> None:
        from egpufleet_tinygrad.tuned_table import TunedTable

        table = TunedTable()
        pairs = [[_ANY, "UPCAST:0:4"], [_ANY.upper(), ""], [_ANY[:-1], ""], [1, 2], [_ANY], None, [_ANY, "X:1:1"]]
        self.assertEqual(6, table.take(json.dumps(pairs).encode()))
        self.assertEqual((1, 6), (len(table), table.counters.tuning_rejected))
        for body in (b"", b"{}", b"\xff", b"[" * 100_000, json.dumps([[_ANY, ""]] * (limits.TUNINGS + 1)).encode()):
            with self.assertRaises(EngineError):
                table.take(body)
        self.assertEqual(1, len(table))


@needs_tinygrad
class StepTests(unittest.TestCase):
    def test_a_search_finds_kernels_that_another_capture_uses_without_searching(self) -> None:
        from egpufleet_tinygrad.tuned_opts import parse_opts

        first = _Step()
        self.assertEqual((0, 2), (first.counters.tuned_kernels, first.counters.tuning_misses))
        search, answers, _ = first.search()
        # Whether this machine is faster with it is not the matter here: every right one counts as faster.
        with patch("egpufleet_tinygrad.kernel_trial._WON_PAIRS", 0), patch("egpufleet_tinygrad.kernel_trial._LEAST_GAIN", 0):
            _run(search)
        result = answers[-1]["result"]
        self.assertEqual(("done", 2, 2), (result["finish"], result["kernels_done"], result["kernels_total"]))
        self.assertGreater(result["candidates_timed"], 10)
        self.assertEqual(result["candidates_timed"], first.counters.candidates_timed)
        self.assertEqual([0, 1, 2], [answer["progress"]["kernels_done"] for answer in answers[:-1]])
        self.assertGreater(len(result["findings"]), 0)
        entries = {finding["kernel"]: parse_opts(finding["opts"]) for finding in result["findings"]}
        second = _Step(entries)
        self.assertEqual((len(entries), 0), (second.counters.tuned_kernels, second.counters.tuning_rejected))
        self.assertEqual((0, 0), (second.counters.kernels_searched, second.counters.candidates_timed))
        np.testing.assert_allclose(second.result, first.result, rtol=1e-5)

    def test_an_entry_that_does_not_fit_its_kernel_is_rejected_and_changes_nothing(self) -> None:
        from egpufleet_tinygrad.tuned_opts import parse_opts
        from egpufleet_tinygrad.tuning import kernel_name

        first = _Step()
        names = [kernel_name(kernel) for kernel in first.kernels.steps[0]]
        for opts in ("UPCAST:90:2", "UPCAST:0:3", "UNROLL:0:32 UNROLL:7:4", "TC:0:0,2,1", "SWAP:0:9"):
            with self.subTest(opts=opts):
                other = _Step({names[0]: parse_opts(opts)})
                self.assertEqual((1, 1, 0), (other.counters.tuning_rejected, other.counters.tuning_misses, other.kernels.tuned))
                np.testing.assert_array_equal(other.result, first.result)

    def test_a_candidate_that_computes_something_else_is_not_right(self) -> None:
        from egpufleet_tinygrad.kernel_trial import KernelTrial
        from egpufleet_tinygrad.tuning import device_renderer
        from tinygrad import Tensor, TinyJit
        from tinygrad.codegen import to_program

        def kernel_of(factor: float) -> Any:
            from egpufleet_tinygrad.tuning import StepKernels, TuningCounters

            kernels = StepKernels({}, TuningCounters())
            jit = TinyJit(lambda x: (x * factor).contiguous().realize())
            x = Tensor(np.ones(64, np.float32)).realize()
            with kernels.capturing():
                for _ in range(2):
                    jit(x)
            return next(iter(kernels.steps[0]))

        right, wrong = kernel_of(2.0), kernel_of(2.01)
        program = to_program(right, device_renderer())
        trial = KernelTrial(right, program)
        try:
            self.assertTrue(trial.open())
            self.assertTrue(trial.is_right(program))
            self.assertFalse(trial.is_right(to_program(wrong, device_renderer())))
            self.assertTrue(math.isfinite(trial.seconds(program, math.inf)))
        finally:
            trial.close()
        zeros = kernel_of(0.0)
        trial = KernelTrial(zeros, to_program(zeros, device_renderer()))
        try:
            self.assertFalse(trial.open())
        finally:
            trial.close()

    def test_a_search_ends_at_its_time_or_when_it_is_cancelled_and_frees_what_it_held(self) -> None:
        from tinygrad.helpers import GlobalCounters

        step = _Step()
        before = GlobalCounters.mem_used
        search, answers, _ = step.search(seconds=8, clock=_Clock())
        _run(search)
        self.assertEqual("deadline", answers[-1]["result"]["finish"])
        self.assertLess(step.counters.candidates_timed, 8)
        search, answers, cancelled = step.search()
        for _ in range(4):
            self.assertTrue(search.step())
        cancelled.set()
        self.assertFalse(search.step())
        self.assertEqual("cancelled", answers[-1]["result"]["finish"])
        self.assertEqual(before, GlobalCounters.mem_used)


if __name__ == "__main__":
    unittest.main()
