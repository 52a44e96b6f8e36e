"""Chooses the next token from logits by the rule of the C# engines, so that engines can be compared token by token."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .errors import EngineError
from .random_numbers import next_double


_LEAST_LOG_PROBABILITY = -9999.0
"""Of what is impossible: JSON has no infinity."""


@dataclass(frozen=True)
class SamplingOptions:
    """How to sample: temperature 0 is the most likely token, the lowest id on ties; top_k 0 and top_p 1 take all."""

    temperature: float = 0.0
    top_p: float = 1.0
    top_k: int = 0
    seed: int = 0


def sample(logits: np.ndarray, options: SamplingOptions, index: int) -> int:
    """The token of a completion at `index`, from logits (vocabulary) f32.

    Raises EngineError internal where the model computed no numbers.
    """
    top = arg_max(logits)
    if options.temperature == 0:
        return top
    if 0 < options.top_k < logits.size:
        tokens = _top(logits, options.top_k)
    else:
        tokens = np.arange(logits.size)
    weights = _weigh(logits[tokens], float(logits[top]), options.temperature)
    total = _sum(weights)
    if options.top_p < 1:
        tokens, weights = _nucleus(tokens, weights, total * options.top_p)
        total = _sum(weights)
    return _draw(tokens, weights, total * next_double(options.seed, index))


def arg_max(logits: np.ndarray) -> int:
    """The lowest id of the highest logit; NaN counts as lowest."""
    top = int(np.argmax(np.where(np.isnan(logits), -np.inf, logits)))
    if not np.isfinite(logits[top]):
        raise EngineError("internal", "The model computed no finite logits.")
    return top


def log_probabilities(logits: np.ndarray, token: int, top: int) -> dict[str, Any]:
    """Natural logarithms at temperature 1, as they go over the wire: the token's, and those of the most likely ones."""
    values = np.where(np.isnan(logits), -np.inf, logits.astype(np.float64))
    highest = values.max()
    values = np.maximum(values - (highest + np.log(np.exp(values - highest).sum())), _LEAST_LOG_PROBABILITY)
    best = _top(values, min(top, values.size)) if top else ()
    return {
        "log_prob": float(values[token]),
        "top": [{"token_id": int(place), "log_prob": float(values[place])} for place in best],
    }


def _top(logits: np.ndarray, count: int) -> np.ndarray:
    """The `count` most likely, most likely first, the lower id on ties."""
    values = np.where(np.isnan(logits), -np.inf, logits)
    least = np.partition(values, values.size - count)[values.size - count]
    tokens = np.flatnonzero(values >= least)
    return tokens[_best_first(tokens, values[tokens])][:count]


def _weigh(logits: np.ndarray, highest: float, temperature: float) -> np.ndarray:
    """Weights relative to the most likely token's, f64."""
    with np.errstate(invalid="ignore", over="ignore"):
        weights = np.exp((logits.astype(np.float64) - highest) / temperature)
    return np.where(np.isnan(weights), 0.0, weights)


def _nucleus(tokens: np.ndarray, weights: np.ndarray, wanted: float) -> tuple[np.ndarray, np.ndarray]:
    """The fewest most likely that reach the weight; only those over a falling threshold are sorted."""
    threshold = 1e-2
    while True:
        over = weights >= threshold
        if _sum(weights[over]) >= wanted or over.all() or threshold == 0:
            break
        threshold *= 1e-2
    tokens, weights = tokens[over], weights[over]
    order = _best_first(tokens, weights)
    tokens, weights = tokens[order], weights[order]
    count = int(np.searchsorted(np.cumsum(weights), wanted, side="left")) + 1
    return tokens[:count], weights[:count]


def _draw(tokens: np.ndarray, weights: np.ndarray, point: float) -> int:
    """The first whose running sum is over the point, else the last of any weight."""
    weighty = weights > 0
    if not weighty.any():
        return int(tokens[0])
    tokens, sums = tokens[weighty], np.cumsum(weights[weighty])
    return int(tokens[min(int(np.searchsorted(sums, point, side="right")), tokens.size - 1)])


def _best_first(tokens: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return np.lexsort((tokens, -weights))


def _sum(weights: np.ndarray) -> float:
    """One after the other, as the C# engines add, not pairwise."""
    return float(np.cumsum(weights)[-1]) if weights.size else 0.0
