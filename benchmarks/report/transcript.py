"""What a reader of the report is shown of one episode: who saw, said, thought and did what, when.

A record has what agents did and what came of it, not what they saw. So each game plays the record
again, without any agent or model, and takes the words from its environment; see
`benchmarks.report.cleanup_transcript` and `benchmarks.report.negotiation_transcript`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from agents import Call
from agents.protocol import OK_STATUS

END = "end"
"""Phase of the last frame, in which nobody acts any more."""

_OF_CALL = (
    "text",
    "status",
    "form",
    "prompt_tokens",
    "completion_tokens",
    "cached_tokens",
    "latency_s",
    "attempts",
    "finish_reason",
)
"""What is shown of a question to a model."""


@dataclass(frozen=True, kw_only=True)
class Act:
    """What one agent saw and did in one frame."""

    agent: str
    did: str  # in words
    saw: str | None = None  # None where the replay does not know
    said: str | None = None  # aloud; None for an agent that does not speak
    thought: str | None = None  # with what is for nobody else
    status: str = OK_STATUS  # or why its answer could not be read
    illegal: bool = False
    reward: float | None = None  # of the game, before transfers
    transfer: float | None = None  # received minus paid
    calls: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Frame:
    """One moment of an episode: what everybody saw, what they did, and what came of it."""

    title: str
    step: int  # play steps, or turns, made before
    phase: str
    acts: tuple[Act, ...]
    state: Mapping[str, Any]  # as it was when they acted
    contract: str | None = None  # in force when they acted
    ledger: Mapping[str, float] | None = None  # received minus paid, this frame included
    events: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the frame as JSON values."""
        return {**vars(self), "acts": [vars(act) for act in self.acts]}


@dataclass(frozen=True, kw_only=True)
class SeatedAgent:
    """One agent, and who played it."""

    name: str
    role: str | None  # None where all have the same
    player: str


@dataclass(frozen=True, kw_only=True)
class Fact:
    """One line of what came of an episode."""

    label: str
    value: str


@dataclass(frozen=True, kw_only=True)
class Transcript:
    """One episode for a reader."""

    number: int  # of the run's episodes, from 0
    arena: str
    policy: str
    contract: str
    episode: int  # of its cell, from 0
    seed: int  # of the environment
    game: str
    agents: tuple[SeatedAgent, ...]
    rules: Mapping[str, str]  # by agent: what it is told once, secrets of its own included
    outcome: tuple[Fact, ...]
    frames: tuple[Frame, ...]
    series: Mapping[str, Any] = field(default_factory=dict)  # what the game plots

    def to_dict(self) -> dict[str, Any]:
        """Return the transcript as JSON values."""
        return {
            **vars(self),
            "agents": [vars(agent) for agent in self.agents],
            "outcome": [vars(fact) for fact in self.outcome],
            "frames": [frame.to_dict() for frame in self.frames],
        }


class PartedError(ValueError):
    """The replay of a record is no longer what was recorded."""


def require_equal(what: str, recorded: object, now: object) -> None:
    """Raise `PartedError` unless what is replayed is what was recorded."""
    if recorded != now:
        raise PartedError(f"{what}: {recorded!r} was recorded, now {now!r}")


def parted_event(error: Exception) -> str:
    """Return how a transcript tells that its replay went another way."""
    return (
        f"The replay parts from the record here ({error}). What follows is as it was recorded; "
        "what agents saw is not known."
    )


def shown_calls(calls: Sequence[Call]) -> tuple[dict[str, Any], ...]:
    """Return the questions to a model as a transcript shows them."""
    return tuple({name: getattr(call, name) for name in _OF_CALL} for call in calls)


def in_figures(value: float | None, *, digits: int) -> str:
    """Write a number for people, without zeros at its end; a dash where there is none."""
    if value is None:
        return "-"
    text = f"{value:.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
