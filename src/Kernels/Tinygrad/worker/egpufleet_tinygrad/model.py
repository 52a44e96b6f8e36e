"""A loaded model: its weights and states on the device, and the captured graphs that compute it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext

import numpy as np
from tinygrad import Tensor, TinyJit, UOp, dtypes

from .blocks import Step, attention, feed_forward
from .config import ModelConfig
from .decoding import LoadOptions, Row
from .deltanet import delta_net
from .device import device_array, read_array, write_array
from .errors import bad_model
from .gguf import GgufFile
from .memory import kv_length
from .rope import rope_table
from .steps import RowsStep, SlotStep
from .tensors import block_prefix, ffn_norm_name, select_tensors
from .tuning import StepKernels
from .weights import Weights, load_tensor, read_bytes

_KV_TYPES = {"f16": dtypes.float16, "f32": dtypes.float32}
_WARM_UPS = 3
"""A TinyJit runs as it is, then captures, then replays: the third call is as fast as all later ones."""


class DeviceDecoded:
    """What one decode call gave: for row i the most likely token (lowest id on ties) and its logit, and the logits."""

    def __init__(self, packed: np.ndarray, logits: Tensor, places: list[int]) -> None:
        self._places = places
        self.tokens: list[int] = packed[0].tolist()
        self.highest: list[float] = packed[1].view(np.float32).tolist()
        self._logits = logits
        self._read: np.ndarray | None = None

    def logits(self, row: int) -> np.ndarray:
        """The logits (vocabulary) of one row, f32; only until the model's next call."""
        if self._read is None:
            self._read = read_array(self._logits, np.float32)
        return self._read[self._places[row]]


class Model:
    """Computes prompts in chunks and decodes one token of one slot, or of all slots in one call.

    Layers with attention keep keys and values (2, slots, KV heads, columns, head width); gated delta nets keep two f32
    states per slot. Nothing here knows which slot holds whose tokens. `kernels`: with what its kernels are compiled; None
    for a model that is computed as tinygrad alone would.
    """

    def __init__(
        self, file: GgufFile, config: ModelConfig, options: LoadOptions, kernels: StepKernels | None = None
    ) -> None:
        self.config = config
        self.options = options
        self.kernels = kernels
        self._length = kv_length(config, options.context_tokens)
        self._weights = self._load(file)
        self._states = [self._state(layer) for layer in range(config.layers)]
        self._columns = device_array(np.arange(self._length, dtype=np.int32))
        self._table = device_array(rope_table(config.rope, self._length, self._rope_factors(file)))
        self._start = UOp.variable("start", 0, options.context_tokens - 1)
        self._span = UOp.variable("span", 1, options.context_tokens)
        self._slot = UOp.variable("slot", 0, options.sequences - 1) if options.sequences > 1 else None
        self._prepare()

    def prefill(self, slot: int, start: int, tokens: Sequence[int]) -> None:
        """Computes a chunk of a prompt; its size is one of `config.chunk_tokens`. Gives no logits."""
        self._prefills[len(tokens)](slot, start, tokens)

    def decode(self, rows: Sequence[Row]) -> DeviceDecoded:
        """Computes one token of each row, at most one row per slot; row i of the result is row i of the argument."""
        if self._one is not None and (len(rows) == 1 or self._all is None):
            (row,) = rows
            return _unpack(self._one(row.slot, row.position, [row.token]), [0])
        assert self._all is not None
        return _unpack(self._all(rows), [row.slot for row in rows])

    def warm_up(self) -> None:
        """Captures every graph. What it leaves in the slots is overwritten by whoever uses them first."""
        for _ in range(_WARM_UPS):
            for count in self._prefills:
                self.prefill(0, 0, [0] * count)
            if self._one is not None:
                self.decode([Row(0, 0, 0)])
            if self._all is not None:
                self.decode([Row(slot, 0, 0) for slot in range(self.options.sequences)])

    def forget_tunings(self) -> bool:
        """Has every graph captured anew, without what was tuned; False where nothing was."""
        if self.kernels is None or not self.kernels.forget():
            return False
        self._prepare()
        return True

    def forward(self, tokens: Tensor, step: Step) -> Tensor:
        """The hidden states (B, T, width) of token ids (B, T) behind the last layer, not yet normalised."""
        x = self._weights["token_embd.weight"][tokens].float().contiguous()
        for layer in range(self.config.layers):
            x = self._layer(x, layer, step)
        return x

    def head(self, hidden: Tensor) -> tuple[Tensor, Tensor]:
        """From hidden states (B, width): (2, B) i32, the best token and its logit's bits, and the logits (B, V) f32."""
        normal = self._weights.norm("output_norm", hidden, self.config.norm_epsilon)
        name = "output" if "output.weight" in self._weights else "token_embd"
        logits = self._weights.linear(name, normal.contiguous()).float().contiguous()
        best = logits.argmax(-1).cast(dtypes.int32)
        return best.stack(logits.max(-1).bitcast(dtypes.int32), dim=0).contiguous(), logits

    def capturing(self) -> AbstractContextManager[None]:
        """Holds while a graph of this model runs, and so also while it is captured."""
        return nullcontext() if self.kernels is None else self.kernels.capturing()

    def slot_step(self, slot: int | UOp, start: UOp, count: int, begin: Tensor) -> SlotStep:
        """Where one slot's next tokens stand."""
        return SlotStep(slot, start, count, self._table, self._columns, begin)

    def rows_step(self, positions: Tensor, active: Tensor, span: UOp) -> RowsStep:
        """Where one token of every slot stands."""
        return RowsStep(positions, active, span, self._table, self._columns)

    @property
    def idle_position(self) -> int:
        """A column no query sees, for the rows of idle slots."""
        return self._length - 1

    def bind_slot(self, slot: int) -> int | UOp:
        """The slot as the captured graphs take it."""
        return 0 if self._slot is None else self._slot.bind(slot)

    def bind_start(self, position: int) -> UOp:
        """A position as the captured graphs take it."""
        return self._start.bind(position)

    def bind_span(self, columns: int) -> UOp:
        """How many columns any row sees, as the captured graphs take it."""
        return self._span.bind(columns)

    def _prepare(self) -> None:
        options = self.options
        self._prefills = {count: _SlotCall(self, count, head=False) for count in self.config.chunk_tokens}
        one_row_is_its_own = options.sequences == 1 or not options.exact
        self._one = _SlotCall(self, 1, head=True) if one_row_is_its_own else None
        self._all = _RowsCall(self) if options.sequences > 1 else None

    def _layer(self, x: Tensor, layer: int, step: Step) -> Tensor:
        config, weights, states = self.config, self._weights.under(block_prefix(layer)), self._states[layer]
        normal = weights.norm("attn_norm", x, config.norm_epsilon).contiguous()
        mix = delta_net if config.recurrent[layer] else attention
        x = (x + mix(normal, weights, config, step, *states)).contiguous()
        name = ffn_norm_name(config).removesuffix(".weight")
        normal = weights.norm(name, x, config.norm_epsilon).contiguous()
        return (x + feed_forward(normal, weights)).contiguous()

    def _load(self, file: GgufFile) -> Weights:
        tensors = select_tensors(file, self.config, range(self.config.layers))
        return Weights({tensor.name: load_tensor(file.path, tensor) for tensor in tensors})

    def _rope_factors(self, file: GgufFile) -> np.ndarray | None:
        tensor = file.tensors.get("rope_freqs.weight")
        if tensor is None:
            return None
        if tensor.type.name != "F32":
            raise bad_model(f"The tensor rope_freqs.weight is {tensor.type.name}, not F32.")
        return read_bytes(file.path, tensor).view(np.float32).astype(np.float64)

    def _state(self, layer: int) -> tuple[Tensor, ...]:
        config, slots = self.config, self.options.sequences
        delta = config.delta
        if not config.recurrent[layer]:
            shape = (2, slots, config.kv_heads, self._length, config.head_width)
            return (_zeros(_KV_TYPES[self.options.kv], *shape),)
        assert delta is not None
        inputs = _zeros(dtypes.float32, slots, delta.kernel - 1, delta.channels)
        return inputs, _zeros(dtypes.float32, slots, delta.value_heads, delta.value_width, delta.key_width)


class _SlotCall:
    """The captured graph for `count` tokens of one slot, with or without the output head."""

    def __init__(self, model: Model, count: int, head: bool) -> None:
        self._model, self._count, self._head = model, count, head
        self._inputs = device_array(np.zeros(count + 1, np.int32))
        self._jit: Callable[..., tuple[Tensor, ...]] = TinyJit(self._run)

    def __call__(self, slot: int, start: int, tokens: Sequence[int]) -> tuple[Tensor, ...]:
        write_array(self._inputs, np.array([start, *tokens], np.int32))
        with self._model.capturing():
            return self._jit(self._inputs, self._model.bind_slot(slot), self._model.bind_start(start))

    def _run(self, inputs: Tensor, slot: int | UOp, start: UOp) -> tuple[Tensor, ...]:
        step = self._model.slot_step(slot, start, self._count, inputs[:1])
        hidden = self._model.forward(inputs[1:].unsqueeze(0), step)[:, -1]
        results = self._model.head(hidden) if self._head else (hidden.contiguous(),)
        Tensor.realize(*results)
        return results


class _RowsCall:
    """The captured graph for one token of every slot."""

    def __init__(self, model: Model) -> None:
        self._model = model
        slots = model.options.sequences
        self._tokens, self._positions, self._active = (device_array(np.zeros(slots, np.int32)) for _ in range(3))
        self._jit: Callable[..., tuple[Tensor, Tensor]] = TinyJit(self._run)

    def __call__(self, rows: Sequence[Row]) -> tuple[Tensor, Tensor]:
        model, slots = self._model, self._model.options.sequences
        tokens, active = np.zeros(slots, np.int32), np.zeros(slots, np.int32)
        positions = np.full(slots, model.idle_position, np.int32)
        for row in rows:
            tokens[row.slot], positions[row.slot], active[row.slot] = row.token, row.position, 1
        for tensor, values in zip((self._tokens, self._positions, self._active), (tokens, positions, active)):
            write_array(tensor, values)
        span = model.bind_span(max(row.position for row in rows) + 1)
        with model.capturing():
            return self._jit(self._tokens, self._positions, self._active, span)

    def _run(self, tokens: Tensor, positions: Tensor, active: Tensor, span: UOp) -> tuple[Tensor, Tensor]:
        step = self._model.rows_step(positions, active, span)
        results = self._model.head(self._model.forward(tokens.unsqueeze(1), step)[:, -1])
        Tensor.realize(*results)
        return results


def _unpack(results: tuple[Tensor, ...], rows: list[int]) -> DeviceDecoded:
    packed, logits = results
    return DeviceDecoded(read_array(packed, np.int32)[:, rows], logits, rows)


def _zeros(dtype: object, *shape: int) -> Tensor:
    # Zeros, not whatever the memory held: a masked column still takes part with weight 0, and 0 × NaN is NaN.
    return Tensor.zeros(*shape, dtype=dtype).contiguous().realize()
