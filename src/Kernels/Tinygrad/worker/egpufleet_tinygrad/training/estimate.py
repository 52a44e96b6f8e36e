"""What a session needs on a device, in bytes, from the model's header and the session's shape alone."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

from ..config import ModelConfig
from ..errors import EngineError
from ..memory import DEVICE_RESERVE_BYTES
from .adapter import Layout
from .block import cut_widths
from .frozen import Kind
from .graphs import head_tokens
from .spec import TrainSpec

_F32 = 4
_SLACK_BYTES = 1 << 20
"""Scalars, tables, and what allocators round up."""


@dataclass(frozen=True)
class TrainEstimate:
    """The base as it is stored; the adapter and its gradients; moments; what a pass keeps and what its graphs work in."""

    base_bytes: int
    trained_bytes: int
    optimizer_bytes: int
    activation_bytes: int
    available_bytes: int

    @property
    def memory_bytes(self) -> int:
        """The sum of the parts."""
        return self.base_bytes + self.trained_bytes + self.optimizer_bytes + self.activation_bytes

    def to_wire(self) -> dict[str, int]:
        """The result of the verb train_estimate."""
        return asdict(self) | {"memory_bytes": self.memory_bytes}


def estimate_training(
    config: ModelConfig, spec: TrainSpec, edges: Kind, layers: list[Kind], capacity_bytes: int | None, used_bytes: int
) -> TrainEstimate:
    """An upper estimate; no capacity known: all that is needed counts as available."""
    layout = Layout.of(config, spec.adapter)
    trained = config.layers * (layout.b_size + (0 if spec.adapter.frozen_a else layout.a_size))
    values = config.layers * (layout.a_size + layout.b_size)
    made = TrainEstimate(
        base_bytes=sum(tensor.nbytes for kind in [edges, *layers] for _, tensor in kind.tensors),
        trained_bytes=_F32 * (values + trained),
        optimizer_bytes=_F32 * 2 * trained,
        activation_bytes=_activations(config, spec, len({kind.key for kind in layers})),
        available_bytes=0,
    )
    free = made.memory_bytes if capacity_bytes is None else capacity_bytes - used_bytes - DEVICE_RESERVE_BYTES
    return TrainEstimate(**(asdict(made) | {"available_bytes": max(free, 0)}))


def require_room(needed: TrainEstimate, smaller: TrainEstimate | None) -> None:
    """Raises EngineError out_of_memory, saying what would fit: `smaller` is the estimate with recomputation, or None."""
    if needed.memory_bytes <= needed.available_bytes:
        return
    text = f"Training needs about {needed.memory_bytes} bytes and {needed.available_bytes} are free"
    if smaller is not None and smaller.memory_bytes <= needed.available_bytes:
        advice = f"with recompute it needs {smaller.memory_bytes}"
    elif needed.base_bytes + needed.trained_bytes + needed.optimizer_bytes > needed.available_bytes:
        advice = f"the model and its adapter alone need {needed.memory_bytes - needed.activation_bytes}: take a smaller one"
    else:
        advice = "take fewer rows per pass, shorter rows, or recompute"
    raise EngineError("out_of_memory", f"{text}; {advice}.", needed.memory_bytes, needed.available_bytes)


def _activations(config: ModelConfig, spec: TrainSpec, kinds: int) -> int:
    """Of training passes, and of the forward passes over one row that continue a prompt."""
    trained = _pass_values(config, spec, kinds, is_trained=True)
    one_row = replace(spec, rows_per_pass=1, recompute=True)
    continued = 0 if spec.rows_per_pass == 1 else _pass_values(config, one_row, kinds, is_trained=False)
    return _F32 * (trained + continued) + _SLACK_BYTES


def _pass_values(config: ModelConfig, spec: TrainSpec, kinds: int, is_trained: bool) -> int:
    """Numbers that are kept, and that the graphs of each kind of layer and of the head work in."""
    count, rank = spec.rows_per_pass * spec.row_tokens, spec.adapter.rank
    cuts = sum(cut_widths(config))
    kept = (config.layers + 2) * config.width + (1 if spec.recompute else config.layers) * cuts + config.rope.width + 4
    queries, keys = config.heads * config.head_width, config.kv_heads * config.head_width
    scores = spec.rows_per_pass * config.heads * spec.row_tokens**2
    forward = count * (3 * config.width + 2 * queries + 2 * keys + config.hidden + 7 * rank) + 2 * scores
    backward = count * (8 * config.width + 5 * queries + 6 * keys + 5 * config.hidden + 14 * rank) + 4 * scores
    piece = head_tokens(count, config.vocabulary)
    head = piece * (6 * config.vocabulary + 6 * config.width)
    return count * kept + kinds * (forward + (backward if is_trained else 0)) + head
