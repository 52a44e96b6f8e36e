"""A frozen matrix with its adapter: y = x Wᵀ + bias + scale · (x Aᵀ) Bᵀ, and the way back through it by hand.

By hand, because nothing is then ever computed or kept for W: its numbers stay quantised, and only sums of products with
them leave a kernel.
"""

from __future__ import annotations

from dataclasses import dataclass

from tinygrad import Tensor

from .adapter import Layout


@dataclass(frozen=True)
class Gradients:
    """Where a pass adds gradients: the flat sums of A and B, and what to store into their slices."""

    a: Tensor | None
    b: Tensor
    layout: Layout
    a_stores: list[object]
    b_stores: list[object]

    @staticmethod
    def into(a: Tensor | None, b: Tensor, layout: Layout) -> Gradients:
        """`a` is None where only B is trained."""
        return Gradients(a, b, layout, [], [])

    def add(self, target: str, of_a: Tensor | None, of_b: Tensor) -> None:
        """Adds to the sums of one target."""
        if self.a is not None and of_a is not None:
            slot = self.layout.a[target]
            self.a_stores.append(_added(self.a[slot.start : slot.stop], of_a))
        slot = self.layout.b[target]
        self.b_stores.append(_added(self.b[slot.start : slot.stop], of_b))

    def finish(self) -> list[Tensor]:
        """The sums, to be realised."""
        sums = [] if self.a is None else [Tensor(self.a.uop.after(*self.a_stores))]
        return [*sums, Tensor(self.b.uop.after(*self.b_stores))]


@dataclass(frozen=True)
class Linear:
    """weight (out, in), bias (out) or none; A (rank, in) and B (out, rank) or none of both."""

    name: str
    weight: Tensor
    bias: Tensor | None
    a: Tensor | None
    b: Tensor | None
    scale: float

    def forward(self, x: Tensor) -> Tensor:
        """x (N, in): (N, out)."""
        y = x @ self.weight.transpose(0, 1)
        if self.bias is not None:
            y = y + self.bias
        if self.a is not None and self.b is not None:
            y = y + self._narrow(x) @ self.b.transpose(0, 1) * self.scale
        return y.contiguous()

    def backward(self, g: Tensor, x: Tensor, gradients: Gradients) -> Tensor:
        """From the gradient g (N, out) of the outputs that of the inputs x (N, in); adds those of A and B."""
        back = g @ self.weight
        if self.a is None or self.b is None:
            return back.contiguous()
        inner = (g @ self.b * self.scale).contiguous()
        of_a = inner.transpose(0, 1) @ x if gradients.a is not None else None
        gradients.add(self.name, of_a, g.transpose(0, 1) @ self._narrow(x) * self.scale)
        return (back + inner @ self.a).contiguous()

    def _narrow(self, x: Tensor) -> Tensor:
        assert self.a is not None
        return (x @ self.a.transpose(0, 1)).contiguous()


def _added(place: Tensor, value: Tensor) -> object:
    return place.uop.store((place + value.reshape(-1)).uop)
