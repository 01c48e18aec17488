"""Other words for what Cleanup tells a model, to see whether it reads or remembers.

A wording replaces whole phrases of the game's fixed text, moves its lines or puts others between
them. Numbers, names of agents and actions, and the form of the answer stay as they are; so do the
notes that a model made for itself. What agents say and how it is read is no matter of wording.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol
from zlib import crc32

from cleanup_icn.config import ConfigError
from cleanup_icn.text import ParsedAction
from cleanup_icn.wording_phrases import CONTRACT, DISTRACTIONS, PARAPHRASES, SYNONYMS, Phrases

OWN = "own"

_NOTES = "Your notes to yourself:"

_MOVED = (
    "Contract in force:",
    "Changed just now:",
    "Announced from step",
    "Fruit ",
    "Pollution ",
    "You are agent_",
)
"""How lines begin that may stand in any order, in another order than the game's own."""

_WHEREABOUTS = re.compile(r"^(You are [^.]+\.) (In [^.]+\.) (At [^.]+\.) (Step [^.]+\.)$")


class Wording(NamedTuple):
    """How a text becomes another that says the same."""

    phrases: Phrases = ()  # replaced in this order, line by line
    arranged: Callable[[Sequence[str]], Sequence[str]] = lambda lines: lines  # those of a situation


def _moved(lines: Sequence[str]) -> Sequence[str]:
    """Return the lines with those in another order that say how the world stands."""
    places = [place for place, line in enumerate(lines) if line.startswith(_MOVED)]
    rank = {start: number for number, start in enumerate(_MOVED)}
    world = sorted(
        (lines[place] for place in places),
        key=lambda line: next(rank[start] for start in _MOVED if line.startswith(start)),
    )
    arranged = list(lines)
    for place, line in zip(places, world, strict=True):
        arranged[place] = _WHEREABOUTS.sub(r"\4 \3 \2 \1", line)
    return arranged


def _interrupted(lines: Sequence[str]) -> Sequence[str]:
    """Return the lines with idle sentences between them; which ones follows from the lines."""
    start = crc32("\n".join(lines).encode("utf-8", "replace"))
    told: list[str] = []
    for place, line in enumerate(lines):
        told += [DISTRACTIONS[(start + place) % len(DISTRACTIONS)], line]
    return told


_WORDINGS: Mapping[str, Wording] = {
    OWN: Wording(),
    "synonyms": Wording(SYNONYMS),
    "reordered": Wording(arranged=_moved),
    "paraphrased": Wording((*PARAPHRASES, *CONTRACT)),
    "distracted": Wording(arranged=_interrupted),
    "contract": Wording(CONTRACT),
}
WORDINGS = tuple(_WORDINGS)
"""The names of all wordings."""


def wording_named(name: str) -> Wording:
    """Return the wording of this name. Raises `ConfigError` where there is none."""
    if name not in _WORDINGS:
        raise ConfigError("wording", name, f"one of {', '.join(WORDINGS)}")
    return _WORDINGS[name]


def reword(text: str, wording: Wording) -> str:
    """Return what lasts, rules or lines of the record, in other words."""
    return "\n".join(_reworded(line, wording.phrases) for line in text.split("\n"))


def reword_instruction(instruction: str, wording: Wording) -> str:
    """Return what an agent is told now in other words; the line of its choices stays the last."""
    *situation, choices = instruction.split("\n")
    lines = [*wording.arranged(situation), choices]
    return "\n".join(_reworded(line, wording.phrases) for line in lines)


def _reworded(line: str, phrases: Phrases) -> str:
    if line.startswith(_NOTES):
        return line
    for pattern, words in phrases:
        line = pattern.sub(words, line)
    return line


class Seat(Protocol):
    """What `cleanup_icn.prompt.CleanupSeat` does for whoever asks a model."""

    def reset(self) -> None:
        """Begin a new episode."""
        ...

    def parts(self, observation: Any, steps: Sequence[str]) -> Any:
        """Return rules, sheet, record and instruction."""
        ...

    def form(self, steps: Sequence[str], *, max_chars: int) -> Mapping[str, Any] | None:
        """Return what an answer can be held to now."""
        ...

    def parse(self, answer: str) -> Any:
        """Read an answer."""
        ...

    def complaint(self, status: str) -> str:
        """Say what was wrong with an answer."""
        ...

    def heed(self, answer: str) -> None:
        """Take note of the answer that was decided on."""
        ...


class RewordedSeat:
    """A seat of Cleanup that tells its model everything in another wording.

    Answers are asked for, read and complained about as the seat itself does.

    Args:
        seat: one of Cleanup or its contract negotiation.
        wording: a name in `WORDINGS`.

    Raises:
        ConfigError: there is no such wording.
    """

    def __init__(self, seat: Seat, wording: str) -> None:
        self._seat, self._wording = seat, wording_named(wording)

    def reset(self) -> None:
        """Begin a new episode."""
        self._seat.reset()

    def parts(
        self, observation: Any, steps: Sequence[str]
    ) -> tuple[str, str, tuple[str, ...], str]:
        """Return what the seat tells, reworded; arguments as for `CleanupSeat.parts`."""
        rules, sheet, record, instruction = self._seat.parts(observation, steps)
        return (
            reword(rules, self._wording),
            sheet,
            tuple(reword(line, self._wording) for line in record),
            reword_instruction(instruction, self._wording),
        )

    def form(self, steps: Sequence[str], *, max_chars: int) -> Mapping[str, Any] | None:
        """Return what an answer can be held to now."""
        return self._seat.form(steps, max_chars=max_chars)

    def parse(self, answer: str) -> ParsedAction:
        """Read an answer; never raises."""
        parsed: ParsedAction = self._seat.parse(answer)
        return parsed

    def complaint(self, status: str) -> str:
        """Say what was wrong with an answer of this status and what is expected instead."""
        return self._seat.complaint(status)

    def heed(self, answer: str) -> None:
        """Take note of the answer that was decided on."""
        self._seat.heed(answer)
