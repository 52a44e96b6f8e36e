"""Which tensors each architecture has, with their shapes: what is missing, misshapen or unknown is refused."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from .config import ModelConfig
from .errors import bad_model
from .gguf import GgufFile, GgufTensor
from .gguf_types import FLOAT_TYPES, QUANTISED_TYPES

Shapes = dict[str, tuple[int, ...]]

_IGNORED = frozenset({"attn_rot_embd.weight", "attn_rot_embd.freqs", "attn_rot_embd"})
"""Rotary tables of old converters: the angles are computed."""


@dataclass(frozen=True)
class TensorList:
    """Names and row-major shapes of the tensors that one part of a model must have, and may have."""

    required: Shapes
    optional: Shapes = field(default_factory=dict)


def block_prefix(layer: int) -> str:
    """How the names of a layer's tensors begin."""
    return f"blk.{layer}."


def ffn_norm_name(config: ModelConfig) -> str:
    """The norm before the feed-forward part, without its layer."""
    return "post_attention_norm.weight" if config.architecture == "qwen35" else "ffn_norm.weight"


def layer_tensors(config: ModelConfig, layer: int) -> TensorList:
    """The tensors of one layer, names without `block_prefix`."""
    mixing = _delta_tensors(config) if config.recurrent[layer] else _attention_tensors(config)
    required: Shapes = {
        "attn_norm.weight": (config.width,),
        ffn_norm_name(config): (config.width,),
        "ffn_gate.weight": (config.hidden, config.width),
        "ffn_up.weight": (config.hidden, config.width),
        "ffn_down.weight": (config.width, config.hidden),
    }
    return TensorList(mixing.required | required, mixing.optional)


def model_tensors(config: ModelConfig) -> TensorList:
    """The tensors around the layers. Without `output.weight` the embedding table is also the output's."""
    table = (config.vocabulary, config.width)
    return TensorList(
        {"token_embd.weight": table, "output_norm.weight": (config.width,)},
        {"output.weight": table, "rope_freqs.weight": (config.rope.width // 2,)},
    )


def select_tensors(file: GgufFile, config: ModelConfig, layers: range) -> list[GgufTensor]:
    """The tensors that a worker of these layers loads; embeddings and output only with the first and the last layer.

    Raises EngineError model_invalid for a tensor that is missing, misshapen, of an unsupported type, or that belongs to
    a layer but not to this architecture: computing without it would give wrong tokens.
    """
    selected: list[GgufTensor] = []
    edges = model_tensors(config)
    names = ["rope_freqs.weight"]
    names += ["token_embd.weight"] if layers.start == 0 else []
    if layers.stop == config.layers:
        names += ["output_norm.weight", "output.weight" if "output.weight" in file.tensors else "token_embd.weight"]
    wanted = {name: shape for name, shape in (edges.required | edges.optional).items() if name in names}
    selected += _check(file, "", wanted, required=[name for name in wanted if name in edges.required])
    for layer in layers:
        kinds = layer_tensors(config, layer)
        prefix = block_prefix(layer)
        _refuse_unknown(file, prefix, kinds)
        selected += _check(file, prefix, kinds.required | kinds.optional, required=kinds.required)
    return selected


def _attention_tensors(config: ModelConfig) -> TensorList:
    queries, keys = config.heads * config.head_width, config.kv_heads * config.head_width
    projected = queries * 2 if config.gated_attention else queries
    required: Shapes = {
        "attn_q.weight": (projected, config.width),
        "attn_k.weight": (keys, config.width),
        "attn_v.weight": (keys, config.width),
        "attn_output.weight": (config.width, queries),
    }
    biases: Shapes = {"attn_q.bias": (projected,), "attn_k.bias": (keys,), "attn_v.bias": (keys,)}
    if config.architecture == "qwen2":
        return TensorList(required | biases)
    if config.architecture in ("qwen3", "qwen35"):
        norms: Shapes = {"attn_q_norm.weight": (config.head_width,), "attn_k_norm.weight": (config.head_width,)}
        return TensorList(required | norms)
    return TensorList(required, biases | {"attn_output.bias": (config.width,)})


def _delta_tensors(config: ModelConfig) -> TensorList:
    delta = config.delta
    assert delta is not None
    return TensorList(
        {
            "attn_qkv.weight": (delta.channels, config.width),
            "attn_gate.weight": (delta.values, config.width),
            "ssm_conv1d.weight": (delta.channels, delta.kernel),
            "ssm_dt.bias": (delta.value_heads,),
            "ssm_a": (delta.value_heads,),
            "ssm_beta.weight": (delta.value_heads, config.width),
            "ssm_alpha.weight": (delta.value_heads, config.width),
            "ssm_norm.weight": (delta.value_width,),
            "ssm_out.weight": (config.width, delta.values),
        }
    )


def _check(file: GgufFile, prefix: str, shapes: Shapes, required: Iterable[str]) -> list[GgufTensor]:
    found: list[GgufTensor] = []
    for name, shape in shapes.items():
        tensor = file.tensors.get(prefix + name)
        if tensor is None:
            if name in required:
                raise bad_model(f"The file has no tensor {prefix}{name}.")
            continue
        if tensor.shape != shape:
            raise bad_model(f"The tensor {tensor.name} has the shape {tensor.shape}, not {shape}.")
        if tensor.type.name not in FLOAT_TYPES | QUANTISED_TYPES:
            raise bad_model(f"The tensor {tensor.name} is {tensor.type.name}, which this engine cannot compute with.")
        found.append(tensor)
    return found


def _refuse_unknown(file: GgufFile, prefix: str, kinds: TensorList) -> None:
    for name in file.tensors:
        short = name.removeprefix(prefix)
        if short != name and short not in kinds.required | kinds.optional and short not in _IGNORED:
            raise bad_model(f"The tensor {name} has no place in this engine's layers of that architecture.")
