"""Cells on several processes: each trains what it needs, then plays its episodes."""

from __future__ import annotations

import signal
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from queue import Empty
from typing import Any

from benchmarks import training
from benchmarks.kinds import AsJson, kind_of
from benchmarks.suite import LEARNED, Cell, Suite, cells_of

Report = Callable[[str, int], None]
"""Is told of progress: "agent_steps" or "episodes", and how many more were made."""

_POLL_S = 0.1


class _StoppedError(Exception):
    """The run was given up while a process was at work."""


def run_cell(suite: Suite[Any], cell: Cell, *, folder: Path, report: Report) -> list[AsJson]:
    """Train if the policy is a learned one (its checkpoint goes into `folder`), then play."""
    kind, condition = kind_of(suite), suite.condition(cell.contract)
    checkpoint = None
    if cell.policy in LEARNED:
        checkpoint = kind.train_policy(
            suite,
            condition,
            out=training.checkpoint_folder(folder, cell.policy, condition),
            on_agent_steps=lambda made: report("agent_steps", made),
        )
    results = []
    for result in kind.play_cell(
        suite, cell.policy, condition, checkpoint=str(checkpoint) if checkpoint else None
    ):
        results.append(result)
        report("episodes", 1)
    return results


def run_cells(
    suite: Suite[Any], *, folder: Path, num_workers: int, report: Report
) -> dict[Cell, list[AsJson]]:
    """Run all cells, in this process (0 workers) or on several; the results are the same.

    Raises:
        BrokenProcessPool: if a process died.
    """
    cells = cells_of(suite)
    if num_workers == 0:
        return {cell: run_cell(suite, cell, folder=folder, report=report) for cell in cells}
    context = get_context("spawn")  # a forked copy of a process with PyTorch's threads may hang
    messages, stop = context.Queue(), context.Event()
    executor = ProcessPoolExecutor(
        num_workers, mp_context=context, initializer=_begin_worker, initargs=(messages, stop)
    )
    try:
        # What takes longest starts first, so that no process is left alone with it at the end.
        longest_first = sorted(cells, key=lambda cell: cell.policy not in LEARNED)
        futures = {
            cell: executor.submit(_work, suite, cell, folder=folder) for cell in longest_first
        }
        _wait(list(futures.values()), messages, report)
        return {cell: futures[cell].result() for cell in cells}
    finally:
        stop.set()
        executor.shutdown(cancel_futures=True)


def _wait(futures: Sequence[Future[Any]], messages: Any, report: Report) -> None:
    """Pass progress on until all is done or something failed, which is raised."""
    pending = set(futures)
    while pending:
        try:
            report(*messages.get(timeout=_POLL_S))
        except Empty:
            finished = {future for future in pending if future.done()}
            for future in finished:
                future.result()
            pending -= finished
    while not messages.empty():
        report(*messages.get())


_worker: dict[str, Any] = {}
"""A worker process's queue of progress and its sign to stop, as left by `_begin_worker`."""


def _begin_worker(messages: Any, stop: Any) -> None:
    # Ctrl-C reaches every process of the terminal; the parent alone answers it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _worker.update(messages=messages, stop=stop)


def _work(suite: Suite[Any], cell: Cell, *, folder: Path) -> list[AsJson]:
    return run_cell(suite, cell, folder=folder, report=_report_from_worker)


def _report_from_worker(kind: str, amount: int) -> None:
    if _worker["stop"].is_set():
        raise _StoppedError
    _worker["messages"].put((kind, amount))
