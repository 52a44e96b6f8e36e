"""A model's tensors on the device: only their byte ranges are read, and what is quantised stays so."""

from __future__ import annotations

import numpy as np
from tinygrad import Device, Tensor, dtypes
from tinygrad.llm.gguf import ggml_data_to_tensor

from .device import device_array
from .errors import bad_model
from .gguf import GgufTensor
from .memory import CHAINS

_FLOATS = {"F32": np.float32, "F16": np.float16, "BF16": np.uint16}


def read_bytes(path: str, tensor: GgufTensor) -> np.ndarray:
    """A tensor's bytes as u8. Raises EngineError model_invalid where the file has changed since its header was read."""
    try:
        data = np.fromfile(path, np.uint8, tensor.nbytes, offset=tensor.offset)
    except OSError as failure:
        raise bad_model(f"{path} cannot be read: {failure.strerror}.") from failure
    if data.size != tensor.nbytes:
        raise bad_model(f"The file ends inside the tensor {tensor.name}.")
    return data


def load_stored(path: str, tensor: GgufTensor) -> Tensor:
    """The tensor on the device as the file stores it: floats (BF16 as u16), or the bytes of its blocks."""
    data = read_bytes(path, tensor)
    kind = tensor.type.name
    return device_array(data.view(_FLOATS[kind]).reshape(tensor.shape) if kind in _FLOATS else data)


def numbers(stored: Tensor, tensor: GgufTensor) -> Tensor:
    """What a stored tensor means, in its row-major shape.

    F32, F16 and BF16 as they are; a quantised one is a lazy f32 view of its bytes, so that every kernel that uses it
    dequantises what it reads.
    """
    if tensor.type.name in _FLOATS:
        return stored.bitcast(dtypes.bfloat16) if tensor.type.name == "BF16" else stored
    return ggml_data_to_tensor(stored, tensor.items, tensor.type.id).reshape(tensor.shape)


def load_tensor(path: str, tensor: GgufTensor) -> Tensor:
    """The tensor on the device as `numbers`."""
    return numbers(load_stored(path, tensor), tensor)


class Weights:
    """The tensors of one part of a model, by name without its prefix."""

    def __init__(self, tensors: dict[str, Tensor]) -> None:
        self._tensors = tensors

    def __getitem__(self, name: str) -> Tensor:
        return self._tensors[name]

    def __contains__(self, name: str) -> bool:
        return name in self._tensors

    def under(self, prefix: str) -> Weights:
        """Those whose name begins with the prefix, without it."""
        picked = {name.removeprefix(prefix): value for name, value in self._tensors.items() if name.startswith(prefix)}
        return Weights(picked)

    def linear(self, name: str, x: Tensor) -> Tensor:
        """`x` (..., in) times `name.weight` (out, in), plus `name.bias` where there is one: (..., out), f32."""
        y = _product(x, self._tensors[f"{name}.weight"])
        bias = self._tensors.get(f"{name}.bias")
        return y if bias is None else y + bias

    def norm(self, name: str, x: Tensor, epsilon: float) -> Tensor:
        """`x` (..., n) over its root mean square, times `name.weight` (n)."""
        scale = (x.square().mean(-1, keepdim=True) + epsilon).rsqrt()
        return x * scale * self._tensors[f"{name}.weight"]


def _product(x: Tensor, weight: Tensor) -> Tensor:
    """`x` (..., in) times `weight` (out, in): (..., out)."""
    outputs, width = weight.shape
    one_row = x.numel() == width
    if not one_row or width % CHAINS or Device[Device.DEFAULT].renderer.has_local:
        return x @ weight.transpose(0, 1)
    # tinygrad adds up a row in one chain, in which a processor waits for every sum; a GPU splits it over its threads. So
    # many chains side by side fill a processor's vectors, and a second, small kernel adds them up.
    steps = width // CHAINS
    chains = (x.reshape(1, steps, CHAINS) * weight.reshape(outputs, steps, CHAINS)).sum(1).contiguous()
    return chains.sum(-1).reshape(*x.shape[:-1], outputs)
