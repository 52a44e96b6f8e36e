"""Files from outside: a good one is read as written, and no broken one is believed."""

from __future__ import annotations

import struct
import tempfile
import unittest
from pathlib import Path

import numpy as np

from egpufleet_tinygrad.config import read_config
from egpufleet_tinygrad.errors import EngineError
from egpufleet_tinygrad.gguf import read_gguf
from egpufleet_tinygrad.tensors import select_tensors

from .gguf_writer import text, write_gguf
from .synthetic import Shape, metadata, tensors, write_model


class GgufTests(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name) / "model.gguf"

    def test_metadata_and_tensors_are_found_where_they_were_written(self) -> None:
        values = np.arange(64, dtype=np.float32).reshape(2, 32)
        pairs = {"a.flag": True, "a.number": 7, "a.real": 0.5, "a.text": "día", "a.list": [1, 2], "a.names": ["x"]}
        write_gguf(self.path, pairs, {"first": values[0], "second": values}, "F16")
        file = read_gguf(str(self.path))
        expected = {"a.flag": True, "a.number": 7, "a.real": 0.5, "a.text": "día", "a.list": (1, 2), "a.names": None}
        self.assertEqual(expected, file.metadata)
        second = file.tensors["second"]
        self.assertEqual(((2, 32), "F16", 128), (second.shape, second.type.name, second.nbytes))
        raw = self.path.read_bytes()[second.offset : second.offset + second.nbytes]
        np.testing.assert_array_equal(values, np.frombuffer(raw, np.float16).reshape(2, 32))

    def test_every_cut_of_a_file_is_refused(self) -> None:
        write_model(self.path, Shape("llama", layers=1, width=32, hidden=32, vocabulary=8))
        whole = self.path.read_bytes()
        for length in [*range(0, 2000, 7), len(whole) - 1, len(whole) - 4000]:
            self.path.write_bytes(whole[:length])
            self._refused(f"cut at {length}")

    def test_no_changed_byte_of_the_header_breaks_the_reader(self) -> None:
        write_model(self.path, Shape("llama", layers=1, width=32, hidden=32, vocabulary=8))
        whole = bytearray(self.path.read_bytes())
        random = np.random.default_rng(3)
        for _ in range(600):
            changed = bytearray(whole)
            for place in random.integers(0, 1800, 3):
                changed[place] = random.integers(0, 256)
            self.path.write_bytes(changed)
            try:
                file = read_gguf(str(self.path))
                select_tensors(file, read_config(file), range(1))
            except EngineError as error:
                self.assertEqual("model_invalid", error.error_class)

    def test_counts_and_lengths_beyond_reason_are_refused_at_once(self) -> None:
        huge = struct.pack("<Q", 2**63 - 1)
        heads = {
            "tensors": b"GGUF" + struct.pack("<I", 3) + huge + struct.pack("<Q", 0),
            "pairs": b"GGUF" + struct.pack("<IQ", 3, 0) + huge,
            "key": b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + huge,
            "text": b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + text("k") + struct.pack("<I", 8) + huge,
            "items": b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + text("k") + struct.pack("<II", 9, 4) + huge,
            "nested": b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + text("k") + struct.pack("<IIQ", 9, 9, 1),
            "version": b"GGUF" + struct.pack("<IQQ", 0x03000000, 0, 0),
            "dimension": b"GGUF" + struct.pack("<IQQ", 3, 1, 0) + text("t") + struct.pack("<I", 1) + huge + b"\0" * 12,
        }
        for name, head in heads.items():
            self.path.write_bytes(head + b"\0" * 64)
            self._refused(name)

    def test_tensors_that_overlap_or_leave_the_file_are_refused(self) -> None:
        for offset in (0, 16, 1 << 40, 2**64 - 32):
            infos = b"".join(
                text(name) + struct.pack("<IQIQ", 1, 32, 0, place) for name, place in (("a", 0), ("b", offset))
            )
            self.path.write_bytes(b"GGUF" + struct.pack("<IQQ", 3, 2, 0) + infos + b"\0" * 512)
            self._refused(f"offset {offset}")

    def test_a_path_that_is_no_file_is_refused(self) -> None:
        for path in (self.path, self.path.parent):
            with self.assertRaises(EngineError):
                read_gguf(str(path))

    def _refused(self, what: str) -> None:
        with self.subTest(what), self.assertRaises(EngineError) as caught:
            read_gguf(str(self.path))
        self.assertEqual("model_invalid", caught.exception.error_class)


class ConfigTests(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name) / "model.gguf"

    def test_every_architecture_has_its_tensors(self) -> None:
        for architecture in ("llama", "qwen2", "qwen3", "qwen35"):
            with self.subTest(architecture):
                shape = Shape(architecture, layers=4)
                weights = write_model(self.path, shape)
                file = read_gguf(str(self.path))
                config = read_config(file)
                self.assertEqual(set(weights), {tensor.name for tensor in select_tensors(file, config, range(4))})
                self.assertEqual([shape.recurrent(layer) for layer in range(4)], list(config.recurrent))

    def test_a_layer_range_needs_only_its_own_tensors(self) -> None:
        write_model(self.path, Shape("llama", layers=4, tied=True))
        file = read_gguf(str(self.path))
        config = read_config(file)
        names = {tensor.name for tensor in select_tensors(file, config, range(1, 3))}
        self.assertEqual({"blk.1", "blk.2"}, {".".join(name.split(".")[:2]) for name in names})
        last = {tensor.name for tensor in select_tensors(file, config, range(3, 4))}
        self.assertLessEqual({"output_norm.weight", "token_embd.weight"}, last)

    def test_what_cannot_be_computed_is_refused_by_name(self) -> None:
        changes = {
            "llama.expert_count": 8,
            "llama.attention.sliding_window": 4096,
            "llama.rope.scaling.type": "yarn",
            "llama.attention.value_length": 16,
            "llama.attention.head_count": 0,
            "llama.attention.head_count_kv": 3,
            "llama.block_count": 3,
            "llama.embedding_length": 65,
            "llama.rope.dimension_count": 33,
            "llama.attention.layer_norm_rms_epsilon": float("nan"),
            "llama.context_length": None,
            "general.architecture": "gemma3",
        }
        for key, value in changes.items():
            write_model(self.path, Shape("llama"), **{key: value})
            self._refused(key)

    def test_a_tensor_without_a_place_is_refused(self) -> None:
        pairs, weights = metadata(Shape("llama")), tensors(Shape("llama"))
        write_gguf(self.path, pairs, weights | {"blk.0.attn_sinks.weight": np.ones(4, np.float32)})
        self._refused("unknown tensor")
        write_gguf(self.path, pairs, {name: w for name, w in weights.items() if name != "blk.1.ffn_up.weight"})
        self._refused("missing tensor")

    def _refused(self, what: str) -> None:
        with self.subTest(what), self.assertRaises(EngineError) as caught:
            file = read_gguf(str(self.path))
            config = read_config(file)
            select_tensors(file, config, range(config.layers))
        self.assertEqual("model_invalid", caught.exception.error_class)


if __name__ == "__main__":
    unittest.main()
