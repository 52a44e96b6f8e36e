"""Training sessions of small models, and what they should compute, in numpy and f64."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from egpufleet_tinygrad.dequantise import q4_k, q8_0
from egpufleet_tinygrad.errors import EngineError
from egpufleet_tinygrad.params import Params
from egpufleet_tinygrad.training.safetensors import SafetensorsFile

from .gguf_writer import quantise_q4_0, quantise_q4_k, quantise_q8_0
from .reference import reference_logits
from .synthetic import Shape

TARGETS = ["attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"]
ROW_TOKENS = 12
RANK = 3
ALPHA = 6.0
HASH = "ab" * 32

Values = dict[str, np.ndarray]


def spec(model: Path, **changes: Any) -> dict[str, Any]:
    """Parameters of train_open; `changes` are of the spec, or of its adapter or optimizer where they are named there."""
    adapter = {"rank": RANK, "alpha": ALPHA, "targets": TARGETS, "frozen_a": False}
    optimizer = {"beta1": 0.9, "beta2": 0.95, "epsilon": 1e-8, "weight_decay": 0.01, "clip_norm": 1.0}
    for nested in (adapter, optimizer):
        nested |= {key: changes.pop(key) for key in list(changes) if key in nested}
    return {
        "path": str(model),
        "content_hash": HASH,
        "threads": 1,
        "method": "lora",
        "adapter": adapter,
        "row_tokens": ROW_TOKENS,
        "rows_per_pass": 2,
        "optimizer": optimizer,
        "seed": 7,
        "precision": "f32",
        "recompute": False,
    } | changes


def batch(rows: int, seed: int = 3, vocabulary: int = 96, tokens: int = ROW_TOKENS) -> np.ndarray:
    """Inputs, targets and segments (3, rows, tokens): two samples a row, the first tokens of each not learnt."""
    random = np.random.default_rng(seed)
    ids = random.integers(0, vocabulary, (rows, tokens + 1)).astype(np.int32)
    segments = np.zeros((rows, tokens), np.int32)
    segments[:, tokens // 2 - 1 :] = 1
    targets = ids[:, 1:].copy()
    targets[:, [0, tokens // 2 - 2, tokens // 2 - 1]] = -1
    return np.stack([ids[:, :-1], targets, segments])


class Session:
    """The verbs of training in this process."""

    def __init__(self, capacity: int | None = None) -> None:
        """`capacity`: bytes that the device has, in place of what it says."""
        from egpufleet_tinygrad.device import open_device
        from egpufleet_tinygrad.training.verbs import Training

        facts = open_device()
        self._training = Training(lambda: facts if capacity is None else replace(facts, capacity_bytes=capacity))
        self.is_cancelled = False

    def call(self, verb: str, body: bytes = b"", **params: Any) -> dict[str, Any]:
        """As over the wire."""
        return self._training.call(f"train_{verb}", Params(params, "params"), body, self._heed)

    def base(self) -> list[np.ndarray]:
        """The frozen tensors as they are on the device, in the order of the model."""
        session = self._training._session
        parts = [session._edges, *(layer.part for layer in session._layers)]
        return [tensor.numpy() for part in parts for tensor in part.stored]

    def _heed(self) -> None:
        if self.is_cancelled:
            raise EngineError("cancelled", "")

    def learn(self, arrays: np.ndarray, verb: str = "step", **params: Any) -> dict[str, Any]:
        """A verb with a batch."""
        return self.call(verb, arrays.tobytes(), rows=arrays.shape[1], row_tokens=arrays.shape[2], **params)


def read_state(path: Path) -> Values:
    """The tensors of a state file."""
    file = SafetensorsFile(str(path))
    return {name: file.read(name) for name in file.entries}


def stored(weights: Values, kind: str) -> Values:
    """What a file of this kind holds of these weights."""
    through = {
        "F32": lambda values: values,
        "Q8_0": lambda values: q8_0(_bytes(quantise_q8_0(values))),
        "Q4_0": lambda values: _q4_0(_bytes(quantise_q4_0(values))),
        "Q4_K": lambda values: q4_k(_bytes(quantise_q4_k(values))),
    }[kind]
    return {
        name: through(values).reshape(values.shape) if values.ndim == 2 else values for name, values in weights.items()
    }


def reference_loss(shape: Shape, weights: Values, adapter: Values, arrays: np.ndarray) -> float:
    """Cross-entropy summed over the trained positions, each sample computed alone."""
    merged = {name: values.astype(np.float64) for name, values in weights.items()}
    for name, values in adapter.items():
        if name.endswith(".lora_b"):
            matrix = name.removesuffix(".lora_b")
            merged[f"{matrix}.weight"] = merged[f"{matrix}.weight"] + ALPHA / RANK * values @ adapter[f"{matrix}.lora_a"]
    total = 0.0
    for inputs, targets, segments in zip(*arrays):
        for segment in np.unique(segments):
            mine = segments == segment
            logits = reference_logits(shape, merged, inputs[mine].tolist())
            logits = logits - logits.max(axis=1, keepdims=True)
            losses = np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(len(logits)), targets[mine]]
            total += float(losses[targets[mine] >= 0].sum())
    return total


def _bytes(data: bytes) -> np.ndarray:
    return np.frombuffer(data, np.uint8)


def _q4_0(data: np.ndarray) -> np.ndarray:
    blocks = data.reshape(-1, 18)
    scale = blocks[:, :2].copy().view(np.float16).astype(np.float32)
    quants = np.concatenate([blocks[:, 2:] & 15, blocks[:, 2:] >> 4], axis=1).astype(np.float32) - 8
    return (scale * quants).reshape(-1)
