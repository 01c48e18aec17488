"""Work in this process, or in several on this machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from agents.llm import ChatClient
from benchmarks.model_cells import Served, Status, play_model_cells
from benchmarks.model_config import ModelsConfig
from benchmarks.work import Keep, Report, Task, Training, play_task, train, trainings_of
from benchmarks.workers import Workers, tell, workers


class _ModelsHere:
    """Asks models from this process: it waits for their servers, so one is enough."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        del raised

    def perform_models(
        self,
        tasks: Sequence[Task],
        *,
        models: ModelsConfig,
        keep: Keep,
        on_status: Status,
        clients: Mapping[str, ChatClient] | None,
    ) -> Served:
        """Play all episodes at once; see `benchmarks.work.Executor`."""
        return play_model_cells(
            tasks, models=models, keep=keep, on_status=on_status, clients=clients
        )


class InProcess(_ModelsHere):
    """Does everything in this process."""

    def perform(self, tasks: Sequence[Task], *, folder: Path, report: Report, keep: Keep) -> None:
        """Perform the tasks in order; see `benchmarks.work.Executor`."""
        for wanted in trainings_of(tasks):
            if not wanted.is_done(folder):
                train(wanted, folder=folder, report=report)
        for task in tasks:
            for kept in play_task(task, folder=folder):
                keep(kept)
                report("episodes", 1)


@dataclass(frozen=True)
class Processes(_ModelsHere):
    """Does the work in several processes; this one alone keeps what they tell."""

    num_workers: int

    def perform(self, tasks: Sequence[Task], *, folder: Path, report: Report, keep: Keep) -> None:
        """Perform the tasks; see `benchmarks.work.Executor`.

        Raises:
            BrokenProcessPool: if a process died; what it told before is kept.
        """
        if not tasks:
            return
        wanted = [each for each in trainings_of(tasks) if not each.is_done(folder)]
        waiting = [task for task in tasks if not set(task.trainings).isdisjoint(wanted)]
        ready = [task for task in tasks if task not in waiting]

        def hear(processes: Workers, futures: Sequence[Any]) -> None:
            for what, *message in processes.heard(futures):
                if what == _EPISODE:
                    keep(*message)
                    report("episodes", 1)
                else:
                    report(*message)

        with workers(self.num_workers) as processes:
            # What takes longest starts first, so that no process is left alone with it at the end.
            first: list[Any] = [processes.submit(_train, each, folder=folder) for each in wanted]
            first += self._begin(processes, ready, folder=folder)
            hear(processes, first)
            hear(processes, self._begin(processes, waiting, folder=folder))

    def _begin(self, processes: Workers, tasks: Sequence[Task], *, folder: Path) -> list[Any]:
        batches = neighbours(tasks, num_batches=_BATCHES_A_WORKER * self.num_workers)
        return [processes.submit(_play, batch, folder=folder) for batch in batches]


_BATCHES_A_WORKER = 16


def neighbours(tasks: Sequence[Task], *, num_batches: int) -> list[list[Task]]:
    """Return tasks in batches of neighbours, where there are many more of them than batches.

    Cells that stand next to each other are of the same world: who plays them one after the other
    solves it once. No batch has more than its part of the episodes, unless it is a single task.
    """
    most = sum(len(task.episodes) for task in tasks) // num_batches
    batches: list[list[Task]] = []
    room = 0
    for task in tasks:
        if len(task.episodes) > room:
            batches.append([])
            room = most
        batches[-1].append(task)
        room -= len(task.episodes)
    return batches


_EPISODE, _PROGRESS = "episode", "progress"


def _train(wanted: Training, *, folder: Path) -> None:
    train(wanted, folder=folder, report=lambda *made: tell((_PROGRESS, *made)))


def _play(tasks: Sequence[Task], *, folder: Path) -> None:
    for task in tasks:
        for kept in play_task(task, folder=folder):
            tell((_EPISODE, kept))


def local_executor(num_workers: int) -> InProcess | Processes:
    """Return what works in so many processes; 0 is this one."""
    return Processes(num_workers) if num_workers else InProcess()
