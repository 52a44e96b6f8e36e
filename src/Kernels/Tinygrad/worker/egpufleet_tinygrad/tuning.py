"""Which kernels of a model's captured steps are compiled with what a search has found, and how often that was so.

tinygrad compiles a captured step in `jit.compile_linear`. This module stands in front of it: while a model that may be
tuned captures, each kernel that has an entry is marked with its optimisations (`opts_to_apply`), and all others go their
usual way. Nothing is searched here.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import tinygrad.engine.jit as jit
from tinygrad import Device
from tinygrad.codegen import to_program
from tinygrad.codegen.opt import Opt
from tinygrad.renderer import Renderer
from tinygrad.uop.ops import Ops, UOp


@dataclass
class TuningCounters:
    """Of a worker since its start. Kernels are counted once for each captured step that runs them."""

    tuned_kernels: int = 0
    tuning_misses: int = 0
    tuning_rejected: int = 0
    kernels_searched: int = 0
    candidates_timed: int = 0


@dataclass
class StepKernels:
    """The kernels of one model.

    entries: optimisations by kernel, as they were when it was loaded; steps: of each captured step the kernels that can be
    tuned and how often it runs each; tuned: those that were compiled with entries.
    """

    entries: Mapping[str, tuple[Opt, ...]]
    counters: TuningCounters
    steps: list[Counter[UOp]] = field(default_factory=list)
    tuned: int = 0

    @contextmanager
    def capturing(self) -> Iterator[None]:
        """What tinygrad captures meanwhile belongs to this model."""
        global _capturing
        _capturing = self
        try:
            yield
        finally:
            _capturing = None

    def choose(self, linear: UOp) -> UOp:
        """The calls of a step with the kernels that have entries marked."""
        kernels = Counter(call.src[0] for call in linear.src if can_be_tuned(call.src[0]))
        self.steps.append(kernels)
        marked = {kernel: tuned for kernel in kernels if (tuned := self._tuned(kernel)) is not None}
        calls = tuple(call.replace(src=(marked.get(call.src[0], call.src[0]), *call.src[1:])) for call in linear.src)
        return linear.replace(src=calls)

    def forget(self) -> bool:
        """Counts what was tuned as rejected and knows no entries any more; False where nothing was tuned."""
        forgotten, self.tuned = self.tuned, 0
        self.counters.tuned_kernels -= forgotten
        self.counters.tuning_rejected += forgotten
        self.entries, self.steps = {}, []
        return forgotten > 0

    def _tuned(self, kernel: UOp) -> UOp | None:
        opts = self.entries.get(kernel_name(kernel))
        if opts is None:
            self.counters.tuning_misses += 1
            return None
        tuned = with_opts(kernel, opts)
        try:
            # Kept by tinygrad's own cache, so that nothing is compiled twice.
            to_program(tuned, device_renderer())
        except Exception as failure:
            # Whatever an entry from outside breaks in a compiler, the kernel runs as it does without one.
            self.counters.tuning_rejected += 1
            print(f"Optimisations of a kernel were rejected: {type(failure).__name__}: {failure}", file=sys.stderr)
            return None
        self.tuned += 1
        self.counters.tuned_kernels += 1
        return tuned


def can_be_tuned(kernel: UOp) -> bool:
    """Whether it is a kernel that nobody has optimised by hand."""
    if kernel.op is not Ops.SINK or kernel.tag is not None or kernel.arg.opts_to_apply is not None:
        return False
    return not any(part.op is Ops.STAGE for part in kernel.backward_slice)


def kernel_name(kernel: UOp) -> str:
    """The same in every process of this version of tinygrad, for the same computation of the same sizes."""
    return str(kernel.key.hex())


def with_opts(kernel: UOp, opts: tuple[Opt, ...]) -> UOp:
    """The kernel, to be compiled with just these optimisations."""
    return kernel.replace(arg=replace(kernel.arg, opts_to_apply=opts))


def device_renderer() -> Renderer:
    """Of the device that models are on."""
    return Device[Device.DEFAULT].renderer


_capturing: StepKernels | None = None
_compile = jit.compile_linear


def _compile_step(linear: UOp, **options: Any) -> UOp:
    return _compile(linear if _capturing is None else _capturing.choose(linear), **options)


jit.compile_linear = _compile_step
