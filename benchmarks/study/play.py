"""Playing the study: its episodes as any run's, then its summary and its figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agents.llm import ChatClient
from benchmarks.compare import Played, play_missing
from benchmarks.model_cells import Status
from benchmarks.store import RunFolder
from benchmarks.study.figures import save_figures
from benchmarks.study.summary import write_study
from benchmarks.suite import Suite
from benchmarks.work import Executor, Report


@dataclass(frozen=True, kw_only=True)
class Studied:
    """What came of playing the study, or a part of it."""

    played: Played
    study: Mapping[str, Any]  # the summary of all that is kept
    figures: tuple[Path, ...]


def play_study(
    suite: Suite,
    *,
    size: str,
    folder: RunFolder,
    executor: Executor,
    report: Report = lambda _kind, _amount: None,
    on_status: Status = lambda _serving: None,
    on_summary: Callable[[], None] = lambda: None,
    command: Sequence[str] = (),
    clients: Mapping[str, ChatClient] | None = None,
    num_workers: int | None = None,
) -> Studied:
    """Play what `folder` does not have yet of a suite of the study; write summary and figures.

    Args:
        suite: of `benchmarks.study.suite.study_suite`, the one `folder` was opened for.
        size: of the suite.
        folder: of the run.
        executor: plays all cells in which no model takes part.
        report: is told of progress, see `benchmarks.work`.
        on_status: is told how models are doing, see `benchmarks.model_cells`.
        on_summary: is told that all is played and summed up now, which takes a while.
        command: how the run was asked for, for the record.
        clients: by model, in place of those that the suite's models describe.
        num_workers: processes that solve what the summary needs; 0 for this one alone.
    """
    played = play_missing(
        suite,
        folder=folder,
        executor=executor,
        report=report,
        on_status=on_status,
        clients=clients,
    )
    played.end_run(suite, folder, command=command)
    on_summary()
    study = write_study(folder.path, size=size, command=command, num_workers=num_workers)
    return Studied(played=played, study=study, figures=tuple(save_figures(study, folder.path)))
