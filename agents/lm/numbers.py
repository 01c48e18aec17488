"""Numbers that are read as numbers: near ones look alike, also such as were never taught.

A student from scratch is taught in minutes and would have to learn from a few thousand texts that
6 is a little more than 5. So waves of that number are added to the embedding of every token that is
a whole number, as is done with positions in Vaswani et al. 2017 (arXiv:1706.03762, section 3.5; for
numbers see Zhou et al. 2025, arXiv:2502.09741), and it stays as it is while all else is taught. In
the folder it is an embedding like any other. Where numbers are names, as in negotiations, it costs
more than it brings: names that are near each other are easily mixed up.
"""

from __future__ import annotations

import math
from typing import Any

try:
    import torch
except ImportError as error:
    raise ImportError("a student needs PyTorch: pip install 'commonweal[lm]'") from error

_SHORTEST_PERIOD, _LONGEST_PERIOD = 4.0, 1000.0
_SPREAD = 0.15
"""Root mean square of the waves: thrice what others begin with, so that it outlasts layers."""


def fix_numbers(model: Any, tokenizer: Any) -> int:
    """Add waves to the embeddings of whole numbers, and keep teaching from changing them.

    Args:
        model: a causal language model whose embeddings have an even width.
        tokenizer: its tokenizer.

    Returns:
        How many tokens are whole numbers, in decimal digits.
    """
    weight: torch.nn.Parameter = model.get_input_embeddings().weight
    numbers = {
        token: int(text)
        for text, token in tokenizer.get_vocab().items()
        if text.isascii() and text.isdigit()
    }
    tokens = torch.tensor(sorted(numbers), dtype=torch.long)
    with torch.no_grad():
        for token in tokens.tolist():
            weight[token] += waves(numbers[token], weight.shape[1])
    # Of a zero gradient AdamW makes no step; its decay takes a hundredth off all of them alike.
    weight.register_hook(  # type: ignore[no-untyped-call]
        lambda gradient: gradient.index_fill(0, tokens.to(gradient.device), 0.0)
    )
    return len(numbers)


def waves(number: int, width: int) -> torch.Tensor:
    """Return sines and cosines of a number, (width,), over periods from 4 to 1,000."""
    steps = torch.linspace(0, 1, width // 2, dtype=torch.float64)
    periods = _SHORTEST_PERIOD * (_LONGEST_PERIOD / _SHORTEST_PERIOD) ** steps
    angles = 2 * math.pi * number / periods
    return (torch.cat([angles.sin(), angles.cos()]) * _SPREAD * math.sqrt(2)).float()
