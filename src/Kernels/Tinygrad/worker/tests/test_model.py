"""The device's logits against a plain numpy forward, for every architecture, alone, in a batch, and after reuse."""

from __future__ import annotations

import tempfile
import unittest
from pathlib import Path

import numpy as np

from egpufleet_tinygrad.decoding import DecodableModel, LoadOptions, Row

from .gguf_writer import quantise_q8_0
from .reference import reference_logits
from .support import needs_tinygrad
from .synthetic import Shape, write_model

_RANDOM_IDS = [int(value) for value in np.random.default_rng(5).integers(0, 96, 40)]


@needs_tinygrad
class ModelTests(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name) / "model.gguf"

    def test_llama(self) -> None:
        self._agrees(Shape("llama", head_width=16, rope_width=16, tied=True))

    def test_qwen2(self) -> None:
        self._agrees(Shape("qwen2", head_width=16, rope_width=16, rope_base=1e6, epsilon=1e-6))

    def test_qwen3(self) -> None:
        self._agrees(Shape("qwen3", heads=4, kv_heads=1))

    def test_qwen35(self) -> None:
        self._agrees(Shape("qwen35", layers=3, rope_width=16))

    def test_quantised_weights_compute_as_their_dequantised_values(self) -> None:
        shape = Shape("llama")
        weights = write_model(self.path, shape, "Q8_0")
        held = {name: _through_q8_0(values) if values.ndim == 2 else values for name, values in weights.items()}
        model = self._load(1, kv="f32")
        expected = reference_logits(shape, held, _RANDOM_IDS[:12])
        self.assertLess(_largest_error(self._follow(model, _RANDOM_IDS[:12]), expected), 1e-4)

    def test_f16_keys_and_values_stay_close(self) -> None:
        shape = Shape("qwen3")
        weights = write_model(self.path, shape, "F16")
        halves = {name: _through_f16(values) if values.ndim == 2 else values for name, values in weights.items()}
        model = self._load(1, kv="f16")
        expected = reference_logits(shape, halves, _RANDOM_IDS[:12])
        self.assertLess(_largest_error(self._follow(model, _RANDOM_IDS[:12]), expected), 2e-2)

    def test_the_exact_profile_gives_the_same_bits_alone_and_in_a_batch(self) -> None:
        write_model(self.path, Shape("qwen35", layers=2, rope_width=16))
        model = self._load(3, kv="f32", exact=True)
        alone = self._follow(model, _RANDOM_IDS[:6], slot=1)
        for position, token in enumerate(_RANDOM_IDS[:6]):
            rows = [Row(slot, position, token if slot == 1 else 7 * slot) for slot in range(3)]
            np.testing.assert_array_equal(alone[position], model.decode(rows).logits(1))

    def _agrees(self, shape: Shape) -> None:
        """Chunks, single tokens, rows of a batch at different positions, and slots that idle meanwhile."""
        weights = write_model(self.path, shape)
        model = self._load(3, kv="f32")
        ids = {0: _RANDOM_IDS[:14], 2: _RANDOM_IDS[20:33]}
        expected = {slot: reference_logits(shape, weights, tokens) for slot, tokens in ids.items()}
        for slot in ids:
            model.prefill(slot, 0, ids[slot][:8])
        single = model.decode([Row(0, 8, ids[0][8])])
        self._close(expected[0][8], single.logits(0), "one row")
        for step in range(3):
            rows = [Row(2, 8 + step, ids[2][8 + step]), Row(0, 9 + step, ids[0][9 + step])]
            both = model.decode(rows)
            for place, row in enumerate(rows):
                self._close(expected[row.slot][row.position], both.logits(place), f"row {row}")
                self.assertEqual(int(np.argmax(both.logits(place))), both.tokens[place])
                self.assertEqual(float(both.logits(place).max()), both.highest[place])
        # Slot 0 idles while 1 and 2 decode, then goes on where it was.
        model.decode([Row(1, 0, 3), Row(2, 11, ids[2][11])])
        last = model.decode([Row(0, 12, ids[0][12]), Row(1, 1, 4)])
        self._close(expected[0][12], last.logits(0), "after idling")

    def _close(self, expected: np.ndarray, actual: np.ndarray, what: str) -> None:
        error = _largest_error(actual, expected)
        self.assertLess(error, 1e-4, what)

    def _follow(self, model: DecodableModel, ids: list[int], slot: int = 0) -> np.ndarray:
        """Logits (tokens, vocabulary) of a sequence, token by token."""
        return np.stack([model.decode([Row(slot, place, token)]).logits(0).copy() for place, token in enumerate(ids)])

    def _load(self, sequences: int, kv: str, exact: bool = False) -> DecodableModel:
        from egpufleet_tinygrad.config import read_config
        from egpufleet_tinygrad.gguf import read_gguf
        from egpufleet_tinygrad.model import Model

        file = read_gguf(str(self.path))
        return Model(file, read_config(file), LoadOptions(64, sequences, kv, exact))


def _largest_error(actual: np.ndarray, expected: np.ndarray) -> float:
    return float(np.max(np.abs(actual - expected)) / np.max(np.abs(expected)))


def _through_f16(values: np.ndarray) -> np.ndarray:
    return values.astype(np.float16).astype(np.float32)


def _through_q8_0(values: np.ndarray) -> np.ndarray:
    blocks = np.frombuffer(quantise_q8_0(values), np.uint8).reshape(-1, 34)
    scale = blocks[:, :2].copy().view(np.float16).astype(np.float32)
    return (scale * blocks[:, 2:].copy().view(np.int8)).reshape(values.shape)


if __name__ == "__main__":
    unittest.main()
