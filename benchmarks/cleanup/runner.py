"""The episode loop: an environment, an agent for every seat, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from pydantic import TypeAdapter

from agents import Agent, Call, Decision
from agents.protocol import OK_STATUS
from benchmarks.arena import Cell
from benchmarks.cleanup.arena import CleanupArena
from benchmarks.cleanup.conditions import Env
from benchmarks.driver import GameUnderWay
from benchmarks.json_values import to_json_values
from benchmarks.judging import JudgeAsk
from benchmarks.seeds import AGENTS, DICE, START, seed_of
from cleanup_icn import CleanupConfig
from cleanup_icn.solve import SocialOptimum, social_optimum


@dataclass(frozen=True, kw_only=True)
class StepRecord:
    """One ``env.step``; lists are in the order of the agents.

    A step of talks has the number of the play step that follows it.
    """

    step: int  # play steps made before
    phase: str  # "play", or what the talks were at
    pollution: int  # units, as seen by the agents when they acted
    fruit: int  # units, likewise
    actions: tuple[Any, ...]  # an integer, or a contract proposed in words
    answers: tuple[str | None, ...]  # what agents that speak said in full
    statuses: tuple[str, ...]  # "ok", or why the action is a fallback
    calls: tuple[tuple[Call, ...], ...]  # questions to models, an agent's in the order they came
    game_rewards: tuple[float, ...]  # before transfers
    transfers: tuple[float, ...]  # settled in this step, received minus paid
    illegal: int  # actions that were not possible


@dataclass(frozen=True, kw_only=True)
class EpisodeResult:
    """One episode, with all that it takes to play it again without a model.

    ``env.reset(seed=seed, options=start)`` and then ``env.step`` with the recorded actions gives
    the same episode bit for bit.
    """

    policy: str
    contract: str
    episode: int
    seed: int  # of the environment
    agent_seeds: tuple[int, ...]
    start: dict[str, int]  # the options of the reset
    config: dict[str, Any]
    agents: tuple[str, ...]
    change_step: int | None
    optimum_by_step: tuple[float, ...]  # welfare of the social optimum from this start
    steps: tuple[StepRecord, ...]
    negotiations: tuple[dict[str, Any], ...]
    judge_calls: tuple[Call, ...] = ()  # questions to a model that judges, in the order they came
    seat: str | None = None  # the only one that the policy played, among partners; None: all

    def calls_by_seat(self) -> dict[str, tuple[Call, ...]]:
        """Return the questions that models were asked, by agent, in the order they came."""
        return {
            agent: tuple(call for step in self.steps for call in step.calls[seat])
            for seat, agent in enumerate(self.agents)
        }

    def to_dict(self) -> dict[str, Any]:
        """Return the record as JSON values."""
        record: dict[str, Any] = to_json_values(self)
        return record


def from_record(record: Mapping[str, Any]) -> EpisodeResult:
    """Return the result that was kept as this record; contracts in it stay JSON values."""
    return _RECORDS.validate_python(dict(record))


_RECORDS = TypeAdapter(EpisodeResult)


def begin(
    arena: CleanupArena,
    cell: Cell,
    episode: int,
    *,
    env: Env,
    agents: Mapping[str, Agent],
    judge: JudgeAsk | None = None,
) -> GameUnderWay[EpisodeResult]:
    """Begin one episode of a cell.

    Starts, dice and the agents' seeds depend on the arena's seed and the episode alone, so they are
    the same in every cell, whichever cells are played. `judge` is what asks the model that judges
    in `env`, where one does.
    """
    scenario = arena.scenario
    seed = seed_of(arena.seed, episode, DICE)
    agent_seeds = {
        agent: seed_of(arena.seed, episode, AGENTS, seat) for seat, agent in enumerate(agents)
    }
    start = scenario.draw_start(np.random.default_rng((arena.seed, episode, START)))
    steps = yield from episode_under_way(
        env, agents, seed=seed, agent_seeds=agent_seeds, options=start
    )
    by_step = _optimum(scenario.config).welfare_by_step(
        start["pollution_initial"], start["fruit_initial"]
    )
    return EpisodeResult(
        policy=cell.policy,
        contract=cell.contract,
        episode=episode,
        seed=seed,
        agent_seeds=tuple(agent_seeds.values()),
        start=start,
        config=scenario.config.to_dict(),
        agents=tuple(agents),
        change_step=scenario.change_step,
        optimum_by_step=tuple(by_step.tolist()),
        steps=steps,
        negotiations=tuple(map(_negotiation, getattr(env.unwrapped, "history", ()))),
        judge_calls=judge.calls(env.unwrapped.verdicts) if judge is not None else (),
        seat=arena.seat,
    )


@lru_cache(maxsize=128)
def _optimum(config: CleanupConfig) -> SocialOptimum:
    return social_optimum(config)


def episode_under_way(
    env: Env,
    agents: Mapping[str, Agent],
    *,
    seed: int,
    agent_seeds: Mapping[str, int],
    options: Mapping[str, Any],
) -> GameUnderWay[tuple[StepRecord, ...]]:
    """Begin one episode; it ends with a record of every step."""
    observations, infos = env.reset(seed=seed, options=dict(options))
    for agent, agent_seed in agent_seeds.items():
        agents[agent].reset(seed=agent_seed)
    steps = []
    while env.agents:
        decided = yield {agent: observations[agent] for agent in env.agents}
        decisions = {agent: decided[agent] for agent in env.agents}
        before = infos[env.agents[0]]
        actions = {agent: decision.action for agent, decision in decisions.items()}
        observations, _, _, _, infos = env.step(actions)
        steps.append(_record(before, decisions, infos))
    return tuple(steps)


def _record(
    before: Mapping[str, Any], decisions: Mapping[str, Decision], infos: Mapping[str, Any]
) -> StepRecord:
    after = [infos[agent] for agent in decisions]
    return StepRecord(
        step=int(before["step"]),
        phase=str(before.get("phase", "play")),
        pollution=int(before["pollution"]),
        fruit=int(before["fruit"]),
        actions=tuple(decision.action for decision in decisions.values()),
        answers=tuple(decision.said for decision in decisions.values()),
        statuses=tuple(decision.status for decision in decisions.values()),
        calls=tuple(decision.calls for decision in decisions.values()),
        game_rewards=tuple(float(info["game_reward"]) for info in after),
        transfers=tuple(float(info["transfer"]) for info in after),
        illegal=sum(int(info["illegal"]) for info in after),
    )


def num_malformed(steps: tuple[StepRecord, ...]) -> int:
    """Count the answers that could not be read."""
    return sum(status != OK_STATUS for step in steps for status in step.statuses)


def _negotiation(held: Any) -> dict[str, Any]:
    """Return one negotiation as the record keeps it."""
    record: dict[str, Any] = to_json_values(held)
    return record
