"""What playing a suite takes: episodes, training, and what a model would be asked.

Calls and tokens are those of one model in the place of the stubs. For each arena and condition one
episode is played by a stub, and every prompt that a model would be asked in its place is written
out and measured. Settings that ask alike are measured once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

import numpy as np

from agents import Agent, Decision, ImmediateAgent
from agents.llm.prompt import PromptParts, compose
from agents.llm.seat import Seat
from benchmarks.arena import LEARNED, STUB_PREFIX, Arena, cells_of
from benchmarks.cleanup import runner as cleanup_runner
from benchmarks.cleanup.arena import CleanupArena
from benchmarks.driver import play
from benchmarks.kinds import kind_of
from benchmarks.lineups import lineup_of, player_on, players_of, seat_lineup
from benchmarks.negotiation import runner as negotiation_runner
from benchmarks.suite import Suite
from cleanup_icn.prompt import CleanupSeat
from negotiation_games.prompt import NegotiationSeat

BYTES_PER_TOKEN = 3.1
"""Of the prompts of both games by the tokenizer of SmolLM2, which has 49,152 entries; by larger
ones they have fewer tokens."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a model would be asked, and would answer if it wrote as much as a stub."""

    calls: int = 0
    prompt_tokens: int = 0  # about
    completion_tokens: int = 0  # about

    def __add__(self, other: Asked) -> Asked:
        """Return both together."""
        return Asked(
            calls=self.calls + other.calls,
            prompt_tokens=self.prompt_tokens + other.prompt_tokens,
            completion_tokens=self.completion_tokens + other.completion_tokens,
        )

    def times(self, number: int) -> Asked:
        """Return so many of it."""
        return Asked(**{name: number * amount for name, amount in asdict(self).items()})


@dataclass(frozen=True, kw_only=True)
class SuiteCost:
    """What playing a suite takes."""

    cells: int
    episodes: int
    training_agent_steps: int
    asked: Asked  # of one model in the place of the stubs; nothing where there are none

    def to_dict(self) -> dict[str, int]:
        """Return the cost as JSON values."""
        return {
            "cells": self.cells,
            "episodes": self.episodes,
            "training_agent_steps": self.training_agent_steps,
            "model_calls": self.asked.calls,
            "prompt_tokens": self.asked.prompt_tokens,
            "completion_tokens": self.asked.completion_tokens,
        }


def cost_of(suite: Suite) -> SuiteCost:
    """Return what playing the suite takes."""
    cells = [(arena, cell) for arena in suite.arenas for cell in cells_of(arena)]
    return SuiteCost(
        cells=len(cells),
        episodes=sum(arena.num_episodes for arena, _ in cells),
        training_agent_steps=sum(map(_training, suite.arenas)),
        asked=sum(map(_asked, suite.arenas), start=Asked()),
    )


def _training(arena: Arena[Any]) -> int:
    """Return the agent-steps of all trainings, one for each condition that is learned."""
    learned = {
        (player, condition.name)
        for policy in arena.policies
        for player in players_of(arena, policy)
        if player in LEARNED
        for condition in arena.conditions
        if arena.plays(policy, condition)
    }
    return len(learned) * arena.training_agent_steps


def _asked(arena: Arena[Any]) -> Asked:
    """Return what one model would be asked in an arena, in the place of its stubs."""
    stub = next((name for name in arena.policies if name.startswith(STUB_PREFIX)), None)
    if stub is None:
        return Asked()
    played = [condition for condition in arena.conditions if arena.plays(stub, condition)]
    once = (_asked_in_one(_Alike(arena, stub, condition)) for condition in played)
    return sum(once, start=Asked()).times(arena.num_episodes)


class _Alike:
    """An arena's condition; equal to all in which as much is asked and answered.

    In Cleanup that is where conditions and times of changes are equal, whatever the quantities; in
    negotiation, where games are, whatever the parties are after.
    """

    def __init__(self, arena: Arena[Any], stub: str, condition: Any) -> None:
        self.arena, self.stub, self.condition = arena, stub, condition
        told = {key: value for key, value in condition.to_dict().items() if key not in _NAMES}
        if isinstance(arena, CleanupArena):
            config = arena.scenario.config
            told["world"] = (config.horizon_steps, config.num_agents, config.change_steps)
        self._key = json.dumps([stub, arena.seat, arena.partners, told], sort_keys=True)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Alike) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)


_NAMES = ("name", "incentives")


@cache
def _asked_in_one(alike: _Alike) -> Asked:
    """Play one episode and measure what is asked and answered in it."""
    arena, stub, condition = alike.arena, alike.stub, alike.condition
    kind = kind_of(arena)
    env = kind.make_env(arena, condition)
    names_of, table = kind.seat_names(env), lineup_of(arena, stub)
    agents = seat_lineup(
        table, names_of=names_of, make_agents=lambda name: kind.make_agents(name, env)
    )
    make_seat: Any = CleanupSeat if isinstance(arena, CleanupArena) else NegotiationSeat
    measured = {
        seat: _Measured(agents[seat], make_seat(env, seat))
        for seat, names in names_of.items()
        if player_on(table, names) == stub
    }
    _play(arena, env, {**agents, **measured})
    return sum((each.asked for each in measured.values()), start=Asked())


class _Measured(ImmediateAgent):
    """Lets a stub play, and writes out what a model would be asked on its seat."""

    def __init__(self, stub: Agent, seat: Seat) -> None:
        self._stub, self._seat = stub, seat
        self.asked = Asked()

    def reset(self, *, seed: int) -> None:
        self._stub.reset(seed=seed)
        self._seat.reset()

    def act(self, observation: Any) -> Decision:
        messages = compose(PromptParts(*self._seat.parts(observation, ())))
        decision = self._stub.act(observation)
        self.asked += Asked(
            calls=1,
            prompt_tokens=sum(_tokens(message.content) for message in messages),
            completion_tokens=_tokens(decision.said or ""),
        )
        return decision


def _tokens(text: str) -> int:
    return round(len(text.encode("utf-8", "replace")) / BYTES_PER_TOKEN)


def _play(arena: Arena[Any], env: Any, agents: Mapping[str, Agent]) -> None:
    """Play an arena's first start, or first turn order, with seeds of no run."""
    seeds = dict.fromkeys(agents, 0)
    if isinstance(arena, CleanupArena):
        start = arena.scenario.draw_start(np.random.default_rng(0))
        game: Any = cleanup_runner.episode_under_way(
            env, agents, seed=0, agent_seeds=seeds, options=start
        )
    else:
        game = negotiation_runner.episode_under_way(env, agents, seed=0, agent_seeds=seeds)
    play(game, agents)
