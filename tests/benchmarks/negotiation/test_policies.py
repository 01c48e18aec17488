"""Agents by the name of their policy."""

from __future__ import annotations

import pytest

from agents import Agent
from benchmarks.arena import LEARNED
from benchmarks.negotiation import negmas_players
from benchmarks.negotiation.arena import Setting
from benchmarks.negotiation.policies import POLICIES, make_agents
from cleanup_icn import ConfigError

ENV = Setting(game="base", incentives="greedy-veto").make_env()
VETO = ENV.game.party_names[ENV.game.veto_index]


MISSING = () if negmas_players.is_available() else negmas_players.NEGMAS_POLICIES


@pytest.mark.parametrize("name", [n for n in POLICIES if n not in (*LEARNED, *MISSING)])
def test_every_policy_without_training_has_an_agent_for_every_party(name):
    agents = make_agents(name, ENV)
    assert list(agents) == ENV.possible_agents
    assert all(isinstance(agent, Agent) for agent in agents.values())


@pytest.mark.parametrize("name", ["nobody", "stub-", "stub-kind", "ppo"])
def test_what_cannot_be_played_is_refused_with_the_names_there_are(name):
    with pytest.raises(ConfigError, match="best-guess"):
        make_agents(name, ENV)


def first_proposal_of(party, agents):
    """Play until a party has proposed for the first time; returns its score for itself."""
    ENV.reset(seed=0)
    while ENV.agent_selection != party:
        ENV.step(agents[ENV.agent_selection].act(ENV.observe(ENV.agent_selection)).action)
    ENV.step(agents[party].act(ENV.observe(party)).action)
    return ENV.game.party(party).score(ENV.record[-1].deal)


@pytest.mark.parametrize("name", ["planner", "stub-cooperative"])
def test_a_greedy_party_asks_for_its_best_whatever_the_others_play(name):
    best = sum(max(points) for points in ENV.game.party(VETO).scores)
    assert first_proposal_of(VETO, make_agents(name, ENV)) == best


def test_cooperative_parties_play_the_policy_beside_a_greedy_one():
    agents = make_agents("planner", ENV)
    others = [agent for party, agent in agents.items() if party != VETO]
    assert all(agent is others[0] for agent in others)
    assert agents[VETO] is not others[0]
