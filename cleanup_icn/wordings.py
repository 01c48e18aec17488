"""Other words for what Cleanup tells a model, to see whether it reads or remembers.

A wording replaces whole phrases of the game's fixed text, moves its lines or puts others between
them. Numbers, names of agents and actions, and the form of the answer stay as they are; so do the
notes that a model made for itself. What agents say and how it is read is no matter of wording.

Models are taught in `TAUGHT_WORDINGS` and examined in `EXAMINED_WORDINGS` too: no order of lines,
no idle sentence and no replacing word of the examination stands in what is taught.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from hashlib import blake2b
from typing import Any, NamedTuple, Protocol, TypeAlias, TypeVar
from zlib import crc32

from cleanup_icn.config import ConfigError
from cleanup_icn.text import ParsedAction
from cleanup_icn.wording_phrases import (
    CONTRACT,
    DISTRACTIONS,
    PARAPHRASES,
    SYNONYMS,
    TEACHING_DISTRACTIONS,
    TEACHING_PHRASES,
    Phrases,
)

T = TypeVar("T")

OWN, VARIED = "own", "varied"

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


class Manner(NamedTuple):
    """How one text becomes another that says the same."""

    phrases: Phrases = ()  # replaced in this order, line by line
    arranged: Callable[[Sequence[str]], Sequence[str]] = lambda lines: lines  # those of a situation


Wording: TypeAlias = Callable[[str], Manner]
"""Gives the manner in which a text, as the game has it, is told in other words."""


def _always(manner: Manner) -> Wording:
    return lambda _text: manner


def _moved(lines: Sequence[str]) -> Sequence[str]:
    """Return the lines with those in another order that say how the world stands."""
    world = [_WHEREABOUTS.sub(r"\4 \3 \2 \1", line) for line in _in_another_order(_world_of(lines))]
    return _with_world(lines, world)


def _world_of(lines: Sequence[str]) -> list[str]:
    """Return the lines that may stand in any order."""
    return [line for line in lines if line.startswith(_MOVED)]


def _in_another_order(world: Sequence[str]) -> list[str]:
    rank = {start: number for number, start in enumerate(_MOVED)}
    return sorted(world, key=lambda line: next(rank[s] for s in _MOVED if line.startswith(s)))


def _with_world(lines: Sequence[str], world: Sequence[str]) -> list[str]:
    """Return the lines with these, one by one, in the places of those that may move."""
    told = iter(world)
    return [next(told) if line.startswith(_MOVED) else line for line in lines]


def _interrupted(lines: Sequence[str]) -> Sequence[str]:
    """Return the lines with idle sentences between them; which ones follows from the lines."""
    start = crc32("\n".join(lines).encode("utf-8", "replace"))
    told: list[str] = []
    for place, line in enumerate(lines):
        told += [DISTRACTIONS[(start + place) % len(DISTRACTIONS)], line]
    return told


class _Lot:
    """Draws that follow from a text: equal texts have equal ones.

    A hash for ciphers, as what is drawn must tell nothing of what stands in the text: the bits of
    a checksum are sums of the text's own.
    """

    def __init__(self, text: str) -> None:
        self._state = text.encode("utf-8", "replace")

    def below(self, number: int) -> int:
        """Draw an integer from 0 to below this one."""
        self._state = blake2b(self._state).digest()
        return int.from_bytes(self._state[:8], "big") % number

    def shuffled(self, values: Sequence[T], *, never: Sequence[T]) -> list[T]:
        """Return the values, all different, in any order but that one, if there is another."""
        left = list(values)
        drawn = [left.pop(self.below(len(left))) for _ in values]
        return drawn if drawn != list(never) else [*drawn[1:], *drawn[:1]]


def _varied(text: str) -> Manner:
    """Return the manner in which a text is taught."""
    lot = _Lot(text)
    if not lot.below(8):
        return Manner()  # as the game has it
    taken = [phrases for phrases in TEACHING_PHRASES if lot.below(2)] if lot.below(2) else []
    return Manner(tuple(each for phrases in taken for each in phrases), partial(_mixed, lot=lot))


def _mixed(lines: Sequence[str], *, lot: _Lot) -> Sequence[str]:
    """Return the lines as they are taught: any order but that of `reordered`, idle ones between."""
    world = _world_of(lines)
    if lot.below(4):
        world = lot.shuffled(world, never=_in_another_order(world))
    if lot.below(2):
        world = [_with_whereabouts_mixed(line, lot) for line in world]
    told = _with_world(lines, world)
    if not lot.below(2):
        return told
    quarters = 1 + lot.below(3)  # of the places where an idle sentence can stand
    with_idle: list[str] = []
    for line in (*told, None):
        if lot.below(4) < quarters:
            with_idle.append(TEACHING_DISTRACTIONS[lot.below(len(TEACHING_DISTRACTIONS))])
        with_idle += [line] if line is not None else []
    return with_idle


def _with_whereabouts_mixed(line: str, lot: _Lot) -> str:
    found = _WHEREABOUTS.match(line)
    if found is None:
        return line
    sentences = found.groups()
    return " ".join(lot.shuffled(sentences, never=sentences[::-1]))


_WORDINGS: Mapping[str, Wording] = {
    OWN: _always(Manner()),
    "synonyms": _always(Manner(SYNONYMS)),
    "reordered": _always(Manner(arranged=_moved)),
    "paraphrased": _always(Manner((*PARAPHRASES, *CONTRACT))),
    "distracted": _always(Manner(arranged=_interrupted)),
    "contract": _always(Manner(CONTRACT)),
    VARIED: _varied,
}
WORDINGS = tuple(_WORDINGS)
"""The names of all wordings."""

TAUGHT_WORDINGS = (OWN, VARIED)
"""Those that a student can be taught in. A text in `VARIED` may be as in `OWN`."""

EXAMINED_WORDINGS = tuple(name for name in WORDINGS if name not in TAUGHT_WORDINGS)
"""Those that no student is taught in, so that they show whether it reads."""


def wording_named(name: str) -> Wording:
    """Return the wording of this name. Raises `ConfigError` where there is none."""
    if name not in _WORDINGS:
        raise ConfigError("wording", name, f"one of {', '.join(WORDINGS)}")
    return _WORDINGS[name]


@lru_cache(maxsize=1024)
def reword(text: str, wording: Wording) -> str:
    """Return what lasts, rules or lines of the record, in other words.

    The latest are remembered, as all of them are told anew in every step.
    """
    phrases = wording(text).phrases
    return "\n".join(_reworded(line, phrases) for line in text.split("\n"))


def reword_instruction(instruction: str, wording: Wording) -> str:
    """Return what an agent is told now in other words; the line of its choices stays the last."""
    phrases, arranged = wording(instruction)
    *situation, choices = instruction.split("\n")
    lines = [*arranged(situation), choices]
    return "\n".join(_reworded(line, phrases) for line in lines)


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
