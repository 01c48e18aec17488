"""Policies as tables: the tables say what the policies do in the environment."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_cleanup import configs, contracts

import cleanup_icn
from cleanup_icn import CleanupConfig, ConfigError
from cleanup_icn.contracts import Contract, ContractWrapper, Duration, Wage
from cleanup_icn.icn.text import parse_contracts
from cleanup_icn.policies import SCRIPTED, UNRELIABLE, scripted_policy
from cleanup_icn.solve.tabulate import (
    contract_at,
    legal_probs,
    tabulate,
    tabulate_scripted,
    uniform_policy,
)
from cleanup_icn.solve.two_agents import tables_for
from cleanup_icn.state import CLEAN, HARVEST, MOVE, WAIT

SMALL = CleanupConfig(
    horizon_steps=14,
    pollution_max=9,
    fruit_max=8,
    fruit_initial=6,
    schedule=[(5, {"clean_per_action": 2}), (9, {"pollution_threshold": 3})],
)
WAGE = Wage(payer="others", payee="all", per="cleaned", rate=2.5)
CONTRACTS = {
    "none": Contract(),
    "wage": Contract([WAGE]),
    "wage until step 7": Contract([WAGE], Duration("step", 7)),
    "wage until the change": Contract([WAGE], Duration("change")),
}


def wrapped(config, contract):
    return ContractWrapper(cleanup_icn.parallel_env(**config.to_dict()), contract, settle="step")


@pytest.mark.parametrize("name", sorted({*SCRIPTED} - {"equilibrium-haggler", *UNRELIABLE}))
@pytest.mark.parametrize("contract", CONTRACTS.values(), ids=CONTRACTS)
def test_a_scripted_policy_does_what_its_table_says(name, contract):
    env, grid = wrapped(SMALL, contract), tables_for(SMALL, 0).grid
    tables = [tabulate_scripted(SMALL, i, name, contract=contract) for i in range(2)]
    policy = scripted_policy(name, env)
    rng = np.random.default_rng(0)
    met = set()
    for seed in range(3):
        observations, _ = env.reset(seed=seed)
        while env.agents:
            state, step = env.unwrapped.cleanup_state, env.unwrapped.num_steps
            place = state.at_shore, grid.index_of[state.pollution, state.fruit]
            for agent, table in zip(env.agents, tables, strict=True):
                probs = table.action_probs(step, *place)
                met.add(policy(observations[agent]))
                assert probs[policy(observations[agent])] > 0.0, (agent, state, step)
                assert probs.max() == 1.0 or name == "equilibrium"
            # Anything may have happened before: a table holds off the policy's own path, too.
            observations, *_ = env.step({agent: int(rng.integers(4)) for agent in env.agents})
    assert len(met) > 1


@given(configs(horizons=(4, 5)), contracts())
@settings(deadline=None, max_examples=25)
def test_the_contract_in_force_is_the_one_that_observations_name(config, contract):
    env = wrapped(config, contract)
    observations, _ = env.reset(seed=0)
    while env.agents:
        in_force = contract_at(config, contract, env.unwrapped.num_steps)
        shown = parse_contracts(observations["agent_0"]["text"])
        assert shown == (() if in_force.is_null else (in_force,))
        observations, *_ = env.step(dict.fromkeys(env.agents, WAIT))


@pytest.mark.parametrize(
    ("name", "last_step"),
    [("none", -1), ("wage", 13), ("wage until step 7", 6), ("wage until the change", 4)],
)
def test_a_contract_is_in_force_to_its_last_step(name, last_step):
    contract = CONTRACTS[name]
    in_force = [contract_at(SMALL, contract, step) for step in range(14)]
    assert in_force == [contract if step <= last_step else Contract() for step in range(14)]


def test_who_follows_a_contract_follows_none_once_it_has_ended():
    config = CleanupConfig(horizon_steps=8)
    half_way = Contract(CONTRACTS["wage"].clauses, Duration("step", 4))
    paid, unpaid, both = (
        tabulate_scripted(config, 1, "contract-follower", contract=contract).probs
        for contract in (CONTRACTS["wage"], None, half_way)
    )
    assert (paid[4:] != unpaid[4:]).any()
    assert (both[:4] == paid[:4]).all()
    assert (both[4:] == unpaid[4:]).all()


def test_no_contract_at_all_is_the_null_contract():
    assert contract_at(SMALL, None, 0) == Contract()


@pytest.mark.parametrize(
    ("answer", "is_at_shore", "expected"),
    [
        (WAIT, False, [1, 0, 0]),
        (MOVE, True, [0, 1, 0]),
        (HARVEST, False, [0, 0, 1]),
        (CLEAN, True, [0, 0, 1]),
        (HARVEST, True, [1, 0, 0]),
        (CLEAN, False, [1, 0, 0]),
        (-1, False, [1, 0, 0]),
        (7, True, [1, 0, 0]),
        ([0.1, 0.2, 0.3, 0.4], False, [0.5, 0.2, 0.3]),
        ([0.1, 0.2, 0.3, 0.4], True, [0.4, 0.2, 0.4]),
    ],
)
def test_what_is_not_possible_counts_as_a_wait(answer, is_at_shore, expected):
    assert legal_probs(answer, is_at_shore=is_at_shore).tolist() == pytest.approx(expected)


@given(st.integers(0, 1))
@settings(deadline=None, max_examples=2)
def test_a_policy_is_asked_in_every_state_at_every_step(agent):
    seen = []

    def act(view):
        seen.append((view.step, view.at_shore, view.pollution, view.fruit))
        assert view.agent_index == agent
        assert view.parameters == SMALL.parameters_at(view.step)
        return [0.25] * 4

    table = tabulate(SMALL, agent, act)
    assert len(set(seen)) == len(seen) == 14 * 4 * 10 * 9
    assert table.probs.shape == (14, 4, 90, 3)
    assert table.probs.sum(axis=-1) == pytest.approx(1.0)
    assert (table.probs[..., 0] == 0.5).all()  # what is illegal is added to it


def test_random_play_takes_each_legal_action_alike():
    table = uniform_policy(SMALL, 1)
    assert table.agent_index == 1
    assert table.action_probs(3, 2, 5) == pytest.approx([1 / 3, 1 / 3, 0, 1 / 3])
    assert table.action_probs(3, 1, 5) == pytest.approx([1 / 3, 1 / 3, 1 / 3, 0])


def test_names_and_games_that_have_no_table_are_refused():
    with pytest.raises(ConfigError, match="policy = 'nobody'"):
        tabulate_scripted(SMALL, 0, "nobody")
    with pytest.raises(ConfigError, match="num_agents"):
        tabulate_scripted(CleanupConfig(num_agents=3), 0, "planner")
    with pytest.raises(ConfigError, match="num_agents"):
        uniform_policy(CleanupConfig(num_agents=3), 0)
