"""Policies: from a name to an agent for every seat."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from agents import Agent, RandomAgent, ScriptedAgent
from agents.llm import ChatAgent, StubClient, TextSeat
from benchmarks.arena import LEARNED, STUB_PREFIX
from benchmarks.cleanup.conditions import Env
from benchmarks.model_config import Table
from benchmarks.speakers import Speakers
from cleanup_icn import ConfigError
from cleanup_icn.personas import PERSONAS, persona
from cleanup_icn.policies import SCRIPTED, scripted_policy
from cleanup_icn.prompt import CleanupSeat

POLICIES = (*SCRIPTED, "random", *(STUB_PREFIX + name for name in PERSONAS), *LEARNED)
"""The names of all policies."""


def make_agents(name: str, env: Env, *, checkpoint: str | None = None) -> Mapping[str, Agent]:
    """Return an agent for every seat of `env`, all of the same policy.

    A learned policy plays the `checkpoint` that its training left. Raises `ConfigError` for an
    unknown name.
    """
    seats = env.possible_agents
    if name in SCRIPTED:
        agent = ScriptedAgent(scripted_policy(name, env))
        return dict.fromkeys(seats, agent)
    if name == "random":
        return {seat: RandomAgent() for seat in seats}
    if name.startswith(STUB_PREFIX) and name.removeprefix(STUB_PREFIX) in PERSONAS:
        return {seat: _stub_agent(name.removeprefix(STUB_PREFIX), env, seat) for seat in seats}
    if name in LEARNED and checkpoint is not None:
        from agents.ppo import PPOAgent

        return {seat: PPOAgent.load(checkpoint) for seat in seats}
    raise ConfigError("policy", name, "one of " + ", ".join(POLICIES))


def seat_names(env: Env) -> dict[str, tuple[str, ...]]:
    """Return, by seat, the names under which a table may speak of it."""
    return {seat: (seat,) for seat in env.possible_agents}


def seat_table(table: Table, env: Env, speakers: Speakers) -> dict[str, Agent]:
    """Return an agent for every seat of a table that models share with other policies."""
    return speakers.seat_everybody(
        table,
        names_of=seat_names(env),
        make_seat=lambda seat: CleanupSeat(env, seat),
        make_agents=lambda name: make_agents(name, env),
    )


def _stub_agent(name: str, env: Env, seat: str) -> Agent:
    answer, error_rate = persona(name)
    game: Any = env.unwrapped
    words = TextSeat(parse=partial(game.parse_answer, seat), rules=game.rules_text(seat))
    # A stub has not learned to read complaints: it would not repair what it spoiled on purpose.
    return ChatAgent(StubClient(answer, error_rate=error_rate), words, max_repairs=0)
