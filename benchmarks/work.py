"""Work: episodes of a cell, wherever they are played."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self

from benchmarks import training
from benchmarks.arena import LEARNED, Arena, Cell
from benchmarks.cells import play_cell
from benchmarks.episode_row import EpisodeRow, KeptEpisode
from benchmarks.kinds import Episode, kind_of
from benchmarks.lineups import players_of
from benchmarks.seated_training import TRAINED

if TYPE_CHECKING:
    from agents.llm import ChatClient
    from benchmarks.model_cells import Served, Status
    from benchmarks.model_config import ModelsConfig

Report = Callable[[str, int], None]
"""Is told of progress: "agent_steps" or "episodes", and how many more were made."""

Keep = Callable[[KeptEpisode], None]
"""Is given each episode as soon as it is over."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """Episodes of one cell."""

    arena: Arena[Any]
    cell: Cell
    episodes: tuple[int, ...]

    @property
    def trainings(self) -> tuple[Training, ...]:
        """What has to be learned before they can be played."""
        return tuple(
            Training(arena=self.arena, player=player, contract=self.cell.contract)
            for player in players_of(self.arena, self.cell.policy)
            if player in LEARNED
        )

    def checkpoints(self, run: Path) -> list[tuple[Path, ...]]:
        """Return the files in a run's folder from which its players have learned, by player."""
        found = [each.files(run) for each in self.trainings]
        trained = self.arena.training_of(self.cell.policy)
        if trained is not None:
            seed = self.cell.policy.rpartition("/")[2]
            kept = [run / TRAINED / trained.name / f"seed-{seed}" / file for file in trained.files]
            found.append(tuple(path for file in kept for path in (file, file.with_suffix(".json"))))
        return found


@dataclass(frozen=True, kw_only=True)
class Training:
    """A policy that is learned under a condition of an arena."""

    arena: Arena[Any]
    player: str
    contract: str

    def folder(self, run: Path) -> Path:
        """Return where in a run's folder its checkpoint is kept."""
        condition = self.arena.condition(self.contract)
        return training.checkpoint_folder(run, self.arena.name, self.player, condition)

    def files(self, run: Path) -> tuple[Path, ...]:
        """Return where in a run's folder that is which it takes to play it."""
        return tuple(self.folder(run) / name for name in ("policy.zip", "policy.json"))

    def is_done(self, run: Path) -> bool:
        """Whether the run has its checkpoint."""
        return training.finished_checkpoint(self.folder(run)) is not None


def trainings_of(tasks: Iterable[Task]) -> list[Training]:
    """Return what has to be learned for some tasks, each once."""
    wanted = {
        (each.arena.name, each.player, each.contract): each
        for task in tasks
        for each in task.trainings
    }
    return list(wanted.values())


class Executor(Protocol):
    """Does the work of a run somewhere; the episodes are the same wherever that is.

    As a context manager it keeps what it has started, if anything, from one call to the next.
    """

    def __enter__(self) -> Self:
        """Start what it takes to work."""
        ...

    def __exit__(self, *raised: object) -> None:
        """End what was started."""
        ...

    def perform(self, tasks: Sequence[Task], *, folder: Path, report: Report, keep: Keep) -> None:
        """Learn what has to be learned, play all episodes, and return when they are over.

        Args:
            tasks: in the order of tables; they may be performed in any.
            folder: of the run, where checkpoints of learned policies are and will be.
            report: is told of progress.
            keep: is given each episode that is over, one at a time; the order is not fixed.

        """
        ...

    def perform_models(
        self,
        tasks: Sequence[Task],
        *,
        models: ModelsConfig,
        keep: Keep,
        on_status: Status,
        clients: Mapping[str, ChatClient] | None,
    ) -> Served:
        """Play all episodes of cells that models take part in, and return when they are over.

        Arguments and what is returned are those of `benchmarks.model_cells.play_model_cells`.
        """
        ...


class Stopwatch:
    """When an episode began, and how long it took."""

    def __init__(self) -> None:
        self._started_at, self._since_s = datetime.now(UTC), time.monotonic()

    def stop(self) -> dict[str, Any]:
        """Return the fields of `EpisodeRow` that tell of time."""
        return {
            "started_at": self._started_at.isoformat(timespec="milliseconds"),
            "ended_at": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "wall_s": time.monotonic() - self._since_s,
        }


def play_task(task: Task, *, folder: Path) -> Iterator[KeptEpisode]:
    """Play the episodes of a task; what its policy has learned is in the run's folder."""
    watch = Stopwatch()
    for result in play_cell(task.arena, task.cell, episodes=task.episodes, run=folder):
        yield kept_episode(task.arena, result, watch)
        watch = Stopwatch()


def train(wanted: Training, *, folder: Path, report: Report) -> None:
    """Learn a policy; its checkpoint goes into the run's folder."""
    kind_of(wanted.arena).train_policy(
        wanted.arena,
        wanted.arena.condition(wanted.contract),
        out=wanted.folder(folder),
        on_agent_steps=lambda made: report("agent_steps", made),
    )


def kept_episode(arena: Arena[Any], result: Episode, watch: Stopwatch) -> KeptEpisode:
    """Return an episode that is over, in numbers and as a record."""
    kind = kind_of(arena)
    calls = [call for seat in result.calls_by_seat().values() for call in seat]
    calls += result.judge_calls
    row = EpisodeRow(
        arena=arena.name,
        policy=result.policy,
        contract=result.contract,
        episode=result.episode,
        seed=result.seed,
        **watch.stop(),
        measures={name: measure(result) for name, measure in kind.measures.items()},
        malformed=kind.num_malformed(result),
        calls=len(calls),
        prompt_tokens=sum(call.prompt_tokens for call in calls),
        completion_tokens=sum(call.completion_tokens for call in calls),
        latency_s=sum(call.latency_s for call in calls),
    )
    return KeptEpisode(row=row, record=result.to_dict())
