"""What a model's metadata says about its shape, checked; what this engine cannot compute is refused here, by name."""

from __future__ import annotations

from dataclasses import dataclass

from . import limits
from .errors import bad_model
from .gguf import GgufFile
from .metadata import ModelMetadata

ARCHITECTURES = ("llama", "qwen2", "qwen3", "qwen35")
"""GGUF `general.architecture` values this engine computes."""

_UNSUPPORTED = (
    ("expert_count", "mixture-of-experts layers"),
    ("attention.sliding_window", "sliding-window attention"),
    ("attention.kv_lora_rank", "latent attention"),
    ("attn_logit_softcapping", "soft-capped attention"),
    ("final_logit_softcapping", "soft-capped logits"),
    ("attention.scale", "a scale of the attention of its own"),
    ("logit_scale", "scaled logits"),
    ("embedding_scale", "scaled embeddings"),
    ("residual_scale", "scaled residuals"),
    ("attention.clamp_kqv", "clamped projections"),
)
_DEFAULT_FULL_ATTENTION_INTERVAL = 4


@dataclass(frozen=True)
class Rope:
    """Rotary positions: `width` leading values of each head are turned, in pairs.

    `interleaved`: pairs are neighbours (2i, 2i+1), else (i, i + width/2). Angles are position × base^(−2i/width) ×
    `scale`, each divided by its factor in `rope_freqs.weight` where the file has that tensor.
    """

    width: int
    base: float
    scale: float
    interleaved: bool


@dataclass(frozen=True)
class DeltaNet:
    """Shape of the gated-delta-net layers.

    `key_heads` × `key_width` queries and keys, `value_heads` × `value_width` values; `kernel` inputs per convolution.
    """

    key_heads: int
    key_width: int
    value_heads: int
    value_width: int
    kernel: int

    @property
    def keys(self) -> int:
        """Values of all query (or key) heads of a token."""
        return self.key_heads * self.key_width

    @property
    def values(self) -> int:
        """Values of all value heads of a token."""
        return self.value_heads * self.value_width

    @property
    def channels(self) -> int:
        """Width of the convolution: queries, keys and values."""
        return 2 * self.keys + self.values


@dataclass(frozen=True)
class ModelConfig:
    """Shape of a model. Widths are numbers of values, `recurrent` says per layer whether it is a gated delta net."""

    architecture: str
    layers: int
    width: int
    hidden: int
    heads: int
    kv_heads: int
    head_width: int
    norm_epsilon: float
    vocabulary: int
    trained_context: int
    rope: Rope
    recurrent: tuple[bool, ...]
    delta: DeltaNet | None
    gated_attention: bool

    @property
    def is_recurrent(self) -> bool:
        """Whether any layer keeps a state that cannot be cut back to an earlier position."""
        return any(self.recurrent)

    @property
    def chunk_tokens(self) -> tuple[int, ...]:
        """Sizes in which a prompt is computed, largest first."""
        return limits.RECURRENT_CHUNK_TOKENS if self.is_recurrent else limits.CHUNK_TOKENS


def read_config(file: GgufFile) -> ModelConfig:
    """Raises EngineError model_invalid where the model is not one this engine computes."""
    metadata = ModelMetadata(file)
    if metadata.architecture not in ARCHITECTURES:
        raise bad_model(f"The architecture {metadata.architecture} is none of {', '.join(ARCHITECTURES)}.")
    for key, feature in _UNSUPPORTED:
        if metadata.is_set(key):
            raise bad_model(f"{metadata.architecture}.{key}: {feature} is not supported by this engine.")
    heads = metadata.count("attention.head_count", limits.WIDTH)
    kv_heads = metadata.count("attention.head_count_kv", limits.WIDTH, heads)
    width = metadata.count("embedding_length", limits.WIDTH)
    head_width = metadata.count("attention.key_length", limits.WIDTH, max(width // heads, 1))
    if metadata.count("attention.value_length", limits.WIDTH, head_width) != head_width:
        raise bad_model("Heads whose keys and values differ in width are not supported by this engine.")
    if heads % kv_heads:
        raise bad_model(f"{heads} heads cannot share {kv_heads} key-value heads evenly.")
    layers = _layers(metadata)
    recurrent, delta = _recurrence(metadata, layers)
    return ModelConfig(
        architecture=metadata.architecture,
        layers=layers,
        width=width,
        hidden=metadata.count("feed_forward_length", limits.WIDTH),
        heads=heads,
        kv_heads=kv_heads,
        head_width=head_width,
        norm_epsilon=metadata.number("attention.layer_norm_rms_epsilon"),
        vocabulary=_vocabulary(file),
        trained_context=metadata.count("context_length", limits.CONTEXT),
        rope=_rope(metadata, head_width),
        recurrent=recurrent,
        delta=delta,
        gated_attention=metadata.architecture == "qwen35",
    )


def _layers(metadata: ModelMetadata) -> int:
    """Without the draft blocks at the end, which only speculative decoding runs."""
    blocks = metadata.count("block_count", limits.LAYERS)
    drafts = metadata.count("nextn_predict_layers", blocks) if metadata.has("nextn_predict_layers") else 0
    if drafts >= blocks:
        raise bad_model("The file has draft blocks only.")
    return blocks - drafts


def _vocabulary(file: GgufFile) -> int:
    table = file.tensors.get("token_embd.weight")
    if table is None or len(table.shape) != 2:
        raise bad_model("The file has no token_embd.weight of two dimensions.")
    return table.shape[0]


def _rope(metadata: ModelMetadata, head_width: int) -> Rope:
    width = metadata.count("rope.dimension_count", limits.WIDTH, head_width)
    if width > head_width or width % 2:
        raise bad_model(f"Rotary positions over {width} of {head_width} values are not supported.")
    kind = metadata.text("rope.scaling.type", "none")
    if kind not in ("none", "linear"):
        raise bad_model(f"The rotary scaling {kind} is not supported by this engine.")
    factor = metadata.number("rope.scaling.factor" if kind == "linear" else "rope.scale_linear", 1.0)
    base = metadata.number("rope.freq_base", 10000.0)
    return Rope(width, base, 1.0 / factor, interleaved=metadata.architecture == "llama")


def _recurrence(metadata: ModelMetadata, layers: int) -> tuple[tuple[bool, ...], DeltaNet | None]:
    if metadata.architecture != "qwen35":
        return (False,) * layers, None
    interval = metadata.count("full_attention_interval", limits.LAYERS, _DEFAULT_FULL_ATTENTION_INTERVAL)
    announced = metadata.flags("attention.recurrent_layers", metadata.count("block_count", limits.LAYERS))
    recurrent = announced[:layers] if announced else tuple((layer + 1) % interval != 0 for layer in range(layers))
    value_heads = metadata.count("ssm.time_step_rank", limits.WIDTH)
    inner = metadata.count("ssm.inner_size", limits.WIDTH)
    delta = DeltaNet(
        key_heads=metadata.count("ssm.group_count", limits.WIDTH),
        key_width=metadata.count("ssm.state_size", limits.WIDTH),
        value_heads=value_heads,
        value_width=max(inner // value_heads, 1),
        kernel=metadata.count("ssm.conv_kernel", limits.WIDTH),
    )
    if delta.values != inner or delta.value_heads % delta.key_heads or delta.kernel < 2:
        raise bad_model(f"The gated delta net's shape is not supported: {delta}, inner size {inner}.")
    return recurrent, delta
