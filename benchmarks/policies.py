"""Policies: from a name to an agent for every seat."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from agents import Agent, RandomAgent, ScriptedAgent
from agents.llm import ChatAgent, StubClient
from benchmarks.conditions import Env
from benchmarks.suite import LEARNED
from cleanup_icn import ConfigError
from cleanup_icn.personas import PERSONAS, persona
from cleanup_icn.policies import SCRIPTED, scripted_policy

_STUB_PREFIX = "stub-"

POLICIES = (*SCRIPTED, "random", *(_STUB_PREFIX + name for name in PERSONAS), *LEARNED)
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
    if name.startswith(_STUB_PREFIX) and name.removeprefix(_STUB_PREFIX) in PERSONAS:
        return {seat: _stub_agent(name.removeprefix(_STUB_PREFIX), env, seat) for seat in seats}
    if name in LEARNED and checkpoint is not None:
        from agents.ppo import PPOAgent

        return {seat: PPOAgent.load(checkpoint) for seat in seats}
    raise ConfigError("policy", name, "one of " + ", ".join(POLICIES))


def _stub_agent(name: str, env: Env, seat: str) -> Agent:
    answer, error_rate = persona(name)
    game: Any = env.unwrapped
    return ChatAgent(
        StubClient(answer, error_rate=error_rate),
        parse=partial(game.parse_answer, seat),
        rules=game.rules_text(seat),
    )
