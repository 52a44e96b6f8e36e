"""The parameters of a training session, checked: the C# side's TrainSpec."""

from __future__ import annotations

import os
from dataclasses import dataclass

from .. import limits
from ..errors import EngineError, invalid
from ..params import Params
from .adapter import TARGETS, AdapterShape

_LOWEST_SEED, _HIGHEST_SEED = -(1 << 63), (1 << 63) - 1


@dataclass(frozen=True)
class AdamSettings:
    """AdamW with decoupled weight decay; clip_norm 0: gradients are not clipped."""

    beta1: float
    beta2: float
    epsilon: float
    weight_decay: float
    clip_norm: float


@dataclass(frozen=True)
class TrainSpec:
    """Which model, what beside it, and how a step is computed.

    rows_per_pass × row_tokens positions are computed at once; recompute: only each layer's input is kept for the way back.
    """

    path: str
    content_hash: str
    adapter: AdapterShape
    row_tokens: int
    rows_per_pass: int
    optimizer: AdamSettings
    seed: int
    recompute: bool


def read_spec(params: Params) -> TrainSpec:
    """Raises EngineError invalid_request, also for what only another engine does."""
    path = params.text("path", limits.PATH_BYTES)
    if not os.path.isabs(path):
        raise invalid("path is not absolute.")
    content_hash = params.text("content_hash", limits.NAME_CHARACTERS)
    params.integer("threads", 1, limits.THREADS)
    if params.choice("method", ("lora", "full")) == "full":
        raise invalid("This engine trains adapters (lora) only; full fine-tuning is the Torch engine's.")
    if params.choice("precision", ("f32", "bf16"), "f32") == "bf16":
        raise invalid("This engine trains in f32; bf16 is the Torch engine's.")
    adapter = _adapter(params.nested("adapter"))
    row_tokens = params.integer("row_tokens", 1, limits.ROW_TOKENS)
    rows = params.integer("rows_per_pass", 1, limits.ROWS_PER_PASS)
    if rows * row_tokens > limits.PASS_TOKENS:
        text = f"A pass of {rows} rows of {row_tokens} tokens is too large."
        raise EngineError("invalid_request", text, rows * row_tokens, limits.PASS_TOKENS)
    optimizer = _optimizer(params.nested("optimizer"))
    seed = params.integer("seed", _LOWEST_SEED, _HIGHEST_SEED)
    recompute = params.flag("recompute", False)
    params.finish()
    return TrainSpec(path, content_hash, adapter, row_tokens, rows, optimizer, seed, recompute)


def _adapter(params: Params) -> AdapterShape:
    rank = params.integer("rank", 1, limits.ADAPTER_RANK)
    alpha = params.number("alpha", 0.0, limits.ADAPTER_ALPHA)
    targets = params.texts("targets", TARGETS)
    frozen_a = params.flag("frozen_a", False)
    params.finish()
    if alpha == 0 or not targets:
        raise invalid("An adapter has an alpha over 0 and at least one target.")
    return AdapterShape(rank, alpha / rank, tuple(target for target in TARGETS if target in targets), frozen_a)


def _optimizer(params: Params) -> AdamSettings:
    settings = AdamSettings(
        beta1=params.number("beta1", 0.0, 1.0),
        beta2=params.number("beta2", 0.0, 1.0),
        epsilon=params.number("epsilon", 0.0, 1.0),
        weight_decay=params.number("weight_decay", 0.0, 1.0),
        clip_norm=params.number("clip_norm", 0.0, limits.CLIP_NORM),
    )
    params.finish()
    if settings.beta1 == 1 or settings.beta2 == 1 or settings.epsilon == 0:
        raise invalid("beta1 and beta2 are under 1, epsilon is over 0.")
    return settings
