"""The verbs tune and use_tunings of a worker process: what comes first, how a search ends, what is refused."""

from __future__ import annotations

import json
import struct
import tempfile
import unittest
from pathlib import Path
from typing import Any
from unittest.mock import patch

from egpufleet_tinygrad.params import Params

from .child import Child, WorkerFailure
from .support import needs_tinygrad
from .synthetic import Shape, write_model


@needs_tinygrad
class WorkerTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.folder = tempfile.TemporaryDirectory()
        cls.path = str(Path(cls.folder.name) / "model.gguf")
        write_model(Path(cls.path), Shape("llama", 1, 32, 32, head_width=16, rope_width=16))

    @classmethod
    def tearDownClass(cls) -> None:
        cls.folder.cleanup()

    def test_requests_come_before_a_search_and_its_end_is_asked_for_or_its_models(self) -> None:
        with Child() as child:
            self.assertEqual({"kernels": 0, "refused": 0}, _use(child, []))
            child.call("load", model="m", path=self.path, context_tokens=64, kv="f16")
            self._fails(child, "invalid_request", "tune", model="m", seconds=60)
            child.call("warmup", model="m")
            self._fails(child, "model_not_loaded", "tune", model="other", seconds=60)
            self._fails(child, "invalid_request", "tune", model="m", seconds=0)
            wanted = child.send("tune", model="m", seconds=600)
            self.assertIn("progress", child.receive())
            self._fails_meanwhile(child, wanted)
            tokens, _ = self._generate_meanwhile(child, wanted)
            self.assertEqual(3, len(tokens))
            child.send("cancel", request=wanted)
            self.assertEqual("cancelled", _end(child, wanted)["finish"])
            second = child.send("tune", model="m", seconds=600)
            unload = child.send("unload", model="m")
            self.assertEqual("cancelled", _end(child, second)["finish"])
            self.assertEqual(unload, child.receive()["id"])
            self.assertEqual([], child.call("stats")["models"])

    def test_the_exact_profile_is_not_tuned(self) -> None:
        with Child() as child:
            child.call("load", model="m", path=self.path, context_tokens=64, exact=True)
            self._fails(child, "invalid_request", "tune", model="m", seconds=60)
            stats = child.call("stats")
            self.assertEqual((0, 0), (stats["tuned_kernels"], stats["tuning_misses"]))

    def test_a_tuned_kernel_that_does_not_run_leaves_the_model_as_it_is_without(self) -> None:
        from egpufleet_tinygrad.engine import Engine
        from egpufleet_tinygrad.model import Model

        engine = Engine()
        engine.load(Params({"model": "m", "path": self.path, "context_tokens": 64}, "params"))
        kernels = engine.find("m").model.kernels
        assert kernels is not None
        runs: list[int] = []

        def warm_up(_: Any) -> None:
            runs.append(kernels.tuned)
            if kernels.tuned:
                raise RuntimeError("too many resources requested for launch")

        kernels.tuned = kernels.counters.tuned_kernels = 3
        with patch.object(Model, "warm_up", warm_up):
            engine.warm_up(Params({"model": "m"}, "params"))
        self.assertEqual([3, 0], runs)
        self.assertEqual((0, 3), (kernels.counters.tuned_kernels, kernels.counters.tuning_rejected))

    def _fails(self, child: Child, error_class: str, verb: str, **params: Any) -> None:
        with self.assertRaises(WorkerFailure) as caught:
            child.call(verb, **params)
        self.assertEqual(error_class, caught.exception.error_class)

    def _fails_meanwhile(self, child: Child, running: int) -> None:
        other = child.send("tune", model="m", seconds=60)
        while (answer := child.receive())["id"] == running:
            self.assertIn("progress", answer)
        self.assertEqual((other, "queue_full"), (answer["id"], answer["error"]["error_class"]))

    def _generate_meanwhile(self, child: Child, running: int) -> tuple[list[int], dict[str, Any]]:
        """No frame of the search comes between the first and the last of a generation that runs beside it."""
        child.send("generate", struct.pack("<I", 1), model="m", options={"max_tokens": 3})
        while (answer := child.receive())["id"] == running:
            self.assertIn("progress", answer)
        tokens: list[int] = []
        while "token" in answer:
            tokens.append(answer["token"]["id"])
            answer = child.receive()
        return tokens, answer["result"]


def _use(child: Child, pairs: list[list[str]]) -> dict[str, Any]:
    child.send("use_tunings", json.dumps(pairs).encode())
    return child.receive()["result"]


def _end(child: Child, wanted: int) -> dict[str, Any]:
    """The result of a search, behind its progress."""
    while "progress" in (answer := child.receive()):
        assert answer["id"] == wanted, answer
    assert answer["id"] == wanted, answer
    return answer["result"]


if __name__ == "__main__":
    unittest.main()
