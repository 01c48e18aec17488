"""How observations show the contract."""

from __future__ import annotations

import numpy as np
import pytest
from contract_worlds import AGENTS, Orchard, contracts, plan
from gymnasium import spaces
from hypothesis import given, settings
from hypothesis import strategies as st

from cleanup_icn.contracts import Contract, ContractError, ContractWrapper, Duration, LumpSum, Wage

WAGE = Contract([Wage(payer="others", payee="agent_1", per="cleaned", rate=0.6)])
LINE = f"Contract in force: {WAGE.to_text()}"
NONE = "Contract in force: none."
KINDS = ("box", "double", "whole", "image", "number", "text", "dict")


def first_seen(kind, contract=WAGE):
    env = ContractWrapper(Orchard(observe=kind), contract)
    observations, _ = env.reset(seed=0)
    return env, observations["agent_0"]


@settings(max_examples=25, deadline=None)
@given(contracts(), contracts(), st.sampled_from(KINDS))
def test_every_observation_of_a_whole_episode_lies_in_its_space(outer, inner, kind):
    env = ContractWrapper(ContractWrapper(Orchard(observe=kind), inner), outer, settle="step")
    observations, _ = env.reset(seed=0)
    step = 0
    while env.agents:
        for agent, seen in observations.items():
            assert env.observation_space(agent) is env.observation_space(agent)
            assert env.observation_space(agent).contains(seen)
        observations, *_ = env.step({agent: plan(step, agent) for agent in env.agents})
        step += 1
    assert all(env.observation_space(agent).contains(seen) for agent, seen in observations.items())


@pytest.mark.parametrize(
    ("kind", "dtype"), [("box", np.float32), ("whole", np.float32), ("double", np.float64)]
)
def test_a_vector_is_made_longer_and_keeps_double_precision(kind, dtype):
    env, seen = first_seen(kind)
    assert seen.dtype == env.observation_space("agent_0").dtype == dtype
    assert seen.shape == (2 + env.encoder.size + 1,)
    assert list(seen[:2]) == [0, 1]


def test_in_a_text_the_contract_stands_where_there_was_none():
    _, seen = first_seen("text")
    assert seen == f"Pollution 0.\n{LINE}\nChoose."


def test_a_second_contract_stands_below_the_first():
    once = ContractWrapper(Orchard(observe="text"), WAGE)
    lump = Contract([LumpSum(payer="agent_0", payee="agent_1", amount=1)])
    observations, infos = ContractWrapper(once, lump).reset(seed=0)
    below = f"Contract in force: {lump.to_text()}"
    assert observations["agent_0"] == f"Pollution 0.\n{LINE}\n{below}\nChoose."
    assert infos["agent_0"]["contract_text"] == f"{WAGE.to_text()}\n{lump.to_text()}"


def test_in_a_dict_vector_and_text_are_extended_and_all_else_is_kept():
    env, seen = first_seen("dict")
    assert seen.keys() == {"observation", "text", "action_mask"}
    assert LINE in seen["text"].split("\n")
    assert NONE not in seen["text"]
    assert seen["observation"].shape == (2 + env.encoder.size + 1,)
    assert list(seen["action_mask"]) == [1, 1, 1]


@pytest.mark.parametrize("kind", ["image", "number"])
def test_any_other_observation_is_joined_by_two_entries(kind):
    env, seen = first_seen(kind)
    assert isinstance(env.observation_space("agent_0"), spaces.Dict)
    assert seen.keys() == {"observation", "contract", "contract_text"}
    assert seen["contract_text"] == LINE
    assert seen["contract"].shape == (env.encoder.size + 1,)


def test_the_vector_ends_in_the_open_balance_of_the_agent():
    env, _ = first_seen("box")
    observations, *_, infos = env.step({"agent_0": 0, "agent_1": 2, "agent_2": 0})
    balances = {agent: seen[-1] for agent, seen in observations.items()}
    assert balances == pytest.approx({"agent_0": -0.45, "agent_1": 0.9, "agent_2": -0.45})
    assert {agent: infos[agent]["accrued"] for agent in AGENTS} == pytest.approx(balances)


def test_a_contract_that_is_over_is_no_longer_shown():
    short = Contract(WAGE.clauses, Duration("step", 1))
    env, before = first_seen("dict", short)
    assert short.to_text() in before["text"]
    observations, *_, infos = env.step(dict.fromkeys(AGENTS, 0))
    null_env, unbound = first_seen("dict", Contract())
    assert NONE in observations["agent_0"]["text"].split("\n")
    assert infos["agent_0"]["contract_text"] == Contract().to_text()
    over = ContractWrapper(Orchard(), Contract(WAGE.clauses, Duration("step", 0)))
    assert over.contract_in_force.is_null
    assert null_env.encoder.size == len(unbound["observation"]) - 3


def test_an_entry_of_that_name_that_is_not_ours_is_refused():
    class Taken(Orchard):
        def observation_space(self, agent):
            return spaces.Dict(contract=spaces.Discrete(2))

    with pytest.raises(ContractError, match="no entry 'contract'"):
        ContractWrapper(Taken(), WAGE).observation_space("agent_0")
