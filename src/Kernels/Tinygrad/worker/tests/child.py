"""A running worker process, spoken to over its stdio as the C# side does."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from typing import Any

from .support import child_environment


class WorkerFailure(Exception):
    """An error frame."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(error["text"])
        self.error_class: str = error["error_class"]


class Child:
    """Starts the worker; as a context it is ended by closing its input."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "egpufleet_tinygrad"]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=child_environment()
        )
        self._next = 0

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> int:
        """Closes the input and returns the exit status."""
        assert self.process.stdin is not None and self.process.stdout is not None
        if not self.process.stdin.closed:
            self.process.stdin.close()
            self.process.stdout.read()
            self.process.stdout.close()
        return self.process.wait()

    def send(self, verb: str, body: bytes = b"", **params: Any) -> int:
        """Sends a request; returns its id."""
        self._next += 1
        header = json.dumps({"id": self._next, "verb": verb, "params": params}).encode()
        self.send_raw(struct.pack("<II", len(header), len(body)) + header + body)
        return self._next

    def send_raw(self, data: bytes) -> None:
        """Sends bytes as they are."""
        assert self.process.stdin is not None
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def receive(self) -> dict[str, Any]:
        """The next frame's header. Raises EOFError where the worker ended."""
        assert self.process.stdout is not None
        prefix = self.process.stdout.read(8)
        if len(prefix) < 8:
            raise EOFError
        header, body = struct.unpack("<II", prefix)
        return json.loads(self.process.stdout.read(header + body)[:header])

    def call(self, verb: str, **params: Any) -> dict[str, Any]:
        """A request whose answer is the next frame."""
        wanted = self.send(verb, **params)
        answer = self.receive()
        assert answer["id"] == wanted, answer
        if "error" in answer:
            raise WorkerFailure(answer["error"])
        return answer["result"]

    def generate(self, prompt: list[int], model: str = "m", **params: Any) -> tuple[list[int], dict[str, Any]]:
        """Runs one generation alone: its tokens and its result."""
        self.send("generate", struct.pack(f"<{len(prompt)}I", *prompt), model=model, **params)
        tokens: list[int] = []
        while "token" in (answer := self.receive()):
            tokens.append(answer["token"]["id"])
        if "error" in answer:
            raise WorkerFailure(answer["error"])
        return tokens, answer["result"]
