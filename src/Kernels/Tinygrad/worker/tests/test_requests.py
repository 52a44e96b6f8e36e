"""Requests are hostile until checked, and failures of the device reach the user with the right class."""

from __future__ import annotations

import struct
import unittest
from typing import Any

from egpufleet_tinygrad.errors import RETRYABLE, EngineError, classify
from egpufleet_tinygrad.generate_params import read_generate
from egpufleet_tinygrad.params import Params

_PROMPT = struct.pack("<3I", 1, 2, 3)


class GenerateParamsTests(unittest.TestCase):
    def test_a_full_request_is_taken_as_it_is(self) -> None:
        options = {"max_tokens": 5, "temperature": 0.7, "top_p": 0.9, "top_k": 40, "seed": 2**64 - 1}
        wire = {"model": "m", "options": options, "stop_tokens": [2], "top_log_probs": 20, "priority": "interactive"}
        model, request = read_generate(Params(wire, "params"), _PROMPT)
        self.assertEqual(("m", (1, 2, 3)), (model, request.prompt))
        self.assertEqual((5, frozenset({2})), (request.max_tokens, request.stop_tokens))
        self.assertEqual((0.7, 0.9, 40, 2**64 - 1), tuple(vars(request.sampling).values()))
        self.assertTrue(request.top_logprobs == 20 and request.interactive)

    def test_what_is_left_out_or_null_has_the_defaults_of_the_other_engine(self) -> None:
        for options in ({}, {"max_tokens": None, "temperature": None, "seed": None}, None):
            _, request = read_generate(Params({"model": "m", "options": options}, "params"), _PROMPT)
            self.assertEqual((0.0, 1.0, 0, 0), tuple(vars(request.sampling).values()))
            self.assertIsNone(request.max_tokens)

    def test_everything_out_of_its_range_is_refused(self) -> None:
        for field, values in {
            "max_tokens": [0, -1, 1.5, "5", True, 2**40],
            "temperature": [-0.1, 2.1, "1", True, [], 1e400],
            "top_p": [0, -1, 1.1, {}],
            "top_k": [-1, 0.5],
            "seed": [-1, 2**64, 1.0],
            "min_p": [0.1],
            "stop": [["x"]],
        }.items():
            for value in values:
                self._refused({"model": "m", "options": {field: value}}, _PROMPT)
        self._refused({"options": {}}, _PROMPT)
        self._refused({"model": "", "options": {}}, _PROMPT)
        self._refused({"model": "m", "stop_tokens": list(range(300))}, _PROMPT)
        self._refused({"model": "m", "stop_tokens": [-1]}, _PROMPT)
        self._refused({"model": "m", "unheard": 1}, _PROMPT)
        self._refused([], _PROMPT)

    def test_a_prompt_is_whole_ids(self) -> None:
        for body in (b"", b"\1\2\3", b"\0" * 7, struct.pack("<I", 2**31)):
            self._refused({"model": "m"}, body)

    def _refused(self, wire: Any, body: bytes) -> None:
        with self.subTest(wire=wire, body=body), self.assertRaises(EngineError) as caught:
            read_generate(Params(wire, "params"), body)
        self.assertEqual("invalid_request", caught.exception.error_class)


class ClassifyTests(unittest.TestCase):
    def test_texts_of_tinygrad_have_their_class(self) -> None:
        for failure, error_class in (
            (RuntimeError("Connection closed"), "worker_lost"),
            (BrokenPipeError(32, "Broken pipe"), "worker_lost"),
            (RuntimeError("Device hang detected"), "worker_hung"),
            (RuntimeError("Wait timeout: 30000 ms! (the signal is not set to 5, but 4)"), "worker_hung"),
            (RuntimeError("MMU fault: 0x1000 | READ"), "worker_lost"),
            (MemoryError("Allocation of 1 GB failed on AMD. "), "out_of_memory"),
            (MemoryError(), "out_of_memory"),
            (ValueError("GGML type '10' is not supported!"), "internal"),
        ):
            with self.subTest(failure=failure):
                self.assertEqual(error_class, classify(failure).error_class)

    def test_while_the_device_opens_every_unknown_failure_means_it_is_not_there(self) -> None:
        inner = [FileNotFoundError("/dev/kfd"), IndexError("list")]
        group = ExceptionGroup("No interface for AMD:0 is available", inner)
        text = RuntimeError("RPC call 4097 failed with result 101")
        for failure in (group, KeyError(63), ImportError("tinygrad"), text):
            error = classify(failure, opening=True)
            self.assertEqual("engine_unavailable", error.error_class)
        self.assertIn("/dev/kfd", classify(group, opening=True).text)

    def test_a_failure_that_says_nothing_is_known_by_its_place(self) -> None:
        def raises_in_a_place() -> None:
            assert not RETRYABLE

        try:  # assertRaises would take the traceback away.
            raises_in_a_place()
        except AssertionError as failure:
            text = classify(failure, opening=True).text
        self.assertIn("> raises_in_a_place: assert not RETRYABLE)", text)

    def test_a_class_is_told_by_what_is_said_and_not_by_the_source(self) -> None:
        try:
            raise ValueError("a pixel") from RuntimeError("Connection closed")
        except ValueError as failure:
            error = classify(failure)
        self.assertEqual("internal", error.error_class)
        self.assertIn("Connection closed", error.text)

    def test_texts_are_one_bounded_line(self) -> None:
        text = classify(RuntimeError("a\nb" * 5000)).text
        self.assertLessEqual(len(text), 2000)
        self.assertNotIn("\n", text)


if __name__ == "__main__":
    unittest.main()
