"""The worker as a process: the golden text through the protocol, several at once, and everything hostile."""

from __future__ import annotations

import re
import signal
import struct
import tempfile
import unittest
from pathlib import Path
from typing import Any

from .child import Child, WorkerFailure
from .support import STORIES, STORIES_TEXT, needs_stories, needs_tinygrad
from .synthetic import Shape, write_model
from .vocabulary import read_pieces

_FIRST_IDS = [403, 407, 261, 378, 432, 383, 286, 261, 376, 298]
_BOS = [1]
_RESULT = ("finish", "cached_tokens", "completion_tokens")
_GOLDEN_TOKENS = 200
"""Counted from the first after BOS to the last word of the published text."""


@needs_tinygrad
@needs_stories
class GoldenTests(unittest.TestCase):
    def test_the_published_story_is_told_alone_and_by_several_at_once(self) -> None:
        for exact in (True, False):
            with self.subTest(exact=exact), Child() as child:
                child.call("load", model="m", path=str(STORIES), context_tokens=256, sequences=4, exact=exact, kv="f32")
                tokens, result = child.generate(_BOS, options={"max_tokens": _GOLDEN_TOKENS})
                self.assertEqual(_FIRST_IDS, tokens[:10])
                self.assertEqual(_story(), _decode(tokens))
                self.assertEqual(("length", 0, _GOLDEN_TOKENS), tuple(result[key] for key in _RESULT))
                self.assertEqual([tokens] * 4, _together(child, [_BOS] * 4, {"max_tokens": _GOLDEN_TOKENS}))

    def test_a_story_goes_on_from_any_of_its_tokens(self) -> None:
        with Child() as child:
            child.call("load", model="m", path=str(STORIES), context_tokens=512, sequences=2, kv="f32")
            tokens, _ = child.generate(_BOS, options={"max_tokens": _GOLDEN_TOKENS})
            for length in (5, 70, 120):
                options = {"max_tokens": _GOLDEN_TOKENS - length}
                rest, result = child.generate([*_BOS, *tokens[:length]], options=options)
                self.assertEqual(tokens[length:], rest)
                self.assertEqual(length, result["cached_tokens"])


@needs_tinygrad
class ProtocolTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.folder = tempfile.TemporaryDirectory()
        cls.path = str(Path(cls.folder.name) / "model.gguf")
        write_model(Path(cls.path), Shape("llama", 1, 32, 32, head_width=16, rope_width=16, context=4096))
        cls.child = Child()
        cls.child.call("load", model="m", path=cls.path, context_tokens=2048, sequences=2)

    @classmethod
    def tearDownClass(cls) -> None:
        cls.child.close()
        cls.folder.cleanup()

    def test_hello_probe_and_self_test(self) -> None:
        hello = self.child.call("hello")
        self.assertEqual(("tinygrad", 1, self.child.process.pid), (hello["engine"], hello["protocol"], hello["pid"]))
        probe = self.child.call("probe")
        self.assertEqual(hello["device"], probe["device"])
        self.assertGreater(probe["memory_used_bytes"], 0)
        test = self.child.call("selftest")
        self.assertTrue(test["passed"], test)
        self.assertGreater(test["values"], 10_000)

    def test_an_estimate_is_what_loading_takes(self) -> None:
        estimate = self.child.call("estimate", path=self.path, context_tokens=256, sequences=2, kv="f32")
        before = self.child.call("stats")["memory_used_bytes"]
        loaded = self.child.call("load", model="second", path=self.path, context_tokens=256, sequences=2, kv="f32")
        held = self.child.call("stats")["memory_used_bytes"] - before
        self.assertEqual(estimate["total_bytes"], loaded["total_bytes"])
        self.assertGreaterEqual(held, loaded["weight_bytes"] + loaded["kv_bytes"])
        self.assertLessEqual(held, loaded["total_bytes"])
        self.child.call("unload", model="second")

    def test_what_does_not_fit_is_refused_before_it_is_loaded(self) -> None:
        before = self.child.call("stats")["memory_used_bytes"]
        path = str(Path(self.folder.name) / "wide.gguf")
        write_model(Path(path), Shape("llama", layers=1), **{"llama.context_length": 90_000_000})
        self._fails("out_of_memory", "load", model="big", path=path, sequences=64, kv="f32")
        self.assertEqual(before, self.child.call("stats")["memory_used_bytes"])

    def test_a_running_generation_is_cancelled_and_stats_are_answered_meanwhile(self) -> None:
        wanted = self.child.send("generate", struct.pack("<I", 1), model="m", options={})
        answer = self.child.receive()
        self.assertEqual(0, answer["token"]["index"])
        stats = self.child.send("stats")
        self.child.send("cancel", request=wanted)
        answers = [answer]
        while not (answers[-1]["id"] == wanted and "result" in answers[-1]):
            answers.append(self.child.receive())
        self.assertEqual("cancelled", answers[-1]["result"]["finish"])
        self.assertEqual([1], [item["result"]["running_generations"] for item in answers if item["id"] == stats])

    def test_every_refusal_is_typed_and_the_worker_goes_on(self) -> None:
        self._fails("protocol_violation", "unheard")
        self._fails("invalid_request", "hello", extra=1)
        self._fails("model_not_loaded", "warmup", model="absent")
        self._fails("model_not_loaded", "unload", model="absent")
        self._fails("invalid_request", "load", model="m", path=self.path)
        self._fails("invalid_request", "load", model="r", path="relative.gguf")
        self._fails("invalid_request", "load", model="p", path=self.path, layers=[1, 1])
        self._fails("invalid_request", "load", model="p", path=self.path, exact=True, kv="f16")
        self._fails("model_invalid", "load", model="n", path=self.path + ".absent")
        self._fails("model_invalid", "load", model="n", path=__file__)
        for prompt, options, error_class in (
            ([96], {}, "invalid_request"),
            ([1], {"temperature": 3}, "invalid_request"),
            ([1] * 2048, {}, "context_length_exceeded"),
        ):
            with self.assertRaises(WorkerFailure) as caught:
                self.child.generate(prompt, options=options)
            self.assertEqual(error_class, caught.exception.error_class)
        self.assertEqual(3, len(self.child.generate([1], options={"max_tokens": 3})[0]))

    def test_sampled_tokens_are_the_same_alone_and_together(self) -> None:
        options = {"max_tokens": 12, "temperature": 1.2, "top_p": 0.9, "seed": 5}
        alone, _ = self.child.generate([1, 2], options=options)
        self.assertEqual([alone] * 3, _together(self.child, [[1, 2]] * 3, options))

    def _fails(self, error_class: str, verb: str, **params: Any) -> None:
        with self.subTest(verb=verb, params=params), self.assertRaises(WorkerFailure) as caught:
            self.child.call(verb, **params)
        self.assertEqual(error_class, caught.exception.error_class)


class EndingTests(unittest.TestCase):
    def test_the_end_of_input_ends_the_worker(self) -> None:
        self.assertEqual(0, Child().close())

    def test_shutdown_is_answered(self) -> None:
        with Child() as child:
            self.assertEqual({}, child.call("shutdown"))
            self.assertEqual(0, child.process.wait())

    def test_sigterm_ends_the_worker_as_its_own_exit(self) -> None:
        with Child() as child:
            child.call("stats")
            child.process.send_signal(signal.SIGTERM)
            self.assertEqual(0, child.process.wait())

    def test_what_is_no_frame_is_answered_and_ends_it(self) -> None:
        with Child() as child:
            child.send_raw(b"GET / HTTP/1.1\r\n\r\n")
            answer = child.receive()
            self.assertEqual((0, "protocol_violation"), (answer["id"], answer["error"]["error_class"]))
            self.assertEqual(65, child.close())

    def test_a_broken_header_is_answered_and_the_next_is_served(self) -> None:
        with Child() as child:
            for header in (b"[]", b"{}", b'{"id":0,"verb":"stats"}', b'{"id":true,"verb":"stats"}', b'{"id":5}'):
                child.send_raw(struct.pack("<II", len(header), 0) + header)
                self.assertEqual("protocol_violation", child.receive()["error"]["error_class"])
            self.assertEqual([], child.call("stats")["models"])


def _together(child: Child, prompts: list[list[int]], options: dict[str, Any]) -> list[list[int]]:
    """Starts generations at once; their tokens."""
    bodies = [struct.pack(f"<{len(ids)}I", *ids) for ids in prompts]
    wanted = [child.send("generate", body, model="m", options=options) for body in bodies]
    tokens: dict[int, list[int]] = {request: [] for request in wanted}
    left = set(wanted)
    while left:
        answer = child.receive()
        if "token" in answer:
            tokens[answer["id"]].append(answer["token"]["id"])
        else:
            assert "result" in answer, answer
            left.remove(answer["id"])
    return [tokens[request] for request in wanted]


def _story() -> str:
    quoted = re.findall(r"^> ?(.*)$", STORIES_TEXT.read_text(encoding="utf-8"), re.MULTILINE)
    return "\n".join(quoted)


def _decode(tokens: list[int]) -> str:
    pieces = read_pieces(STORIES)
    return "".join(pieces[token] for token in tokens).replace("\u2581", " ").lstrip(" ")


if __name__ == "__main__":
    unittest.main()
