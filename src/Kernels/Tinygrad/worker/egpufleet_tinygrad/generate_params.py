"""The parameters of the verb generate, as the C# side's GenerationRules have them."""

from __future__ import annotations

import struct

from . import limits
from .errors import invalid
from .generation import GenerateRequest
from .params import Params
from .sampling import SamplingOptions

_TOKEN_BYTES = 4
_HIGHEST_INT = (1 << 31) - 1
_HIGHEST_SEED = (1 << 64) - 1


def read_generate(params: Params, body: bytes) -> tuple[str, GenerateRequest]:
    """The model's name and the checked request; `body` is the prompt's ids as u32 little-endian.

    Raises EngineError invalid_request.
    """
    model = params.text("model", limits.NAME_CHARACTERS)
    options = params.nested("options")
    max_tokens = options.integer("max_tokens", 1, _HIGHEST_INT, None)
    sampling = _read_sampling(options)
    options.finish()
    stop_tokens = params.integers("stop_tokens", limits.STOP_TOKENS, 0, _HIGHEST_INT, [])
    top_logprobs = params.integer("top_log_probs", 0, limits.TOP_LOG_PROBS, None)
    interactive = params.choice("priority", ("batch", "interactive"), "batch") == "interactive"
    params.finish()
    prompt = _read_prompt(body)
    return model, GenerateRequest(prompt, sampling, max_tokens, frozenset(stop_tokens), top_logprobs, interactive)


def _read_sampling(options: Params) -> SamplingOptions:
    top_p = options.number("top_p", 0.0, 1.0, 1.0)
    if top_p == 0:
        raise invalid("top_p 0 is not over 0 and at most 1.")
    return SamplingOptions(
        temperature=options.number("temperature", 0.0, limits.HIGHEST_TEMPERATURE, 0.0),
        top_p=top_p,
        top_k=options.integer("top_k", 0, _HIGHEST_INT, 0),
        seed=options.integer("seed", 0, _HIGHEST_SEED, 0),
    )


def _read_prompt(body: bytes) -> tuple[int, ...]:
    count, rest = divmod(len(body), _TOKEN_BYTES)
    if rest or count == 0:
        raise invalid(f"A prompt is one or more ids of {_TOKEN_BYTES} bytes; the body has {len(body)} bytes.")
    prompt = struct.unpack(f"<{count}I", body)
    if max(prompt) > _HIGHEST_INT:
        raise invalid("The prompt has an id beyond 2^31.")
    return prompt
