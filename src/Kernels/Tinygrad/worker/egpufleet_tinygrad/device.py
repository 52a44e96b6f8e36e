"""The device tinygrad computes on: facts about it, and numbers moved to and from it without building a graph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from tinygrad import Device, Tensor
from tinygrad.helpers import NUM_CPU_THREADS, GlobalCounters

from . import limits
from .memory import host_memory_bytes

_HOST_MEMORY_DEVICES = ("CPU", "METAL")
"""Devices that share the machine's memory; the others have their own."""


@dataclass(frozen=True)
class DeviceFacts:
    """What a probe tells. `capacity_bytes` is what loads are checked against, None where the device does not say;
    devices of one `tuning_class` run the same code equally well.
    """

    name: str
    arch: str | None
    renderer: str
    vram_bytes: int | None
    capacity_bytes: int | None
    tuning_class: str

    def to_wire(self) -> dict[str, Any]:
        """The result of the verb probe."""
        return {
            "device": self.name,
            "arch": self.arch,
            "renderer": self.renderer,
            "vram_bytes": self.vram_bytes,
            "capacity_bytes": self.capacity_bytes,
            "tuning_class": self.tuning_class,
            "memory_used_bytes": memory_used_bytes(),
        }


def device_name() -> str:
    """The name of the default device, without opening it where DEV names it."""
    return str(Device.DEFAULT)


def open_device() -> DeviceFacts:
    """Opens the device. Raises whatever tinygrad raises; after a failure the process must not try again."""
    name = device_name()
    device = Device[name]
    implementation = getattr(getattr(device, "iface", None), "dev_impl", None)
    vram = getattr(implementation, "vram_size", None)
    kind = name.split(":")[0]
    capacity = host_memory_bytes() if kind in _HOST_MEMORY_DEVICES else vram
    arch = getattr(device, "arch", None)
    renderer = type(device.renderer).__name__
    tuning_class = _tuning_class(kind, str(arch), renderer)
    return DeviceFacts(name, str(arch) if arch is not None else None, renderer, vram, capacity, tuning_class)


def _tuning_class(kind: str, arch: str, renderer: str) -> str:
    """Of a processor also how many threads a kernel may use; its model is not known, but every result is measured."""
    threads = f" {NUM_CPU_THREADS.value} threads" if kind == "CPU" else ""
    return f"{kind} {arch} {renderer}{threads}"[: limits.TUNING_CLASS_CHARACTERS]


def memory_used_bytes() -> int:
    """Bytes tinygrad has allocated and not yet freed."""
    return int(GlobalCounters.mem_used)


def device_array(values: np.ndarray) -> Tensor:
    """A realised tensor of its own memory on the device, with these numbers."""
    return Tensor(values).contiguous().realize()


def write_array(tensor: Tensor, values: np.ndarray) -> None:
    """Overwrites a tensor made by `device_array`; same shape and type."""
    # The allocator's own copy: Buffer.copy_from schedules one, which takes as long as a small model's whole step.
    buffer = tensor.uop.base.buffer
    buffer.allocator._copyin(buffer._buf, memoryview(np.ascontiguousarray(values)).cast("B"))


def read_array(tensor: Tensor, dtype: type[np.generic]) -> np.ndarray:
    """The numbers of a realised contiguous tensor; waits for the device."""
    values = np.empty(tensor.shape, dtype)
    buffer = tensor.uop.base.buffer
    buffer.allocator._copyout(memoryview(values).cast("B"), buffer._buf)
    return values
