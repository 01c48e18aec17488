"""What talks are about, beside what comes to be when it is signed and played."""

from __future__ import annotations

import numpy as np
import pytest

from cleanup_icn import icn
from cleanup_icn.beliefs import Solutions, believed
from cleanup_icn.contracts import (
    Condition,
    Contract,
    Duration,
    Fine,
    LumpSum,
    NaturalLanguageContract,
    Quota,
    Share,
    Wage,
)
from cleanup_icn.icn.observe import ACCEPT, FIRST_PROPOSAL, REJECT
from cleanup_icn.icn.prospects import Foresight
from cleanup_icn.policies import scripted_policy
from cleanup_icn.state import CLEAN, HARVEST, MOVE, WAIT

WAGE = Wage(payer="others", payee="all", per="cleaned", rate=0.6)
LUMP = LumpSum(payer="agent_0", payee="agent_1", amount=5)
QUOTA = Quota(payer="agent_1", payee="others", per="cleaned", at_least=3, amount=2)
DIRTY = Condition("pollution", ">=", 6)
FINE = Fine(payer="all", payee="others", per="harvested", rate=0.5, when=DIRTY)
UNTIL_CLEAN = Quota(
    payer="agent_0", payee="agent_1", per="cleaned", at_least=1, amount=1, when=DIRTY
)
MENU = {
    "null": Contract(),
    "wage": Contract([WAGE]),
    "share": Contract([Share(payer="all", payee="others", of="harvested", fraction=0.4)]),
    "wage and lump sum": Contract([WAGE, LUMP]),
    "until a step": Contract([WAGE, QUOTA], Duration("step", 8)),
    "over at once": Contract([QUOTA, LUMP], Duration("step", 3)),
    "quota": Contract([QUOTA]),
    "conditional": Contract([FINE, UNTIL_CLEAN]),
    "until the change": Contract([QUOTA, LUMP], Duration("change")),
}
WORLD = {"horizon_steps": 14, "menu": tuple(MENU.values())}
BEFORE = ((HARVEST, MOVE), (HARVEST, CLEAN), (WAIT, CLEAN))
"""What both do before the talks."""

solutions = Solutions()


def at_step_3(situation):
    return situation.step == 3


def foresight(env, step):
    world = env._world
    seen = world.cleanup_state
    return Foresight(
        believed(env.config, env.config.parameters_at(step), step),
        state=seen,
        step=step,
        icn=env.icn,
        solutions=solutions,
    )


def step(env, first, second):
    return env.step({"agent_0": first, "agent_1": second})


def come_to_talks(**config):
    """Play the first steps; talks begin before the fourth, or before the first."""
    env = icn.parallel_env(**{**WORLD, "judge": at_step_3, **config})
    env.reset(seed=0)
    for actions in () if env.phase == "propose" else BEFORE:
        step(env, *actions)
    assert env.phase == "propose"
    return env


def play_on(env, observations):
    """Return what both get from here to the end when they play the equilibrium."""
    policy, got = scripted_policy("equilibrium", env), np.zeros(2)
    while env.agents:
        actions = {agent: policy(observations[agent]) for agent in env.agents}
        observations, rewards, *_ = env.step(actions)
        got += list(rewards.values())
    return got


def sign(env, index):
    step(env, FIRST_PROPOSAL + index, WAIT)
    return play_on(env, step(env, WAIT, ACCEPT)[0])


def fail(env):
    for proposer in (0, 1, 0):
        actions = [WAIT, WAIT]
        actions[proposer] = FIRST_PROPOSAL
        step(env, *actions)
        actions = [REJECT, REJECT]
        actions[proposer] = WAIT
        observations, *_ = step(env, *actions)
    return play_on(env, observations)


@pytest.mark.parametrize("cost", [0, 2, 20])
@pytest.mark.parametrize("name", MENU)
def test_a_contract_is_worth_what_both_get_who_sign_it(name, cost):
    env = come_to_talks(negotiation_cost_steps=cost)
    index = list(MENU).index(name)
    foreseen = foresight(env, 3).stakes(Contract()).payoffs[index]
    np.testing.assert_allclose(sign(env, index), foreseen, atol=1e-9)


@pytest.mark.parametrize("name", ["wage", "until the change", "until a step"])
def test_an_announced_change_is_reckoned_with(name):
    changes = {"schedule": [(2, {"pollution_threshold": 4}), (8, {"fruit_growth_per_step": 9})]}
    env = come_to_talks(announce_changes=True, negotiation_cost_steps=1, **changes)
    index = list(MENU).index(name)
    foreseen = foresight(env, 3).stakes(Contract()).payoffs[index]
    np.testing.assert_allclose(sign(env, index), foreseen, atol=1e-9)
    unforeseen = come_to_talks(negotiation_cost_steps=1, **changes)
    assert not np.allclose(foresight(unforeseen, 3).stakes(Contract()).payoffs[index], foreseen)


@pytest.mark.parametrize("cost", [0, 3])
@pytest.mark.parametrize("disagreement", ["keep", "void"])
@pytest.mark.parametrize("name", ["null", "wage and lump sum", "quota"])
def test_disagreement_is_worth_what_both_get_who_disagree(name, disagreement, cost):
    env = come_to_talks(
        negotiation_cost_steps=cost, disagreement=disagreement, initial_contract=MENU[name]
    )
    foreseen = foresight(env, 3).stakes(MENU[name]).disagreement
    np.testing.assert_allclose(fail(env), foreseen, atol=1e-9)


@pytest.mark.parametrize("disagreement", ["keep", "void"])
def test_before_the_first_step_lump_sums_of_the_initial_contract_are_still_due(disagreement):
    lump = MENU["wage and lump sum"]
    env = come_to_talks(judge="start", disagreement=disagreement, initial_contract=lump)
    foreseen = foresight(env, 0).stakes(lump)
    np.testing.assert_allclose(fail(env), foreseen.disagreement, atol=1e-9)
    index = list(MENU).index("wage and lump sum")
    again = come_to_talks(judge="start", disagreement=disagreement, initial_contract=lump)
    np.testing.assert_allclose(sign(again, index), foreseen.payoffs[index], atol=1e-9)


def test_a_proposal_is_worth_what_it_would_be_in_the_menu():
    env = come_to_talks()
    stakes = foresight(env, 3).stakes(Contract(), MENU["quota"])
    np.testing.assert_array_equal(stakes.proposed, stakes.payoffs[list(MENU).index("quota")])


def test_what_cannot_be_solved_is_worth_less_than_anything():
    capped = Contract([Wage(payer="others", payee="all", per="cleaned", rate=0.6, cap=3)])
    env = come_to_talks(menu=(capped, MENU["wage"]))
    for proposal in (capped, NaturalLanguageContract("Be fair.")):
        stakes = foresight(env, 3).stakes(Contract(), proposal)
        assert (stakes.proposed == -np.inf).all()
    assert (stakes.payoffs[0] == -np.inf).all()
    assert np.isfinite(stakes.payoffs[1]).all()


def test_chance_in_the_steps_of_waiting_is_weighed():
    # Whoever waits while pollution is 3 or more pays 1; it is 0 now and grows by 3 or not.
    due = Quota(
        payer="agent_0",
        payee="agent_1",
        per="cleaned",
        at_least=1,
        amount=1,
        when=Condition("pollution", ">=", 3),
    )
    env = icn.parallel_env(
        judge="start",
        menu=(Contract([due]),),
        horizon_steps=3,
        negotiation_cost_steps=3,
        prob_pollution_growth=0.25,
    )
    env.reset(seed=0)
    payoffs = foresight(env, 0).stakes(Contract()).payoffs
    paid = 0.0 + 0.25 + (1 - 0.75**2)
    np.testing.assert_allclose(payoffs, [[-paid, paid]])
