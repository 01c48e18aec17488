"""Every number of a teaching: what the student is, and how it is taught."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, TypeVar

PRECISIONS = ("auto", "float32", "bfloat16")
"""In what the forward pass computes."""

SMALLEST_VOCABULARY = 261
"""The 256 bytes and the five tokens that stand between messages."""

HEAD_WIDTH = 32
"""A head's width is a multiple of it, as vLLM's attention on the CPU asks."""


@dataclass(frozen=True, kw_only=True)
class StudentSettings:
    """What is taught: a small Llama of its own, or a model that is there already.

    With a `base`, the sizes are that folder's, and its tokenizer and chat template too. Wrong
    values raise one `ValueError` that has a line for each.
    """

    base: str | None = None  # a Hugging Face folder to go on from; None: from scratch
    layers: int = 3
    width: int = 128  # of the hidden state; the inner layer has three times that
    heads: int = 4  # of attention; width / heads is a multiple of 32
    vocab_size: int = 1024  # most tokens; fewer where the texts have no more to merge
    context_tokens: int = 4096  # longest prompt with its answer; with a base at most the base's
    lora_rank: int | None = (
        None  # of what LoRA adds to a base, merged at the end; None: all weights
    )

    def __post_init__(self) -> None:
        wrong = _wrong_values(self, _STUDENT)
        if not wrong and self.width % (self.heads * HEAD_WIDTH):
            wrong = [f"width = {self.width}: expected a multiple of {HEAD_WIDTH} times heads"]
        if self.lora_rank is not None and self.base is None:
            wrong.append(f"lora_rank = {self.lora_rank!r}: expected None where there is no base")
        if wrong:
            raise ValueError("\n".join(wrong))

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> StudentSettings:
        """Read what `to_dict` wrote, or a table of a configuration; what it omits is default.

        Raises one `ValueError` that has a line for each unknown name and each wrong value.
        """
        return _read(cls, values)

    def to_dict(self) -> dict[str, Any]:
        """Return every setting by name, as JSON values."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class TeachingSettings:
    """How a student is taught: AdamW, a linear warm-up, then a linear decay to nothing.

    Wrong values raise one `ValueError` that has a line for each.
    """

    steps: int = 1000  # gradient steps
    batch_size: int = 32  # pairs in a step
    learning_rate: float = 2e-3  # of AdamW, at its highest
    warmup_steps: int = 100  # in which the learning rate rises
    weight_decay: float = 0.01  # of weights, not of norms and biases
    precision: str = "auto"  # of the forward pass; auto: bfloat16 where the processor computes it
    seed: int = 0  # of the first weights and of the pairs' order
    save_every_steps: int = 250  # between checkpoints, from which a killed teaching goes on
    threads: int | None = None  # of the processor; None: as PyTorch is set

    def __post_init__(self) -> None:
        wrong = _wrong_values(self, _TEACHING)
        if wrong:
            raise ValueError("\n".join(wrong))

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> TeachingSettings:
        """Read what `to_dict` wrote, or a table of a configuration; what it omits is default.

        Raises one `ValueError` that has a line for each unknown name and each wrong value.
        """
        return _read(cls, values)

    def to_dict(self) -> dict[str, Any]:
        """Return every setting by name, as JSON values; equal settings give equal JSON."""
        real = {field.name for field in fields(self) if field.type == "float"}
        return {n: float(v) if n in real else v for n, v in asdict(self).items()}


_Settings = TypeVar("_Settings", StudentSettings, TeachingSettings)
_Allowed = dict[str, tuple[Callable[[Any], bool], str]]


def _read(cls: type[_Settings], values: Mapping[str, Any]) -> _Settings:
    names = [field.name for field in fields(cls)]
    wrong = [
        f"{name} = {value!r}: expected a setting, one of {', '.join(names)}"
        for name, value in values.items()
        if name not in names
    ]
    try:
        settings = cls(**{name: value for name, value in values.items() if name in names})
    except ValueError as error:
        wrong.append(str(error))
    if wrong:
        raise ValueError("\n".join(wrong))
    return settings


def _wrong_values(settings: StudentSettings | TeachingSettings, allowed: _Allowed) -> list[str]:
    return [
        f"{name} = {getattr(settings, name)!r}: expected {expected}"
        for name, (is_allowed, expected) in allowed.items()
        if not is_allowed(getattr(settings, name))
    ]


def _is_count(value: Any, least: int = 1) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def _is_number(value: Any) -> bool:
    real = isinstance(value, int | float) and not isinstance(value, bool)
    return real and float("-inf") < value < float("inf")


_COUNT = (_is_count, "an integer of at least 1")
_COUNT_OR_0 = (lambda value: _is_count(value, 0), "an integer of at least 0")
_COUNT_OR_NONE = (
    lambda value: value is None or _is_count(value),
    "an integer of at least 1, or None",
)

_STUDENT: _Allowed = {
    "base": (
        lambda value: value is None or (isinstance(value, str) and value != ""),
        "a folder's path, or None",
    ),
    "layers": _COUNT,
    "width": _COUNT,
    "heads": _COUNT,
    "vocab_size": (
        lambda value: _is_count(value, SMALLEST_VOCABULARY),
        f"an integer of at least {SMALLEST_VOCABULARY}",
    ),
    "context_tokens": _COUNT,
    "lora_rank": _COUNT_OR_NONE,
}

_TEACHING: _Allowed = {
    "steps": _COUNT,
    "batch_size": _COUNT,
    "learning_rate": (lambda value: _is_number(value) and value > 0, "a number above 0"),
    "warmup_steps": _COUNT_OR_0,
    "weight_decay": (lambda value: _is_number(value) and value >= 0, "a number of at least 0"),
    "precision": (
        lambda value: isinstance(value, str) and value in PRECISIONS,
        "one of " + ", ".join(repr(name) for name in PRECISIONS),
    ),
    "seed": (lambda value: _is_count(value, 0) and value < 2**32, "an integer from 0 to 2**32 - 1"),
    "save_every_steps": _COUNT,
    "threads": _COUNT_OR_NONE,
}
