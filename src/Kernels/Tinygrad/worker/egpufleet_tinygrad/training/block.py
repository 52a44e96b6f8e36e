"""A layer over whole rows of tokens, forward and back.

The way back begins from a few kept tensors, the cuts, between which everything is cheap to compute again. A pass either
keeps the cuts of every layer, or only each layer's input and computes the cuts again: the same kernels, so the same bits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tinygrad import Tensor

from ..config import ModelConfig
from ..rope import turn
from ..weights import Weights
from .linear import Gradients, Linear

CUTS = ("queries", "keys", "values", "mixed", "middle", "gate", "up")
"""What is kept of a layer: the projections before they are turned, the attention's result, the sum behind it, and both
inputs of the gated product."""


def cut_widths(config: ModelConfig) -> tuple[int, ...]:
    """Values per token of each cut."""
    queries, keys = config.heads * config.head_width, config.kv_heads * config.head_width
    return queries, keys, keys, queries, config.width, config.hidden, config.hidden


@dataclass(frozen=True)
class Rows:
    """How the tokens of a pass stand: cosines and sines (1, T, width / 2), visible (R, 1, 1, T, T)."""

    count: int
    tokens: int
    cosines: Tensor
    sines: Tensor
    visible: Tensor


class Block:
    """One layer with its adapter, over N = rows × tokens positions. All tensors are (N, width) but within the attention."""

    def __init__(self, config: ModelConfig, weights: Weights, adapted: Callable[[str, Weights], Linear]) -> None:
        self._config, self._weights = config, weights
        self._linears = {name: adapted(name, weights) for name in _MATRICES}

    def forward(self, x: Tensor, rows: Rows) -> tuple[Tensor, tuple[Tensor, ...]]:
        """The layer's output and its cuts."""
        linears = self._linears
        normal = self._norm("attn_norm", x).contiguous()
        projected = [linears[name].forward(normal) for name in ("attn_q", "attn_k", "attn_v")]
        queries, keys, values = self._heads(rows, *projected)
        mixed = _flat((_shares(queries, keys, rows) @ values), rows)
        middle = (x + linears["attn_output"].forward(mixed)).contiguous()
        normal = self._norm("ffn_norm", middle).contiguous()
        gate, up = linears["ffn_gate"].forward(normal), linears["ffn_up"].forward(normal)
        output = middle + linears["ffn_down"].forward((gate.silu() * up).contiguous())
        return output, (*projected, mixed, middle, gate, up)

    def backward(self, g: Tensor, x: Tensor, cuts: tuple[Tensor, ...], rows: Rows, gradients: Gradients) -> Tensor:
        """The gradient of the input x, from that of the output, g."""
        *projected, mixed, middle, gate, up = cuts
        linears = self._linears
        product = gate.silu() * up
        back = linears["ffn_down"].backward(g, product.contiguous(), gradients)
        of_gate, of_up = (part.contiguous() for part in product.gradient(gate, up, gradient=back))
        normal = self._norm("ffn_norm", middle)
        held = normal.contiguous()
        back = linears["ffn_gate"].backward(of_gate, held, gradients) + linears["ffn_up"].backward(of_up, held, gradients)
        of_middle = (g + normal.gradient(middle, gradient=back.contiguous())[0]).contiguous()
        back = linears["attn_output"].backward(of_middle, mixed, gradients)
        back = self._back_through_attention(back, projected, mixed, self._norm("attn_norm", x), rows, gradients)
        return of_middle + self._norm("attn_norm", x).gradient(x, gradient=back)[0]

    def _back_through_attention(
        self, g: Tensor, projected: list[Tensor], mixed: Tensor, normal: Tensor, rows: Rows, gradients: Gradients
    ) -> Tensor:
        """The gradient of the normalised input, from that of the attention's result."""
        turned = self._heads(rows, *projected)
        queries, keys, values = (tensor.contiguous() for tensor in turned)
        g, mixed = self._grouped(g, rows), self._grouped(mixed, rows)
        shares = _shares(queries, keys, rows)
        of_shares = g @ values.transpose(-1, -2)
        of_scores = (shares * (of_shares - (g * mixed).sum(-1, keepdim=True)) * self._config.head_width**-0.5).contiguous()
        of_turned = (
            of_scores @ keys,
            (of_scores.transpose(-1, -2) @ queries).sum(2, keepdim=True),
            (shares.transpose(-1, -2) @ g).sum(2, keepdim=True),
        )
        normal = normal.contiguous()
        back = None
        for name, tensor, source, gradient in zip(_MATRICES, turned, projected, of_turned):
            of_source = tensor.gradient(source, gradient=gradient.contiguous())[0].contiguous()
            part = self._linears[name].backward(of_source, normal, gradients)
            back = part if back is None else back + part
        assert back is not None
        return back.contiguous()

    def _heads(self, rows: Rows, queries: Tensor, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(R, KVH, G, T, Hd) of queries, (R, KVH, 1, T, Hd) of keys and values, normalised and turned."""
        config = self._config
        split = [
            tensor.reshape(rows.count, rows.tokens, -1, config.head_width) for tensor in (queries, keys, values)
        ]
        if config.architecture == "qwen3":
            split[0], split[1] = self._norm("attn_q_norm", split[0]), self._norm("attn_k_norm", split[1])
        split[:2] = [turn(tensor, rows.cosines, rows.sines, config.rope) for tensor in split[:2]]
        first, *others = (tensor.reshape(*tensor.shape[:2], config.kv_heads, -1, config.head_width) for tensor in split)
        queries, keys, values = (tensor.permute(0, 2, 3, 1, 4) for tensor in (first, *others))
        return queries, keys, values

    def _grouped(self, x: Tensor, rows: Rows) -> Tensor:
        """(N, H × Hd) to (R, KVH, G, T, Hd)."""
        shape = (rows.count, rows.tokens, self._config.kv_heads, -1, self._config.head_width)
        return x.reshape(*shape).permute(0, 2, 3, 1, 4)

    def _norm(self, name: str, x: Tensor) -> Tensor:
        return self._weights.norm(name, x, self._config.norm_epsilon)


_MATRICES = ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")


def _shares(queries: Tensor, keys: Tensor, rows: Rows) -> Tensor:
    """How much each query takes of each value: (R, KVH, G, T, T)."""
    scores = queries @ keys.transpose(-1, -2) * queries.shape[-1] ** -0.5
    return rows.visible.where(scores, float("-inf")).softmax(-1).contiguous()


def _flat(x: Tensor, rows: Rows) -> Tensor:
    """(R, KVH, G, T, Hd) to (N, H × Hd)."""
    return x.permute(0, 3, 1, 2, 4).reshape(rows.count * rows.tokens, -1).contiguous()
