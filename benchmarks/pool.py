"""Cells on several processes: each trains what it needs, then plays its episodes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks import training
from benchmarks.cells import play_cell
from benchmarks.kinds import AsJson, kind_of
from benchmarks.suite import LEARNED, Cell, Suite
from benchmarks.workers import tell, workers

Report = Callable[[str, int], None]
"""Is told of progress: "agent_steps" or "episodes", and how many more were made."""

Keep = Callable[[Cell, AsJson], None]
"""Is given each episode as soon as it is over."""


def run_cell(
    suite: Suite[Any], cell: Cell, episodes: Sequence[int], *, folder: Path, report: Report
) -> Iterator[AsJson]:
    """Train if the policy is a learned one (its checkpoint goes into `folder`), then play."""
    kind, condition = kind_of(suite), suite.condition(cell.contract)
    if cell.policy in LEARNED:
        out = training.checkpoint_folder(folder, cell.policy, condition)
        if training.finished_checkpoint(out) is None:
            kind.train_policy(
                suite, condition, out=out, on_agent_steps=lambda made: report("agent_steps", made)
            )
    for result in play_cell(suite, cell, episodes=episodes, run=folder):
        yield result
        report("episodes", 1)


def run_cells(
    suite: Suite[Any],
    episodes: Mapping[Cell, Sequence[int]],
    *,
    folder: Path,
    num_workers: int,
    report: Report,
    keep: Keep,
) -> None:
    """Play these episodes of each cell, in this process (0 workers) or on several.

    The results are the same; the order in which they are kept is not.

    Raises:
        BrokenProcessPool: if a process died.
    """
    if num_workers == 0:
        for cell, wanted in episodes.items():
            for result in run_cell(suite, cell, wanted, folder=folder, report=report):
                keep(cell, result)
        return
    # What takes longest starts first, so that no process is left alone with it at the end.
    longest_first = sorted(episodes, key=lambda cell: cell.policy not in LEARNED)
    with workers(num_workers) as processes:
        futures = [
            processes.submit(_work, suite, cell, episodes[cell], folder=folder)
            for cell in longest_first
        ]
        for what, *message in processes.heard(futures):
            (keep if what == _RESULT else report)(*message)


_RESULT, _PROGRESS = "result", "progress"


def _work(suite: Suite[Any], cell: Cell, episodes: Sequence[int], *, folder: Path) -> None:
    for result in run_cell(suite, cell, episodes, folder=folder, report=_report_from_worker):
        tell((_RESULT, cell, result))


def _report_from_worker(kind: str, amount: int) -> None:
    tell((_PROGRESS, kind, amount))
