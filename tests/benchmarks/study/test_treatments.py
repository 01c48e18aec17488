"""Treatments: their names, and the conditions that they stand for."""

from __future__ import annotations

import pytest

from benchmarks.arena import Cell
from benchmarks.cells import play_cell
from benchmarks.cleanup.conditions import Fixed, Negotiated
from benchmarks.study import suite as grid
from benchmarks.study.changes import WorldChange
from benchmarks.study.designed import designed
from benchmarks.study.treatments import (
    DISAGREEMENTS,
    EXPIRES,
    JUDGED,
    JUDGES,
    RENEGOTIATED,
    STAYS,
    Treatment,
)
from cleanup_icn import ConfigError
from cleanup_icn.contracts import Contract, LumpSum
from cleanup_icn.icn.judge import judge_named

BASE = WorldChange.from_name("linear-threshold/+0/25/sudden").base_config()
FAMILY = "least-wage"

TREATMENTS = [
    Treatment(family=None),
    Treatment(family="wage", price=0.55),
    Treatment(family="share", price=0.4),
    *(Treatment(family=FAMILY, fate=fate) for fate in (STAYS, EXPIRES)),
    *(
        Treatment(
            family="fair-share",
            fate=RENEGOTIATED,
            judge=judge,
            history=history,
            disagreement=disagreement,
        )
        for judge in ("change-only", "model")
        for history in (True, False)
        for disagreement in DISAGREEMENTS
    ),
    *(
        Treatment(family=FAMILY, fate=JUDGED, judge=judge, cost_steps=cost)
        for judge in JUDGES
        for cost in (0, 5)
    ),
]


def condition(name):
    return Treatment.from_name(name).condition(BASE)


def test_a_name_says_all_about_a_treatment():
    names = [treatment.name for treatment in TREATMENTS]
    assert len(set(names)) == len(names)
    assert [Treatment.from_name(name) for name in names] == TREATMENTS


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("least-wage-change", {"fate": RENEGOTIATED, "judge": "change-only"}),
        ("least-wage-change-cost0", {"fate": JUDGED, "judge": "change"}),
        ("least-wage-change-only-cost2", {"judge": "change-only", "cost_steps": 2}),
        ("fair-wage-change-nohistory-void", {"history": False, "disagreement": "void"}),
        ("least-wage-change-bare-void", {"side_payments": False, "disagreement": "void"}),
        ("least-wage-change-model-judge", {"judge": "model"}),
        ("wage-0.50", {"family": "wage", "price": 0.5}),
        ("never-any", {"family": None}),
    ],
)
def test_names_that_look_alike_are_told_apart(name, fields):
    found = Treatment.from_name(name)
    assert {field: getattr(found, field) for field in fields} == fields
    assert found.name == name


def test_a_contract_that_stays_is_fixed():
    assert condition(FAMILY) == Fixed(name=FAMILY, contract=designed(BASE, FAMILY).contract)
    assert condition("never-any") == Fixed(name="never-any", contract=Contract())
    (clause,) = condition("share-0.40").contract.clauses
    assert clause.fraction == 0.4


def test_a_family_begins_with_the_same_contract_whatever_becomes_of_it():
    contract = designed(BASE, FAMILY).contract
    for name in (f"{FAMILY}-expires", f"{FAMILY}-change", f"{FAMILY}-every-10-cost2"):
        assert condition(name).initial_contract == contract


def test_talks_are_about_the_menu_and_what_is_in_force():
    found = condition(f"{FAMILY}-change-nohistory-void")
    assert isinstance(found, Negotiated)
    assert (found.judge, found.history, found.disagreement) == ("change-only", False, "void")
    assert found.menu[0].is_null
    assert found.initial_contract in found.menu
    assert len(set(found.menu)) == len(found.menu) == 1 + 11 * 7


def test_without_side_payments_no_lump_sum_is_on_the_menu():
    bare, rich = (condition(f"{FAMILY}-change{suffix}").menu for suffix in ("-bare", ""))
    assert not any(isinstance(clause, LumpSum) for each in bare for clause in each.clauses)
    assert set(bare) < set(rich)
    sums = [clause for each in rich for clause in each.clauses if isinstance(clause, LumpSum)]
    assert {clause.payer for clause in sums} == {clause.payee for clause in sums}


@pytest.mark.parametrize("judge", JUDGES)
def test_a_judge_is_asked_at_its_cost(judge):
    found = condition(f"{FAMILY}-{judge}-cost5")
    assert judge_named(found.judge) is not None
    assert found.judge == judge.replace("every-", "every:")
    assert found.negotiation_cost_steps == 5


def test_a_contract_expires_at_the_change_and_not_before():
    change = WorldChange.from_name("linear-threshold/+4/25/sudden")
    arena = grid.arena_of(
        "main",
        change,
        [Treatment.from_name(name) for name in ("wage-1.00", "least-wage", "least-wage-expires")],
        policies=("contract-follower",),
    )
    stays, expires = (
        next(play_cell(arena, Cell(policy="contract-follower", contract=name)))
        for name in ("least-wage", "least-wage-expires")
    )
    transfers = [
        [any(step.transfers) for step in result.steps if step.phase == "play"]
        for result in (stays, expires)
    ]
    assert transfers[0][:25] == transfers[1][:25]
    assert any(transfers[0][:25])
    assert any(transfers[0][25:])
    assert not any(transfers[1][25:])


@pytest.mark.parametrize(
    "name",
    ["", "least-wages", "least-wage-change-void-nohistory", "wage-0.5", "least-wage-weekly-cost0"],
)
def test_what_is_no_treatment_is_refused(name):
    with pytest.raises(ConfigError):
        Treatment.from_name(name)


@pytest.mark.parametrize(
    "fields",
    [
        {"family": "greedy"},
        {"family": FAMILY, "fate": "lost"},
        {"family": FAMILY, "judge": "change"},
        {"family": FAMILY, "fate": RENEGOTIATED},
        {"family": FAMILY, "fate": JUDGED, "judge": "change", "cost_steps": 3},
        {"family": FAMILY, "cost_steps": 1},
        {"family": FAMILY, "history": False},
        {"family": FAMILY, "price": 1.0},
        {"family": "wage"},
        {"family": "share", "price": 0.325},
        {"family": None, "fate": EXPIRES},
    ],
)
def test_fields_that_do_not_go_together_are_refused(fields):
    with pytest.raises(ConfigError):
        Treatment(**fields)
