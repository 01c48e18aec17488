"""Judges: who decides, from public observation alone, when negotiation is necessary.

A judge is any function ``Situation -> bool``; it is asked once before every play step. One who
speaks returns a `JudgeVerdict` instead, which the environment keeps. (It also enforces the contract
and keeps the history: both are the environment's business and the same for every judge.)
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from cleanup_icn.config import ConfigError
from cleanup_icn.contracts import Contract


class Situation(NamedTuple):
    """What a judge knows."""

    step: int  # the play step about to be made, from 0
    horizon_steps: int
    public: Mapping[str, float]  # pollution, fruit and the parameters in force
    changed: Mapping[str, tuple[float, float]]  # what changed just now: name -> (before, after)
    contract: Contract  # in force
    welfare: tuple[float, ...]  # sum of game rewards in each play step made so far
    negotiated_at: tuple[int, ...]  # play steps before which talks were held


@dataclass(frozen=True)
class JudgeVerdict:
    """A decision of a judge who speaks; true if it is to negotiate."""

    renegotiate: bool
    said: str  # the answer in full
    status: str = "ok"  # a `cleanup_icn.text.ParseStatus`: "ok", or why the answer counts as "keep"

    def __bool__(self) -> bool:
        return self.renegotiate


Judge = Callable[[Situation], bool | JudgeVerdict]


def never(situation: Situation) -> bool:
    """Never negotiate: whatever contract the episode begins with stays."""
    del situation
    return False


def at_start(situation: Situation) -> bool:
    """Negotiate once, before the first step: the fixed contract."""
    return situation.step == 0


@dataclass(frozen=True)
class Every:
    """The judge that `every` makes."""

    steps: int  # play steps between talks

    def __call__(self, situation: Situation) -> bool:
        """Whether it is time."""
        return situation.step % self.steps == 0


def every(steps: int) -> Judge:
    """Negotiate at the start and then every so many play steps."""
    if isinstance(steps, bool) or not isinstance(steps, int) or steps < 1:
        raise ConfigError("judge steps", steps, "an integer of at least 1")
    return Every(steps)


def on_change(situation: Situation) -> bool:
    """Negotiate at the start and whenever the world has just changed."""
    return situation.step == 0 or bool(situation.changed)


def on_change_only(situation: Situation) -> bool:
    """Negotiate whenever the world has just changed; the initial contract stands until then."""
    return bool(situation.changed) and situation.step > 0


@dataclass(frozen=True)
class WelfareFall:
    """The judge that `on_welfare_fall` makes."""

    window_steps: int
    fraction: float

    def __call__(self, situation: Situation) -> bool:
        """Whether it is the start, or welfare has fallen."""
        welfare, since = situation.welfare, max(situation.negotiated_at, default=0)
        return situation.step == 0 or has_fallen(
            welfare, since, len(welfare), self.window_steps, self.fraction
        )


def on_welfare_fall(*, window_steps: int = 5, fraction: float = 0.5) -> Judge:
    """Negotiate at the start and when welfare has fallen since the last talks.

    Welfare per step over the last ``window_steps`` is compared with the best such window since the
    last talks; below ``fraction`` of it is a fall.
    """
    if isinstance(window_steps, bool) or not isinstance(window_steps, int) or window_steps < 1:
        raise ConfigError("judge window_steps", window_steps, "an integer of at least 1")
    if not 0.0 < fraction <= 1.0:
        raise ConfigError("judge fraction", fraction, "a number above 0 and at most 1")
    return WelfareFall(window_steps, fraction)


def has_fallen(
    welfare: Sequence[float], first: int, end: int, window_steps: int, fraction: float
) -> bool:
    """Whether the last window of ``welfare[first:end]`` is below a fraction of the best one.

    In the subset that numba compiles: the batch asks the same question.
    """
    if end - first <= window_steps:
        return False
    best, last = -math.inf, 0.0
    for start in range(first, end - window_steps + 1):
        last = 0.0
        for step in range(start, start + window_steps):
            last += welfare[step]
        best = max(best, last)
    return last < fraction * best


_NAMED: dict[str, Judge] = {
    "never": never,
    "start": at_start,
    "change": on_change,
    "change-only": on_change_only,
    "welfare-fall": on_welfare_fall(),
}


def judge_named(judge: str | Judge) -> Judge:
    """Return the judge of that name ("every:10" for every 10 steps), or the callable given.

    Raises:
        ConfigError: no judge has that name.
    """
    if callable(judge):
        return judge
    allowed = f"a callable or one of {', '.join(_NAMED)}, every:<steps>"
    if not isinstance(judge, str):
        raise ConfigError("judge", judge, allowed)
    if judge in _NAMED:
        return _NAMED[judge]
    if found := re.fullmatch("every:([1-9][0-9]*)", judge):
        return every(int(found[1]))
    raise ConfigError("judge", judge, allowed)
