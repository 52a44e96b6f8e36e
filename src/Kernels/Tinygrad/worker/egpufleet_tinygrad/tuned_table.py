"""The tuned kernels that a worker was given, and how often they were of use."""

from __future__ import annotations

import json

from tinygrad.codegen.opt import Opt

from . import limits
from .errors import EngineError, invalid
from .tuned_opts import parse_kernel, parse_opts
from .tuning import StepKernels, TuningCounters


class TunedTable:
    """Models loaded from now on are compiled with the entries as they are now."""

    def __init__(self) -> None:
        self.counters = TuningCounters()
        self._entries: dict[str, tuple[Opt, ...]] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def take(self, body: bytes) -> int:
        """Replaces all entries by a JSON array of pairs `[kernel, optimisations]`; returns how many are no such pairs.

        Raises EngineError invalid_request where the whole is no such list or too long: then nothing of it is believed.
        """
        try:
            pairs = json.loads(body.decode("utf-8"))
        except (ValueError, RecursionError) as failure:
            raise invalid(f"Tuned kernels are not JSON: {failure}") from failure
        if not isinstance(pairs, list) or len(pairs) > limits.TUNINGS:
            raise invalid(f"Tuned kernels are no list of at most {limits.TUNINGS}.")
        entries: dict[str, tuple[Opt, ...]] = {}
        refused = 0
        for pair in pairs:
            try:
                if not (isinstance(pair, list) and len(pair) == 2 and all(isinstance(part, str) for part in pair)):
                    raise invalid("A tuned kernel is no pair of texts.")
                entries[parse_kernel(pair[0])] = parse_opts(pair[1])
            except EngineError:
                refused += 1
        self._entries = entries
        self.counters.tuning_rejected += refused
        return refused

    def of_model(self) -> StepKernels:
        """For a model that is being loaded."""
        return StepKernels(self._entries, self.counters)
