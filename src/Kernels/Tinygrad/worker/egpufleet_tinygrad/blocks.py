"""The parts of a layer: attention over a key-value cache, and the gated feed-forward network."""

from __future__ import annotations

from tinygrad import Tensor

from .config import ModelConfig
from .rope import turn
from .steps import RowsStep, SlotStep
from .weights import Weights

Step = SlotStep | RowsStep


def attention(x: Tensor, weights: Weights, config: ModelConfig, step: Step, cache: Tensor) -> Tensor:
    """Attention of normalised inputs x (B, T, width) over the cache (2, S, KVH, L, Hd): (B, T, width)."""
    batch, tokens = x.shape[0], x.shape[1]
    heads, kv_heads, head_width = config.heads, config.kv_heads, config.head_width
    queries = weights.linear("attn_q", x)
    gate = None
    if config.gated_attention:
        both = queries.reshape(batch, tokens, heads, 2, head_width)
        queries, gate = both[..., 0, :], both[..., 1, :].reshape(batch, tokens, heads * head_width)
    queries = queries.reshape(batch, tokens, heads, head_width)
    keys = weights.linear("attn_k", x).reshape(batch, tokens, kv_heads, head_width)
    values = weights.linear("attn_v", x).reshape(batch, tokens, kv_heads, head_width)
    if config.architecture in ("qwen3", "qwen35"):
        queries = weights.norm("attn_q_norm", queries, config.norm_epsilon)
        keys = weights.norm("attn_k_norm", keys, config.norm_epsilon)
    queries = turn(queries, step.cosines, step.sines, config.rope)
    keys = turn(keys, step.cosines, step.sines, config.rope)
    seen = attend(queries, *step.keep_kv(cache, keys, values), step.visible)
    if gate is not None:
        seen = seen * gate.sigmoid()
    return weights.linear("attn_output", seen)


def attend(queries: Tensor, keys: Tensor, values: Tensor, visible: Tensor) -> Tensor:
    """Softmax attention, in f32 whatever the cache holds.

    queries (B, T, H, Hd), keys and values (B, KVH, span, Hd), visible (B or 1, T, span): (B, T, H × Hd).
    """
    batch, tokens, heads, head_width = queries.shape
    kv_heads = keys.shape[1]
    grouped = queries.reshape(batch, tokens, kv_heads, heads // kv_heads, head_width).permute(0, 2, 3, 1, 4)
    scores = grouped @ keys.unsqueeze(2).transpose(-1, -2) * head_width**-0.5
    scores = visible.unsqueeze(1).unsqueeze(1).where(scores, float("-inf"))
    mixed = scores.softmax(-1) @ values.unsqueeze(2)
    return mixed.permute(0, 3, 1, 2, 4).reshape(batch, tokens, heads * head_width)


def feed_forward(x: Tensor, weights: Weights) -> Tensor:
    """down(silu(gate(x)) × up(x)) of normalised inputs (B, T, width): (B, T, width)."""
    # One kernel per matrix: with two sums in one kernel each output pays for the slower layout of both.
    gate = weights.linear("ffn_gate", x).silu().contiguous()
    return weights.linear("ffn_down", gate * weights.linear("ffn_up", x))
