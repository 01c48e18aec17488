"""What one booking moves: the roles, the splits, the caps, and that nothing is lost."""

from __future__ import annotations

import math

import pytest
from contract_worlds import any_contracts, contracts, feature_tables
from hypothesis import given, settings
from hypothesis import strategies as st

from cleanup_icn.contracts import (
    Accounts,
    Condition,
    Contract,
    ContractError,
    Fine,
    LumpSum,
    Quota,
    Share,
    Wage,
    transfers,
)

THREE = {"a": {"x": 1.0}, "b": {"x": 2.0}, "c": {"x": 6.0}}


def moved(clause, features=THREE, public=None, parties=None):
    return transfers(Contract([clause], parties=parties), features, public)


def share(payer, payee, fraction=0.5, **limits):
    return Share(payer=payer, payee=payee, of="x", fraction=fraction, **limits)


def wage(payer, payee, rate=1.0, **limits):
    return Wage(payer=payer, payee=payee, per="x", rate=rate, **limits)


def fine(payer, payee, rate=1.0, **limits):
    return Fine(payer=payer, payee=payee, per="x", rate=rate, **limits)


def quota(payer, payee, at_least=2.0, amount=3.0, **limits):
    return Quota(payer=payer, payee=payee, per="x", at_least=at_least, amount=amount, **limits)


def test_a_cleaner_is_paid_by_the_others_for_what_it_removed():
    contract = Contract([Wage(payee="agent_1", payer="others", per="cleaned", rate=0.6)])
    features = {"agent_0": {"cleaned": 0.0}, "agent_1": {"cleaned": 3.0}}
    assert transfers(contract, features) == {"agent_0": -1.8, "agent_1": +1.8}


def test_a_share_of_a_named_payer_is_split_equally_among_the_others():
    assert moved(share("c", "others")) == {"a": 1.5, "b": 1.5, "c": -3.0}


def test_a_wage_is_split_equally_among_the_payers_present():
    assert moved(wage("others", "c")) == {"a": -3.0, "b": -3.0, "c": 6.0}


def test_a_share_paid_to_all_leaves_the_payer_its_own_part():
    assert moved(share("c", "all")) == {"a": 1.0, "b": 1.0, "c": -2.0}


def test_a_fine_on_all_is_paid_by_each_in_turn_to_the_others():
    assert moved(fine("all", "others")) == {"a": -1 + 1 + 3, "b": 0.5 - 2 + 3, "c": 0.5 + 1 - 6}


@pytest.mark.parametrize("clause", [share, wage, fine, quota])
def test_others_on_both_sides_is_the_same_as_all_against_others(clause):
    both = moved(clause("others", "others"))
    assert both == moved(clause("all", "others")) == moved(clause("others", "all"))


def test_all_to_a_named_agent_leaves_out_the_part_to_itself():
    assert moved(fine("all", "a")) == {"a": 8.0, "b": -2.0, "c": -6.0}


def test_equal_shares_of_all_to_all_make_everyone_earn_the_mean():
    assert moved(share("all", "all", fraction=1.0)) == {"a": 2.0, "b": 1.0, "c": -3.0}


def test_paying_oneself_moves_nothing():
    assert moved(wage("a", "a")) == {"a": 0.0, "b": 0.0, "c": 0.0}


def test_a_negative_feature_moves_money_the_other_way():
    assert moved(wage("a", "b"), {"a": {}, "b": {"x": -2.0}}) == {"a": 2.0, "b": -2.0}


def test_an_agent_without_features_listed_is_absent():
    without_b = {"a": {"x": 1.0}, "c": {"x": 6.0}}
    assert moved(wage("others", "c"), without_b) == {"a": -6.0, "c": 6.0}
    assert moved(wage("b", "c"), without_b) == {"a": 0.0, "c": 0.0}


def test_with_nobody_to_deal_with_nothing_moves():
    assert moved(wage("others", "c"), {"c": {"x": 6.0}}) == {"c": 0.0}
    assert moved(LumpSum(payer="a", payee="others", amount=3), {"a": {}}) == {"a": 0.0}


def test_a_feature_not_listed_is_zero():
    assert moved(wage("a", "b"), {"a": {}, "b": {"y": 5.0}}) == {"a": 0.0, "b": 0.0}


def test_only_parties_pay_and_are_paid():
    paid = moved(wage("others", "c"), parties=["b", "c"])
    assert paid == {"a": 0.0, "b": -6.0, "c": 6.0}


def test_a_lump_sum_is_split_among_payers_and_then_among_payees():
    assert moved(LumpSum(payer="others", payee="c", amount=5)) == {"a": -2.5, "b": -2.5, "c": 5.0}
    assert moved(LumpSum(payer="a", payee="others", amount=5)) == {"a": -5.0, "b": 2.5, "c": 2.5}


def test_thirds_are_equal_and_as_exact_as_floats():
    paid = moved(LumpSum(payer="a", payee="others", amount=1), {x: {} for x in "abcd"})
    assert paid == {"a": -1.0, "b": 1 / 3, "c": 1 / 3, "d": 1 / 3}


def test_whoever_is_below_its_quota_pays_and_who_just_meets_it_does_not():
    assert moved(quota("a", "c")) == {"a": -3.0, "b": 0.0, "c": 3.0}
    assert moved(quota("b", "c")) == {"a": 0.0, "b": 0.0, "c": 0.0}
    assert moved(quota("b", "c", at_least=2.000001)) == {"a": 0.0, "b": -3.0, "c": 3.0}


def test_it_is_the_payer_who_has_the_quota_and_pays_the_same_however_little_is_missing():
    assert moved(quota("c", "a", at_least=7)) == {"a": 3.0, "b": 0.0, "c": -3.0}
    assert moved(quota("c", "a", at_least=700)) == {"a": 3.0, "b": 0.0, "c": -3.0}


def test_a_quota_of_all_is_held_against_each_in_turn():
    assert moved(quota("all", "others", at_least=3)) == {"a": -1.5, "b": -1.5, "c": 3.0}
    assert moved(quota("all", "all", at_least=3)) == {"a": -1.0, "b": -1.0, "c": 2.0}


def test_a_quota_of_the_others_leaves_out_the_payee():
    assert moved(quota("others", "a", at_least=3)) == {"a": 3.0, "b": -3.0, "c": 0.0}


def test_an_agent_whose_feature_is_not_listed_has_missed_its_quota():
    features = {"a": {}, "b": {"y": 9.0}, "c": {"x": -1.0}, "d": {"x": 2.0}}
    assert moved(quota("all", "d"), features) == {"a": -3.0, "b": -3.0, "c": -3.0, "d": 9.0}


def test_an_agent_that_is_absent_or_no_party_misses_no_quota():
    assert moved(quota("a", "c"), {"b": {}, "c": {}}) == {"b": 0.0, "c": 0.0}
    assert moved(quota("all", "others"), {"a": {}}) == {"a": 0.0}
    paid = moved(quota("all", "c", at_least=9), parties=["b", "c"])
    assert paid == {"a": 0.0, "b": -3.0, "c": 3.0}


def test_a_quota_is_not_held_while_its_condition_does_not_hold():
    clause = quota("a", "c", when=Condition("level", ">=", 6))
    assert moved(clause, public={"level": 6})["a"] == -3.0
    assert moved(clause, public={"level": 5})["a"] == moved(clause)["a"] == 0.0


def test_a_quota_is_due_step_by_step_until_its_cap_is_reached():
    accounts = Accounts(["a", "b"])
    accounts.sign(Contract([quota("a", "b", cap=7.0)]))
    paid = [
        accounts.book({"a": {"x": done}, "b": {}}, game_rewards={})["b"]
        for done in (1.0, 2.0, 0.0, 1.9, 0.0)
    ]
    assert paid == [3.0, 0.0, 3.0, 1.0, 0.0]


def test_a_cap_scales_a_step_down_in_proportion():
    assert moved(fine("all", "a", cap=4)) == {"a": 4.0, "b": -1.0, "c": -3.0}


def test_a_cap_limits_what_is_paid_back_as_well():
    assert moved(wage("a", "b", cap=1), {"a": {}, "b": {"x": -7.0}}) == {"a": 1.0, "b": -1.0}


def test_a_cap_of_zero_moves_nothing():
    assert moved(share("all", "others", cap=0)) == {"a": 0.0, "b": 0.0, "c": 0.0}


@pytest.mark.parametrize(
    ("op", "holding"),
    [
        (">=", [6, 7]),
        (">", [7]),
        ("<=", [5, 6]),
        ("<", [5]),
        ("==", [6]),
        ("!=", [5, 7]),
    ],
)
def test_a_condition_decides_whether_a_clause_pays(op, holding):
    clause = fine("c", "a", when=Condition("level", op, 6))
    paying = [level for level in (5, 6, 7) if moved(clause, public={"level": level})["a"]]
    assert paying == holding


@pytest.mark.parametrize("op", ["<", "!="])
def test_a_condition_on_a_quantity_that_is_not_public_does_not_hold(op):
    clause = fine("c", "a", when=Condition("level", op, 6))
    assert moved(clause, public={"other": 0})["a"] == moved(clause)["a"] == 0.0


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, "much", None, [1]])
@pytest.mark.parametrize("clause", [wage("a", "b"), quota("b", "a")])
def test_a_feature_that_is_no_finite_number_is_refused_by_name(clause, value):
    with pytest.raises(ContractError, match=r"features\['b'\]\['x'\] = .*finite number"):
        moved(clause, {"a": {}, "b": {"x": value}})


@given(contracts(), feature_tables(), st.integers(-10, 10))
def test_no_contract_creates_or_destroys_reward(contract, features, pollution):
    paid = transfers(contract, features, {"pollution": pollution})
    assert paid.keys() == features.keys()
    assert sum(paid.values()) == pytest.approx(0.0, abs=1e-9)


@given(contracts(), feature_tables(st.floats(-1e150, 1e150)))
def test_nor_does_it_with_features_of_any_size(contract, features):
    assert sum(transfers(contract, features).values()) == pytest.approx(0.0, abs=1e-9)


@given(contracts(caps=False), contracts(caps=False), feature_tables())
def test_joined_contracts_move_what_each_moves(first, second, features):
    second = Contract(second.clauses, first.duration, first.parties)
    one, other = transfers(first, features), transfers(second, features)
    both = transfers(first.joined(second), features)
    assert both == pytest.approx({agent: one[agent] + other[agent] for agent in both}, abs=1e-9)


@settings(max_examples=50)
@given(any_contracts(), st.floats(0.0, 1e3))
def test_the_order_in_which_agents_are_listed_does_not_matter(contract, value):
    names = [*contract.agent_names, "bystander"]
    features = {name: dict.fromkeys(contract.feature_names, value) for name in names}
    backwards = dict(reversed(features.items()))
    assert transfers(contract, features) == pytest.approx(transfers(contract, backwards), abs=1e-9)
