"""The search for faster kernels of one loaded model, in pieces of one compilation and one measurement each.

As tinygrad's beam search with a beam of one: of all single optimisations the fastest is kept, then all further ones of
that, until none helps. But between two candidates the caller decides whether it goes on, so that requests come first and
an end is an end.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

import tinygrad.codegen.opt.search as search
from tinygrad import Device
from tinygrad.codegen import do_to_program, to_program
from tinygrad.codegen.opt.postrange import Scheduler
from tinygrad.uop.ops import Ops, UOp

from . import limits
from .errors import EngineError
from .generation import Emit
from .kernel_trial import KernelTrial
from .tuned_opts import format_opts, sized
from .tuning import StepKernels, device_renderer, kernel_name, with_opts

_LEAST_STEP = 0.99
"""A further optimisation is kept where it takes at most so much of the time without it."""

_TIME_PER_KERNEL = 0.25
_SECONDS_PER_KERNEL = 2.0
"""Of the time that is left, and at least: the first kernel must not take it all, though it matters most."""

_HOPELESS = 3
"""A candidate that takes so many times the best one's time is run once, not thrice."""


@dataclass(frozen=True)
class Finding:
    """A kernel that is faster with these optimisations than with tinygrad's own choice, by measurement in turn."""

    kernel: str
    opts: str
    seconds_before: float
    seconds_after: float


@dataclass(frozen=True)
class _Work:
    kernel: UOp
    untuned: UOp
    seconds: float
    share: float


class KernelSearch:
    """Searches the kernels of a model, the ones that its steps spend most time in first, those with entries last.

    seconds: of the clock, whatever else the device does meanwhile; cancelled: may be set by another thread.
    """

    def __init__(
        self,
        kernels: StepKernels,
        seconds: float,
        emit: Emit,
        cancelled: threading.Event,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._cancelled = cancelled
        self._kernels = kernels
        self._emit = emit
        self._clock = clock
        self._ends = clock() + seconds
        self._total = min(len({kernel for step in kernels.steps for kernel in step}), limits.KERNELS_PER_SEARCH)
        self._done = 0
        self._timed = 0
        self._findings: list[Finding] = []
        self._pieces = self._run()

    def step(self) -> bool:
        """One piece of work; False once it is over and answered. Raises what the device does."""
        if not self._cancelled.is_set() and next(self._pieces, None) is not None:
            return True
        self._end("cancelled" if self._cancelled.is_set() else "done" if self._done == self._total else "deadline")
        return False

    def cancel(self) -> None:
        """Ends it between two pieces, with what was found so far."""
        self._end("cancelled")

    def fail(self, error: EngineError) -> None:
        """Answers with an error."""
        self._pieces.close()
        self._emit({"error": error.to_wire()})

    def _end(self, finish: str) -> None:
        self._pieces.close()
        result = {"finish": finish, **self._progress(), "findings": [asdict(finding) for finding in self._findings]}
        self._emit({"result": result})

    def _run(self) -> Iterator[bool]:
        work: list[_Work] = []
        for piece in self._measure(work):
            yield piece
            if self._is_late:
                return
        self._emit({"progress": self._progress()})
        entries = self._kernels.entries
        work.sort(key=lambda one: (kernel_name(one.kernel) in entries, -one.share))
        self._total = min(len(work), limits.KERNELS_PER_SEARCH)
        for one in work[: self._total]:
            yield from self._search(one)
            if self._is_late:
                return
            self._done += 1
            self._emit({"progress": self._progress()})

    def _measure(self, work: list[_Work]) -> Iterator[bool]:
        """How long each kernel takes untuned, and so its share of the steps that run it."""
        seconds: dict[UOp, float] = {}
        programs: dict[UOp, UOp] = {}
        for kernel in {kernel: None for step in self._kernels.steps for kernel in step}:
            programs[kernel] = to_program(kernel, device_renderer())
            trial = KernelTrial(kernel, programs[kernel])
            if trial.fits:
                try:
                    if trial.open():
                        seconds[kernel] = trial.seconds(programs[kernel], math.inf)
                finally:
                    trial.close()
            yield True
        shares: dict[UOp, float] = dict.fromkeys(seconds, 0.0)
        for step in self._kernels.steps:
            whole = sum(seconds.get(kernel, 0.0) * count for kernel, count in step.items())
            for kernel, count in step.items():
                if kernel in seconds:
                    shares[kernel] += seconds[kernel] * count / whole
        for kernel, took in seconds.items():
            if math.isfinite(took):
                work.append(_Work(kernel, programs[kernel], took, shares[kernel]))

    def _search(self, one: _Work) -> Iterator[bool]:
        trial = KernelTrial(one.kernel, one.untuned)
        try:
            trial.open()
            best, best_seconds = scheduler_of(one.kernel), math.inf
            self._kernels.counters.kernels_searched += 1
            now = self._clock()
            ends = min(self._ends, now + max((self._ends - now) * _TIME_PER_KERNEL, _SECONDS_PER_KERNEL))
            yield True
            while self._clock() < ends:
                fastest, fastest_seconds = best, math.inf
                for candidate in _further(best):
                    took = self._time(trial, candidate, min(best_seconds, one.seconds) * _HOPELESS)
                    if took < fastest_seconds:
                        fastest, fastest_seconds = candidate, took
                    yield True
                    if self._clock() >= ends:
                        break
                if fastest_seconds > best_seconds * _LEAST_STEP:
                    break
                best, best_seconds = fastest, fastest_seconds
            if best_seconds < one.seconds:
                self._confirm(one, trial, best)
        finally:
            trial.close()

    def _time(self, trial: KernelTrial, candidate: Scheduler, stop_at: float) -> float:
        try:
            # Not by to_program: its cache would keep every candidate for ever.
            program = do_to_program(_optimised(candidate), candidate.ren)
        except Exception:
            # Combinations that a compiler cannot do are part of any search; the next one is tried.
            return math.inf
        self._timed += 1
        self._kernels.counters.candidates_timed += 1
        return trial.seconds(program, stop_at)

    def _confirm(self, one: _Work, trial: KernelTrial, best: Scheduler) -> None:
        """Keeps it where, compiled as every worker will compile it, it is right and faster."""
        opts = _spelt_out(one.kernel, best)
        program = to_program(with_opts(one.kernel, opts), device_renderer())
        if not trial.is_right(program) or (times := trial.compare(program)) is None:
            return
        self._findings.append(Finding(kernel_name(one.kernel), format_opts(opts), *times))

    @property
    def _is_late(self) -> bool:
        return self._clock() >= self._ends

    def _progress(self) -> dict[str, Any]:
        gains = [finding.seconds_before / finding.seconds_after for finding in self._findings]
        return {
            "kernels_done": self._done,
            "kernels_total": self._total,
            "kernels_faster": len(gains),
            "candidates_timed": self._timed,
            "best_speedup": round(max(gains, default=1.0), 3),
        }


class _Caught(Exception):
    """Carries a scheduler out of the compiler."""


def scheduler_of(kernel: UOp) -> Scheduler:
    """The kernel as optimisations find it, behind the rewrites that come before them."""
    caught: list[Scheduler] = []

    def catch(scheduler: Scheduler, *_: object) -> Scheduler:
        caught.append(scheduler)
        raise _Caught

    usual, search.beam_search = search.beam_search, catch
    try:
        do_to_program(kernel.replace(arg=replace(kernel.arg, beam=1)), device_renderer())
    except _Caught:
        return caught[0]
    finally:
        search.beam_search = usual
    raise EngineError("internal", "tinygrad compiled a kernel without asking for its optimisations.")


def _further(scheduler: Scheduler) -> list[Scheduler]:
    """All with one more optimisation, none of which takes long to compile."""
    actions = search.get_kernel_actions(scheduler, include_0=False, max_up=limits.SEARCHED_UNROLLED)
    return list(actions.values()) if len(scheduler.applied_opts) < limits.OPTS else []


def _optimised(scheduler: Scheduler) -> UOp:
    kernel = scheduler.copy().get_optimized_ast(name_override="test")
    parameters = [part for part in kernel.toposort() if part.op is Ops.PARAM]
    device = Device.canonicalize(Device.DEFAULT)
    return kernel.substitute({part: part.replace(arg=replace(part.arg, device=device)) for part in parameters})


def _spelt_out(kernel: UOp, scheduler: Scheduler) -> tuple[search.Opt, ...]:
    spelt: list[search.Opt] = []
    again = scheduler_of(kernel)
    for opt in scheduler.applied_opts:
        spelt.append(sized(again, opt))
        again.apply_opt(spelt[-1])
    return tuple(spelt)
