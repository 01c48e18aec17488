"""What a report makes of an episode, by the game it is of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from benchmarks.arena import Arena
from benchmarks.cleanup import arena as cleanup
from benchmarks.episode_row import KeptEpisode
from benchmarks.kinds import read_record
from benchmarks.negotiation import arena as negotiation
from benchmarks.report.cleanup_figures import CleanupFigures, course_of
from benchmarks.report.cleanup_transcript import CleanupTranscripts
from benchmarks.report.data_files import pack_transcript
from benchmarks.report.figures import ShownFigure
from benchmarks.report.negotiation_figures import NegotiationFigures, bargain_of
from benchmarks.report.negotiation_transcript import NegotiationTranscripts
from benchmarks.report.transcript import Transcript
from benchmarks.store import RunReader
from benchmarks.suite import Suite


class Transcripts(Protocol):
    """Writes transcripts of the episodes of one arena."""

    def of(self, result: Any, /, *, number: int) -> Transcript:
        """Return the transcript of an episode."""
        ...


class Figures(Protocol):
    """Gathers what figures need of the episodes of one arena."""

    def add(self, digest: Any, /) -> None:
        """Take note of an episode."""
        ...

    def draw(self, report: Path) -> list[ShownFigure]:
        """Draw the figures into a report's folder."""
        ...


@dataclass(frozen=True)
class Pages:
    """How the episodes of a game are shown."""

    transcripts: Callable[[Any], Transcripts]
    digest: Callable[[Any, Transcript], Any]  # what figures need of an episode
    figures: Callable[[Any], Figures]


PAGES: Mapping[str, Pages] = {
    cleanup.GAME: Pages(CleanupTranscripts, course_of, CleanupFigures),
    negotiation.GAME: Pages(
        NegotiationTranscripts, lambda result, _: bargain_of(result), NegotiationFigures
    ),
}


def transcript_of(reader: RunReader, kept: KeptEpisode, *, number: int) -> Transcript:
    """Return the transcript of an episode that a run has kept, under this number of it.

    Raises:
        ConfigError: this version writes no such record.
    """
    arena = Suite.from_dict(reader.about["suite"]).arena(kept.row.arena)
    result = read_record(arena, kept.record)
    return PAGES[arena.game].transcripts(arena).of(result, number=number)


class Shown(NamedTuple):
    """An episode as the report has it."""

    packed: str  # its transcript
    digest: Any  # what figures need of it


class EpisodeWriter:
    """Makes what a report has of the episodes of one arena."""

    def __init__(self, arena: Arena[Any]) -> None:
        self._arena = arena
        self._pages = PAGES[arena.game]
        self._transcripts = self._pages.transcripts(arena)

    def show(self, record: Mapping[str, Any], *, number: int) -> Shown:
        """Return what the report has of an episode.

        Raises:
            ConfigError: this version writes no such record.
        """
        result = read_record(self._arena, record)
        transcript = self._transcripts.of(result, number=number)
        return Shown(pack_transcript(transcript.to_dict()), self._pages.digest(result, transcript))


def figures_for(arena: Arena[Any]) -> Figures:
    """Return what gathers the figures of an arena."""
    return PAGES[arena.game].figures(arena)
