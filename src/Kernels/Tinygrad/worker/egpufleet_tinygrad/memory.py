"""What a model needs on a device, in bytes, from its header alone, and what the machine has."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass

from .config import ModelConfig
from .errors import EngineError
from .gguf import GgufFile
from .tensors import select_tensors

_KV_BYTES = {"f16": 2, "f32": 4}
_F32_BYTES = 4
_SCORE_COPIES = 3
"""Attention scores, their exponentials and the normalised weights may be alive at once."""

CHAINS = 16
"""Sums a processor keeps side by side for each number of a product: a vector of AVX-512, or four of NEON."""

DEVICE_RESERVE_BYTES = 64 << 20
"""What tinygrad's allocators leave to page tables and queues."""


@dataclass(frozen=True)
class MemoryEstimate:
    """Bytes of weights, of keys and values, of recurrent state, and of buffers that live during a step."""

    weight_bytes: int
    kv_bytes: int
    state_bytes: int
    scratch_bytes: int

    @property
    def total_bytes(self) -> int:
        """The sum."""
        return self.weight_bytes + self.kv_bytes + self.state_bytes + self.scratch_bytes

    def to_wire(self) -> dict[str, int]:
        """The result of the verb estimate."""
        return asdict(self) | {"total_bytes": self.total_bytes}


def kv_length(config: ModelConfig, context_tokens: int) -> int:
    """Columns of a slot's key-value cache: a last chunk may reach beyond the context, idle rows write there too."""
    return context_tokens + max(config.chunk_tokens)


def estimate(
    file: GgufFile, config: ModelConfig, context_tokens: int, sequences: int, kv: str, layers: range
) -> MemoryEstimate:
    """An upper estimate for a worker of these layers. Raises EngineError model_invalid for a file it cannot load."""
    tensors = {tensor.name: tensor for tensor in select_tensors(file, config, layers)}
    length = kv_length(config, context_tokens)
    attention_layers = sum(not config.recurrent[layer] for layer in layers)
    kv_values = 2 * sequences * config.kv_heads * config.head_width * length * attention_layers
    return MemoryEstimate(
        weight_bytes=sum(tensor.nbytes for tensor in tensors.values()),
        kv_bytes=kv_values * _KV_BYTES[kv],
        state_bytes=_state_bytes(config, sequences, layers),
        scratch_bytes=_scratch_bytes(config, length, sequences),
    )


def require_room(needed: MemoryEstimate, capacity_bytes: int | None, used_bytes: int) -> None:
    """Raises EngineError out_of_memory where the estimate exceeds what is left; no capacity known: no refusal."""
    if capacity_bytes is None:
        return
    free = max(capacity_bytes - used_bytes - DEVICE_RESERVE_BYTES, 0)
    if needed.total_bytes > free:
        text = f"The model needs about {needed.total_bytes} bytes and {free} of {capacity_bytes} are free."
        raise EngineError("out_of_memory", text, needed.total_bytes, free)


def host_memory_bytes() -> int:
    """Memory this process may use: the machine's, or less where a control group says so."""
    physical = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    try:
        with open("/sys/fs/cgroup/memory.max", encoding="ascii") as file:
            text = file.read().strip()
    except OSError:
        return physical
    return min(physical, int(text)) if text.isdecimal() else physical


def _state_bytes(config: ModelConfig, sequences: int, layers: range) -> int:
    if config.delta is None:
        return 0
    delta = config.delta
    per_slot = delta.value_heads * delta.value_width * delta.key_width + (delta.kernel - 1) * delta.channels
    return sum(config.recurrent[layer] for layer in layers) * sequences * per_slot * _F32_BYTES


def _scratch_bytes(config: ModelConfig, length: int, sequences: int) -> int:
    rows = max(max(config.chunk_tokens), sequences)
    activations = rows * (8 * config.width + 4 * config.hidden + 4 * config.heads * config.head_width)
    scores = _SCORE_COPIES * rows * config.heads * length
    logits = 2 * sequences * config.vocabulary
    chains = CHAINS * max(config.vocabulary, config.hidden)
    recurrent = 0
    if config.delta is not None:
        delta = config.delta
        state = delta.value_heads * delta.value_width * delta.key_width
        recurrent = rows * 4 * delta.channels + 2 * max(max(config.chunk_tokens), sequences) * state
    return (activations + scores + logits + chains + recurrent) * _F32_BYTES
