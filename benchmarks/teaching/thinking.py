"""Which teachers think aloud, and which pairs ask for thoughts."""

from __future__ import annotations

from collections.abc import Sequence

from agents.llm.styles import DIRECT, STYLES, steps_of
from agents.lm.pairs import Pair
from cleanup_icn import ConfigError
from cleanup_icn.thoughts import THINK, THINKERS

_TAG = "<SCRATCHPAD>"


def check_thinks(teacher: str, style: str | Sequence[str]) -> None:
    """Raise `ConfigError` unless a scripted policy has the thoughts that a style asks for."""
    steps = steps_of(style)
    if not steps or (steps == (THINK,) and teacher in THINKERS):
        return
    says = (name for name, asked in STYLES.items() if asked == (THINK,) and teacher in THINKERS)
    allowed = " or ".join((DIRECT, *says))
    raise ConfigError("--style", style, f"{allowed}: {teacher} has no other thoughts")


def check_asked(pairs: Sequence[Pair], style: str, *, file: str) -> None:
    """Raise `ConfigError` unless pairs of Cleanup ask for thoughts, and have some, as a style does.

    A student is asked as its recipe says, and answers only what it was taught to be asked.
    """
    asking = any(_TAG in pair.messages[-1].content for pair in pairs)
    thinking = any(_TAG in pair.answer for pair in pairs)
    if style != DIRECT and not (asking and thinking):
        allowed = f"pairs that ask for thoughts and have some, as dataset --style {style} --relabel"
        allowed += f" writes them for {' and '.join(THINKERS)}"
        raise ConfigError("--data", file, f"{allowed}; or a recipe of the style {DIRECT}")
    if style == DIRECT and asking:
        allowed = f"pairs that ask for no thoughts, as dataset --style {DIRECT} writes them"
        raise ConfigError("--data", file, f"{allowed}; or a recipe with the style of the pairs")
