"""Cells that models take part in, asked from several workers: their shares, and what it took."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

from agents.llm import BudgetExhaustedError, ChatClient
from benchmarks.arena import Cell
from benchmarks.episode_row import EpisodeKey
from benchmarks.executors.pieces import EPISODE, SERVED, STATUS, Message, Piece, ask_models
from benchmarks.executors.shares import (
    Purse,
    divided,
    gpus_of_worker,
    num_shares,
    runs_models,
    summed,
)
from benchmarks.model_cells import Job, Served, Status
from benchmarks.model_config import Budget, ModelsConfig
from benchmarks.scheduler import Outcome
from benchmarks.serving import Serving, server_counts, told_of
from benchmarks.work import Keep, Task

_PIECES_A_WORKER, _LEAST_EPISODES = 4, 16


class AskModels:
    """Episodes that models take part in: a share of the whole run for each worker.

    What the run may cost, and how much it asks at a time, is divided among the workers that ask at
    a time; what one has not spent of its share is dealt out again with its next piece.

    Args:
        tasks: which episodes.
        models: who sits at the tables, how much at once, and what it may cost.
        keep: is given each episode that is over.
        on_status: is told now and then how the models are doing, those of all workers together.
        clients: by model, in place of those that `models` describes.
        num_workers: the most that ask at a time.
    """

    def __init__(
        self,
        tasks: Sequence[Task],
        *,
        models: ModelsConfig,
        keep: Keep,
        on_status: Status,
        clients: Mapping[str, ChatClient] | None,
        num_workers: int,
    ) -> None:
        self._models, self._keep, self._on_status = models, keep, on_status
        self._clients = clients
        jobs = _in_turn(tasks)
        self._num_shares = num_shares(models, at_most=min(num_workers, len(jobs)))
        size = _piece_size(len(jobs), self._num_shares, at_once=runs_models(models))
        self._waiting = deque((jobs[at : at + size], 0) for at in range(0, len(jobs), size))
        self._purse = Purse(models.budget)
        self._shares: dict[Piece, Budget] = {}  # of pieces that workers are at
        self._told: dict[Piece, Serving] = {}  # the last that was told of each piece
        self._outcome: Outcome[Job] = Outcome()
        self._most_in_flight = 0
        self._servers = _servers_of(models)
        self._began_s, self._before = time.monotonic(), server_counts(self._servers)

    @property
    def is_stopped(self) -> bool:
        """Whether no further question makes sense; see `benchmarks.executors.plans.Plan`."""
        return self._outcome.stopped is not None

    def next_piece(self) -> Piece | None:
        """Return the next episodes with a share of what is left to spend; see `Plan`."""
        not_dealt = self._num_shares - len(self._shares)
        if not not_dealt or not self._waiting:
            return None
        share = self._purse.take(one_of=not_dealt, elapsed_s=self._s)
        if share is None:
            if not self._shares:
                self._outcome.stopped = BudgetExhaustedError("the budget is spent")
            return None
        jobs, losses = self._waiting.popleft()
        work = partial(
            ask_models,
            tasks=_grouped(jobs),
            models=divided(self._models, by=self._num_shares, budget=share),
            clients=self._clients,
        )
        num_gpus = gpus_of_worker(self._models)
        piece = Piece(work=work, wanted=jobs, num_gpus=num_gpus, losses=losses)
        self._shares[piece] = share
        return piece

    def hear(self, piece: Piece, message: Message) -> bool:
        """Keep an episode, sum up how models do; see `Plan`."""
        what, about = message
        if what == STATUS:
            self._told[piece] = about
            now = self._now()
            self._most_in_flight = max(self._most_in_flight, now.in_flight)
            self._on_status(now)
        elif what == SERVED:
            self._note(about)
        elif what == EPISODE:
            left = [job for job in piece.wanted if _key(job) != about.row.key]
            if len(left) < len(piece.wanted):
                self._keep(about)
                piece.wanted = left
                return True
        return False

    def end(self, piece: Piece) -> None:
        """Take back what is left of its share; see `Plan`."""
        share = self._shares.pop(piece)
        if piece in self._told:  # of a worker that died: as far as it came to tell
            told = self._told[piece] = replace(self._told[piece], in_flight=0, limit=0)
            self._purse.give_back(share, told)
        else:
            self._purse.give_back(share, summed((), seconds=0.0))

    def lose(self, piece: Piece) -> None:
        """Put the rest of a piece first; see `Plan`."""
        self.end(piece)
        if piece.wanted:
            self._waiting.appendleft((piece.wanted, piece.losses))

    def served(self) -> Served:
        """Return how the episodes ended and what it took."""
        told = told_of(
            self._now(),
            most_in_flight=self._most_in_flight,
            gpus=self._gpus,
            before=self._before,
            after=server_counts(self._servers),
        )
        return Served(outcome=self._outcome, serving=told)

    def _note(self, served: Served) -> None:
        self._outcome.failed += served.outcome.failed
        self._most_in_flight = max(self._most_in_flight, served.serving["most_in_flight"])
        why = served.outcome.stopped
        if isinstance(why, BudgetExhaustedError) and self._num_shares > 1:
            why = BudgetExhaustedError(f"{why}, the share of one of {self._num_shares} workers")
        self._outcome.stopped = self._outcome.stopped or why

    def _now(self) -> Serving:
        return summed(self._told.values(), seconds=self._s)

    @property
    def _s(self) -> float:
        return time.monotonic() - self._began_s

    @property
    def _gpus(self) -> int:
        workers = self._num_shares if runs_models(self._models) else 1
        specs = {spec.client for spec in self._models.models.values()}
        return workers * sum(client.gpus or 0 for client in specs)


def _in_turn(tasks: Sequence[Task]) -> list[Job]:
    """Return all episodes: the first ones of all cells, then the second ones, and so on."""
    numbered = [
        (position, Job(arena=task.arena, cell=task.cell, episode=episode))
        for task in tasks
        for position, episode in enumerate(task.episodes)
    ]
    return [job for _, job in sorted(numbered, key=lambda each: each[0])]


def _piece_size(num_episodes: int, num_workers: int, *, at_once: bool) -> int:
    """Return how many episodes a worker plays in one go: enough to keep models busy."""
    whole_share = -(-num_episodes // num_workers)
    if at_once:  # a model is loaded for every piece
        return whole_share
    return max(-(-whole_share // _PIECES_A_WORKER), min(whole_share, _LEAST_EPISODES))


def _grouped(jobs: Sequence[Job]) -> list[Task]:
    """Return episodes as tasks, each of one cell."""
    of_cell: dict[tuple[str, Cell], list[Job]] = {}
    for job in jobs:
        of_cell.setdefault((job.arena.name, job.cell), []).append(job)
    return [
        Task(arena=found[0].arena, cell=cell, episodes=tuple(job.episode for job in found))
        for (_, cell), found in of_cell.items()
    ]


def _key(job: Job) -> EpisodeKey:
    return job.arena.name, job.cell.policy, job.cell.contract, job.episode


def _servers_of(models: ModelsConfig) -> list[str]:
    return sorted({url for spec in models.models.values() for url in spec.client.base_urls})
