"""What a session takes, at its highest, is what was estimated or less; what does not fit is refused before it is loaded."""

from __future__ import annotations

import gc
import tempfile
import unittest
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

from egpufleet_tinygrad.errors import EngineError
from egpufleet_tinygrad.memory import DEVICE_RESERVE_BYTES

from .support import needs_tinygrad
from .synthetic import Shape, write_model
from .training_support import Session, batch, spec

_SHAPE = Shape("llama", layers=4, width=256, hidden=512, head_width=64, rope_width=64, vocabulary=1024)
_ROW_TOKENS = 64


@needs_tinygrad
class TrainMemoryTests(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name) / "model.gguf"

    def test_the_peak_is_at_most_the_estimate(self) -> None:
        write_model(self.path, _SHAPE, "Q4_0")
        peaks = {recompute: self._peak(recompute) for recompute in (False, True)}
        self.assertLess(peaks[True], 0.8 * peaks[False])

    def test_what_does_not_fit_is_refused_with_advice_before_it_is_loaded(self) -> None:
        write_model(self.path, _SHAPE, "Q4_0")
        needed, less = (
            Session().call("estimate", **self._spec(recompute=recompute))["memory_bytes"] for recompute in (False, True)
        )
        for room, advice in ((less, "with recompute"), (less - 1, "fewer rows"), (1 << 20, "smaller")):
            with self.subTest(room=room), _peak() as peak:
                session = Session(capacity=_used_bytes() + DEVICE_RESERVE_BYTES + room)
                with self.assertRaises(EngineError) as refused:
                    session.call("open", **self._spec())
                self.assertEqual("out_of_memory", refused.exception.error_class)
                self.assertEqual((needed, room), (refused.exception.actual, refused.exception.limit))
                self.assertIn(advice, refused.exception.text)
                self.assertEqual([], peak)

    def _peak(self, recompute: bool) -> int:
        session, wanted = Session(), self._spec(recompute=recompute)
        gc.collect()
        with _peak() as peak:
            needed = session.call("estimate", **wanted)["memory_bytes"]
            self.assertEqual([], peak)
            session.call("open", **wanted)
            for _ in range(3):
                session.learn(batch(4, tokens=_ROW_TOKENS), learning_rate=1e-3)
            session.learn(batch(4, tokens=_ROW_TOKENS), "evaluate")
            session.call("continue", b"\1\0\0\0", max_tokens=3, stops=[])
        self.assertLessEqual(max(peak), needed)
        self.assertGreater(max(peak), 0.5 * needed)
        session.call("close")
        return max(peak)

    def _spec(self, **changes: Any) -> dict[str, Any]:
        return spec(self.path, row_tokens=_ROW_TOKENS, **changes)


def _used_bytes() -> int:
    from egpufleet_tinygrad.device import memory_used_bytes

    gc.collect()
    return memory_used_bytes()


@contextmanager
def _peak() -> Iterator[list[int]]:
    """Bytes that tinygrad has after each allocation, without those it had before."""
    from tinygrad.device import Buffer
    from tinygrad.helpers import GlobalCounters

    before = GlobalCounters.mem_used
    allocate = Buffer.allocate
    seen: list[int] = []

    def watched(buffer: Any, *arguments: Any, **named: Any) -> Any:
        made = allocate(buffer, *arguments, **named)
        seen.append(GlobalCounters.mem_used - before)
        return made

    with mock.patch.object(Buffer, "allocate", watched):
        yield seen


if __name__ == "__main__":
    unittest.main()
