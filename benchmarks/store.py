"""A run's folder: what was played, every episode of it, and what came out.

```
run.db           what was run, with which versions, whether it is complete, and every episode: in
                 numbers, and as a record (`benchmarks.cleanup.runner.EpisodeResult` or
                 `benchmarks.negotiation.runner.NegotiationResult`); see `benchmarks.database`
table.json       the rows
comparisons.json who does better than whom, by how much, and how sure that is
sensitivity.json the rows without the episodes that went wrong
study.json       of `commonweal study` instead: the summary
*.svg, *.png     figures
ppo/<arena>/<contract>/ of learned policies: checkpoints and logs, see `agents.ppo.folder`
trained/<name>/  of policies that were trained before: copies of their checkpoints
report/          what `commonweal report` makes
```
"""

from __future__ import annotations

import json
import sqlite3
import threading
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple, Self, TypeVar

from benchmarks.database import (
    FILE,
    BlockedError,
    StoreError,
    WriterLock,
    open_to_read,
    open_to_write,
    refuse_strangers,
    told_plainly,
    transaction,
)
from benchmarks.drift import refuse_drift
from benchmarks.episode_row import EpisodeRow, KeptEpisode
from benchmarks.run_files import CHECKPOINTS, OUTCOMES
from benchmarks.versions import versions
from benchmarks.whole_file import write_whole
from cleanup_icn import ConfigError

TABLE, COMPARISONS, SENSITIVITY = "table.json", "comparisons.json", "sensitivity.json"
FIGURES = ("figure.svg", "figure.png")
RUNNING, COMPLETE, STOPPED = "running", "complete", "stopped"
"""What a run says of itself; one that was killed still says that it is running."""

_LEVEL = 1  # of compression: three times as fast as the default, and hardly larger
_TOLD_BY_ALL = ("suite", "earlier")

FoundT = TypeVar("FoundT")


def _begun_now() -> dict[str, str]:
    return {"started_at": datetime.now(UTC).isoformat(timespec="seconds")}


class PlannedCell(NamedTuple):
    """How many episodes of a cell a run plays."""

    arena: str
    policy: str  # who plays: of a training, one of its seeds
    contract: str
    num_episodes: int


class RunFolder:
    """The folder of one run, to write.

    Opening it for a new run removes what an earlier run left there; opening it to `resume` keeps
    the episodes that are there, and begins a new run where there are none.

    Args:
        path: of the folder.
        suite: what is to be played, as JSON values; kept from the beginning, so that a run is only
            ever resumed as what it was.
        cells: of the run, in the order of its tables.
        resume: whether to go on with an earlier run.

    Raises:
        ConfigError: the folder holds something that is not a run, or a run of something else that
            was to be resumed, or another process writes it, or it cannot be written.
    """

    def __init__(
        self,
        path: Path,
        suite: Mapping[str, Any],
        cells: Iterable[PlannedCell],
        *,
        resume: bool = False,
    ) -> None:
        self.path = path
        self._suite = json.loads(json.dumps(suite))  # as it will be read again
        self._mutex = threading.Lock()
        try:
            path.mkdir(parents=True, exist_ok=True)
            refuse_strangers(path)
            self._lock = WriterLock(path)
        except BlockedError:
            allowed = "a folder that no other process is writing a run to"
            raise ConfigError("--out", str(path), allowed) from None
        except (OSError, StoreError) as error:
            raise ConfigError("--out", str(path), f"a folder to write in ({_why(error)})") from None
        try:
            self._open(list(cells), resume=resume)
        except BaseException:
            self._lock.release()
            raise

    def _open(self, cells: Sequence[PlannedCell], *, resume: bool) -> None:
        try:
            self._connection = open_to_write(self.path)
        except StoreError as error:
            allowed = f"a folder to write in ({_why(error)})"
            raise ConfigError("--out", str(self.path), allowed) from None
        try:
            self._begin(cells, resume=resume)
        except BaseException:
            self._close_file()
            raise

    def _begin(self, cells: Sequence[PlannedCell], *, resume: bool) -> None:
        self._earlier: list[dict[str, Any]] = []
        with told_plainly(self.path / FILE):
            earlier = _about(self._connection)
            if resume and "suite" in earlier:
                refuse_drift(earlier["suite"], self._suite, path=self.path)
                self._earlier = _parts(earlier)
                self._write_status(RUNNING, _begun_now())
            else:
                self._begin_anew(cells)
            found = self._connection.execute("SELECT arena, policy, contract, id FROM cells")
            self._cells = {tuple(names): number for *names, number in found}

    def _begin_anew(self, cells: Sequence[PlannedCell]) -> None:
        """Put this run in the place of whatever run was there.

        A process that is killed in between leaves a folder without a run: none that would be
        resumed with checkpoints of another.
        """
        with transaction(self._connection):
            for table in ("records", "episodes", "cells", "about"):
                self._connection.execute(f"DELETE FROM {table}")
        # By name: a file that somebody put beside them stays.
        for pattern in (TABLE, COMPARISONS, SENSITIVITY, *OUTCOMES, *CHECKPOINTS):
            for file in self.path.glob(pattern):
                file.unlink(missing_ok=True)
        with transaction(self._connection):
            self._connection.executemany(
                "INSERT INTO cells (arena, policy, contract, num_episodes) VALUES (?, ?, ?, ?)",
                cells,
            )
            self._put_status(RUNNING, _begun_now())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let others write; a run whose readers are gone becomes a single file."""
        self._close_file()
        self._lock.release()

    def _close_file(self) -> None:
        with suppress(sqlite3.Error):  # where somebody reads, the files beside it stay
            self._connection.execute("PRAGMA journal_mode = DELETE")
        self._connection.close()

    def keep_episode(self, kept: KeptEpisode) -> None:
        """Keep an episode that is over, all of it or nothing; keeping it again changes nothing.

        Raises:
            StoreError: there is no room for it.
        """
        row = kept.row
        record = zlib.compress(json.dumps(kept.record).encode(), _LEVEL)
        values = (
            self._cells[row.arena, row.policy, row.contract],
            *(getattr(row, name) for name in _COLUMNS[1:6]),
            json.dumps(dict(row.measures)),
            *(getattr(row, name) for name in _COLUMNS[7:]),
        )
        marks = ", ".join("?" * len(values))
        with (
            self._mutex,
            told_plainly(self.path / FILE),
            transaction(self._connection),
        ):
            cursor = self._connection.execute(
                f"INSERT INTO episodes ({', '.join(_COLUMNS)}) VALUES ({marks}) "
                "ON CONFLICT DO NOTHING",
                values,
            )
            if cursor.rowcount:
                self._connection.execute(
                    "INSERT INTO records VALUES (?, ?)", (cursor.lastrowid, record)
                )

    def reader(self) -> RunReader:
        """Return a reader of what is kept so far."""
        return RunReader(self.path)

    def write_json(self, name: str, value: Any) -> None:
        """Write one file of JSON, all of it or none."""
        write_whole(self.path / name, [json.dumps(value, indent=2) + "\n"])

    def write_run(self, about: Mapping[str, Any], *, is_complete: bool = True) -> None:
        """Say how this part of the run went; a complete run has all of its episodes."""
        self._write_status(COMPLETE if is_complete else STOPPED, about)

    def _write_status(self, status: str, about: Mapping[str, Any]) -> None:
        with self._mutex, told_plainly(self.path / FILE), transaction(self._connection):
            self._put_status(status, about)

    def _put_status(self, status: str, about: Mapping[str, Any]) -> None:
        told = {
            "suite": self._suite,
            "status": status,
            **about,
            "versions": versions(),
            "earlier": self._earlier,
        }
        self._connection.execute("DELETE FROM about")
        self._connection.executemany(
            "INSERT INTO about VALUES (?, ?)",
            ((name, json.dumps(value)) for name, value in told.items()),
        )


_COLUMNS = (
    "cell",
    "episode",
    "seed",
    "started_at",
    "ended_at",
    "wall_s",
    "measures",
    "malformed",
    "calls",
    "prompt_tokens",
    "completion_tokens",
    "latency_s",
)
_NUMBERS = ", ".join(f"e.{name}" for name in _COLUMNS[1:])
_FROM = "FROM episodes e JOIN cells c ON c.id = e.cell"
_IN_ORDER = "ORDER BY e.cell, e.episode"  # that of an index: nothing has to be sorted


class RunReader:
    """What a run has kept, also while it goes on; nothing in its folder is changed.

    Episodes come in the order of the run's tables and then of their numbers, however they were
    scheduled.

    Raises:
        ConfigError: the folder holds no run.
        StoreError: its file is damaged.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connection = open_to_read(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Read no more."""
        self._connection.close()

    @property
    def about(self) -> dict[str, Any]:
        """What the run tells of itself: ``suite``, ``status``, ``versions``, ``earlier``, ...

        Raises `ConfigError` where a run was killed before it had begun.
        """
        with told_plainly(self.path / FILE):
            told = _about(self._connection)
        if "suite" not in told:
            raise ConfigError("run", str(self.path), "a run that has begun")
        return told

    @property
    def is_complete(self) -> bool:
        """Whether every episode was played."""
        return self.about.get("status") == COMPLETE

    def cells(self) -> list[PlannedCell]:
        """Return what the run plays."""
        query = "SELECT arena, policy, contract, num_episodes FROM cells ORDER BY id"
        return list(self._found(query, lambda found: PlannedCell(*found)))

    def __len__(self) -> int:
        """Return how many episodes there are."""
        return next(self._found("SELECT count(*) FROM episodes", lambda found: int(found[0])))

    def kept_cells(self, arena: str) -> set[tuple[str, str]]:
        """Return policy and condition of the cells of an arena that have an episode."""
        query = (
            "SELECT policy, contract FROM cells c WHERE arena = ? "
            "AND EXISTS (SELECT 1 FROM episodes WHERE cell = c.id)"
        )
        return set(self._found(query, tuple, (arena,)))

    def rows(self, cell: PlannedCell | None = None) -> Iterator[EpisodeRow]:
        """Yield the episodes, or those of one cell, in numbers alone."""
        where, values = _only(cell)
        query = f"SELECT c.arena, c.policy, c.contract, {_NUMBERS} {_FROM} {where} {_IN_ORDER}"
        yield from self._found(query, _row, values)

    def episodes(self, cell: PlannedCell | None = None) -> Iterator[KeptEpisode]:
        """Yield the episodes, or those of one cell, with their records."""
        where, values = _only(cell)
        yield from self._found(f"{_WITH_RECORD} {where} {_IN_ORDER}", _kept, values)

    def episode(self, number: int) -> KeptEpisode:
        """Return the episode of this number in the order of all, from 0.

        Raises:
            ConfigError: there are not so many.
        """
        if 0 <= number < len(self):
            wanted = "SELECT id FROM episodes ORDER BY cell, episode LIMIT 1 OFFSET ?"
            return next(self._found(f"{_WITH_RECORD} WHERE e.id = ({wanted})", _kept, (number,)))
        raise ConfigError("episode", number, f"a number from 0, below {len(self)}")

    def _found(
        self, query: str, read: Callable[[Any], FoundT], values: Sequence[Any] = ()
    ) -> Iterator[FoundT]:
        with told_plainly(self.path / FILE):
            yield from map(read, self._connection.execute(query, values))


_WITH_RECORD = (
    f"SELECT c.arena, c.policy, c.contract, {_NUMBERS}, r.record "
    f"{_FROM} JOIN records r ON r.id = e.id"
)


def open_run(path: Path) -> RunReader:
    """Return a reader of the run in a folder; see `RunReader`."""
    return RunReader(path)


def _only(cell: PlannedCell | None) -> tuple[str, tuple[Any, ...]]:
    if cell is None:
        return "", ()
    return "WHERE c.arena = ? AND c.policy = ? AND c.contract = ?", cell[:3]


def _row(found: Sequence[Any]) -> EpisodeRow:
    arena, policy, contract, *numbers = found
    named = dict(zip(_COLUMNS[1:], numbers, strict=True))
    named["measures"] = json.loads(named["measures"])
    return EpisodeRow(arena=arena, policy=policy, contract=contract, **named)


def _kept(found: Sequence[Any]) -> KeptEpisode:
    *numbers, record = found
    return KeptEpisode(row=_row(numbers), record=json.loads(zlib.decompress(record)))


def _about(connection: sqlite3.Connection) -> dict[str, Any]:
    found = connection.execute("SELECT name, value FROM about")
    return {name: json.loads(value) for name, value in found}


def _parts(about: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what each part of a run told of itself, the first first."""
    last = {name: value for name, value in about.items() if name not in _TOLD_BY_ALL}
    return [*about.get("earlier", []), last]


def _why(error: OSError | StoreError) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
