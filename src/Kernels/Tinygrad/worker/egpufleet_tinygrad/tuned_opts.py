"""Optimisations of a kernel as a line of text, and back: `UPCAST:0:4 LOCAL:1:8`, `TC:0:-1,2,1`, empty for none.

A line comes from wherever the fleet keeps it and is checked like anything from outside: words, numbers and sizes first,
and by whoever compiles with it that the kernel has such axes.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from tinygrad.codegen.opt import Opt, OptOps
from tinygrad.codegen.opt.postrange import Scheduler

from . import limits
from .errors import invalid

_KERNEL = re.compile(r"[0-9a-f]{64}")
_OPT = re.compile(r"([A-Z]{2,8})(?::([0-9]{1,2}))?(?::(-?[0-9]{1,4}(?:,-?[0-9]{1,4}){0,2}))?")
_UNROLLED = (OptOps.UPCAST, OptOps.UNROLL)
_SHARED = (OptOps.LOCAL, OptOps.GROUP, OptOps.GROUPTOP)
_SIZED = (*_UNROLLED, *_SHARED, OptOps.THREAD)


def parse_kernel(text: str) -> str:
    """The name of a kernel: 64 lower-case hexadecimal digits. Raises EngineError invalid_request."""
    if _KERNEL.fullmatch(text) is None:
        raise invalid("A kernel is not named by 64 lower-case hexadecimal digits.")
    return text


def parse_opts(text: str) -> tuple[Opt, ...]:
    """Raises EngineError invalid_request for what no search writes, or what would unroll a kernel out of all bounds."""
    words = text.split(" ") if text else []
    if len(text) > limits.OPTS_CHARACTERS or len(words) > limits.OPTS:
        raise invalid("Optimisations of a kernel are too many.")
    opts = tuple(_parse(word) for word in words)
    for kinds, most in ((_UNROLLED, limits.UNROLLED), (_SHARED, limits.SHARED)):
        if math.prod(opt.arg for opt in opts if opt.op in kinds) > most:
            raise invalid("Optimisations of a kernel unroll or share too much.")
    return opts


def format_opts(opts: Sequence[Opt]) -> str:
    """The line that `parse_opts` reads."""
    return " ".join(_format(opt) for opt in opts)


def sized(scheduler: Scheduler, opt: Opt) -> Opt:
    """The same optimisation with its size spelt out, where tinygrad writes 0 for the whole of the axis."""
    if opt.op not in _SIZED or opt.arg != 0:
        return opt
    return Opt(opt.op, opt.axis, int(scheduler.rngs[scheduler.real_axis(opt.op, opt.axis)].vmax) + 1)


def _parse(word: str) -> Opt:
    match = _OPT.fullmatch(word)
    if match is None or match[1] not in OptOps.__members__:
        raise invalid("Optimisations of a kernel are not what this worker writes.")
    op = OptOps[match[1]]
    axis = None if match[2] is None else int(match[2])
    numbers = tuple(int(number) for number in match[3].split(",")) if match[3] else ()
    if op is OptOps.NOLOCALS:
        fits = axis is None and not numbers
    elif op is OptOps.TC:
        fits = axis is not None and len(numbers) == 3
    else:
        fits = axis is not None and len(numbers) == 1 and numbers[0] >= (1 if op is not OptOps.SWAP else 0)
    if not fits:
        raise invalid("An optimisation of a kernel lacks its axis or its size.")
    return Opt(op, axis, numbers if op is OptOps.TC else numbers[0] if numbers else None)


def _format(opt: Opt) -> str:
    parts: list[str] = [opt.op.name]
    if opt.axis is not None:
        parts.append(str(opt.axis))
    if opt.arg is not None:
        parts.append(",".join(map(str, opt.arg)) if isinstance(opt.arg, tuple) else str(opt.arg))
    return ":".join(parts)
