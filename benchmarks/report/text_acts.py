"""What a text tells of a transcript, whatever the game: which frames, and whose words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from agents.protocol import OK_STATUS
from benchmarks.cleanup.arena import GAME as CLEANUP
from benchmarks.report.text_blocks import Facts, Prose, Quote
from benchmarks.report.transcript import END, Act, Frame, Transcript

_OF_ONE = ("return of ", "points of ")
"""How facts about one agent begin: they stand in the table of totals."""

_UNREAD, _ILLEGAL = "*", "!"
_MARKS = {
    _UNREAD: "its answer could not be read, and this was done instead",
    _ILLEGAL: "what it wanted was not possible, and it waited",
}
_HIDDEN = "(not shown: what could not be read may have secrets anywhere in it)"


@dataclass(frozen=True, kw_only=True)
class Told:
    """What of an episode is told.

    Attributes:
        numbers: of steps, or of turns in a negotiation; None: all.
        answers: whether what agents said aloud is quoted.
        scratchpads: whether what is for nobody else is told.
    """

    numbers: range | None = None
    answers: bool = False
    scratchpads: bool = False


def numbered_frames(transcript: Transcript) -> list[tuple[int, Frame]]:
    """Return the frames in which somebody acts, by step or turn; talks stand before their step."""
    frames = [frame for frame in transcript.frames if frame.phase != END]
    if transcript.game == CLEANUP:
        return [(frame.step, frame) for frame in frames]
    return list(enumerate(frames))


def told_frames(transcript: Transcript, told: Told) -> list[tuple[int, Frame]]:
    """Return those frames that are asked for, with their numbers."""
    frames = numbered_frames(transcript)
    return [each for each in frames if told.numbers is None or each[0] in told.numbers]


def numbers_in(transcript: Transcript) -> range:
    """Return the numbers of a transcript's steps, or of a negotiation's turns."""
    frames = numbered_frames(transcript)
    return range(frames[0][0], frames[-1][0] + 1) if frames else range(0)


def quotes_of(act: Act, told: Told, *, who: str, is_whole: bool) -> Iterator[Quote]:
    """Yield what an agent said, and what it wrote for itself.

    Args:
        act: of the agent.
        told: what is asked for.
        who: the agent's name, empty where it stands above.
        is_whole: whether what is for nobody else holds what was said aloud too.
    """
    failed = "" if act.status == OK_STATUS else f" ({act.status.replace('_', ' ')})"
    shows_secret = told.scratchpads and bool(act.thought)
    aloud = (who or "says") + failed
    if told.answers and act.said and not (shows_secret and is_whole):
        yield Quote(who=aloud, words=act.said)
    if shows_secret:
        of_what = "in full" if is_whole else "to itself"
        yield Quote(who=(f"{who}, {of_what}" if who else of_what) + failed, words=act.thought or "")
    elif told.answers and act.thought and failed and not act.said:
        yield Quote(who=aloud, words=_HIDDEN)


def mark_of(act: Act) -> str:
    """Return the sign of an act that is not what was wanted; empty for all others."""
    if act.status != OK_STATUS:
        return _UNREAD
    return _ILLEGAL if act.illegal else ""


def legend_of(frames: Iterable[Frame]) -> Iterator[Prose]:
    """Explain the marks of these frames, if there are any."""
    used = {mark_of(act) for frame in frames for act in frame.acts}
    lines = tuple(f"{mark} {words}" for mark, words in _MARKS.items() if mark in used)
    if lines:
        yield Prose(lines=lines)


def outcome_of(transcript: Transcript) -> Facts:
    """Return what came of an episode, but for what came of it for one agent."""
    facts = tuple(
        (fact.label, (fact.value,))
        for fact in transcript.outcome
        if not fact.label.startswith(_OF_ONE)
    )
    return Facts(facts=facts)
