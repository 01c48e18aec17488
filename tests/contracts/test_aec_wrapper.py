"""Contracts around environments in which agents act in turn."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from contract_worlds import AGENTS, Orchard, Turns, contracts, plan, play_aec, play_parallel
from hypothesis import given, settings
from hypothesis import strategies as st
from pettingzoo import AECEnv
from pettingzoo.classic import rps_v2, tictactoe_v3
from pettingzoo.test import api_test
from pettingzoo.utils.conversions import aec_to_parallel, parallel_to_aec
from pettingzoo.utils.wrappers import OrderEnforcingWrapper

from cleanup_icn.contracts import (
    AECContractWrapper,
    Contract,
    ContractError,
    ContractWrapper,
    Duration,
    Fine,
    LumpSum,
    Share,
    Wage,
)

WAGE = Contract([Wage(payer="others", payee="agent_1", per="cleaned", rate=1)])
settlement = st.sampled_from(["episode_end", "step"])
leaving = st.dictionaries(st.sampled_from(AGENTS), st.integers(1, 4))
small = settings(max_examples=30, deadline=None)


def approximately(amounts):
    return pytest.approx(amounts, abs=1e-9)


def in_turns(contract, leaves_after=None, **options):
    return ContractWrapper(Turns(leaves_after=leaves_after), contract, **options)


def test_one_name_serves_environments_with_turns():
    env = in_turns(WAGE)
    assert type(env) is AECContractWrapper
    assert isinstance(env, ContractWrapper)
    assert isinstance(env, AECEnv)


@small
@given(contracts(), leaving, settlement, st.booleans())
def test_last_adds_up_to_the_parallel_return(contract, leaves_at, settle, limited):
    options = {"settle": settle, "limited_liability": limited}
    parallel = play_parallel(ContractWrapper(Orchard(leaves_at), contract, **options), plan)
    converted = parallel_to_aec(Orchard(leaves_at))
    outside = play_aec(ContractWrapper(converted, contract, **options), plan)
    inside = play_aec(
        parallel_to_aec(ContractWrapper(Orchard(leaves_at), contract, **options)), plan
    )
    for turns in (outside, inside):
        assert turns.returns == approximately(parallel.returns)
        assert turns.transfers == approximately(parallel.transfers)


@small
@given(contracts(), leaving, settlement)
def test_rewards_of_last_are_game_rewards_and_transfers(contract, leaves_after, settle):
    bare = play_aec(Turns(leaves_after=leaves_after), plan)
    played = play_aec(in_turns(contract, leaves_after, settle=settle), plan)
    assert played.game_rewards == approximately(bare.returns)
    assert sum(played.transfers.values()) == approximately(0.0)
    both = {agent: bare.returns[agent] + played.transfers[agent] for agent in AGENTS}
    assert played.returns == approximately(both)


@small
@given(contracts(), leaving)
def test_settling_each_turn_or_at_the_end_comes_to_the_same(contract, leaves_after):
    often = play_aec(in_turns(contract, leaves_after, settle="step"), plan)
    once = play_aec(in_turns(contract, leaves_after), plan)
    assert often.returns == approximately(once.returns)


@small
@given(contracts(), contracts(), leaving, settlement, st.sampled_from([Turns, Orchard]))
def test_wrapping_twice_equals_the_joined_contract(first, second, leaves, settle, world):
    def make():
        return Turns(leaves_after=leaves) if world is Turns else parallel_to_aec(Orchard(leaves))

    second = Contract(second.clauses, first.duration, first.parties)
    once = ContractWrapper(make(), first.joined(second), settle=settle)
    twice = ContractWrapper(ContractWrapper(make(), first, settle=settle), second, settle=settle)
    one, other = play_aec(once, plan), play_aec(twice, plan)
    assert one.returns == approximately(other.returns)
    assert one.transfers == approximately(other.transfers)
    assert one.game_rewards == approximately(other.game_rewards)


def test_a_contract_inside_the_conversion_and_one_outside_equal_the_joined_contract():
    share = Contract([Share(payer="agent_1", payee="agent_2", of="reward", fraction=0.5)])
    inside = ContractWrapper(Orchard(), WAGE, settle="step")
    mixed = ContractWrapper(parallel_to_aec(inside), share, settle="step")
    joined = ContractWrapper(Orchard(), WAGE.joined(share), settle="step")
    one, other = play_aec(mixed, plan), play_parallel(joined, plan)
    assert one.returns == approximately(other.returns)
    assert one.transfers == approximately(other.transfers)


def test_each_turn_is_booked_once():
    played = play_aec(in_turns(WAGE), lambda turn, agent: 0)
    # The fourth wage falls due when agent_0 has already had its last turn.
    assert played.transfers == {"agent_0": -1.5, "agent_1": 4.0, "agent_2": -2.5}


def test_the_reward_of_a_turn_is_a_feature_of_that_turn():
    share = Contract([Share(payer="agent_0", payee="agent_2", of="reward", fraction=0.5)])
    bare = play_aec(Turns(), plan)
    played = play_aec(in_turns(share), plan)
    assert played.transfers["agent_2"] == approximately(bare.returns["agent_0"] / 2)


def test_functions_see_one_turn_at_a_time_and_in_a_converted_world_one_step():
    seen = []

    def taking(transition):
        seen.append(dict(transition.actions))
        return {agent: {"taken": action} for agent, action in transition.actions.items()}

    fine = Contract([Fine(payer="all", payee="others", per="taken", rate=1)])
    play_aec(in_turns(fine, features=taking), lambda turn, agent: 1)
    assert seen == [{agent: 1} for _ in range(4) for agent in AGENTS]

    seen.clear()
    play_aec(
        ContractWrapper(parallel_to_aec(Orchard()), fine, features=taking), lambda turn, agent: 1
    )
    assert seen == [dict.fromkeys(AGENTS, 1)] * 6


@pytest.mark.parametrize("steps", [0, 1, 2])
def test_durations_count_rounds(steps):
    contract = Contract(WAGE.clauses, Duration("step", steps))
    assert play_aec(in_turns(contract), lambda turn, agent: 0).transfers["agent_1"] == steps


def test_a_contract_is_shown_for_as_long_as_it_binds_the_one_who_acts():
    contract = Contract(WAGE.clauses, Duration("step", 1))
    env = in_turns(contract)
    env.reset()
    shown = []
    for _ in range(4):
        shown.append(env.last()[4]["contract_text"] == contract.to_text())
        assert env.observation_space(env.agent_selection).contains(env.last()[0])
        env.step(0)
    assert shown == [True, True, True, False]


def test_when_one_leaves_everyone_sees_the_settlement_in_last():
    env = in_turns(WAGE, leaves_after={"agent_1": 1})
    env.reset()
    env.step(0)
    assert env.last()[1] == 0
    env.step(0)
    assert env.terminations["agent_1"]
    assert env.agent_selection == "agent_1"
    assert env.last()[1] == 1.0
    env.step(None)
    assert set(env.rewards) == set(env.infos) == {"agent_0", "agent_2"}
    assert set(env.rewards.values()) == {0}
    assert env.last()[1] == -0.5
    env.step(0)
    assert env.last()[1] == -0.5


def test_a_debtor_without_means_pays_what_it_has_and_the_infos_of_last_say_so():
    lump = Contract([LumpSum(payer="agent_0", payee="agent_1", amount=10)])
    env = in_turns(lump, settle="step", limited_liability=True)
    env.reset()
    env.step(2)
    _, reward, _, _, info = env.last()
    assert env.agent_selection == "agent_1"
    assert (reward, info["transfer"], info["unreceived"]) == (2.0, 2.0, 8.0)
    assert env.infos["agent_0"]["unpaid"] == 8.0
    env.step(0)
    assert env.infos["agent_1"]["unreceived"] == 0.0


def test_nothing_can_be_read_before_a_reset_of_an_environment_that_enforces_order():
    env = ContractWrapper(OrderEnforcingWrapper(Turns()), WAGE)
    for name in ("rewards", "infos", "agent_selection", "terminations", "agents"):
        with pytest.raises(AttributeError, match="before reset"):
            getattr(env, name)
    env.reset()
    assert env.rewards == dict.fromkeys(AGENTS, 0)


def test_features_that_nobody_tells_are_asked_for():
    contract = Contract([Wage(payer="player_1", payee="player_2", per="marks", rate=1)])
    env = ContractWrapper(tictactoe_v3.env(), contract)
    env.reset()
    with pytest.raises(ContractError, match="features=function"):
        env.step(0)


@pytest.mark.parametrize("settle", ["episode_end", "step"])
@pytest.mark.parametrize(
    "make",
    [
        Turns,
        lambda: OrderEnforcingWrapper(Turns(leaves_after={"agent_1": 2})),
        lambda: parallel_to_aec(Orchard()),
        lambda: parallel_to_aec(Orchard({"agent_2": 3}, observe="dict")),
        lambda: ContractWrapper(Turns(), WAGE, settle="step"),
    ],
)
def test_wrapped_environments_pass_pettingzoos_own_test(make, settle):
    contract = Contract(
        [
            Wage(payer="others", payee="agent_1", per="cleaned", rate=0.7),
            Share(payer="all", payee="others", of="reward", fraction=0.3),
        ]
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        api_test(ContractWrapper(make(), contract, settle=settle), num_cycles=30)
        inside = ContractWrapper(Orchard(observe="dict"), contract, settle=settle)
        api_test(parallel_to_aec(inside), num_cycles=30)


def test_tic_tac_toe_from_pettingzoo_can_have_a_contract():
    """Whoever wins gives half its reward to the one who lost."""
    contract = Contract([Share(payer="player_1", payee="player_2", of="reward", fraction=0.5)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        api_test(ContractWrapper(tictactoe_v3.env(), contract), num_cycles=30)
    env = ContractWrapper(tictactoe_v3.env(), contract)
    moves = {"player_1": [0, 1, 2], "player_2": [3, 4]}
    played = play_aec(env, lambda turn, agent: moves[agent][turn])
    assert played.game_rewards == {"player_1": 1.0, "player_2": -1.0}
    assert played.returns == {"player_1": 0.5, "player_2": -0.5}


def test_rock_paper_scissors_from_pettingzoo_pays_the_same_with_turns():
    def rocks(transition):
        return {agent: {"rocks": action == 0} for agent, action in transition.actions.items()}

    def choose(turn, agent):
        return int(agent[-1]) * turn % 3

    contract = Contract([Fine(payer="all", payee="others", per="rocks", rate=2)])
    with_turns = play_aec(
        ContractWrapper(rps_v2.env(max_cycles=5), contract, features=rocks, settle="step"), choose
    )
    at_once = play_parallel(
        ContractWrapper(rps_v2.parallel_env(max_cycles=5), contract, features=rocks), choose
    )
    assert with_turns.returns == approximately(at_once.returns)
    assert np.any(list(with_turns.transfers.values()))
    converted = aec_to_parallel(
        ContractWrapper(rps_v2.env(max_cycles=5), contract, features=rocks, settle="step")
    )
    assert play_parallel(converted, choose).returns == approximately(at_once.returns)
