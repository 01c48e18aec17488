"""Assessments of contracts against their definitions, and sets of contracts against each other."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from cleanup_icn import CleanupConfig, ConfigError
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
from cleanup_icn.solve import (
    Assessment,
    acceptance_region,
    assess,
    compare_regions,
    equilibrium,
    foreseen,
    implementing_region,
    least_transfer,
    likeliest_state,
    most_equal,
    overlap,
    quotas,
    shares,
    social_optimum,
    wage_and_share,
    wages,
)
from cleanup_icn.state import CleanupState

few = settings(deadline=None, max_examples=15)
SMALL = CleanupConfig(
    horizon_steps=8, pollution_max=9, fruit_max=10, fruit_initial=4, pollution_initial=3
)
START = CleanupState(0, 3, 4)
NULL = Contract()
PAID_0 = Contract([Wage(payer="agent_1", payee="agent_0", per="cleaned", rate=1.5)])
MENU = (*wages([0.0, 0.5, 1.5]), *shares([0.2, 0.5]), *quotas([6.0]), PAID_0)
ANNOUNCED = replace(
    SMALL, schedule=[(5, {"harvest_per_action": 1, "clean_per_action": 1})], announce_changes=True
)
BY_STEPS = (
    Contract(wages([1.5])[0].clauses, Duration("step", 5)),
    Contract([replace(shares([0.5])[0].clauses[0], when=Condition("step", ">=", 5))]),
)


def lump(amount, payer="agent_0", payee="agent_1"):
    return Contract([LumpSum(payer=payer, payee=payee, amount=amount)])


def by_steps(contract):
    """The same, written so that it has to be solved with the steps counted from the start."""
    bystander = Fine(
        payer="agent_0",
        payee="agent_1",
        per="harvested",
        rate=1.0,
        when=Condition("step", "==", 999),
    )
    return contract.joined(Contract([bystander], contract.duration))


# --- families --------------------------------------------------------------------------------


def test_a_family_has_a_contract_for_each_price_in_order():
    assert wages([0.5, 2]) == (
        Contract([Wage(payer="others", payee="all", per="cleaned", rate=0.5)]),
        Contract([Wage(payer="others", payee="all", per="cleaned", rate=2)]),
    )
    assert shares(iter([0.3])) == (
        Contract([Share(payer="all", payee="others", of="harvested", fraction=0.3)]),
    )
    both = wage_and_share(iter([1, 2]), iter([0.1, 0.2]))
    prices = [tuple(clause.price for clause in contract.clauses) for contract in both]
    assert prices == [(1, 0.1), (1, 0.2), (2, 0.1), (2, 0.2)]


def test_a_quota_is_asked_of_one_agent_where_there_is_something_to_clean():
    (contract,) = quotas([4], cleaner="agent_0", at_least=2, from_pollution=3)
    (clause,) = contract.clauses
    assert clause == Quota(
        payer="agent_0",
        payee="others",
        per="cleaned",
        at_least=2,
        amount=4,
        when=Condition("pollution", ">=", 3),
    )


# --- assessments -----------------------------------------------------------------------------


def test_at_the_defaults_a_wage_of_060_reaches_the_optimum_and_is_left_in_the_last_steps():
    nothing, wage = assess(CleanupConfig(), wages([0, 0.6]), selections=("high", "low"))
    assert nothing.payoffs == pytest.approx((44.5, 31.5))
    assert sum(nothing.payoffs_low) == pytest.approx(13)
    assert not nothing.implements
    assert not nothing.implements_in_every_selection
    assert nothing.is_self_enforcing
    assert wage.payoffs == pytest.approx((77.2, 79.8))
    assert wage.reservation == nothing.payoffs
    assert (wage.optimum, wage.min_payoff) == (157, pytest.approx(77.2))
    assert wage.transfer == pytest.approx(0.6 * 3 * 43)
    assert wage.implements_in_every_selection
    assert wage.is_individually_rational
    assert wage.first_breach == 46


def test_a_fine_in_a_game_of_one_step_by_hand():
    config = replace(SMALL, horizon_steps=1, fruit_initial=10)
    fine = Contract([Fine(payer="agent_0", payee="agent_1", per="harvested", rate=0.5)])
    (found,) = assess(config, [fine])
    assert found.payoffs == (2, 6)
    assert (found.welfare, found.optimum, found.transfer) == (8, 8, 2)
    assert found.implements
    assert found.implements_in_every_selection is None
    assert not found.is_individually_rational
    assert found.first_breach == 0


def test_payoffs_and_transfers_are_those_of_the_equilibria():
    for found in assess(SMALL, MENU, selections=("high", "low")):
        high = equilibrium(SMALL, found.contract)
        low = equilibrium(SMALL, found.contract, selection="low")
        assert found.payoffs == pytest.approx(high.payoffs)
        assert found.payoffs_low == pytest.approx(low.payoffs)
        assert found.transfer == pytest.approx(high.course().moved.sum())
        assert found.optimum == social_optimum(SMALL).welfare
        assert found.implements == (high.welfare > found.optimum - 1e-6)
        lows = min(high.welfare, low.welfare)
        assert found.implements_in_every_selection == (lows > found.optimum - 1e-6)


@pytest.mark.parametrize("status_quo", [NULL, *wages([1.0])])
@pytest.mark.parametrize("menu", [MENU, BY_STEPS[:1], BY_STEPS[1:]])
@pytest.mark.parametrize(("state", "step"), [(START, 0), (CleanupState(2, 6, 3), 3)])
def test_what_is_accepted_and_kept_follows_from_values_on_the_path(status_quo, menu, state, step):
    kept = equilibrium(SMALL, status_quo)
    for found in assess(SMALL, menu, status_quo=status_quo, state=state, step=step):
        solved = equilibrium(SMALL, found.contract)
        gains = solved.values - kept.values
        breaches = [
            t
            for t, reached in enumerate(solved.course(state, step).states, step)
            if any((gains[t, :, places, pair] < -1e-6).any() for places, pair in reached)
        ]
        assert found.payoffs == pytest.approx(solved.value(state, step))
        assert found.reservation == pytest.approx(kept.value(state, step))
        assert found.is_individually_rational == (step not in breaches)
        assert found.first_breach == min(breaches, default=None)
        assert found.is_self_enforcing == (not breaches)


@pytest.mark.parametrize(("payer", "breach"), [(0, 8), (1, 1)])
def test_either_agent_can_be_the_one_who_would_rather_stop(payer, breach):
    config = replace(SMALL, horizon_steps=12, pollution_initial=0)
    roles = {"payer": f"agent_{payer}", "payee": f"agent_{1 - payer}"}
    wage = Contract([Wage(**roles, per="cleaned", rate=0.6)])
    (found,) = assess(config, [wage])
    assert (found.is_individually_rational, found.first_breach) == (True, breach)
    solved, kept = equilibrium(config, wage), equilibrium(config)
    ((places, pair),) = solved.course().states[breach]
    gains = solved.values[breach, :, places, pair] - kept.values[breach, :, places, pair]
    assert gains[payer] < 0 < gains[1 - payer]


@pytest.mark.parametrize("step", [0, 3, 7])
@pytest.mark.parametrize("config", [SMALL, ANNOUNCED])
def test_leaving_out_the_steps_that_are_past_changes_nothing(config, step):
    state = CleanupState(1, 6, 5)
    plain = assess(config, MENU, state=state, step=step)
    counted = assess(config, [by_steps(each) for each in MENU], state=state, step=step)
    for short, long in zip(plain, counted, strict=True):
        assert replace(long, contract=short.contract) == replace(
            short,
            payoffs=pytest.approx(short.payoffs),
            reservation=pytest.approx(short.reservation),
            transfer=pytest.approx(short.transfer),
        )


def test_more_contracts_than_are_solved_at_a_time_keep_their_order():
    rates = [k / 10 for k in range(37)]
    found = assess(replace(SMALL, horizon_steps=3), wages(rates))
    assert [each.contract.clauses[0].rate for each in found] == rates


def test_a_change_to_come_counts_only_if_it_is_announced():
    worse = [(4, {"fruit_growth_per_step": 0})]
    surprise = assess(replace(SMALL, schedule=worse), MENU)
    announced = assess(replace(SMALL, schedule=worse, announce_changes=True), MENU)
    assert surprise == assess(SMALL, MENU)
    assert announced[0].optimum < surprise[0].optimum


def test_after_a_change_the_world_is_the_new_one_and_the_change_is_past():
    config = replace(SMALL, schedule=[(4, {"fruit_growth_per_step": 6})])
    until_change = Contract(wages([1.0])[0].clauses, Duration("change"))
    (lasting,), (ending,) = (
        assess(config, [each], state=START, step=4) for each in (*wages([1.0]), until_change)
    )
    assert foreseen(config, 4).schedule == ()
    assert foreseen(config, 4).fruit_growth_per_step == 6
    assert [foreseen(ANNOUNCED, step).change_steps for step in (4, 5)] == [(5,), ()]
    assert foreseen(ANNOUNCED, 6).schedule == foreseen(ANNOUNCED, 5).schedule == ()
    assert lasting.optimum == social_optimum(config).value(START, 4)
    assert ending.payoffs == lasting.payoffs


def test_an_announced_change_ends_a_contract_that_lasts_until_then():
    config = replace(SMALL, schedule=[(3, {"fruit_growth_per_step": 6})], announce_changes=True)
    until_change = Contract(wages([1.0])[0].clauses, Duration("change"))
    (ending,) = assess(config, [until_change], state=START, step=1)
    assert ending.payoffs == pytest.approx(equilibrium(config, until_change).value(START, 1))
    (lasting,) = assess(config, wages([1.0]), state=START, step=1)
    assert ending.transfer < lasting.transfer


@few
@given(st.floats(0, 50), st.sampled_from(MENU))
def test_a_lump_sum_shifts_payoffs_and_nothing_else(amount, contract):
    menu = [contract, contract.joined(lump(amount))]
    without, with_it = assess(SMALL, menu, selections=("high", "low"))
    for (first, second), shifted in (
        (without.payoffs, with_it.payoffs),
        (without.payoffs_low, with_it.payoffs_low),
    ):
        assert shifted == pytest.approx((first - amount, second + amount))
    assert with_it.welfare == pytest.approx(without.welfare)
    assert with_it.transfer == pytest.approx(without.transfer + amount)
    assert with_it.implements == without.implements


def test_a_lump_sum_is_paid_on_signing_and_cannot_be_had_back():
    free, dear = assess(SMALL, [NULL, lump(1.0)])
    assert free.is_self_enforcing
    assert not dear.is_individually_rational
    assert dear.first_breach == 0
    (late,) = assess(SMALL, [lump(1.0)], state=START, step=5)
    assert late.first_breach == 5


def test_a_contract_that_is_over_when_it_is_signed_pays_no_lump_sum():
    over = Contract(lump(1.0).clauses, Duration("step", 5))
    still, late = (assess(SMALL, [over], state=START, step=step)[0] for step in (4, 5))
    assert still.transfer == pytest.approx(1.0)
    assert late.transfer == 0.0
    assert late.payoffs == pytest.approx(late.reservation)
    assert late.is_self_enforcing


def test_the_lump_sums_of_a_status_quo_are_paid_already():
    (wage,) = wages([0.5])
    paid = wage.joined(lump(3.0))
    again, found = assess(SMALL, [paid, wage], status_quo=paid)
    assert found.is_self_enforcing
    assert not again.is_individually_rational
    assert found.reservation == found.payoffs


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({"selections": ("low",)}, "selections"),
        ({"selections": ()}, "selections"),
        ({"selections": ("high", "middle")}, "selections"),
        ({"contracts": [NaturalLanguageContract("Be kind.")]}, "contract"),
        ({"step": 8}, "step"),
        ({"step": -1}, "step"),
        ({"config": replace(SMALL, num_agents=3)}, "num_agents"),
        (
            {
                "contracts": [
                    Contract([Wage(payer="others", payee="all", per="cleaned", rate=1, cap=2)])
                ]
            },
            "contract clauses[0].cap",
        ),
    ],
)
def test_what_cannot_be_assessed_is_refused_by_name(values, name):
    with pytest.raises(ConfigError) as caught:
        assess(**{"config": SMALL, "contracts": [NULL], **values})
    assert caught.value.name == name


# --- which of them ---------------------------------------------------------------------------


def assessed(*payoffs, transfer=0.0, optimum=10.0):
    return Assessment(NULL, payoffs, None, optimum, transfer, (4.0, 4.0), None)


def test_the_least_transfer_and_the_most_equal_are_found_among_those_that_implement():
    poor, first = assessed(4.5, 4.5), assessed(7, 3, transfer=2.0 + 1e-9)
    second, equal = assessed(3, 7, transfer=2.0), assessed(5, 5, transfer=3)
    found = [poor, first, second, equal, assessed(5, 5, transfer=4)]
    assert least_transfer(found) is first
    assert most_equal(found) is equal
    assert least_transfer([poor]) is None
    assert most_equal([]) is None
    np.testing.assert_array_equal(acceptance_region(found), [True, False, False, True, True])
    np.testing.assert_array_equal(implementing_region(found), [False, True, True, True, True])


# --- sets before and after -------------------------------------------------------------------


def test_overlaps_by_hand():
    assert overlap([1, 1, 1, 0, 0], [0, 1, 1, 1, 0]) == (2 / 4, 2 / 3)
    assert overlap([0, 0], [1, 0]) == (0.0, None)
    assert overlap([0, 0], [0, 0]) == (1.0, None)
    with pytest.raises(ConfigError, match="after"):
        overlap([True], [True, False])


@given(arrays.arrays(bool, (2, 6)))
def test_an_overlap_is_a_fraction_and_the_same_either_way(sets):
    before, after = sets
    found = overlap(before, after)
    assert 0 <= found.jaccard <= 1
    assert found.jaccard == overlap(after, before).jaccard
    assert overlap(before, before).jaccard == 1
    assert found.survives is None or found.jaccard <= found.survives <= 1


def test_nothing_is_lost_where_nothing_changes():
    found = compare_regions(SMALL, SMALL, MENU, step=0)
    assert found.before == found.after
    assert (found.state, found.chance) == (START, 1)
    assert found.accepted.jaccard == found.implementing.jaccard == 1


def test_after_a_change_contracts_are_signed_where_the_contract_before_has_led():
    after = replace(SMALL, pollution_threshold=9, schedule=[(5, {"harvest_per_action": 1})])
    before, (wage,) = replace(SMALL, pollution_initial=0), wages([1.5])
    found = compare_regions(before, after, MENU, step=4, under=wage)
    (place,) = equilibrium(before, wage).course().states[4]
    assert equilibrium(before, wage).place_of(found.state) == place
    assert found.before == assess(before, MENU)
    assert found.after == assess(after, MENU, state=found.state, step=4)
    assert found.accepted == overlap(
        acceptance_region(found.before), acceptance_region(found.after)
    )
    assert found.implementing == overlap(
        implementing_region(found.before), implementing_region(found.after)
    )


def test_in_a_world_of_chance_the_likeliest_state_is_taken():
    solved = equilibrium(replace(SMALL, prob_pollution_growth=0.8, pollution_initial=0))
    state, chance = likeliest_state(solved, 1)
    assert (state.pollution, chance) == (3, pytest.approx(0.8))
    assert chance == max(solved.course().states[1].values())


@pytest.mark.parametrize("step", [-1, 8])
def test_a_change_outside_the_episode_is_refused(step):
    with pytest.raises(ConfigError, match="step"):
        compare_regions(SMALL, SMALL, MENU, step=step)
