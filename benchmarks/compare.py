"""Play a suite, keep its records, and sum it up."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from agents.llm import ChatClient
from benchmarks import training
from benchmarks.kinds import AsJson, kind_of, read_record
from benchmarks.model_cells import Served, Status, play_model_cells
from benchmarks.pool import Report, run_cells
from benchmarks.store import FIGURES, TABLE, RunFolder
from benchmarks.suite import LEARNED, Cell, Suite, cells_of


def without_missing_extras(suite: Suite[Any]) -> Suite[Any]:
    """Return the suite without the policies whose packages are not installed."""
    if training.is_available():
        return suite
    return replace(suite, policies=tuple(p for p in suite.policies if p not in LEARNED))


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What came of a run."""

    rows: tuple[AsJson, ...]  # of the cells that have an episode, in the suite's order
    missing: int  # episodes that were not played to their end
    failures: tuple[str, ...]  # of episodes, a line each
    stopped: str | None  # why the run ended before its episodes did
    serving: Mapping[str, Any] | None  # what models did for it

    @property
    def is_complete(self) -> bool:
        """Whether every episode was played."""
        return not self.missing


class _Played:
    """The episodes of a run, by cell and number: those of earlier parts, and those played now."""

    def __init__(self, suite: Suite[Any], folder: RunFolder) -> None:
        self._suite, self._folder = suite, folder
        self.results: dict[Cell, dict[int, AsJson]] = {cell: {} for cell in cells_of(suite)}
        for record in folder.episodes():
            episode = read_record(suite, record)
            cell = Cell(policy=episode.policy, contract=episode.contract)
            if cell in self.results and episode.episode < suite.num_episodes:
                self.results[cell][episode.episode] = episode

    def missing(self, *, with_models: bool) -> dict[Cell, list[int]]:
        """Return the episodes still to be played, models taking part in them or not."""
        missing = {
            cell: [k for k in range(self._suite.num_episodes) if k not in done]
            for cell, done in self.results.items()
            if (cell.policy in self._suite.table_names) == with_models
        }
        return {cell: episodes for cell, episodes in missing.items() if episodes}

    def keep(self, cell: Cell, result: Any) -> None:
        """Keep an episode that is over."""
        self._folder.keep_episode(result.to_dict())
        self.results[cell][result.episode] = result

    def in_order(self) -> dict[Cell, list[AsJson]]:
        """Return the episodes of each cell that has any, by number."""
        return {
            cell: [done[k] for k in sorted(done)] for cell, done in self.results.items() if done
        }


def compare(
    suite: Suite[Any],
    *,
    folder: RunFolder,
    num_workers: int,
    report: Report = lambda _kind, _amount: None,
    on_status: Status = lambda _serving: None,
    command: Sequence[str] = (),
    clients: Mapping[str, ChatClient] | None = None,
) -> Comparison:
    """Play all cells of `suite` that `folder` does not have yet; write records, table and figure.

    The same suite gives the same rows, whatever the number of processes; leaving cells out changes
    none of the others. Models that are served answer as they answer: their rows are as repeatable
    as the server.

    Args:
        suite: what to play, its seed and number of episodes included.
        folder: of the run, just opened.
        num_workers: processes; 0 plays in this one.
        report: is told of progress, see `benchmarks.pool`.
        on_status: is told how models are doing, see `benchmarks.model_cells`.
        command: how the run was asked for, for the record.
        clients: by model, in place of those that the suite's models describe.

    """
    started_at, start_s = datetime.now(UTC), time.monotonic()
    for trained in suite.trained:
        trained.keep_in(folder.path)
    played = _Played(suite, folder)
    report("episodes", sum(map(len, played.results.values())))
    run_cells(
        suite,
        played.missing(with_models=False),
        folder=folder.path,
        num_workers=num_workers,
        report=report,
        keep=played.keep,
    )
    served = _play_models(suite, played, report=report, on_status=on_status, clients=clients)
    comparison = _sum_up(suite, played, served)
    _write(suite, folder, played, comparison)
    folder.write_run(
        {
            "command": list(command),
            "started_at": started_at.isoformat(timespec="seconds"),
            "seconds": round(time.monotonic() - start_s, 1),
            "stopped": comparison.stopped,
            "failures": list(comparison.failures),
            "serving": comparison.serving,
        },
        is_complete=comparison.is_complete,
    )
    return comparison


def _play_models(
    suite: Suite[Any],
    played: _Played,
    *,
    report: Report,
    on_status: Status,
    clients: Mapping[str, ChatClient] | None,
) -> Served | None:
    missing = played.missing(with_models=True)
    if suite.models is None or not missing:
        return None

    def keep(cell: Cell, result: Any) -> None:
        played.keep(cell, result)
        report("episodes", 1)

    return play_model_cells(
        suite, missing, models=suite.models, keep=keep, on_status=on_status, clients=clients
    )


def _sum_up(suite: Suite[Any], played: _Played, served: Served | None) -> Comparison:
    missing = [*played.missing(with_models=False).values()]
    missing += played.missing(with_models=True).values()
    outcome = served.outcome if served else None
    return Comparison(
        rows=_rows(suite, played),
        missing=sum(map(len, missing)),
        failures=tuple(
            f"{job.cell.policy}, {job.cell.contract}, episode {job.episode}: {why}"
            for job, why in (outcome.failed if outcome else ())
        ),
        stopped=str(outcome.stopped) if outcome and outcome.stopped else None,
        serving=served.serving if served else None,
    )


def _rows(suite: Suite[Any], played: _Played) -> tuple[AsJson, ...]:
    """Return a row for every cell, but for a training one of all its training seeds."""
    kind = kind_of(suite)
    rows: dict[Cell, list[AsJson]] = {}
    for cell, results in played.in_order().items():
        trained = suite.training_of(cell.policy)
        of_row = cell if trained is None else replace(cell, policy=trained.name)
        rows.setdefault(of_row, []).append(kind.summarize(results, seed=suite.seed))
    seeds = {each.name for each in suite.trained}
    return tuple(
        kind.over_training_seeds(cell.policy, found)
        if kind.over_training_seeds is not None and cell.policy in seeds
        else found[0]
        for cell, found in rows.items()
    )


def _write(suite: Suite[Any], folder: RunFolder, played: _Played, comparison: Comparison) -> None:
    """Write the table and, where no cell is empty, the figure; sort the records of a whole run."""
    results, rows = played.in_order(), comparison.rows
    folder.write_json(TABLE, [row.to_dict() for row in rows])
    if len(results) == len(played.results):
        paths = [folder.path / name for name in FIGURES]
        kind_of(suite).save_figure(suite, rows, results, paths)
    if comparison.is_complete:
        folder.write_episodes(result.to_dict() for cell in results.values() for result in cell)
