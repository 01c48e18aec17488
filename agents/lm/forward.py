"""What every forward pass of a student shares: its precision, and work on a common beginning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

try:
    import torch
    from transformers import DynamicCache
except ImportError as error:
    raise ImportError(
        "a student needs PyTorch and transformers: pip install 'commonweal[lm]'"
    ) from error

_BFLOAT16_INSTRUCTIONS = ("avx512_bf16", "amx_bf16", "avx10_2", "bf16", "sve_bf16")


def is_bfloat16(precision: str) -> bool:
    """Whether to compute in bfloat16: as asked for, or with "auto" where hardware does it."""
    if precision != "auto":
        return precision == "bfloat16"
    if torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    told = getattr(torch.cpu, "get_capabilities", dict)  # older versions of PyTorch do not tell
    can: Mapping[str, Any] = told()
    return any(can.get(name, False) for name in _BFLOAT16_INSTRUCTIONS)


def num_shared(prompts: Sequence[list[int]]) -> int:
    """Return how many tokens all prompts begin with; the last of a prompt is never among them."""
    first, last = min(prompts), max(prompts)  # all others begin with what these two share
    most = min(len(prompt) for prompt in prompts) - 1
    return next((i for i in range(most) if first[i] != last[i]), most)


def remembered(model: Any, shared: torch.Tensor, num_rows: int) -> DynamicCache:
    """Return what the model makes of tokens, (1, S), that all rows begin with, for every row."""
    cache = DynamicCache()
    if not shared.shape[1]:
        return cache
    told = model(input_ids=shared, use_cache=True, logits_to_keep=1).past_key_values
    for index, layer in enumerate(told.layers):
        keys, values = (each.expand(num_rows, -1, -1, -1) for each in (layer.keys, layer.values))
        cache.update(keys, values, index)
    return cache
