"""Agents by the name of their policy."""

from __future__ import annotations

import pytest

from agents import Agent
from benchmarks.cleanup.policies import LEARNED, POLICIES, make_agents
from benchmarks.suite_file import suite_named
from cleanup_icn import ConfigError

CLEANUP_SMOKE = suite_named("cleanup-smoke").arenas[0]

ENV = CLEANUP_SMOKE.condition("icn").make_env(CLEANUP_SMOKE.scenario.config)


@pytest.mark.parametrize("name", [name for name in POLICIES if name not in LEARNED])
def test_every_policy_without_training_has_an_agent_for_every_seat(name):
    agents = make_agents(name, ENV)
    assert list(agents) == ENV.possible_agents
    assert all(isinstance(agent, Agent) for agent in agents.values())


@pytest.mark.parametrize("name", ["nobody", "stub-", "stub-kind", "ppo"])
def test_what_cannot_be_played_is_refused_with_the_names_there_are(name):
    with pytest.raises(ConfigError, match="contract-follower"):
        make_agents(name, ENV)


def test_a_stub_speaks_and_its_answer_is_read():
    agents = make_agents("stub-cooperative", ENV)
    observations, _ = ENV.reset(seed=0)
    decision = agents["agent_0"].act(observations["agent_0"])
    assert decision.status == "ok"
    assert decision.said.splitlines()[-1].startswith("Action:")
