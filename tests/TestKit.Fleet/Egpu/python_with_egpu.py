"""A Python whose processor stands in for an external GPU: a labelled fake, for tests of what happens when one is lost.

Usage: python_with_egpu.py [-P] -m MODULE. The agent is given this in place of an interpreter; nothing of the product knows
of it. tinygrad computes on the CPU, but its device opens only with a link to a stand-in for TinyGPU's server (server.py
beside the tests of the engine), by tinygrad's own APLRemotePCIDevice, and whatever comes back from the device crosses that
link first, by tinygrad's own remote call. So a server that ends or stands still does to a step what it does on a Mac, and
the errors are tinygrad's own.
"""

from __future__ import annotations

import runpy
import shutil
import sys
from typing import Any


def put_behind_a_link() -> None:
    """Must come before the first device is opened."""
    from tinygrad.runtime import ops_cpu
    from tinygrad.runtime.support import system

    # TinyGPU.app is there, and starts no server: the test does.
    system.APLRemotePCIDevice.APP_PATH = str(shutil.which("true"))
    open_processor, copy_out = ops_cpu.CPUDevice.__init__, ops_cpu.CPUAllocator._copyout
    links: list[Any] = []

    def open_linked(self: Any, *arguments: Any) -> None:
        links.append(system.APLRemotePCIDevice("AM", "usb4"))
        open_processor(self, *arguments)

    def copy_across(self: Any, *arguments: Any) -> None:
        links[0].read_config(0, 4)
        copy_out(self, *arguments)

    ops_cpu.CPUDevice.__init__ = open_linked  # type: ignore[method-assign]
    ops_cpu.CPUAllocator._copyout = copy_across  # type: ignore[method-assign]


if __name__ == "__main__":
    module = sys.argv[sys.argv.index("-m") + 1]
    put_behind_a_link()
    sys.argv = [module]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
