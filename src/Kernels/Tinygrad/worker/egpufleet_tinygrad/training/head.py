"""From hidden states to losses and back, a piece of the positions at a time: logits of a whole batch are never held."""

from __future__ import annotations

from tinygrad import Tensor, dtypes

from ..weights import Weights


class Head:
    """The last norm and the output matrix, both frozen. x (C, width) of C positions."""

    def __init__(self, weights: Weights, epsilon: float) -> None:
        self._weights, self._epsilon = weights, epsilon
        self._matrix = weights["output.weight" if "output.weight" in weights else "token_embd.weight"]

    def best(self, x: Tensor) -> Tensor:
        """The most likely token of each position, the lowest id on ties: (C) i32."""
        return self._logits(self._norm(x).contiguous()).argmax(-1).cast(dtypes.int32)

    def losses(self, x: Tensor, targets: Tensor) -> Tensor:
        """Cross-entropy (C) in nats; 0 where the target is -1."""
        return self._losses(self._logits(self._norm(x).contiguous()), targets)

    def backward(self, x: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """The losses, and the gradient of x by their sum."""
        normal = self._norm(x)
        logits = self._logits(normal.contiguous())
        wanted = targets.unsqueeze(1)
        chosen = (_ids(logits) == wanted).where(1.0, 0.0)
        of_logits = ((wanted >= 0).where(logits.softmax(-1) - chosen, 0.0)).contiguous()
        back = (of_logits @ self._matrix).contiguous()
        return self._losses(logits, targets), normal.gradient(x, gradient=back)[0]

    def _losses(self, logits: Tensor, targets: Tensor) -> Tensor:
        picked = (_ids(logits) == targets.unsqueeze(1)).where(logits, 0.0).sum(-1)
        return (targets >= 0).where(logits.logsumexp(-1) - picked, 0.0)

    def _logits(self, normal: Tensor) -> Tensor:
        return (normal @ self._matrix.transpose(0, 1)).float().contiguous()

    def _norm(self, x: Tensor) -> Tensor:
        return self._weights.norm("output_norm", x, self._epsilon)


def _ids(logits: Tensor) -> Tensor:
    return Tensor.arange(logits.shape[-1], dtype=dtypes.int32).unsqueeze(0)
