"""Runs a Python module with unmodified tinygrad as if the machine were a Mac with an eGPU behind TinyGPU.

Usage: as_on_a_mac.py [-P] -m MODULE, as an interpreter is called; the worker is given this in place of one. No function
of tinygrad's is replaced. What is replaced is what tinygrad finds out about the machine:
  - the constant that says macOS, in the one module that picks the way to a GPU by it;
  - the two system frameworks by which it lists PCI devices: they list those of mac.json in the folder for temporary files;
  - the C library by its name on macOS (for a memory barrier): that of this machine;
  - where TinyGPU.app lies, which here is a program that mac.json names;
  - the internet, which this machine does not have;
  - the clock, which runs ten times as fast, so that what tinygrad gives ten seconds takes one;
  - where mac.json wants it, Nvidia's firmware: files without content (see firmware.py).
The rest, from the first request on the socket to the text of the error, is what a Mac would see.
"""

from __future__ import annotations

import ctypes
import json
import runpy
import socket
import sys
import tempfile
import time
from pathlib import Path
from typing import Any


_CLOCK_RATE = 10


class Registry:
    """IOKit's list of PCI devices, as far as tinygrad's System.pci_scan_bus asks."""

    CFStringRef = ctypes.c_char_p
    CFDataRef = ctypes.c_void_p
    kCFStringEncodingUTF8 = 0x08000100

    def __init__(self, devices: list[dict[str, int]]) -> None:
        self.devices = devices
        self.left: list[int] = []
        self.lent: list[Any] = []

    def IOServiceMatching(self, name: bytes) -> bytes:
        """By class."""
        return name

    def IOServiceGetMatchingServices(self, port: int, matching: bytes, iterator: Any) -> int:
        """Services are numbered from 1: 0 ends the list."""
        self.left = list(range(1, len(self.devices) + 1))
        return 0

    def IOIteratorNext(self, iterator: Any) -> int:
        """The next service."""
        return self.left.pop(0) if self.left else 0

    def CFStringCreateWithCString(self, allocator: None, text: bytes, encoding: int) -> ctypes.c_char_p:
        """A key."""
        return ctypes.c_char_p(text)

    def IORegistryEntryCreateCFProperty(self, service: int, key: Any, allocator: None, options: int) -> Any:
        """Four bytes, least first, which live as long as this."""
        value = self.devices[service - 1][key.value.decode()]
        self.lent.append(ctypes.create_string_buffer(value.to_bytes(4, "little"), 4))
        return self.lent[-1]

    def CFDataGetLength(self, data: Any) -> int:
        """Of every property."""
        return 4

    def CFRange(self, location: int, length: int) -> tuple[int, int]:
        """Always the whole."""
        return location, length

    def CFDataGetBytes(self, data: Any, bounds: tuple[int, int], buffer: Any) -> None:
        """Copies a property."""
        ctypes.memmove(buffer, data, bounds[1])


def become_a_mac(described: dict[str, Any]) -> None:
    """Must come before the first device is opened."""
    import firmware
    from tinygrad import helpers
    from tinygrad.runtime import autogen
    from tinygrad.runtime.support import system

    registry: Any = Registry(described["pci"])
    autogen.iokit = autogen.corefoundation = registry  # type: ignore[attr-defined]
    system.OSX = True
    system.System.libsys = system.System.atomic_lib
    system.APLRemotePCIDevice.APP_PATH = described["app"]
    socket.getaddrinfo = _no_internet
    true_time = time.perf_counter
    time.perf_counter = lambda: _CLOCK_RATE * true_time()
    if described.get("firmware"):
        firmware.accept(Path(helpers.cache_dir) / "downloads")


def _no_internet(*_: Any, **__: Any) -> list[Any]:
    raise socket.gaierror(8, "nodename nor servname provided, or not known")


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    module = sys.argv[sys.argv.index("-m") + 1]
    become_a_mac(json.loads(Path(tempfile.gettempdir(), "mac.json").read_text()))
    sys.argv = [module]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
