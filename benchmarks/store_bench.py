"""What keeping episodes costs: time from a result to its commit, room on the disk, time to read."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.arena import STUB_PREFIX, Arena, cells_of
from benchmarks.cells import play_cell
from benchmarks.database import FILE
from benchmarks.store import PlannedCell, RunFolder, open_run
from benchmarks.work import Stopwatch, kept_episode

GOAL_MS = 2.0
"""Most that keeping an episode may take, in the mean."""


@dataclass(frozen=True, kw_only=True)
class CostRow:
    """What one thing costs an episode, in milliseconds."""

    name: str
    n: int  # episodes
    mean_ms: float  # on the clock
    median_ms: float
    p95_ms: float
    max_ms: float
    cpu_ms: float  # mean of what this process computed; the rest is waiting for disk and others
    goal_ms: float | None = None

    @property
    def is_met(self) -> bool | None:
        """Whether the mean is below the goal; None without one."""
        return None if self.goal_ms is None else self.mean_ms < self.goal_ms

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {**asdict(self), "is_met": self.is_met}


@dataclass(frozen=True, kw_only=True)
class StoreBench:
    """What came of a measurement."""

    rows: tuple[CostRow, ...]
    bytes_per_episode: float  # of the file
    record_bytes: float  # mean size of a record as JSON text

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "rows": [row.to_dict() for row in self.rows],
            "bytes_per_episode": self.bytes_per_episode,
            "record_bytes": self.record_bytes,
        }


Played = tuple[Arena[Any], Any]
"""An arena, and an episode's result in it."""


def stub_episodes(arenas: Sequence[Arena[Any]], *, num_episodes: int = 2) -> list[Played]:
    """Play every cell of a stub model so many times."""
    return [
        (arena, result)
        for arena in arenas
        for cell in cells_of(arena)
        if cell.policy.startswith(STUB_PREFIX)
        for result in play_cell(arena, cell, episodes=range(num_episodes))
    ]


def measure_store(played: Sequence[Played], *, num_episodes: int, folder: Path) -> StoreBench:
    """Keep these episodes over and over under other numbers, then read them.

    What counts is all between a finished result and its commit: numbers, record, compression,
    transaction.
    """
    cells = [
        PlannedCell(arena.name, result.policy, result.contract, num_episodes)
        for arena, result in played
    ]
    watch, again = Stopwatch(), list(islice(_renumbered(played), num_episodes))
    with RunFolder(folder, {"name": "bench"}, dict.fromkeys(cells)) as run:

        def keep() -> Iterator[None]:
            for arena, result in again:
                run.keep_episode(kept_episode(arena, result, watch))
                yield

        rows = [_row("keep an episode", keep, goal_ms=GOAL_MS)]
    with open_run(folder) as reader:
        rows.append(_row("read its numbers", reader.rows))
        rows.append(_row("read its record", reader.episodes))
    sizes = [_record_bytes(arena, result) for arena, result in played]
    return StoreBench(
        rows=tuple(rows),
        bytes_per_episode=(folder / FILE).stat().st_size / num_episodes,
        record_bytes=float(np.mean(sizes)),
    )


def _renumbered(played: Sequence[Played]) -> Iterator[Played]:
    number = 0
    while True:
        for arena, result in played:
            yield arena, replace(result, episode=number)
            number += 1


def _record_bytes(arena: Arena[Any], result: Any) -> int:
    return len(json.dumps(kept_episode(arena, result, Stopwatch()).record))


def _row(name: str, each: Callable[[], Iterator[Any]], *, goal_ms: float | None = None) -> CostRow:
    """Measure what an iterator does for each of its values."""
    times_ms, last_s, cpu_s = [], time.perf_counter(), time.process_time()
    for _ in each():
        now_s = time.perf_counter()
        times_ms.append(1000.0 * (now_s - last_s))
        last_s = now_s
    cpu_s = time.process_time() - cpu_s
    median, p95 = np.quantile(times_ms, (0.5, 0.95)).tolist()
    return CostRow(
        name=name,
        n=len(times_ms),
        mean_ms=float(np.mean(times_ms)),
        median_ms=median,
        p95_ms=p95,
        max_ms=max(times_ms),
        cpu_ms=1000.0 * cpu_s / len(times_ms),
        goal_ms=goal_ms,
    )
