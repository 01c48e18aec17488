"""How a run stands: what is played, how fast, and what its means are so far."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.database import is_being_written
from benchmarks.episode_row import EpisodeRow
from benchmarks.negotiation.metrics import RATES
from benchmarks.statistics import EPISODE, Estimate, estimate_over_seeds, estimate_rate
from benchmarks.store import RUNNING, STOPPED, PlannedCell, RunReader, open_run

KILLED = "killed"
"""What is said of a run that calls itself running and that nobody writes."""

MAIN_MEASURES = (
    "efficiency",
    "efficiency_after_change",
    "equality",
    "final_success",
    "own_score",
    "collective",
)
"""What is shown of an arena that names no measures itself; its game has some of them."""

LAST_SHOWN = 5
"""Episodes that are named, the latest first."""

_RECENT = 100  # episodes over which the rate is taken

Clock = Callable[[], datetime]


@dataclass(frozen=True, kw_only=True)
class CellSoFar:
    """What has been played of a cell."""

    planned: PlannedCell
    done: int  # episodes
    malformed: int  # answers that could not be read
    last_ended_at: str  # ISO 8601, UTC; empty before the first
    means: Mapping[str, Estimate]  # by measure, of the measures shown of its arena

    @property
    def is_under_way(self) -> bool:
        """Whether some of its episodes are over and some are not."""
        return 0 < self.done < self.planned.num_episodes


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """How a run stands."""

    path: Path
    suite: str
    status: str  # of `benchmarks.store`, or `KILLED`
    total: int  # episodes
    cells: tuple[CellSoFar, ...]  # in the order of the run's tables
    measures: Mapping[str, tuple[str, ...]]  # shown, by arena
    last: tuple[EpisodeRow, ...]  # the latest first
    rate_per_s: float | None  # episodes a second of late; None if not running, or not known yet
    idle_s: float | None  # since the last episode; None likewise
    malformed_episodes: int  # with an answer that could not be read
    malformed: int  # such answers
    calls: int  # questions to models
    prompt_tokens: int
    completion_tokens: int
    failures: tuple[str, ...]  # of episodes, a line each; told when a part of a run ends
    stopped: str | None  # why a run ended before its episodes did

    @property
    def done(self) -> int:
        """Episodes that are over."""
        return sum(cell.done for cell in self.cells)

    @property
    def left_s(self) -> float | None:
        """Seconds until all are over at the rate of late; None where that is not known."""
        return (self.total - self.done) / self.rate_per_s if self.rate_per_s else None

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come unless the run is resumed."""
        return self.status != RUNNING

    @property
    def is_broken_off(self) -> bool:
        """Whether the run ended before its episodes did."""
        return self.status in (STOPPED, KILLED)


class Watch:
    """Looks at a run again and again without holding its file open, or anything else of it.

    Args:
        path: the run's folder.
        clock: tells the time, in UTC.
    """

    def __init__(self, path: Path, *, clock: Clock = lambda: datetime.now(UTC)) -> None:
        self._path, self._clock = path, clock
        self._seen: list[EpisodeRow] = []
        self._has_looked = False
        self._means: dict[tuple[PlannedCell, int], Mapping[str, Estimate]] = {}

    def look(self) -> Snapshot:
        """Return how the run stands now.

        Raises:
            ConfigError: the folder holds no run.
            StoreError: its file is damaged.
        """
        with open_run(self._path) as reader:
            about, planned = reader.about, reader.cells()
            has_new = len(reader) != len(self._seen)
            if has_new:
                self._seen = list(reader.rows())
            status = self._status(reader, about, is_growing=has_new and self._has_looked)
            self._has_looked = True
        return self._snapshot({**about, "status": status}, planned)

    def _status(self, reader: RunReader, about: Mapping[str, Any], *, is_growing: bool) -> str:
        """Return what becomes of the run, whatever a run that was killed says of itself.

        To ask whether anybody writes is to touch the writer's lock: not while episodes come in.
        """
        said = str(about.get("status", RUNNING))
        if said != RUNNING or is_growing or is_being_written(self._path):
            return said
        # It may have ended, or been resumed, just before that was asked.
        said = str(reader.about.get("status", RUNNING))
        return KILLED if said == RUNNING and not is_being_written(self._path) else said

    def _snapshot(self, about: Mapping[str, Any], planned: Sequence[PlannedCell]) -> Snapshot:
        rows = self._seen
        measures = _measures(about, rows)
        by_cell: dict[tuple[str, str, str], list[EpisodeRow]] = {}
        for row in rows:
            by_cell.setdefault((row.arena, row.policy, row.contract), []).append(row)
        latest = sorted(rows, key=lambda row: row.ended_at)
        rate, idle = self._pace(about, latest)
        return Snapshot(
            path=self._path,
            suite=str(about["suite"].get("name", "")),
            status=about["status"],
            total=sum(cell.num_episodes for cell in planned),
            cells=tuple(
                self._so_far(cell, by_cell.get(cell[:3], []), measures.get(cell.arena, ()))
                for cell in planned
            ),
            measures=measures,
            last=tuple(reversed(latest[-LAST_SHOWN:])),
            rate_per_s=rate,
            idle_s=idle,
            malformed_episodes=sum(row.malformed > 0 for row in rows),
            malformed=sum(row.malformed for row in rows),
            calls=sum(row.calls for row in rows),
            prompt_tokens=sum(row.prompt_tokens for row in rows),
            completion_tokens=sum(row.completion_tokens for row in rows),
            failures=tuple(about.get("failures", ())),
            stopped=about.get("stopped"),
        )

    def _so_far(
        self, cell: PlannedCell, rows: Sequence[EpisodeRow], measures: Sequence[str]
    ) -> CellSoFar:
        key = cell, len(rows)
        if key not in self._means:  # most cells gain nothing between two looks
            self._means[key] = {
                name: estimate
                for name in measures
                if (estimate := _estimate(name, [row.measures.get(name) for row in rows]))
            }
        return CellSoFar(
            planned=cell,
            done=len(rows),
            malformed=sum(row.malformed for row in rows),
            last_ended_at=max((row.ended_at for row in rows), default=""),
            means=self._means[key],
        )

    def _pace(
        self, about: Mapping[str, Any], latest: Sequence[EpisodeRow]
    ) -> tuple[float | None, float | None]:
        """Return episodes a second of late, and seconds since the last one."""
        if about["status"] != RUNNING or not latest:
            return None, None
        ended = [datetime.fromisoformat(row.ended_at) for row in latest[-_RECENT:]]
        if "started_at" in about:  # of this part of the run: an earlier one says nothing of now
            begun = datetime.fromisoformat(about["started_at"])
            ended = [time for time in ended if time >= begun]
        if not ended:
            return None, None
        now = max(self._clock(), ended[-1])
        span = now - ended[0]
        rate = (len(ended) - 1) / span.total_seconds() if span > timedelta() else 0.0
        return rate or None, (now - ended[-1]).total_seconds()


def _measures(about: Mapping[str, Any], rows: Sequence[EpisodeRow]) -> dict[str, tuple[str, ...]]:
    """Return what is shown of each arena: what its table compares, or else the main measures."""
    known: dict[str, set[str]] = {}
    for row in rows:
        if row.arena not in known:
            known[row.arena] = set(row.measures)
    return {
        arena["name"]: tuple(
            name
            for name in arena.get("measures") or MAIN_MEASURES
            if name in known.get(arena["name"], ())
        )
        for arena in about["suite"].get("arenas", ())
    }


def _estimate(measure: str, values: Sequence[float | None]) -> Estimate | None:
    """Estimate a mean over episodes, fast enough to be done again and again: by Student's t."""
    given = [value for value in values if value is not None]
    if not given:
        return None
    if measure in RATES:
        return estimate_rate([bool(value) for value in given])
    return replace(estimate_over_seeds(given), unit=EPISODE)
