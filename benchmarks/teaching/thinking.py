"""Which teachers think aloud: whose thoughts can be taught with their answers."""

from __future__ import annotations

from collections.abc import Sequence

from agents.llm.styles import DIRECT, STYLES, steps_of
from cleanup_icn import ConfigError
from cleanup_icn.thoughts import THINK, THINKERS


def check_thinks(teacher: str, style: str | Sequence[str]) -> None:
    """Raise `ConfigError` unless a scripted policy has the thoughts that a style asks for."""
    steps = steps_of(style)
    if not steps or (steps == (THINK,) and teacher in THINKERS):
        return
    says = (name for name, asked in STYLES.items() if asked == (THINK,) and teacher in THINKERS)
    allowed = " or ".join((DIRECT, *says))
    raise ConfigError("--style", style, f"{allowed}: {teacher} has no other thoughts")
