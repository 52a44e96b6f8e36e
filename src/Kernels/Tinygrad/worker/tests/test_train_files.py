"""Adapters' first values and files of safetensors: golden, whole or not there at all, and hostile. No device."""

from __future__ import annotations

import json
import os
import struct
import tempfile
import unittest
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

from egpufleet_tinygrad.errors import EngineError
from egpufleet_tinygrad.training.adapter import first_values
from egpufleet_tinygrad.training.safetensors import Entry, SafetensorsFile, write_safetensors

_ENTRIES = [Entry("one", (2, 3)), Entry("two", (4,))]
_VALUES = [np.arange(6, dtype=np.float32).reshape(2, 3), np.full(4, -0.5, np.float32)]


class AdapterStartTests(unittest.TestCase):
    def test_the_first_values_are_those_of_every_engine(self) -> None:
        """The same numbers are in the C# test of AdapterStart."""
        values = first_values(42, "blk.0.attn_q.lora_a", (2, 3)).reshape(-1)
        self.assertEqual(_GOLDEN, [struct.pack(">f", value).hex() for value in values])
        self.assertEqual(_GOLDEN_NEGATIVE, struct.pack(">f", first_values(-1, "ä", (1, 64))[0, 63]).hex())


class SafetensorsTests(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name) / "state"

    def test_what_was_written_is_read(self) -> None:
        size = write_safetensors(str(self.path), {"step": "3"}, _ENTRIES, _VALUES)
        file = SafetensorsFile(str(self.path))
        self.assertEqual((size, {"step": "3"}), (self.path.stat().st_size, file.metadata))
        self.assertEqual(_ENTRIES, list(file.entries.values()))
        for entry, values in zip(_ENTRIES, _VALUES):
            np.testing.assert_array_equal(values, file.read(entry.name))

    def test_a_file_that_could_not_be_written_whole_leaves_the_old_one(self) -> None:
        write_safetensors(str(self.path), {}, _ENTRIES, _VALUES)
        before = self.path.read_bytes()
        full = OSError(28, "No space left on device")
        with mock.patch("os.replace", side_effect=full), self.assertRaises(EngineError) as failed:
            write_safetensors(str(self.path), {}, _ENTRIES, [values + 1 for values in _VALUES])
        self.assertIn("No space left", failed.exception.text)
        self.assertEqual(before, self.path.read_bytes())
        self.assertEqual([self.path.name], os.listdir(self.path.parent))

    def test_hostile_files_are_refused(self) -> None:
        good = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
        cases: dict[str, bytes] = {
            "empty": b"",
            "a header beyond the file": struct.pack("<Q", 1 << 40) + b"{}",
            "no JSON": _file(b"{", b""),
            "deep": _file(b"[" * 100_000, b""),
            "a list": _file(b"[]", b""),
            "a name twice": _file(b'{"a":%s,"a":%s}' % ((json.dumps(good).encode(),) * 2), bytes(8)),
            "data cut off": _tensors({"a": good}, 7),
            "data beyond": _tensors({"a": good}, 9),
            "another type": _tensors({"a": good | {"dtype": "F16"}}, 8),
            "shape and bytes differ": _tensors({"a": good | {"shape": [3]}}, 8),
            "a negative shape": _tensors({"a": good | {"shape": [-1, -2]}}, 8),
            "a shape of no numbers": _tensors({"a": good | {"shape": [True, 2.0]}}, 8),
            "an overlap": _tensors({"a": good, "b": good}, 8),
            "a gap": _tensors({"a": good | {"data_offsets": [4, 12]}}, 12),
            "offsets backwards": _tensors({"a": good | {"data_offsets": [8, 0]}}, 8),
            "no place": _tensors({"a": good | {"data_offsets": [0]}}, 8),
            "no tensor": _tensors({"a": 3}, 0),
            "metadata of no texts": _tensors({"__metadata__": {"step": 3}}, 0),
        }
        for name, data in cases.items():
            with self.subTest(name):
                self.path.write_bytes(data)
                with self.assertRaises(EngineError) as refused:
                    SafetensorsFile(str(self.path))
                self.assertEqual("invalid_request", refused.exception.error_class)


def _tensors(header: dict[str, Any], data: int) -> bytes:
    return _file(json.dumps(header).encode(), bytes(data))


def _file(header: bytes, data: bytes) -> bytes:
    return struct.pack("<Q", len(header)) + header + data


_GOLDEN = ["3f048b00", "bf0694fe", "3d3bacec", "be9b0967", "3df18b42", "beb9c5fc"]
_GOLDEN_NEGATIVE = "3dbf28ae"

if __name__ == "__main__":
    unittest.main()
