"""What the device holds: weights as the file stores them, keys and values in the type asked for, only the layers' bytes."""

from __future__ import annotations

import gc
import os
import tempfile
import unittest
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from egpufleet_tinygrad.config import ModelConfig, read_config
from egpufleet_tinygrad.decoding import LoadOptions, Row
from egpufleet_tinygrad.gguf import read_gguf
from egpufleet_tinygrad.memory import MemoryEstimate, estimate
from egpufleet_tinygrad.tensors import select_tensors

from .support import needs_tinygrad
from .synthetic import Shape, write_model

if TYPE_CHECKING:
    from egpufleet_tinygrad.model import Model

_CONTEXT = 128
_SLOTS = 2
_TABLE_BYTES = 64 << 10
"""Rotary tables and the inputs of the graphs."""

_SCALAR_BYTES = 256
"""Less than any tensor of these models."""


@needs_tinygrad
class MemoryTests(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name) / "model.gguf"

    def test_weights_stay_on_the_device_as_the_file_holds_them(self) -> None:
        held = {}
        for kind in ("F32", "F16", "Q8_0"):
            with self.subTest(kind=kind):
                write_model(self.path, Shape("qwen3", vocabulary=2048), kind)
                held[kind] = self._weights_held_after_use()
        self.assertLess(held["F16"], 0.55 * held["F32"])
        self.assertLess(held["Q8_0"], 0.30 * held["F32"])

    def test_f16_keys_and_values_take_half(self) -> None:
        write_model(self.path, Shape("qwen3"))
        f16, f32 = (self._used(self._load(kv)) for kv in ("f16", "f32"))
        config = read_config(read_gguf(str(self.path)))
        self.assertEqual(self._estimate(config, "f32").kv_bytes - self._estimate(config, "f16").kv_bytes, f32 - f16)

    def test_a_range_of_layers_reads_and_holds_its_own_bytes_only(self) -> None:
        from egpufleet_tinygrad.weights import load_tensor

        write_model(self.path, Shape("llama", layers=4), "Q8_0")
        file = read_gguf(str(self.path))
        wanted = select_tensors(file, read_config(file), range(1, 3))
        self.assertEqual({"blk.1", "blk.2"}, {".".join(tensor.name.split(".")[:2]) for tensor in wanted})
        # What lies beyond them is no longer there, what lies before them is a hole: neither is needed.
        first, last = min(item.offset for item in wanted), max(item.offset + item.nbytes for item in wanted)
        kept = self.path.read_bytes()[first:last]
        with self.path.open("wb") as stream:
            stream.seek(first)
            stream.write(kept)
        before = self._memory()
        tensors = [load_tensor(file.path, item) for item in wanted]
        held = self._memory() - before
        self.assertIn(held - sum(item.nbytes for item in wanted), range(_SCALAR_BYTES))
        self.assertTrue(all(np.abs(tensor.numpy()).max() > 0 for tensor in tensors))
        self.assertEqual(last, os.path.getsize(self.path))

    def _weights_held_after_use(self) -> int:
        before = self._memory()
        model = self._load("f16")
        model.prefill(0, 0, [1] * 8)
        for position in range(3):
            model.decode([Row(0, 8 + position, 2), Row(1, position, 3)])
        config = model.config
        needed = self._estimate(config, "f16")
        used = self._memory() - before
        states = needed.kv_bytes + needed.state_bytes
        self.assertGreaterEqual(used, needed.weight_bytes + states)
        self.assertLessEqual(used, needed.total_bytes + _TABLE_BYTES)
        return used - states

    def _estimate(self, config: ModelConfig, kv: str) -> MemoryEstimate:
        file = read_gguf(str(self.path))
        return estimate(file, config, _CONTEXT, _SLOTS, kv, range(config.layers))

    def _load(self, kv: str) -> Model:
        from egpufleet_tinygrad.model import Model

        file = read_gguf(str(self.path))
        return Model(file, read_config(file), LoadOptions(_CONTEXT, _SLOTS, kv, exact=False))

    def _used(self, model: Model) -> int:
        """Bytes the model holds, freed then."""
        held = self._memory()
        del model
        return held - self._memory()

    def _memory(self) -> int:
        from egpufleet_tinygrad.device import memory_used_bytes

        gc.collect()
        return memory_used_bytes()


if __name__ == "__main__":
    unittest.main()
