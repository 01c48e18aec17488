"""How a student is reinforced: values that can be written in a file, checked when they are made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import NamedTuple

PRECISIONS = ("auto", "float32", "bfloat16")
"""What a student computes in; "auto" is bfloat16 where the machine has it, see `reinforce`."""


class _Allowed(NamedTuple):
    words: str
    fits: Callable[[float], bool]
    is_whole: bool = False


_AT_LEAST_0 = _Allowed("a number from 0", lambda v: 0 <= v < float("inf"))
_ABOVE_0 = _Allowed("a number above 0", lambda v: 0 < v < float("inf"))
_WHOLE = _Allowed("a whole number from 1", lambda v: v >= 1, is_whole=True)
_ALLOWED = {
    "learning_rate": _ABOVE_0,
    "warmup_steps": _Allowed("a whole number from 0", lambda v: v >= 0, is_whole=True),
    "kl": _AT_LEAST_0,
    "clip": _Allowed("a number above 0 and below 1", lambda v: 0 < v < 1),
    "passes": _WHOLE,
    "batch_size": _WHOLE,
    "max_grad_norm": _ABOVE_0,
    "weight_decay": _AT_LEAST_0,
}


@dataclass(frozen=True, kw_only=True)
class ReinforcementSettings:
    """How a student is changed by its own answers.

    Raises:
        ValueError: names the field, its value and what is allowed.
    """

    learning_rate: float = 3e-4
    warmup_steps: int = 20  # of the optimizer, in which the learning rate rises
    kl: float = 0.05  # what a nat of divergence from the start costs, in advantages
    clip: float = 0.2  # how far from 1 the ratio of probabilities, new to old, has an effect
    passes: int = 1  # times that all answers of an iteration are gone through
    batch_size: int = 64  # answers a step
    max_grad_norm: float = 1.0
    weight_decay: float = 0.0
    precision: str = "auto"  # one of `PRECISIONS`

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        for each in fields(self):
            value = getattr(self, each.name)
            if each.name == "precision":
                if value not in PRECISIONS:
                    raise _wrong(each.name, value, f"one of {', '.join(PRECISIONS)}")
                continue
            allowed = _ALLOWED[each.name]
            kinds = (int,) if allowed.is_whole else (int, float)
            if isinstance(value, bool) or not isinstance(value, kinds) or not allowed.fits(value):
                raise _wrong(each.name, value, allowed.words)


def _wrong(name: str, value: object, allowed: str) -> ValueError:
    return ValueError(f"{name} = {value!r}: expected {allowed}")
