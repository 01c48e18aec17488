"""Contracts around contracts."""

from __future__ import annotations

import pytest
from pettingzoo import ParallelEnv
from pettingzoo.utils import parallel_to_aec

import cleanup_icn
from cleanup_icn import HARVEST, WAIT
from cleanup_icn.contracts import Contract, ContractError, ContractWrapper, Duration, LumpSum

DEBT = Contract([LumpSum(payer="agent_0", payee="agent_1", amount=8.0)])
HARVEST_ALONE = {"agent_0": HARVEST, "agent_1": WAIT}


def game(**config):
    return cleanup_icn.parallel_env(horizon_steps=2, **config)


@pytest.mark.parametrize("settle", ["step", "episode_end"])
def test_limited_liability_counts_what_contracts_inside_have_taken(settle):
    inner = ContractWrapper(game(), DEBT, settle=settle)
    env = ContractWrapper(inner, DEBT, settle=settle, limited_liability=True)
    env.reset(seed=0)
    returns = dict.fromkeys(env.agents, 0.0)
    unpaid = 0.0
    while env.agents:
        _, rewards, _, _, infos = env.step(HARVEST_ALONE)
        unpaid += infos["agent_0"]["unpaid"]
        for agent, reward in rewards.items():
            returns[agent] += reward
    # It harvests 8 in two steps (4 in the first) and owes 8 inside, so nothing is left outside.
    assert returns == {"agent_0": 0.0, "agent_1": 8.0}
    assert unpaid == 8.0


def test_limited_liability_inside_another_contract_is_refused_since_it_could_not_hold():
    limited = ContractWrapper(game(), DEBT, limited_liability=True)
    for env in (limited, parallel_to_aec(limited)):
        with pytest.raises(ContractError, match="no limited liability inside another contract"):
            ContractWrapper(env, DEBT)


def test_limited_liability_is_a_yes_or_a_no():
    with pytest.raises(ContractError, match="limited_liability = 'no': expected True or False"):
        ContractWrapper(game(), DEBT, limited_liability="no")


@pytest.mark.parametrize("outer", [Contract(), Contract(DEBT.clauses, Duration("step", 0))])
def test_a_contract_that_pays_nothing_says_nothing_beside_one_in_force(outer):
    env = ContractWrapper(ContractWrapper(game(), DEBT), outer)
    observations, infos = env.reset(seed=0)
    told = [line for line in observations["agent_0"]["text"].split("\n") if "ontract" in line]
    assert told == [f"Contract in force: {DEBT.to_text()}"]
    assert infos["agent_0"]["contract_text"] == DEBT.to_text()


def test_a_contract_around_one_that_pays_nothing_is_the_only_one_told():
    env = ContractWrapper(ContractWrapper(game(), Contract()), DEBT)
    observations, infos = env.reset(seed=0)
    assert "Contract in force: none." not in observations["agent_0"]["text"]
    assert infos["agent_0"]["contract_text"] == DEBT.to_text()


def test_an_environment_may_keep_anything_it_likes_under_the_name_env():
    class Named(ParallelEnv):
        metadata = {"name": "named_v0"}  # noqa: RUF012 - PettingZoo's declared type

        def __init__(self):
            self.env = "the name of something"
            self.inner = game()
            self.possible_agents = self.inner.possible_agents
            self.observation_space = self.inner.observation_space
            self.action_space = self.inner.action_space

        @property
        def agents(self):
            return self.inner.agents

        def reset(self, seed=None, options=None):
            return self.inner.reset(seed=seed, options=options)

        def step(self, actions):
            return self.inner.step(actions)

    env = ContractWrapper(Named(), DEBT, settle="step")
    env.reset(seed=0)
    assert env.step(HARVEST_ALONE)[1] == {"agent_0": -4.0, "agent_1": 8.0}


def test_what_no_number_can_hold_is_refused_by_name():
    digits = "9" * 5000
    with pytest.raises(ContractError, match="a whole number of steps"):
        Contract.from_text(f"Until step {digits}: no payments.")
    with pytest.raises(ContractError, match="JSON"):
        Contract.from_json('{"version": 1, "clauses": [], "duration": {"step": ' + digits + "}}")
