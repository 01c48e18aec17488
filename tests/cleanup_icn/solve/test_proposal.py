"""The proposal stage: brute force over its strategies, and the theorem about rich spaces."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleanup_icn import CleanupConfig, ConfigError
from cleanup_icn.contracts import Contract, LumpSum
from cleanup_icn.solve import (
    assess,
    equilibrium,
    equilibrium_payoffs,
    plan_contract,
    proposal_game,
    quotas,
    shares,
    social_optimum,
    wages,
)

few = settings(deadline=None, max_examples=12)
CLOSE = 1e-6
SMALL = CleanupConfig(
    horizon_steps=8, pollution_max=9, fruit_max=10, fruit_initial=4, pollution_initial=3
)
DIRTY = CleanupConfig(  # there is fruit only if somebody cleans first
    horizon_steps=5,
    pollution_max=9,
    fruit_max=12,
    fruit_initial=0,
    pollution_initial=6,
    pollution_growth_per_step=1,
    fruit_growth_per_step=4,
)
NULL = Contract()
POOL = (*wages([0.4, 1.0, 2.0]), *shares([0.3, 0.5, 1.0]), *quotas([4.0]))


@cache
def payoffs_of(config, contract, selection):
    return tuple(equilibrium(config, contract, selection=selection).payoffs.round(9))


def brute_force(config, contracts, proposer):
    """Payoffs of all equilibria of the proposal stage in which ties are accepted.

    Every choice of a selection for each contract and for the null contract, then every proposal
    that nothing beats.
    """
    responder, found = 1 - proposer, set()
    for null_selection, *chosen in product(("high", "low"), repeat=1 + len(contracts)):
        null = payoffs_of(config, NULL, null_selection)
        values = [null]
        for contract, selection in zip(contracts, chosen, strict=True):
            signed = payoffs_of(config, contract, selection)
            values.append(signed if signed[responder] >= null[responder] - CLOSE else null)
        best = max(value[proposer] for value in values)
        found |= {value for value in values if value[proposer] >= best - CLOSE}
    return found


# --- backward induction ----------------------------------------------------------------------


@pytest.mark.parametrize("proposer", [0, 1])
@pytest.mark.parametrize("config", [SMALL, DIRTY, replace(SMALL, fruit_regrowth="linear")])
@pytest.mark.parametrize("menu", [POOL[:3], POOL[3:], POOL[1::2], ()])
def test_outcomes_are_those_of_brute_force(config, menu, proposer):
    game = proposal_game(config, menu, proposer=proposer)
    every = brute_force(config, menu, proposer)
    for outcome in game.outcomes:
        assert any(outcome.payoffs == pytest.approx(each) for each in every)
        selection = outcome.null_selection if not outcome.contract.clauses else None
        signed = payoffs_of(config, outcome.contract, selection or outcome.contract_selection)
        assert outcome.payoffs == pytest.approx(signed)
    assert game.worst.welfare == pytest.approx(min(map(sum, every)))
    assert game.is_always_optimal == (min(map(sum, every)) > social_optimum(config).welfare - CLOSE)


def test_all_pairs_of_selections_are_answered_that_after_a_refusal_first():
    pairs = [
        (each.null_selection, each.contract_selection) for each in proposal_game(SMALL, ()).outcomes
    ]
    assert pairs == list(product(("high", "low"), repeat=2))
    (only,) = proposal_game(SMALL, (), selections=("high",)).outcomes
    assert (only.null_selection, only.contract_selection) == ("high", "high")


def test_without_contracts_or_with_none_accepted_it_is_play_without_a_contract():
    robbery = Contract([LumpSum(payer="agent_1", payee="agent_0", amount=50.0)])
    for menu in ((), (robbery,)):
        for outcome in proposal_game(SMALL, menu, proposer=0).outcomes:
            assert outcome.contract == NULL
            null = payoffs_of(SMALL, NULL, outcome.null_selection)
            assert outcome.payoffs == pytest.approx(null)
    assert proposal_game(SMALL, (robbery,), proposer=1).outcomes[0].contract == NULL


def test_of_equals_the_proposer_takes_more_welfare_then_none_then_the_first():
    harmless = wages([0.0, 0.0])
    assert proposal_game(SMALL, harmless, selections=("high",)).outcomes[0].contract == NULL
    generous = Contract([LumpSum(payer="agent_0", payee="agent_1", amount=0.0)])
    menu = (generous, harmless[0])
    assert proposal_game(SMALL, menu, selections=("high",)).outcomes[0].contract == NULL


@few
@given(
    st.lists(st.sampled_from(POOL), unique=True, max_size=4),
    st.sampled_from(POOL),
    st.sampled_from([0, 1]),
    st.booleans(),
)
def test_more_to_propose_never_leaves_the_proposer_worse_off(menu, more, proposer, lumps):
    first, second = (
        proposal_game(SMALL, space, proposer=proposer, with_lump_sums=lumps)
        for space in (menu, [*menu, more])
    )
    for before, after in zip(first.outcomes, second.outcomes, strict=True):
        assert after.payoffs[proposer] >= before.payoffs[proposer] - CLOSE
        responder = 1 - proposer
        null = payoffs_of(SMALL, NULL, after.null_selection)
        assert after.payoffs[responder] >= null[responder] - CLOSE


# --- lump sums -------------------------------------------------------------------------------


@pytest.mark.parametrize("proposer", [0, 1])
def test_a_lump_sum_leaves_the_responder_what_it_has_anyway(proposer):
    game = proposal_game(SMALL, POOL, proposer=proposer, with_lump_sums=True)
    assert {each.clauses[:-1] for each in game.space} >= {each.clauses for each in POOL}
    for outcome in game.outcomes:
        null = payoffs_of(SMALL, NULL, outcome.null_selection)
        assert outcome.payoffs[1 - proposer] == pytest.approx(null[1 - proposer])
        most = max(sum(payoffs_of(SMALL, each, outcome.contract_selection)) for each in POOL)
        assert outcome.payoffs[proposer] == pytest.approx(most - null[1 - proposer])
        signed = payoffs_of(SMALL, outcome.contract, outcome.contract_selection)
        assert outcome.payoffs == pytest.approx(signed)


def test_all_contracts_with_lump_sums_are_worth_what_their_equilibria_say():
    menu = POOL[2:4]
    game = proposal_game(SMALL, menu, with_lump_sums=True, selections=("high",))
    plain = proposal_game(SMALL, game.space, selections=("high",))
    assert plain.outcomes[0].payoffs == pytest.approx(game.outcomes[0].payoffs)
    assert plain.outcomes[0].contract == game.outcomes[0].contract
    assert len(game.space) == 4


def test_a_responder_that_refuses_ties_wants_a_little_more():
    space = [plan_contract(DIRTY, 20.0)]
    options = {"with_lump_sums": True, "ties": "refuse", "selections": ("high",)}
    null = payoffs_of(DIRTY, NULL, "high")
    accepted = proposal_game(DIRTY, space, with_lump_sums=True, selections=("high",))
    refused = proposal_game(DIRTY, space, **options)
    (a_little_more,) = proposal_game(DIRTY, space, margin=0.25, **options).outcomes
    assert accepted.is_always_optimal
    assert refused.outcomes[0].contract == NULL
    assert refused.worst.payoffs == pytest.approx(null)
    assert a_little_more.is_optimal
    assert a_little_more.payoffs[1] == pytest.approx(null[1] + 0.25)


# --- the theorem -----------------------------------------------------------------------------


@pytest.mark.parametrize("proposer", [0, 1])
@pytest.mark.parametrize("preset", ["default", "linear", "costly-cleaning"])
def test_a_plan_enforced_by_quotas_and_a_lump_sum_is_all_the_theorem_needs(preset, proposer):
    config = CleanupConfig.create(preset=preset)
    space = [plan_contract(config, 20.0)] if preset == "costly-cleaning" else quotas([20.0])
    game = proposal_game(config, space, proposer=proposer, with_lump_sums=True)
    assert game.is_always_optimal
    for outcome in game.outcomes:
        assert outcome.gap == 0
        assert outcome.contract.clauses[:-1] == space[0].clauses


def test_without_lump_sums_nobody_accepts_to_clean_for_nothing():
    (outcome,) = proposal_game(CleanupConfig(), quotas([20.0]), selections=("high",)).outcomes
    assert outcome.contract == NULL
    assert outcome.gap == 157 - 76


def test_wages_alone_leave_a_gap_that_lump_sums_close():
    config, menu = CleanupConfig(), wages([0.2, 0.6, 1.0])
    alone = proposal_game(config, menu, selections=("high",))
    shared = proposal_game(config, menu, selections=("high",), with_lump_sums=True)
    assert alone.outcomes[0].gap == pytest.approx(157 - 145.75)
    assert alone.outcomes[0].contract == menu[0]
    assert shared.outcomes[0].payoffs == pytest.approx((125.5, 31.5))


def test_where_the_optimum_is_one_equilibrium_of_several_lump_sums_do_not_help():
    config = CleanupConfig.create(preset="linear", pollution_threshold=12)
    game = proposal_game(config, shares([0.5]), proposer=1, with_lump_sums=True)
    gaps = [outcome.gap for outcome in game.outcomes]
    assert gaps == pytest.approx([0, 3, 0, 3])
    assert game.worst.gap == pytest.approx(3)


def test_on_a_tiny_horizon_every_equilibrium_under_the_plan_earns_the_optimum():
    without = equilibrium_payoffs(DIRTY).payoffs
    under_the_plan = equilibrium_payoffs(DIRTY, plan_contract(DIRTY, 20.0))
    assert len(without) > 1
    assert without.sum(axis=1).min() < under_the_plan.social_optimum
    assert under_the_plan.payoffs.tolist() == [[12, 0]]
    assert under_the_plan.social_optimum == 12


# --- the plan as a contract ------------------------------------------------------------------


def test_a_plan_is_enforced_by_a_quota_for_each_step_in_which_it_cleans():
    config = CleanupConfig.create(preset="costly-cleaning")
    contract = plan_contract(config, 20.0)
    assert len(contract.clauses) == 15
    assert {clause.payer for clause in contract.clauses} == {"agent_1"}
    (found,) = assess(config, [contract], selections=("high", "low"))
    assert found.implements_in_every_selection
    assert found.transfer == 0
    assert found.payoffs == (200, 100)


def test_the_agents_can_be_exchanged_in_a_plan():
    first, second = (
        assess(SMALL, [plan_contract(SMALL, 20.0, cleaner=name)])[0].payoffs
        for name in ("agent_0", "agent_1")
    )
    assert first == second[::-1]
    assert first[0] < first[1]


@pytest.mark.parametrize(
    ("values", "name"),
    [({"proposer": 2}, "proposer"), ({"ties": "toss"}, "ties"), ({"selections": ()}, "selections")],
)
def test_a_stage_that_cannot_be_is_refused_by_name(values, name):
    with pytest.raises(ConfigError) as caught:
        proposal_game(SMALL, (), **values)
    assert caught.value.name == name


@pytest.mark.parametrize(
    ("config", "values", "name"),
    [
        (replace(SMALL, prob_fruit_growth=0.5), {}, "prob_pollution_growth, prob_fruit_growth"),
        (replace(SMALL, num_agents=3), {}, "num_agents"),
        (SMALL, {"cleaner": "agent_2"}, "cleaner"),
    ],
)
def test_a_plan_that_cannot_be_written_down_is_refused_by_name(config, values, name):
    with pytest.raises(ConfigError) as caught:
        plan_contract(config, 20.0, **values)
    assert caught.value.name == name
