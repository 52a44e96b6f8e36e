"""The slots of a model: which tokens each holds, and which slot a new prompt can go on from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from .generation import Generation


@dataclass
class Slot:
    """A place in the model's states.

    held: the tokens whose keys, values and states are there, in order; they outlive their generation, so that a prompt
    which begins with them need not compute them again. used: when it was last given away, in generations.
    """

    number: int
    held: list[int] = field(default_factory=list)
    generation: Generation | None = None
    used: int = 0


def choose_slot(slots: Sequence[Slot], prompt: Sequence[int], recurrent: bool, reuse: bool) -> tuple[Slot, int] | None:
    """The free slot to use and how many of its tokens to keep, or None where all are busy.

    The longest common beginning wins, then the slot used longest ago. The last token of a prompt is always computed,
    as its logits are needed. A recurrent state is at its last token and nowhere else: it is kept whole or not at all.
    """
    free = [slot for slot in slots if slot.generation is None]
    if not free:
        return None
    kept = {slot.number: _kept(slot.held, prompt, recurrent) if reuse else 0 for slot in free}
    best = max(free, key=lambda slot: (kept[slot.number], -slot.used))
    return best, kept[best.number]


def _kept(held: Sequence[int], prompt: Sequence[int], recurrent: bool) -> int:
    most = min(len(held), len(prompt) - 1)
    common = next((place for place in range(most) if held[place] != prompt[place]), most)
    return common if not recurrent or common == len(held) else 0
