"""Small random models of every supported architecture."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .gguf_writer import write_gguf


@dataclass(frozen=True)
class Shape:
    """Widths of a synthetic model; the delta net's only where `architecture` is qwen35."""

    architecture: str
    layers: int = 2
    width: int = 64
    hidden: int = 96
    heads: int = 4
    kv_heads: int = 2
    head_width: int = 32
    rope_width: int = 32
    vocabulary: int = 96
    context: int = 256
    interval: int = 2
    key_heads: int = 2
    key_width: int = 16
    value_heads: int = 4
    value_width: int = 16
    kernel: int = 4
    tied: bool = False
    rope_base: float = 10000.0
    epsilon: float = 1e-5

    def recurrent(self, layer: int) -> bool:
        """Whether a layer is a gated delta net."""
        return self.architecture == "qwen35" and (layer + 1) % self.interval != 0


def metadata(shape: Shape) -> dict[str, Any]:
    """What a converter writes about such a model."""
    name = shape.architecture
    pairs: dict[str, Any] = {
        "general.architecture": name,
        f"{name}.block_count": shape.layers,
        f"{name}.context_length": shape.context,
        f"{name}.embedding_length": shape.width,
        f"{name}.feed_forward_length": shape.hidden,
        f"{name}.attention.head_count": shape.heads,
        f"{name}.attention.head_count_kv": shape.kv_heads,
        f"{name}.attention.key_length": shape.head_width,
        f"{name}.attention.value_length": shape.head_width,
        f"{name}.attention.layer_norm_rms_epsilon": shape.epsilon,
        f"{name}.rope.freq_base": shape.rope_base,
        f"{name}.rope.dimension_count": shape.rope_width,
    }
    if name == "qwen35":
        pairs |= {
            f"{name}.full_attention_interval": shape.interval,
            f"{name}.ssm.conv_kernel": shape.kernel,
            f"{name}.ssm.state_size": shape.key_width,
            f"{name}.ssm.group_count": shape.key_heads,
            f"{name}.ssm.time_step_rank": shape.value_heads,
            f"{name}.ssm.inner_size": shape.value_heads * shape.value_width,
            f"{name}.rope.dimension_sections": [8, 4, 4, 0],
        }
    return pairs


def tensors(shape: Shape, seed: int = 1) -> dict[str, np.ndarray]:
    """Random weights, f32, scaled so that activations keep their size."""
    random = np.random.default_rng(seed)

    def matrix(rows: int, columns: int) -> np.ndarray:
        return (random.standard_normal((rows, columns)) / np.sqrt(columns)).astype(np.float32)

    def vector(size: int, middle: float = 1.0, spread: float = 0.2) -> np.ndarray:
        return (middle + spread * random.standard_normal(size)).astype(np.float32)

    made = {
        "token_embd.weight": matrix(shape.vocabulary, shape.width) * np.float32(8),
        "output_norm.weight": vector(shape.width),
    }
    if not shape.tied:
        made["output.weight"] = matrix(shape.vocabulary, shape.width) * np.float32(2)
    for layer in range(shape.layers):
        mix = _delta(shape, matrix, vector) if shape.recurrent(layer) else _attention(shape, matrix, vector)
        norm = "post_attention_norm" if shape.architecture == "qwen35" else "ffn_norm"
        mix |= {
            "attn_norm.weight": vector(shape.width),
            f"{norm}.weight": vector(shape.width),
            "ffn_gate.weight": matrix(shape.hidden, shape.width),
            "ffn_up.weight": matrix(shape.hidden, shape.width),
            "ffn_down.weight": matrix(shape.width, shape.hidden),
        }
        made |= {f"blk.{layer}.{name}": values for name, values in mix.items()}
    return made


def write_model(path: Path, shape: Shape, kind: str = "F32", **changes: Any) -> dict[str, np.ndarray]:
    """Writes a model with some metadata changed or, where None, left out; returns its weights."""
    weights = tensors(shape)
    pairs = {key: item for key, item in (metadata(shape) | changes).items() if item is not None}
    write_gguf(path, pairs, weights, kind)
    return weights


def _attention(shape: Shape, matrix: Any, vector: Any) -> dict[str, np.ndarray]:
    queries, keys = shape.heads * shape.head_width, shape.kv_heads * shape.head_width
    projected = queries * 2 if shape.architecture == "qwen35" else queries
    made = {
        "attn_q.weight": matrix(projected, shape.width),
        "attn_k.weight": matrix(keys, shape.width),
        "attn_v.weight": matrix(keys, shape.width),
        "attn_output.weight": matrix(shape.width, queries),
    }
    if shape.architecture == "qwen2":
        sizes = {"attn_q": projected, "attn_k": keys, "attn_v": keys}
        made |= {f"{name}.bias": vector(size, 0.0, 0.5) for name, size in sizes.items()}
    if shape.architecture in ("qwen3", "qwen35"):
        made |= {f"{name}.weight": vector(shape.head_width) for name in ("attn_q_norm", "attn_k_norm")}
    return made


def _delta(shape: Shape, matrix: Any, vector: Any) -> dict[str, np.ndarray]:
    keys, values = shape.key_heads * shape.key_width, shape.value_heads * shape.value_width
    return {
        "attn_qkv.weight": matrix(2 * keys + values, shape.width),
        "attn_gate.weight": matrix(values, shape.width),
        "ssm_conv1d.weight": matrix(2 * keys + values, shape.kernel),
        "ssm_dt.bias": vector(shape.value_heads, 0.0, 0.5),
        "ssm_a": -np.abs(vector(shape.value_heads, 0.3, 0.2)),
        "ssm_beta.weight": matrix(shape.value_heads, shape.width),
        "ssm_alpha.weight": matrix(shape.value_heads, shape.width),
        "ssm_norm.weight": vector(shape.value_width),
        "ssm_out.weight": matrix(shape.width, values),
    }
