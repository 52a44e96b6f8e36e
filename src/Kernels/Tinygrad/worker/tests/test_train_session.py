"""Steps, states and refusals of a session, over a base of four bits."""

from __future__ import annotations

import tempfile
import unittest
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

from egpufleet_tinygrad.errors import EngineError
from egpufleet_tinygrad.training.safetensors import Entry, write_safetensors

from .support import needs_tinygrad
from .synthetic import Shape, write_model
from .training_support import HASH, Session, Values, batch, read_state, spec

_SHAPE = Shape("llama", layers=3, head_width=16, rope_width=16)
_RATE = 1e-2
_OPTIMIZER = {"beta1": 0.8, "beta2": 0.9, "epsilon": 1e-6, "weight_decay": 0.1}


@needs_tinygrad
class SessionTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = Path(folder.name)
        cls.model = cls.folder / "model.gguf"
        write_model(cls.model, _SHAPE, "Q4_0")

    def test_the_loss_falls_and_nothing_is_compiled_after_the_first_steps(self) -> None:
        import tinygrad.codegen as codegen

        session = self._open()
        first = session.learn(batch(2), "evaluate")["loss_sum"]
        steps = [session.learn(batch(2), learning_rate=_RATE) for _ in range(3)]
        with mock.patch.object(codegen, "to_program", side_effect=AssertionError("compiled")):
            steps += [session.learn(batch(2), learning_rate=_RATE) for _ in range(17)]
        self.assertEqual(list(range(1, 21)), [step["step"] for step in steps])
        self.assertAlmostEqual(first / steps[0]["trained_tokens"], steps[0]["loss"], places=6)
        self.assertLess(steps[-1]["loss"], 0.2 * steps[0]["loss"])

    def test_the_base_stays_as_the_file_has_it(self) -> None:
        session = self._open()
        before = session.base()
        for step in range(3):
            session.learn(batch(2, step), learning_rate=_RATE)
        self.assertGreater(sum(one.dtype == np.uint8 for one in before), 7)
        for had, has in zip(before, session.base(), strict=True):
            np.testing.assert_array_equal(had, has)

    def test_a_step_is_adamw_as_it_is_written_down(self) -> None:
        for clip in (0.0, 0.01):
            session = self._open(clip_norm=clip, **_OPTIMIZER)
            moments: dict[str, tuple[np.ndarray, np.ndarray]] = {}
            for step in range(1, 4):
                before = self._state(session)
                sums = session.learn(batch(3, step), "backward", path=self._path("sums"))
                gradients = read_state(self.folder / "sums")
                done = session.learn(batch(3, step), learning_rate=_RATE)
                after = self._state(session)
                tokens = sums["trained_tokens"]
                norm = np.sqrt(sum((values.astype(np.float64) ** 2).sum() for values in gradients.values())) / tokens
                self.assertAlmostEqual(done["gradient_norm"] / norm, 1, places=5)
                scale = clip / norm / tokens if 0 < clip < norm else 1 / tokens
                for name, gradient in gradients.items():
                    m, v = moments.get(name, (0, 0))
                    m = 0.8 * m + 0.2 * gradient * scale
                    v = 0.9 * v + 0.1 * (gradient * scale) ** 2
                    moments[name] = m, v
                    change = m / (1 - 0.8**step) / (np.sqrt(v / (1 - 0.9**step)) + 1e-6)
                    expected = before[name] * (1 - _RATE * 0.1) - _RATE * change
                    np.testing.assert_allclose(after[name], expected, rtol=2e-5, atol=2e-7, err_msg=name)

    def test_two_halves_make_a_step(self) -> None:
        whole, halves = self._open(), self._open()
        for step in range(3):
            one = whole.learn(batch(3, step), learning_rate=_RATE)
            sums = halves.learn(batch(3, step), "backward", path=self._path("sums"))
            tokens = sums["trained_tokens"]
            two = halves.call("update", path=self._path("sums"), trained_tokens=tokens, learning_rate=_RATE)
            self.assertEqual(one["gradient_norm"], two["gradient_norm"])
            self.assertEqual(one["loss"], sums["loss_sum"] / tokens)
        self._same(self._state(whole), self._state(halves))

    def test_a_restored_session_goes_on_as_if_nothing_had_been(self) -> None:
        straight = self._open()
        for step in range(6):
            if step == 3:
                saved = straight.call("save", path=self._path("half"), weights_only=False)
                self.assertEqual((3, (self.folder / "half").stat().st_size), (saved["step"], saved["bytes"]))
            straight.learn(batch(2, step), learning_rate=_RATE)
        restored = self._open()
        self.assertEqual(3, restored.call("restore", path=self._path("half"))["step"])
        for step in range(3, 6):
            restored.learn(batch(2, step), learning_rate=_RATE)
        self._same(self._state(straight), self._state(restored))

    def test_a_frozen_a_stays_as_the_seed_makes_it(self) -> None:
        session, other = self._open(frozen_a=True), self._open()
        start = self._state(other)
        info = session.call("restore", path=self._saved(session))
        self.assertEqual(sum(v.size for n, v in start.items() if n.endswith("b")), info["trained_parameters"])
        for step in range(3):
            session.learn(batch(2, step), learning_rate=_RATE)
        self.assertTrue(all(name.endswith(".lora_b") and v.any() for name, v in self._state(session).items()))

    def test_a_loss_or_gradient_that_is_no_number_changes_nothing(self) -> None:
        session = self._open()
        session.learn(batch(2), learning_rate=_RATE)
        good = self._state(session, weights_only=False)
        for value in (np.nan, np.inf):
            bad = {n: np.full_like(v, value) if n == "blk.1.ffn_up.lora_b" else v for n, v in good.items()}
            self._write("bad", bad)
            session.call("restore", path=self._path("bad"))
            self._refused("not_finite", lambda: session.learn(batch(2), learning_rate=_RATE))
            self._refused("not_finite", lambda: session.learn(batch(2), "backward", path=self._path("none")))
            self._same(bad, self._state(session, weights_only=False))
        self.assertFalse((self.folder / "none").exists())
        self._write("sums", {n: v * np.nan for n, v in good.items() if not n.startswith("adam")})
        self._refused(
            "not_finite",
            lambda: session.call("update", path=self._path("sums"), trained_tokens=9, learning_rate=_RATE),
        )

    def test_a_cancelled_step_changes_nothing(self) -> None:
        session = self._open()
        before = self._state(session)
        session.is_cancelled = True
        self._refused("cancelled", lambda: session.learn(batch(2), learning_rate=_RATE))
        session.is_cancelled = False
        self._same(before, self._state(session))
        self.assertEqual(1, session.learn(batch(2), learning_rate=_RATE)["step"])

    def test_a_lost_gradient_is_an_error(self) -> None:
        from egpufleet_tinygrad.training.linear import Gradients

        add = Gradients.add

        def losing(self: Gradients, target: str, of_a: Any, of_b: Any) -> None:
            add(self, target, of_a, of_b * 0 if target == "ffn_up" else of_b)

        session = self._open()
        with mock.patch.object(Gradients, "add", losing):
            error = self._refused("internal", lambda: session.learn(batch(2), learning_rate=_RATE))
        self.assertIn("blk.0.ffn_up.lora_b", error.text)

    def test_a_state_of_another_session_is_refused(self) -> None:
        session = self._open()
        good = self._state(session)
        name = "blk.0.attn_q.lora_b"
        cases = {
            "one is missing": ({n: v for n, v in good.items() if n != name}, {}),
            "one too many": (good | {"extra": np.zeros(3, np.float32)}, {}),
            "another shape": (good | {name: good[name].T.copy()}, {}),
            "some moments": (good | {f"adam.m.{name}": good[name]}, {}),
            "another base": (good, {"base_sha256": "cd" * 32}),
            "another method": (good, {"method": "full"}),
            "another format": (good, {"format": "2"}),
            "no step": (good, {"step": "-1"}),
        }
        for case, (values, metadata) in cases.items():
            with self.subTest(case):
                self._write("other", values, metadata)
                self._refused("invalid_request", lambda: session.call("restore", path=self._path("other")))
                self._same(good, self._state(session))

    def test_what_this_engine_does_not_train_is_refused_by_name(self) -> None:
        session = Session()
        cases: tuple[tuple[dict[str, Any], str], ...] = (
            ({"method": "full"}, "Torch"),
            ({"precision": "bf16"}, "Torch"),
            ({"targets": []}, "target"),
            ({"targets": ["attn_q", "output"]}, "output"),
            ({"rank": 0}, "rank"),
            ({"row_tokens": 300}, "256 positions"),
            ({"rows_per_pass": 1000, "row_tokens": 2000}, "too large"),
            ({"path": "model.gguf"}, "absolute"),
            ({"unknown": 1}, "unknown"),
        )
        for changes, word in cases:
            with self.subTest(changes=changes):
                error = self._refused("invalid_request", lambda: session.call("open", **spec(self.model, **changes)))
                self.assertIn(word, error.text)
        write_model(self.folder / "delta.gguf", Shape("qwen35", rope_width=16))
        self._refused("model_invalid", lambda: session.call("open", **spec(self.folder / "delta.gguf")))
        self._refused("model_not_loaded", lambda: session.learn(batch(2), learning_rate=_RATE))

    def test_hostile_batches_are_refused(self) -> None:
        session = self._open()
        good = batch(2)
        for place, value in ((0, -1), (0, 96), (1, -2), (1, 96), (2, -1), (2, 5)):
            arrays = good.copy()
            arrays[place, 1, 4] = value
            self._refused("invalid_request", lambda: session.learn(arrays, learning_rate=_RATE))
        nothing = good.copy()
        nothing[1] = -1
        for arrays in (nothing, good[:, :, :-1]):
            self._refused("invalid_request", lambda: session.learn(arrays, learning_rate=_RATE))
        body = good.tobytes()
        wrong = {"rows": 3, "row_tokens": 12, "learning_rate": _RATE}
        self._refused("invalid_request", lambda: session.call("step", body, **wrong))

    def test_a_prompt_goes_on_as_it_was_taught(self) -> None:
        session = self._open()
        text = np.arange(20, 33, dtype=np.int32)
        arrays = np.stack([text[:-1], text[1:], np.zeros(12, np.int32)])[:, None]
        while session.learn(arrays, learning_rate=1e-2)["loss"] > 0.05:
            pass
        told = session.call("continue", text[:3].tobytes(), max_tokens=40, stops=[30])["tokens"]
        self.assertEqual(list(range(23, 30)), told)
        self.assertEqual(3, len(session.call("continue", text[:3].tobytes(), max_tokens=3, stops=[])["tokens"]))
        error = self._refused(
            "context_length_exceeded", lambda: session.call("continue", text.tobytes(), max_tokens=1, stops=[])
        )
        self.assertEqual((13, 12), (error.actual, error.limit))

    def _open(self, **changes: Any) -> Session:
        session = Session()
        info = session.call("open", **spec(self.model, **changes))
        self.assertEqual((HASH, "llama", 96, 0), tuple(info[key] for key in _INFO))
        return session

    def _state(self, session: Session, weights_only: bool = True) -> Values:
        return read_state(Path(self._saved(session, weights_only)))

    def _saved(self, session: Session, weights_only: bool = True) -> str:
        session.call("save", path=self._path("state"), weights_only=weights_only)
        return self._path("state")

    def _write(self, name: str, values: Values, metadata: dict[str, str] | None = None) -> None:
        entries = [Entry(name, one.shape) for name, one in values.items()]
        write_safetensors(self._path(name), metadata or {}, entries, values.values())

    def _refused(self, error_class: str, call: Any) -> EngineError:
        with self.assertRaises(EngineError) as refused:
            call()
        self.assertEqual(error_class, refused.exception.error_class, refused.exception.text)
        return refused.exception

    def _same(self, expected: Values, actual: Values) -> None:
        self.assertEqual(expected.keys(), actual.keys())
        for name, values in expected.items():
            np.testing.assert_array_equal(values, actual[name], name)

    def _path(self, name: str) -> str:
        return str(self.folder / name)


_INFO = ("content_hash", "architecture", "vocabulary", "step")

if __name__ == "__main__":
    unittest.main()
