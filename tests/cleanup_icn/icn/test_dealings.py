"""Contracts over an episode: in force how long, replaced how, and what is owed under them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleanup_icn import icn
from cleanup_icn.contracts import (
    Condition,
    Contract,
    Duration,
    Fine,
    LumpSum,
    Share,
    Wage,
    transfers,
)

WAIT, MOVE, HARVEST, CLEAN, ACCEPT, REJECT, FIRST_PROPOSAL = range(7)
TRIBUTE = Contract([Share(payer="agent_0", payee="agent_1", of="harvested", fraction=0.5)])
STOCHASTIC = {"prob_pollution_growth": 0.6, "prob_fruit_growth": 0.5}
CHANGES = ((3, {"pollution_threshold": 9}), (6, {"clean_per_action": 1}))


def tribute(until, step=None):
    return Contract(TRIBUTE.clauses, Duration(until, step))


def harvest_for(table, env, steps):
    """Both harvest for so many steps of play; the transfers to agent_1."""
    return [table.say(env, HARVEST, HARVEST)["agent_1"]["transfer"] for _ in range(steps)]


def rich(**config):
    """A garden in which each of two harvesters takes 4 in every step."""
    world = {"pollution_threshold": 30, "fruit_growth_per_step": 20, "fruit_initial": 20}
    return icn.parallel_env(**{**world, "horizon_steps": 8, **config})


# --- how long a contract is in force ---------------------------------------------------------


def test_the_initial_contract_is_in_force_until_another_is_ratified(table):
    env = rich(judge=lambda seen: seen.step == 3, initial_contract=TRIBUTE)
    env.reset(seed=0)
    assert harvest_for(table, env, 3) == [2.0, 2.0, 2.0]
    table.agree(env, FIRST_PROPOSAL)
    assert env.contract.is_null
    assert harvest_for(table, env, 5) == [0.0] * 5


def test_a_ratified_contract_is_in_force_from_the_step_at_hand(table):
    env = rich(judge=lambda seen: seen.step == 2)
    env.reset(seed=0)
    assert harvest_for(table, env, 2) == [0.0, 0.0]
    infos = table.agree(env, TRIBUTE)
    assert infos["agent_0"]["contract_text"] == TRIBUTE.to_text()
    assert harvest_for(table, env, 6) == [2.0] * 6


@pytest.mark.parametrize(("disagreement", "left"), [("keep", TRIBUTE), ("void", Contract())])
def test_after_failed_talks_the_old_contract_stands_or_is_void(table, disagreement, left):
    env = rich(judge="every:4", initial_contract=TRIBUTE, disagreement=disagreement)
    env.reset(seed=0)
    table.disagree(env)
    assert env.contract == left
    assert harvest_for(table, env, 1) == [0.0 if left.is_null else 2.0]


def test_a_void_contract_still_pays_what_it_owes(table):
    env = rich(
        judge=lambda seen: seen.step == 4,
        initial_contract=TRIBUTE,
        disagreement="void",
        settle="episode_end",
    )
    env.reset(seed=0)
    assert harvest_for(table, env, 4) == [0.0] * 4
    table.disagree(env)
    assert harvest_for(table, env, 4) == [0.0, 0.0, 0.0, 8.0]


def test_whoever_a_stale_contract_overpays_can_veto_under_keep(table):
    env = rich(judge=lambda seen: seen.step == 1, initial_contract=TRIBUTE, max_rounds=1)
    env.reset(seed=0)
    harvest_for(table, env, 1)
    table.say(env, FIRST_PROPOSAL, WAIT)
    table.say(env, WAIT, REJECT)
    assert env.contract == TRIBUTE


@pytest.mark.parametrize("last", [1, 3, 8, 20])
def test_a_contract_until_a_step_covers_the_play_steps_before_it(table, last):
    env = rich(judge="start")
    env.reset(seed=0)
    table.agree(env, tribute("step", last))
    assert harvest_for(table, env, 8) == [2.0 if step < last else 0.0 for step in range(8)]


def test_talks_do_not_use_up_the_duration_of_a_contract(table):
    env = rich(judge="every:1", initial_contract=tribute("step", 4))
    env.reset(seed=0)
    paid = []
    while env.agents:
        table.disagree(env)
        paid += harvest_for(table, env, 1)
    assert paid == [2.0] * 4 + [0.0] * 4


def test_a_contract_whose_last_step_has_passed_when_it_is_signed_pays_nothing(table):
    env = rich(judge=lambda seen: seen.step == 4)
    env.reset(seed=0)
    harvest_for(table, env, 4)
    table.agree(env, tribute("step", 2))
    assert harvest_for(table, env, 4) == [0.0] * 4


def test_an_initial_contract_until_step_0_pays_nothing(table):
    env = rich(judge="never", initial_contract=tribute("step", 0))
    env.reset(seed=0)
    assert harvest_for(table, env, 2) == [0.0, 0.0]


def test_a_contract_until_the_world_changes_ends_before_the_changed_step(table):
    env = rich(judge="start", schedule=[(5, {"clean_per_action": 1})])
    env.reset(seed=0)
    table.agree(env, tribute("change"))
    assert harvest_for(table, env, 8) == [2.0] * 5 + [0.0] * 3


def test_a_contract_made_upon_a_change_lasts_until_the_next(table):
    env = rich(schedule=[(2, {"clean_per_action": 1}), (6, {"clean_per_action": 2})])
    env.reset(seed=0)
    table.disagree(env)
    assert harvest_for(table, env, 2) == [0.0, 0.0]
    table.agree(env, tribute("change"))
    assert harvest_for(table, env, 4) == [2.0] * 4
    assert env.contract.is_null
    table.disagree(env)
    assert harvest_for(table, env, 2) == [0.0, 0.0]


def test_a_contract_that_has_ended_is_gone_before_the_judge_looks(table):
    seen_contracts = []
    env = rich(
        judge=lambda seen: bool(seen_contracts.append(seen.contract)),
        initial_contract=tribute("step", 2),
    )
    env.reset(seed=0)
    harvest_for(table, env, 8)
    assert [c.is_null for c in seen_contracts] == [False] * 2 + [True] * 6


# --- what is owed ----------------------------------------------------------------------------


@pytest.mark.parametrize("settle", ["step", "episode_end"])
def test_what_accrued_under_a_replaced_contract_stays_due(table, settle):
    env = rich(judge=lambda seen: seen.step == 3, initial_contract=TRIBUTE, settle=settle)
    env.reset(seed=0)
    total = sum(harvest_for(table, env, 3))
    table.agree(env, FIRST_PROPOSAL)
    assert total + sum(harvest_for(table, env, 5)) == 6.0


def test_open_balances_are_shown_until_they_are_settled(table):
    env = rich(judge=lambda seen: seen.step == 3, initial_contract=TRIBUTE, settle="episode_end")
    env.reset(seed=0)
    harvest_for(table, env, 3)
    infos = table.agree(env, FIRST_PROPOSAL)
    assert [infos[a]["accrued"] for a in env.agents] == [-6.0, 6.0]
    for _ in range(5):
        infos = table.say(env, HARVEST, HARVEST)
    assert [info["accrued"] for info in infos.values()] == [0.0, 0.0]
    assert [info["transfer"] for info in infos.values()] == [-6.0, 6.0]


def test_a_lump_sum_is_due_once_at_the_first_play_step_after_it_was_signed(table):
    price = Contract([LumpSum(payer="agent_0", payee="agent_1", amount=5.0)])
    env = rich(judge=lambda seen: seen.step == 2)
    env.reset(seed=0)
    harvest_for(table, env, 2)
    infos = table.agree(env, price)
    assert infos["agent_1"]["transfer"] == infos["agent_1"]["accrued"] == 0.0
    assert harvest_for(table, env, 6) == [5.0] + [0.0] * 5


def test_a_condition_is_judged_by_what_agents_saw_when_they_acted(table):
    fine = Fine(
        payer="all",
        payee="others",
        per="reward",
        rate=1.0,
        when=Condition("pollution", ">=", 3.0),
    )
    env = icn.parallel_env(judge="start", horizon_steps=4)
    env.reset(seed=0)
    table.agree(env, Contract([fine]))
    assert table.say(env, HARVEST, WAIT)["agent_1"]["transfer"] == 0.0
    assert table.say(env, HARVEST, WAIT)["agent_1"]["transfer"] == 4.0


def test_rewards_are_game_rewards_and_transfers(table):
    env = rich(judge="start")
    env.reset(seed=0)
    table.agree(env, TRIBUTE)
    _, rewards, *_, infos = env.step({"agent_0": HARVEST, "agent_1": WAIT})
    assert rewards == {"agent_0": 2.0, "agent_1": 2.0}
    assert [infos[a]["game_reward"] for a in rewards] == [4.0, 0.0]
    assert [infos[a]["transfer"] for a in rewards] == [-2.0, 2.0]


def test_an_agent_with_limited_liability_pays_only_what_it_has(table):
    price = Contract([LumpSum(payer="agent_0", payee="agent_1", amount=10.0)])
    env = rich(judge="start", limited_liability=True)
    env.reset(seed=0)
    table.agree(env, price)
    infos = table.say(env, HARVEST, WAIT)
    assert [infos[a]["transfer"] for a in env.agents] == [-4.0, 4.0]
    assert (infos["agent_0"]["unpaid"], infos["agent_1"]["unreceived"]) == (6.0, 6.0)
    infos = table.say(env, HARVEST, WAIT)
    assert infos["agent_0"]["transfer"] == infos["agent_0"]["unpaid"] == 0.0


@settings(deadline=None, max_examples=30)
@given(st.data())
def test_every_play_step_pays_what_the_contract_in_force_says(table, data):
    num_agents = data.draw(st.integers(2, 4))
    draw = table.contracts(num_agents, lump_sums=False, caps=False)
    signable = data.draw(st.lists(draw, min_size=1, max_size=4))
    dice = np.random.default_rng(data.draw(st.integers(0, 999)))
    in_force = []
    env = icn.parallel_env(
        judge=lambda seen: bool(in_force.append((seen.step, seen.public)) or seen.step % 2),
        num_agents=num_agents,
        horizon_steps=8,
        schedule=CHANGES,
        **STOCHASTIC,
    )
    random = table.random_policy(dice, signable)
    contract_by_step = {}

    def choose(agent, observation, info):
        if info["phase"] == "play":
            contract_by_step[info["step"]] = env.contract
        return random(agent, observation, info)

    for moment in table.play(env, choose):
        if moment.phase == "play":
            step, public = in_force[moment.infos["agent_0"]["step"] - 1]
            features = {agent: info["features"] for agent, info in moment.infos.items()}
            due = transfers(contract_by_step[step], features, public)
            paid = {agent: info["transfer"] for agent, info in moment.infos.items()}
            assert paid == pytest.approx(due, abs=1e-9)


@settings(deadline=None, max_examples=30)
@given(st.data())
def test_settling_by_step_or_at_the_end_comes_to_the_same(table, data):
    num_agents = data.draw(st.integers(2, 4))
    signable = data.draw(st.lists(table.contracts(num_agents), min_size=1, max_size=4))
    seed = data.draw(st.integers(0, 999))
    totals = []
    for settle in ("step", "episode_end"):
        env = icn.parallel_env(
            settle=settle,
            judge="every:2",
            num_agents=num_agents,
            horizon_steps=8,
            schedule=CHANGES,
            **STOCHASTIC,
        )
        record = table.play(env, table.random_policy(np.random.default_rng(seed), signable))
        totals.append({a: sum(m.rewards[a] for m in record) for a in env.possible_agents})
    assert totals[0] == pytest.approx(totals[1], abs=1e-9)


@settings(deadline=None, max_examples=40)
@given(st.data())
def test_transfers_sum_to_zero_and_no_liable_agent_pays_more_than_it_has(table, data):
    num_agents = data.draw(st.integers(2, 4))
    liable = data.draw(st.booleans())
    env = icn.parallel_env(
        settle=data.draw(st.sampled_from(["step", "episode_end"])),
        judge="every:2",
        num_agents=num_agents,
        horizon_steps=8,
        disagreement=data.draw(st.sampled_from(["keep", "void"])),
        negotiation_cost_steps=data.draw(st.integers(0, 2)),
        limited_liability=liable,
    )
    signable = data.draw(st.lists(table.contracts(num_agents), min_size=1, max_size=4))
    dice = np.random.default_rng(data.draw(st.integers(0, 999)))
    wealth = dict.fromkeys(env.possible_agents, 0.0)
    for moment in table.play(env, table.random_policy(dice, signable)):
        infos = moment.infos.values()
        assert sum(info["transfer"] for info in infos) == pytest.approx(0.0, abs=1e-9)
        assert sum(info["accrued"] for info in infos) == pytest.approx(0.0, abs=1e-9)
        unpaid, unreceived = (sum(i[k] for i in infos) for k in ("unpaid", "unreceived"))
        assert unpaid == pytest.approx(unreceived, abs=1e-9)
        assert liable or unpaid == 0.0
        for agent, reward in moment.rewards.items():
            wealth[agent] += reward
            assert not liable or wealth[agent] >= -1e-9
    assert all(info["accrued"] == 0.0 for info in infos)


def test_huge_amounts_that_agents_agree_on_do_not_break_the_game(table):
    for clause in (
        LumpSum(payer="agent_0", payee="agent_1", amount=1e300),
        Wage(payer="agent_0", payee="agent_1", per="harvested", rate=1e300),
    ):
        env = rich(judge="start")
        env.reset(seed=0)
        table.agree(env, Contract([clause]))
        *_, infos = env.step({"agent_0": HARVEST, "agent_1": HARVEST})
        assert sum(info["transfer"] for info in infos.values()) == pytest.approx(0.0)


def test_a_contract_until_a_step_beyond_counting_does_not_break_the_game(table):
    env = rich(judge="start")
    env.reset(seed=0)
    table.agree(env, tribute("step", 10**400))
    assert harvest_for(table, env, 8) == [0.0 if env.contract.is_null else 2.0] * 8
