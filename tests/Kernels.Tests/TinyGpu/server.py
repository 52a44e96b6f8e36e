"""A stand-in for the server of TinyGPU.app, for tests on machines without a Mac and without an eGPU.

Usage: server.py SOCKET SCENARIO.json. It speaks the wire protocol of TinyGPU's server (server.c of tinygrad a9069c177),
one client at a time, and has what the scenario says in place of a GPU: windows (BARs) of memory that starts as one byte
repeated, a few registers with values of their own, a config space, and at most one fault. It computes nothing. Whatever
tinygrad then raises is tinygrad's own doing.

Prints `listening` when it listens and `fault` when a fault begins. It ends when its standard input does, so that it never
outlives who started it. Scenario, all members optional:
  bars     {"0": {"bytes": size, "fill": byte, "registers": {"0x1fa828": value}}}: window by number, registers of 4 bytes
  system   [{"buffer": n, "words": {"0x41008": value}}]: what a running card has written to the n-th buffer lent to it
  config   {"0": value}: config space by offset, 4 bytes each
  detached true: no driver is attached to the GPU; every client is told so and left, as TinyGPU's server does
  fault    {"command": name, "skip": n, "then": what, "text": reason}: what happens at request n of that command:
           refuse (status 1, with the reason), close, hang (nothing is ever answered), exit (as when the cable is pulled),
           or rubbish (bytes that are no answer)
"""

from __future__ import annotations

import json
import mmap
import os
import socket
import struct
import sys
import threading
import time
from pathlib import Path
from typing import Any

REQUEST = struct.Struct("<BIIQQQ")
RESPONSE = struct.Struct("<BQQ")
COMMANDS = (
    "probe", "map_bar", "map_sysmem_fd", "cfg_read", "cfg_write", "reset", "mmio_read", "mmio_write",
    "map_sysmem", "sysmem_read", "sysmem_write", "resize_bar", "ping",
)  # fmt: skip
BULK_BYTES = 64 << 20
SYSTEM_BUFFERS = 128
LEAST_SYSTEM_BYTES = 0x4000
PAGE = 0x1000
DETACHED = "Driver not available. Check: System Report > PCI for GPU, System Settings > Privacy & Security."


class Window:
    """Sparse memory of a BAR: pages that were written, and one byte for all others."""

    def __init__(self, said: dict[str, Any]) -> None:
        self.size = int(said["bytes"])
        self.fill = int(said.get("fill", 0))
        self.pages: dict[int, bytearray] = {}
        for offset, value in said.get("registers", {}).items():
            self.write(int(offset, 0), struct.pack("<I", value))

    def read(self, offset: int, size: int) -> bytes:
        """Bytes from anywhere inside."""
        parts = []
        while size:
            page, at = divmod(offset, PAGE)
            count = min(size, PAGE - at)
            held = self.pages.get(page)
            parts.append(bytes(held[at : at + count]) if held else bytes([self.fill]) * count)
            offset, size = offset + count, size - count
        return b"".join(parts)

    def write(self, offset: int, data: bytes) -> None:
        """Memory that is all ones is a link that is dead: it keeps nothing."""
        if self.fill == 0xFF:
            return
        while data:
            page, at = divmod(offset, PAGE)
            count = min(len(data), PAGE - at)
            held = self.pages.setdefault(page, bytearray([self.fill]) * PAGE)
            held[at : at + count] = data[:count]
            offset, data = offset + count, data[count:]


class Client:
    """One connection from its first request to its last."""

    def __init__(self, connection: socket.socket, scenario: dict[str, Any]) -> None:
        self.connection = connection
        self.detached = scenario.get("detached", False)
        self.windows = {int(number): Window(said) for number, said in scenario.get("bars", {}).items()}
        self.mapped: set[int] = set()
        self.config = {int(offset, 0): value for offset, value in scenario.get("config", {}).items()}
        self.fault = scenario.get("fault")
        self.left = int(self.fault.get("skip", 0)) if self.fault else 0
        self.buffers = 0
        self.written = {int(one["buffer"]): one["words"] for one in scenario.get("system", [])}

    def serve(self) -> None:
        """Answers until the client leaves or the fault ends it."""
        while request := self.receive(REQUEST.size):
            command, _, bar, first, second, third = REQUEST.unpack(request)
            name = COMMANDS[command] if command < len(COMMANDS) else "unknown"
            if self.detached:
                self.refuse(DETACHED)
                return
            if self.strikes(name):
                if self.fault["then"] == "close":
                    return
                self.refuse(self.fault.get("text", ""))
                continue
            self.answer(name, bar, first, second, third)

    def strikes(self, name: str) -> bool:
        """Whether this request meets the fault; those that end everything never return."""
        if not self.fault or self.fault["command"] != name:
            return False
        self.left -= 1
        if self.left >= 0:
            return False
        print("fault", flush=True)
        match self.fault["then"]:
            case "hang":
                while True:
                    time.sleep(3600)
            case "exit":
                os._exit(0)
            case "rubbish":
                self.connection.sendall(b"\x17" * 64)
        return True

    def answer(self, name: str, bar: int, first: int, second: int, third: int) -> None:
        """What the server of a healthy machine answers."""
        window = self.windows.get(bar)
        match name:
            case "map_bar" if window:
                self.mapped.add(bar)
                self.respond(0, 0x1000_0000 * (bar + 1), window.size)
            case "map_sysmem_fd" if self.buffers < SYSTEM_BUFFERS:
                self.lend(first)
            case "cfg_read":
                word = self.config.get(first & ~3, 0) >> (8 * (first & 3))
                self.respond(0, word & ((1 << (8 * second)) - 1))
            case "cfg_write":
                shift = 8 * (first & 3)
                mask = ((1 << (8 * second)) - 1) << shift
                self.config[first & ~3] = (self.config.get(first & ~3, 0) & ~mask) | (third << shift)
                self.respond(0)
            case "reset" | "resize_bar":
                self.respond(0)
            case "mmio_read" if window and self.inside(bar, window, first, second):
                self.respond(0, second)
                self.connection.sendall(window.read(first, second))
            case "mmio_write":
                # Never answered, not even where it is refused.
                data = self.receive(second)
                if window and self.inside(bar, window, first, second):
                    window.write(first, data)
            case _:
                self.respond(1)

    def inside(self, bar: int, window: Window, offset: int, size: int) -> bool:
        """The server's own check of every access."""
        return bar in self.mapped and offset + size <= window.size and size <= BULK_BYTES

    def lend(self, size: int) -> None:
        """Shared memory; its first bytes are its (invented) physical addresses, ended by zeros."""
        size = max((size + PAGE - 1) & ~(PAGE - 1), LEAST_SYSTEM_BYTES)
        buffer = os.memfd_create("tinygpu") if hasattr(os, "memfd_create") else _unnamed_file()
        os.ftruncate(buffer, size)
        with mmap.mmap(buffer, size) as memory:
            for offset, value in self.written.get(self.buffers, {}).items():
                struct.pack_into("<I", memory, int(offset, 0), value)
            memory[:32] = struct.pack("<QQQQ", 0x8_0000_0000 + 0x1000_0000 * self.buffers, size, 0, 0)
        socket.send_fds(self.connection, [RESPONSE.pack(0, size, self.buffers)], [buffer])
        os.close(buffer)
        self.buffers += 1

    def refuse(self, text: str) -> None:
        """An error; its text, if any, follows."""
        self.respond(1, len(text))
        self.connection.sendall(text.encode())

    def respond(self, status: int, first: int = 0, second: int = 0) -> None:
        """The fixed part of every answer."""
        self.connection.sendall(RESPONSE.pack(status, first, second))

    def receive(self, size: int) -> bytes:
        """As many bytes, or none where the client is gone."""
        data = b""
        while len(data) < size and (part := self.connection.recv(size - len(data))):
            data += part
        return data if len(data) == size else b""


def _unnamed_file() -> int:
    import tempfile

    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def end_with_input() -> None:
    """Ends the process, whatever it is at, when nobody holds its input any more."""
    while sys.stdin.buffer.read(1):
        pass
    os._exit(0)


def main(path: str, scenario: dict[str, Any]) -> None:
    """Serves one client after the other until it is killed, or its input ends."""
    threading.Thread(target=end_with_input, daemon=True).start()
    Path(path).unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(path)
        listener.listen(1)
        print("listening", flush=True)
        while True:
            connection, _ = listener.accept()
            with connection:
                try:
                    Client(connection, scenario).serve()
                except (BrokenPipeError, ConnectionResetError):
                    continue


if __name__ == "__main__":
    main(sys.argv[1], json.loads(Path(sys.argv[2]).read_text()))
