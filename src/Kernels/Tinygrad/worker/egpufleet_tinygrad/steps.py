"""Where the rows of one device call stand: which slots they belong to, at which positions.

A call computes either one slot's next tokens (`SlotStep`) or one token of every slot (`RowsStep`). Both give the layers
the same four things: rotary angles, which keys each query may see, and how new keys, values and states are kept.
"""

from __future__ import annotations

from tinygrad import Tensor, UOp, dtypes
from tinygrad.uop.ops import KernelInfo


class SlotStep:
    """`count` tokens of the slot `slot` from the position `start` on; both are bound variables or numbers.

    table (2, L, width / 2) holds the cosines and sines, columns (L) the numbers 0..L−1, begin (1) the start again as a
    tensor, for the layers that must tell a fresh slot.
    """

    def __init__(self, slot: int | UOp, start: UOp, count: int, table: Tensor, columns: Tensor, begin: Tensor) -> None:
        self._slot, self._start, self._count = slot, start, count
        self._span = start + count
        self.cosines = table[0, start : start + count].unsqueeze(0)
        self.sines = table[1, start : start + count].unsqueeze(0)
        places = columns[start : start + count]
        self.visible = columns[: self._span].unsqueeze(0) <= places.unsqueeze(1)
        self.visible = self.visible.unsqueeze(0)
        self.fresh = begin.eq(0)

    def keep_kv(self, cache: Tensor, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Writes (1, T, KVH, Hd) of each into the cache (2, S, KVH, L, Hd); gives all so far, (1, KVH, span, Hd)."""
        new = keys.stack(values, dim=0).transpose(2, 3).cast(cache.dtype)
        place = cache[:, self._slot : self._slot + 1, :, self._start : self._start + self._count, :]
        kept = Tensor(cache.uop.after(place.uop.store(new.uop)))
        kept = kept[:, self._slot : self._slot + 1, :, : self._span, :]
        return kept[0], kept[1]

    def state(self, cache: Tensor) -> Tensor:
        """The slot's part of a state (S, ...), zero where the slot begins, copied: (1, ...)."""
        part = cache[self._slot : self._slot + 1]
        return _cleared(part, self.fresh).contiguous()

    def keep_states(self, memory: Tensor, new_memory: Tensor, inputs: Tensor, new_inputs: Tensor) -> Tensor:
        """Writes the slot's two states (1, ...) into those of all slots; gives the memory as it then is."""
        slot = slice(self._slot, self._slot + 1)
        stores = (memory[slot].uop.store(new_memory.uop), inputs[slot].uop.store(new_inputs.uop))
        return Tensor(memory.uop.after(*stores))[slot]


class RowsStep:
    """One token of every slot, at the position of each: an idle slot writes where nobody reads and keeps its states.

    positions and active (S) are i32, span the number of columns any active row may see, a bound variable.
    """

    def __init__(self, positions: Tensor, active: Tensor, span: UOp, table: Tensor, columns: Tensor) -> None:
        self._positions, self._span = positions, span
        self._active = active.ne(0)
        angles = table[:, positions].contiguous()
        self.cosines, self.sines = angles[0].unsqueeze(1), angles[1].unsqueeze(1)
        self.visible = (columns[:span].unsqueeze(0) <= positions.unsqueeze(1)).unsqueeze(1)
        self.fresh = positions.eq(0)

    def keep_kv(self, cache: Tensor, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Writes (S, 1, KVH, Hd) of each into the cache (2, S, KVH, L, Hd); gives (S, KVH, span, Hd) of each."""
        new = keys.stack(values, dim=0).squeeze(2).cast(cache.dtype).contiguous()
        kept = Tensor.custom_kernel(cache, new, self._positions, fxn=_store_rows)[0]
        kept = kept[:, :, :, : self._span, :]
        return kept[0], kept[1]

    def state(self, cache: Tensor) -> Tensor:
        """A state (S, ...) with the rows that begin set to zero, copied."""
        return _cleared(cache, self.fresh).contiguous()

    def keep_states(self, memory: Tensor, new_memory: Tensor, inputs: Tensor, new_inputs: Tensor) -> Tensor:
        """Writes the two states of active rows; gives the memory as it then is."""
        kept_memory, kept_inputs = self._chosen(memory, new_memory), self._chosen(inputs, new_inputs)
        stores = (memory.uop.store(kept_memory.uop), inputs.uop.store(kept_inputs.uop))
        return Tensor(memory.uop.after(*stores))

    def _chosen(self, old: Tensor, new: Tensor) -> Tensor:
        return self._active.reshape(-1, *([1] * (old.ndim - 1))).where(new, old)


def _cleared(state: Tensor, fresh: Tensor) -> Tensor:
    return fresh.reshape(-1, *([1] * (state.ndim - 1))).where(0, state)


def _store_rows(cache: UOp, new: UOp, positions: UOp) -> UOp:
    """cache[side, row, head, positions[row], lane] = new[side, row, head, lane], in one kernel for all rows."""
    side, row, head, lane = (UOp.range(size, axis) for axis, size in enumerate(new.shape))
    place = cache[side, row, head, positions[row].load().cast(dtypes.weakint), lane]
    stored = place.store(new[side, row, head, lane].load()).end(side, row, head, lane)
    return stored.sink(arg=KernelInfo(name="store_rows"))
