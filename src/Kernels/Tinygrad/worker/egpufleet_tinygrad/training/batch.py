"""A batch of rows as it comes over the wire, and the passes it is computed in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..errors import invalid

_ID_BYTES = 4


@dataclass(frozen=True)
class TrainBatch:
    """Token ids, what follows each (-1: nothing is learnt) and the number of its sample: i32 (rows, row tokens) each."""

    inputs: np.ndarray
    targets: np.ndarray
    segments: np.ndarray

    @property
    def trained_tokens(self) -> int:
        """Positions with a target."""
        return int((self.targets >= 0).sum())

    @property
    def mixes(self) -> bool:
        """Whether any trained position sees another one: only then queries and keys have gradients."""
        neighbours = self.segments[:, 1:] == self.segments[:, :-1]
        return bool((neighbours & (self.targets[:, 1:] >= 0)).any())

    def passes(self, rows: int) -> Iterator[TrainBatch]:
        """So many rows each; the last is filled up with rows that teach nothing."""
        for start in range(0, len(self.inputs), rows):
            parts = [part[start : start + rows] for part in (self.inputs, self.targets, self.segments)]
            missing = ((0, rows - len(parts[0])), (0, 0))
            yield TrainBatch(*(np.pad(part, missing, constant_values=value) for part, value in zip(parts, (0, -1, 0))))


def read_batch(body: bytes, rows: int, row_tokens: int, vocabulary: int) -> TrainBatch:
    """Inputs, targets and segments, i32 little-endian, one after another. Raises EngineError invalid_request."""
    wanted = 3 * rows * row_tokens * _ID_BYTES
    if len(body) != wanted:
        raise invalid(f"A batch of {rows} rows of {row_tokens} tokens has {wanted} bytes, not {len(body)}.")
    inputs, targets, segments = np.frombuffer(body, "<i4").astype(np.int32).reshape(3, rows, row_tokens)
    if inputs.min() < 0 or inputs.max() >= vocabulary:
        raise invalid(f"A token is not in 0..{vocabulary - 1}.")
    if targets.min() < -1 or targets.max() >= vocabulary:
        raise invalid(f"A target is not in -1..{vocabulary - 1}.")
    if (targets < 0).all():
        raise invalid("A batch without a target teaches nothing.")
    if segments.min() < 0 or (np.diff(segments, axis=1) < 0).any():
        raise invalid("Segments count up from 0 within a row.")
    return TrainBatch(inputs, targets, segments)
