"""Gradients through dequantised weights, held against finite differences of a numpy forward in f64."""

from __future__ import annotations

import tempfile
import unittest
from pathlib import Path

import numpy as np

from egpufleet_tinygrad.training.safetensors import Entry, write_safetensors

from .support import needs_tinygrad
from .synthetic import Shape, write_model
from .training_support import Session, Values, batch, read_state, reference_loss, spec, stored

_STEP = 1e-4
_TOLERANCE = 2e-4
"""Of a derivative along a random direction, over the length of the gradient."""


@needs_tinygrad
class GradientTests(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def test_llama_over_f32(self) -> None:
        self._agrees(Shape("llama", head_width=16, rope_width=16, tied=True), "F32")

    def test_llama_over_q4_0(self) -> None:
        self._agrees(Shape("llama", head_width=16, rope_width=16), "Q4_0")

    def test_qwen2_over_q8_0(self) -> None:
        self._agrees(Shape("qwen2", head_width=16, rope_width=16, rope_base=1e6, epsilon=1e-6), "Q8_0")

    def test_qwen3_over_q4_k(self) -> None:
        self._agrees(Shape("qwen3", width=256, hidden=256, heads=4, kv_heads=1, head_width=64, rope_width=64), "Q4_K")

    def test_with_or_without_recomputation_the_bits_are_the_same(self) -> None:
        write_model(self.folder / "model.gguf", Shape("llama", layers=3, head_width=16, rope_width=16), "Q4_0")
        kept, again = (self._trained(recompute) for recompute in (False, True))
        for name, values in kept.items():
            np.testing.assert_array_equal(values, again[name], name)

    def _agrees(self, shape: Shape, kind: str) -> None:
        """A batch of three rows, in passes of two: one is filled up, and every graph has been replayed by the end."""
        weights = stored(write_model(self.folder / "model.gguf", shape, kind), kind)
        session = Session()
        session.call("open", **spec(self.folder / "model.gguf"))
        adapter = self._random_state(session)
        arrays = batch(3)
        made = session.learn(arrays, "backward", path=self._path("gradients"))
        expected = reference_loss(shape, weights, adapter, arrays)
        self.assertLess(abs(made["loss_sum"] - expected) / expected, 1e-5)
        self.assertEqual(int((arrays[1] >= 0).sum()), made["trained_tokens"])
        self.assertLess(abs(session.learn(arrays, "evaluate")["loss_sum"] - expected) / expected, 1e-5)
        gradients = read_state(Path(self._path("gradients")))
        self.assertEqual(adapter.keys(), gradients.keys())
        random = np.random.default_rng(11)
        for name, gradient in gradients.items():
            direction = random.standard_normal(gradient.shape)
            ends = [adapter | {name: adapter[name] + sign * _STEP * direction} for sign in (1, -1)]
            ahead, behind = (reference_loss(shape, weights, end, arrays) for end in ends)
            error = (ahead - behind) / (2 * _STEP) - float((gradient * direction).sum())
            self.assertGreater(np.abs(gradient).max(), 0, name)
            self.assertLess(abs(error) / np.linalg.norm(gradient), _TOLERANCE, name)

    def _random_state(self, session: Session) -> Values:
        """Restores an adapter whose B is not zero; gives it."""
        session.call("save", path=self._path("state"), weights_only=True)
        random = np.random.default_rng(5)
        adapter = {
            name: (values if name.endswith("a") else random.standard_normal(values.shape) * 0.1).astype(np.float32)
            for name, values in read_state(Path(self._path("state"))).items()
        }
        entries = [Entry(name, values.shape) for name, values in adapter.items()]
        write_safetensors(self._path("state"), {}, entries, adapter.values())
        session.call("restore", path=self._path("state"))
        return adapter

    def _trained(self, recompute: bool) -> Values:
        session = Session()
        session.call("open", **spec(self.folder / "model.gguf", recompute=recompute))
        for step in range(4):
            session.learn(batch(2, step), learning_rate=1e-2)
        session.call("save", path=self._path("state"), weights_only=False)
        return read_state(Path(self._path("state")))

    def _path(self, name: str) -> str:
        return str(self.folder / name)


if __name__ == "__main__":
    unittest.main()
