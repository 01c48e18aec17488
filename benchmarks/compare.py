"""Play a suite, keep its episodes, and sum them up."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from agents.llm import ChatClient
from benchmarks.arena import Arena, Cell, cells_of
from benchmarks.comparisons import Comparison, comparisons, comparisons_to_json
from benchmarks.kinds import CellRow, Episode, kind_of, read_record
from benchmarks.model_cells import Served, Status
from benchmarks.sensitivity import SensitivityRow, sensitivity
from benchmarks.store import (
    COMPARISONS,
    FIGURES,
    SENSITIVITY,
    TABLE,
    PlannedCell,
    RunFolder,
    RunReader,
)
from benchmarks.suite import Suite
from benchmarks.work import Executor, Keep, Report, Task, Training, trainings_of


def open_folder(path: Path, suite: Suite, *, resume: bool = False) -> RunFolder:
    """Open the folder of a run of this suite; see `RunFolder`."""
    return RunFolder(path, suite.to_dict(), planned_cells(suite), resume=resume)


def planned_cells(suite: Suite) -> list[PlannedCell]:
    """Return all cells of a suite in the order of its tables."""
    return [
        PlannedCell(arena.name, cell.policy, cell.contract, arena.num_episodes)
        for arena in suite.arenas
        for cell in cells_of(arena)
    ]


def planned_trainings(suite: Suite) -> list[Training]:
    """Return what is learned in a run of the suite, each once."""
    return trainings_of(
        Task(arena=arena, cell=cell, episodes=())
        for arena in suite.arenas
        for cell in cells_of(arena)
    )


@dataclass(frozen=True, kw_only=True)
class ArenaRows:
    """The rows of one arena's cells that have an episode, in its order."""

    arena: Arena[Any]
    rows: tuple[CellRow, ...]

    def to_dicts(self) -> list[dict[str, Any]]:
        """Return the rows as JSON values."""
        return [{"arena": self.arena.name, **row.to_dict()} for row in self.rows]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of a run."""

    tables: tuple[ArenaRows, ...]  # of the arenas that have a row
    comparisons: tuple[Comparison, ...]  # between rows
    sensitivity: tuple[SensitivityRow, ...]  # what episodes that went wrong do to the rows
    missing: int  # episodes that were not played to their end
    failures: tuple[str, ...]  # of episodes, a line each
    stopped: str | None  # why the run ended before its episodes did
    serving: Mapping[str, Any] | None  # what models did for it

    @property
    def rows(self) -> tuple[CellRow, ...]:
        """The rows of all arenas."""
        return tuple(row for table in self.tables for row in table.rows)

    @property
    def is_complete(self) -> bool:
        """Whether every episode was played."""
        return not self.missing


def compare(
    suite: Suite,
    *,
    folder: RunFolder,
    executor: Executor,
    report: Report = lambda _kind, _amount: None,
    on_status: Status = lambda _serving: None,
    command: Sequence[str] = (),
    clients: Mapping[str, ChatClient] | None = None,
) -> Outcome:
    """Play all cells of `suite` that `folder` does not have yet; write table and figures.

    The same suite gives the same rows, wherever it is played; leaving cells out changes none of the
    others. Models that are served answer as they answer: their rows are as repeatable as the
    server.

    Args:
        suite: what to play, seeds and numbers of episodes included.
        folder: of the run, just opened for this suite.
        executor: plays all cells in which no model takes part.
        report: is told of progress, see `benchmarks.work`.
        on_status: is told how models are doing, see `benchmarks.model_cells`.
        command: how the run was asked for, for the record.
        clients: by model, in place of those that the suite's models describe.

    """
    played = play_missing(
        suite,
        folder=folder,
        executor=executor,
        report=report,
        on_status=on_status,
        clients=clients,
    )
    outcome = _sum_up(suite, folder, played)
    played.end_run(suite, folder, command=command)
    return outcome


@dataclass(frozen=True, kw_only=True)
class Played:
    """How a part of a run went, before anything is made of its episodes."""

    started_at: datetime
    started_s: float  # by the clock of `time.monotonic`
    missing: int  # episodes that were not played to their end
    failures: tuple[str, ...]  # of episodes, a line each
    stopped: str | None  # why it ended before its episodes did
    serving: Mapping[str, Any] | None  # what models did for it

    @property
    def seconds(self) -> float:
        """Time since it began."""
        return round(time.monotonic() - self.started_s, 1)

    def end_run(self, suite: Suite, folder: RunFolder, *, command: Sequence[str]) -> None:
        """Say in the folder how it went; `command` is how it was asked for."""
        folder.write_run(
            {
                "command": _without_addresses(command, suite),
                "started_at": self.started_at.isoformat(timespec="seconds"),
                "seconds": self.seconds,
                "stopped": _without_addresses([self.stopped or ""], suite)[0] or None,
                "failures": _without_addresses(self.failures, suite),
                "serving": self.serving,
            },
            is_complete=not self.missing,
        )


def play_missing(
    suite: Suite,
    *,
    folder: RunFolder,
    executor: Executor,
    report: Report = lambda _kind, _amount: None,
    on_status: Status = lambda _serving: None,
    clients: Mapping[str, ChatClient] | None = None,
) -> Played:
    """Play all cells of `suite` that `folder` does not have yet; arguments as for `compare`."""
    started_at, started_s = datetime.now(UTC), time.monotonic()
    for arena in suite.arenas:
        for trained in arena.trained:
            trained.keep_in(folder.path)
    missing = _missing(suite, folder)
    _report_earlier(suite, folder, missing, report)
    executor.perform(
        [task for task in missing if not _asks_models(task)],
        folder=folder.path,
        report=report,
        keep=folder.keep_episode,
    )
    asking = [task for task in missing if _asks_models(task)]
    served = _play_models(
        asking, executor, folder.keep_episode, report=report, on_status=on_status, clients=clients
    )
    outcome = served.outcome if served else None
    return Played(
        started_at=started_at,
        started_s=started_s,
        missing=sum(len(task.episodes) for task in _missing(suite, folder)),
        failures=tuple(f"{job}: {why}" for job, why in (outcome.failed if outcome else ())),
        stopped=str(outcome.stopped) if outcome and outcome.stopped else None,
        serving=served.serving if served else None,
    )


def _without_addresses(lines: Sequence[str], suite: Suite) -> list[str]:
    """Return lines without where models are served: who reads a run need not know."""
    specs = suite.models.models.values() if suite.models is not None else ()
    urls = {url for spec in specs for url in spec.client.base_urls}
    for url in sorted(urls, key=len, reverse=True):  # one may begin with another
        lines = [line.replace(url, "URL") for line in lines]
    return list(lines)


def _report_earlier(
    suite: Suite, folder: RunFolder, missing: Sequence[Task], report: Report
) -> None:
    """Tell what earlier parts of the run have done."""
    wanted = sum(cell.num_episodes for cell in planned_cells(suite))
    report("episodes", wanted - sum(len(task.episodes) for task in missing))
    for each in planned_trainings(suite):
        if each.is_done(folder.path):
            report("agent_steps", each.arena.training_agent_steps)


def _missing(suite: Suite, folder: RunFolder) -> list[Task]:
    """Return the episodes still to be played."""
    with folder.reader() as reader:
        played = {row.key for row in reader.rows()}
    tasks = []
    for arena in suite.arenas:
        for cell in cells_of(arena):
            name = (arena.name, cell.policy, cell.contract)
            left = tuple(k for k in range(arena.num_episodes) if (*name, k) not in played)
            if left:
                tasks.append(Task(arena=arena, cell=cell, episodes=left))
    return tasks


def _asks_models(task: Task) -> bool:
    return task.cell.policy in task.arena.table_names


def _play_models(
    tasks: Sequence[Task],
    executor: Executor,
    keep: Keep,
    *,
    report: Report,
    on_status: Status,
    clients: Mapping[str, ChatClient] | None,
) -> Served | None:
    if not tasks or tasks[0].arena.models is None:
        return None

    def keep_and_tell(kept: Any) -> None:
        keep(kept)
        report("episodes", 1)

    models = tasks[0].arena.models
    return executor.perform_models(
        tasks, models=models, keep=keep_and_tell, on_status=on_status, clients=clients
    )


def _sum_up(suite: Suite, folder: RunFolder, played: Played) -> Outcome:
    with folder.reader() as reader:
        tables = tuple(arena_rows(arena, reader) for arena in suite.arenas)
        drawn = comparisons(reader.rows(), suite.arenas)
        checked = sensitivity(reader.rows(), suite.arenas)
        _write(tables, reader, folder)
    folder.write_json(COMPARISONS, comparisons_to_json(drawn))
    folder.write_json(SENSITIVITY, [row.to_dict() for row in checked])
    return Outcome(
        tables=tuple(table for table in tables if table.rows),
        comparisons=tuple(drawn),
        sensitivity=tuple(checked),
        missing=played.missing,
        failures=played.failures,
        stopped=played.stopped,
        serving=played.serving,
    )


def arena_rows(arena: Arena[Any], reader: RunReader) -> ArenaRows:
    """Return a row for every cell with an episode, but for a training one of all its seeds."""
    kind = kind_of(arena)
    results = KeptResults(arena, reader)
    rows: dict[Cell, list[CellRow]] = {}
    for cell in results:
        trained = arena.training_of(cell.policy)
        of_row = cell if trained is None else replace(cell, policy=trained.name)
        rows.setdefault(of_row, []).append(kind.summarize(results[cell], seed=arena.seed))
    seeds = {each.name for each in arena.trained}
    merged = (
        kind.over_training_seeds(cell.policy, found)
        if kind.over_training_seeds is not None and cell.policy in seeds
        else found[0]
        for cell, found in rows.items()
    )
    return ArenaRows(arena=arena, rows=tuple(merged))


class KeptResults(Mapping[Cell, Sequence[Episode]]):
    """The episodes of the cells of an arena that have any, read when they are asked for."""

    def __init__(self, arena: Arena[Any], reader: RunReader) -> None:
        self._arena, self._reader = arena, reader
        kept = reader.kept_cells(arena.name)
        self._cells = [c for c in cells_of(arena) if (c.policy, c.contract) in kept]

    def __getitem__(self, cell: Cell) -> list[Episode]:
        if cell not in self._cells:
            raise KeyError(cell)
        planned = PlannedCell(self._arena.name, cell.policy, cell.contract, 0)
        return [read_record(self._arena, kept.record) for kept in self._reader.episodes(planned)]

    def __iter__(self) -> Iterator[Cell]:
        return iter(self._cells)

    def __len__(self) -> int:
        return len(self._cells)


def _write(tables: Sequence[ArenaRows], reader: RunReader, folder: RunFolder) -> None:
    """Write the table and, of every arena without an empty cell, the figure."""
    folder.write_json(TABLE, [row for table in tables for row in table.to_dicts()])
    for table in tables:
        results = KeptResults(table.arena, reader)
        if len(results) == len(cells_of(table.arena)):
            paths = [folder.path / name for name in figures_of(table.arena, len(tables))]
            kind_of(table.arena).save_figure(table.arena, table.rows, results, paths)


def figures_of(arena: Arena[Any], num_arenas: int) -> tuple[str, ...]:
    """Return the names of an arena's figures in a run of so many arenas."""
    if num_arenas == 1:
        return FIGURES
    name = arena.name.replace("/", "-")
    return tuple(figure.replace("figure", f"figure-{name}") for figure in FIGURES)
