"""Gated delta net: a layer whose memory is one matrix per head, updated token by token.

For each head with memory S (value width, key width), and for each token with decay a, strength b, key k, value v and
query q: S ← a S, then S ← S + b (v − S k) kᵀ, and the output is S q. Queries, keys and values come through a short
causal convolution, whose last inputs are the other half of the state.
"""

from __future__ import annotations

from tinygrad import Tensor

from .config import DeltaNet, ModelConfig
from .blocks import Step
from .weights import Weights


def delta_net(
    x: Tensor, weights: Weights, config: ModelConfig, step: Step, inputs: Tensor, memory: Tensor
) -> Tensor:
    """The layer for normalised inputs x (B, T, width): (B, T, width).

    inputs (S, kernel − 1, channels) and memory (S, value heads, value width, key width) are the states of all slots.
    """
    delta = config.delta
    assert delta is not None
    batch, tokens = x.shape[0], x.shape[1]
    window = step.state(inputs).cat(weights.linear("attn_qkv", x), dim=1).contiguous()
    queries, keys, values = _convolve(window, weights["ssm_conv1d.weight"], delta, tokens, config.norm_epsilon)
    strength = weights.linear("ssm_beta", x).sigmoid().contiguous()
    decay = ((weights.linear("ssm_alpha", x) + weights["ssm_dt.bias"]).softplus() * weights["ssm_a"]).exp().contiguous()
    state = step.state(memory)
    outputs = []
    for token in range(tokens):
        state = _update(state, keys[:, token], values[:, token], strength[:, token], decay[:, token])
        if token == tokens - 1:
            # The last output is read from the kept state, so that whoever needs it needs the writes too.
            state = step.keep_states(memory, state, inputs, window[:, tokens:])
        outputs.append((state * queries[:, token].unsqueeze(2)).sum(-1))
    mixed = outputs[0].stack(*outputs[1:], dim=1).contiguous()
    gate = weights.linear("attn_gate", x).reshape(batch, tokens, delta.value_heads, delta.value_width).silu()
    gated = weights.norm("ssm_norm", mixed, config.norm_epsilon) * gate
    return weights.linear("ssm_out", gated.reshape(batch, tokens, delta.values))


def _convolve(
    window: Tensor, kernel: Tensor, delta: DeltaNet, tokens: int, epsilon: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Queries and keys (B, T, value heads, key width) of length 1, queries then scaled, and values, alike."""
    mixed = sum(
        (window[:, place : place + tokens] * kernel[:, place] for place in range(1, delta.kernel)),
        window[:, :tokens] * kernel[:, 0],
    ).silu().contiguous()
    batch, repeats = window.shape[0], delta.value_heads // delta.key_heads

    def heads(first: int) -> Tensor:
        part = mixed[..., first : first + delta.keys].reshape(batch, tokens, delta.key_heads, delta.key_width)
        length = part.square().sum(-1, keepdim=True).sqrt().maximum(epsilon)
        return (part / length).repeat(1, 1, repeats, 1)

    values = mixed[..., 2 * delta.keys :].reshape(batch, tokens, delta.value_heads, delta.value_width)
    return (heads(0) * delta.key_width**-0.5).contiguous(), heads(delta.keys).contiguous(), values


def _update(state: Tensor, key: Tensor, value: Tensor, strength: Tensor, decay: Tensor) -> Tensor:
    """The memory after one token: state (B, H, V, K), key (B, H, K), value (B, H, V), strength and decay (B, H)."""
    decayed = state * decay.unsqueeze(-1).unsqueeze(-1)
    known = (decayed * key.unsqueeze(2)).sum(-1)
    correction = (value - known) * strength.unsqueeze(-1)
    return (decayed + correction.unsqueeze(-1) * key.unsqueeze(2)).contiguous()
