"""A plain forward pass in numpy, f64, token by token where the model is recurrent: what the device is held against."""

from __future__ import annotations

import numpy as np

from .synthetic import Shape

Weights = dict[str, np.ndarray]


def reference_logits(shape: Shape, weights: Weights, ids: list[int]) -> np.ndarray:
    """Logits (tokens, vocabulary) of a whole sequence from position 0."""
    weights = {name: values.astype(np.float64) for name, values in weights.items()}
    x = weights["token_embd.weight"][ids]
    for layer in range(shape.layers):
        prefix = f"blk.{layer}."
        part = {name.removeprefix(prefix): w for name, w in weights.items() if name.startswith(prefix)}
        mix = _delta if shape.recurrent(layer) else _attention
        x = x + mix(shape, part, _norm(x, part["attn_norm.weight"], shape.epsilon))
        second = part["post_attention_norm.weight" if shape.architecture == "qwen35" else "ffn_norm.weight"]
        normal = _norm(x, second, shape.epsilon)
        hidden = _silu(normal @ part["ffn_gate.weight"].T) * (normal @ part["ffn_up.weight"].T)
        x = x + hidden @ part["ffn_down.weight"].T
    table = weights.get("output.weight", weights["token_embd.weight"])
    return _norm(x, weights["output_norm.weight"], shape.epsilon) @ table.T


def _attention(shape: Shape, w: Weights, x: np.ndarray) -> np.ndarray:
    tokens, heads, kv_heads, width = len(x), shape.heads, shape.kv_heads, shape.head_width
    queries = x @ w["attn_q.weight"].T + w.get("attn_q.bias", 0)
    gate = np.ones((tokens, heads * width))
    if shape.architecture == "qwen35":
        both = queries.reshape(tokens, heads, 2, width)
        queries, gate = both[:, :, 0], 1 / (1 + np.exp(-both[:, :, 1].reshape(tokens, -1)))
    queries = queries.reshape(tokens, heads, width)
    keys = (x @ w["attn_k.weight"].T + w.get("attn_k.bias", 0)).reshape(tokens, kv_heads, width)
    values = (x @ w["attn_v.weight"].T + w.get("attn_v.bias", 0)).reshape(tokens, kv_heads, width)
    if "attn_q_norm.weight" in w:
        queries = _norm(queries, w["attn_q_norm.weight"], shape.epsilon)
        keys = _norm(keys, w["attn_k_norm.weight"], shape.epsilon)
    queries, keys = _turn(shape, queries), _turn(shape, keys)
    out = np.zeros((tokens, heads, width))
    for head in range(heads):
        shared = head * kv_heads // heads
        scores = queries[:, head] @ keys[:, shared].T / np.sqrt(width)
        scores[np.triu_indices(tokens, 1)] = -np.inf
        shares = np.exp(scores - scores.max(axis=1, keepdims=True))
        out[:, head] = shares / shares.sum(axis=1, keepdims=True) @ values[:, shared]
    return (out.reshape(tokens, -1) * gate) @ w["attn_output.weight"].T


def _turn(shape: Shape, x: np.ndarray) -> np.ndarray:
    half = shape.rope_width // 2
    turned = x.copy()
    for position in range(len(x)):
        for pair in range(half):
            angle = position * shape.rope_base ** (-2 * pair / shape.rope_width)
            left, right = (2 * pair, 2 * pair + 1) if shape.architecture == "llama" else (pair, pair + half)
            a, b = x[position, :, left], x[position, :, right]
            turned[position, :, left] = a * np.cos(angle) - b * np.sin(angle)
            turned[position, :, right] = a * np.sin(angle) + b * np.cos(angle)
    return turned


def _delta(shape: Shape, w: Weights, x: np.ndarray) -> np.ndarray:
    tokens, keys = len(x), shape.key_heads * shape.key_width
    padded = np.concatenate([np.zeros((shape.kernel - 1, w["attn_qkv.weight"].shape[0])), x @ w["attn_qkv.weight"].T])
    mixed = _silu(sum(padded[i : i + tokens] * w["ssm_conv1d.weight"][:, i] for i in range(shape.kernel)))
    strength = 1 / (1 + np.exp(-(x @ w["ssm_beta.weight"].T)))
    decay = np.exp(np.log1p(np.exp(x @ w["ssm_alpha.weight"].T + w["ssm_dt.bias"])) * w["ssm_a"])
    out = np.zeros((tokens, shape.value_heads, shape.value_width))
    for head in range(shape.value_heads):
        first = head % shape.key_heads * shape.key_width
        memory = np.zeros((shape.value_width, shape.key_width))
        for token in range(tokens):
            query = _unit(mixed[token, first : first + shape.key_width], shape.epsilon) / np.sqrt(shape.key_width)
            key = _unit(mixed[token, keys + first : keys + first + shape.key_width], shape.epsilon)
            at = 2 * keys + head * shape.value_width
            value = mixed[token, at : at + shape.value_width]
            memory *= decay[token, head]
            memory += np.outer(strength[token, head] * (value - memory @ key), key)
            out[token, head] = memory @ query
    gate = _silu(x @ w["attn_gate.weight"].T).reshape(out.shape)
    return (_norm(out, w["ssm_norm.weight"], shape.epsilon) * gate).reshape(tokens, -1) @ w["ssm_out.weight"].T


def _norm(x: np.ndarray, weight: np.ndarray, epsilon: float) -> np.ndarray:
    return x / np.sqrt((x * x).mean(axis=-1, keepdims=True) + epsilon) * weight


def _unit(x: np.ndarray, epsilon: float) -> np.ndarray:
    return x / max(np.sqrt((x * x).sum()), epsilon)


def _silu(x: np.ndarray) -> np.ndarray:
    return x / (1 + np.exp(-x))
