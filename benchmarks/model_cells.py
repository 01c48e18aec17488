"""The cells that models take part in: all their episodes at once, through one gate."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from agents.llm import ChatClient, ChatReply
from benchmarks.arena import Arena, Cell
from benchmarks.clients import make_clients, money
from benchmarks.driver import RunInThread, play_async
from benchmarks.gate import Gate, GatedClient
from benchmarks.in_flight import InFlightLimit
from benchmarks.judging import JudgeAsk, judge_of
from benchmarks.kinds import is_judged_by_model, kind_of
from benchmarks.lineups import lineup_of
from benchmarks.model_config import AUTO, ModelsConfig, ModelSpec
from benchmarks.scheduler import Outcome, run_episodes
from benchmarks.serving import Serving, ServingTally
from benchmarks.speakers import Speakers
from benchmarks.work import Keep, Stopwatch, Task, kept_episode

_STATUS_S = 0.5

Status = Callable[[Serving], None]
"""Is told now and then how the models are doing."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """One episode of a cell."""

    arena: Arena[Any]
    cell: Cell
    episode: int

    def __str__(self) -> str:
        """Say which episode it is."""
        where = (self.arena.name, self.cell.policy, self.cell.contract)
        return f"{', '.join(where)}, episode {self.episode}"


@dataclass(frozen=True, kw_only=True)
class Served:
    """How the episodes of a run ended that models took part in, and what it took."""

    outcome: Outcome[Job]
    serving: dict[str, Any]


def play_model_cells(
    tasks: Sequence[Task],
    *,
    models: ModelsConfig,
    keep: Keep,
    on_status: Status = lambda _serving: None,
    clients: Mapping[str, ChatClient] | None = None,
) -> Served:
    """Play episodes of cells whose policies are tables of `models`.

    The first episodes of all cells come first, then the second ones. An episode is kept as soon as
    it is over, whole or not at all, also when the run is stopped or interrupted.

    Args:
        tasks: which episodes.
        models: who sits at the tables, how much at once, and what it may cost.
        keep: is given each episode that is over.
        on_status: is told now and then how the models are doing.
        clients: by model, in place of those that `models` describes; they are not closed.

    """
    jobs = [
        Job(arena=task.arena, cell=task.cell, episode=episode)
        for _, episode, task in sorted(
            (
                (position, episode, task)
                for task in tasks
                for position, episode in enumerate(task.episodes)
            ),
            key=lambda each: each[0],
        )
    ]
    with ExitStack() as opened:
        if clients is None:
            clients = make_clients(models.models)
            for close in {getattr(client, "close", None) for client in clients.values()}:
                if close is not None:
                    opened.callback(close)
        return asyncio.run(_Run(models, clients, keep, on_status).play(jobs))


class _Run:
    """One run's gate, players and writer, for as long as its event loop."""

    def __init__(
        self,
        models: ModelsConfig,
        clients: Mapping[str, ChatClient],
        keep: Keep,
        on_status: Status,
    ) -> None:
        self._models, self._clients = models, clients
        self._keep, self._on_status = keep, on_status

    async def play(self, jobs: Sequence[Job]) -> Served:
        fixed = self._models.run.max_in_flight
        gate = Gate(
            InFlightLimit(None if fixed == AUTO else int(fixed)), budget=self._models.budget
        )
        self._gated = {
            name: GatedClient(client, gate, price=_price(self._models.models[name]))
            for name, client in self._clients.items()
        }
        self._speakers = Speakers(self._models, lambda model, _seat: self._gated[model])
        specs = {spec.client for spec in self._models.models.values()}
        self._tally = ServingTally(
            gate,
            base_urls=sorted({url for client in specs for url in client.base_urls}),
            gpus=sum(client.gpus or 0 for client in specs) or None,
        )
        telling = asyncio.create_task(self._tell())
        # One thread writes, apart from those of the environments, and whatever it has begun to
        # write it ends.
        with ThreadPoolExecutor(1, thread_name_prefix="records") as self._writer:
            try:
                outcome = await run_episodes(
                    jobs,
                    self._play,
                    gate=gate,
                    max_episodes=self._models.run.max_episodes_in_flight,
                )
            finally:
                telling.cancel()
        self._on_status(self._tally.now())
        return Served(outcome=outcome, serving=self._tally.to_dict())

    async def _play(self, job: Job, run_in_thread: RunInThread) -> None:
        arena, kind = job.arena, kind_of(job.arena)
        condition = arena.condition(job.cell.contract)
        judge = self._judge(job) if is_judged_by_model(condition) else None
        watch = Stopwatch()

        def sit_down() -> Any:
            env = kind.make_env(arena, condition, ask=judge)
            return env, kind.seat_table(lineup_of(arena, job.cell.policy), env, self._speakers)

        env, agents = await run_in_thread(sit_down)
        result = await play_async(
            kind.begin(arena, job.cell, job.episode, env=env, agents=agents, judge=judge),
            agents,
            run_in_thread=run_in_thread,
            on_decision=self._tally.count_decision,
        )

        def keep() -> None:
            self._keep(kept_episode(arena, result, watch))

        await asyncio.shield(asyncio.get_running_loop().run_in_executor(self._writer, keep))
        self._tally.count_episode()

    def _judge(self, job: Job) -> JudgeAsk:
        return judge_of(self._models, job.arena, job.episode, lambda model: self._gated[model])

    async def _tell(self) -> None:
        while True:
            self._on_status(self._tally.now())
            await asyncio.sleep(_STATUS_S)


def _price(spec: ModelSpec) -> Callable[[ChatReply], float] | None:
    if not spec.has_price:
        return None
    return lambda reply: money(reply, spec) or 0.0
