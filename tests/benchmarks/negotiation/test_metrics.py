"""What the episodes of a cell come to together."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.arena import Cell
from benchmarks.cells import play_cell
from benchmarks.negotiation.metrics import MEASURES, RATES, summarize
from benchmarks.statistics import estimate_rate


@pytest.fixture(scope="module")
def result(tiny_suite):
    return next(play_cell(tiny_suite, Cell(policy="planner", contract="base/cooperative")))


def test_a_row_has_an_interval_for_every_measure(result):
    row = summarize([result, result], seed=0).to_dict()
    assert row["intervals"].keys() == {*RATES, *MEASURES} <= row.keys()
    assert (row["policy"], row["contract"]) == ("planner", "base/cooperative")
    assert (row["game"], row["incentives"], row["n"]) == ("base", "cooperative", 2)


def test_success_has_wilsons_interval_even_where_all_episodes_succeed(result):
    row = summarize([result] * 20, seed=0).to_dict()
    assert row["final_success"] == row["ci_high"] == 1.0
    assert row["ci_low"] == pytest.approx(20 / (20 + 1.959963984540054**2))


def test_a_deal_that_does_not_pass_is_no_success_and_not_unanimous(result):
    failed = replace(result, passed=False, unanimous=True, any_success=True)
    row = summarize([failed, result], seed=0).to_dict()
    assert (row["final_success"], row["unanimous"], row["any_success"]) == (0.5, 0.5, 1.0)


def test_a_row_tells_the_interquartile_mean_of_success(result):
    results = [replace(result, passed=passed) for passed in (True, True, True, False)]
    told = summarize(results, seed=0).to_dict()
    assert (told["iqm"], told["final_success"]) == (1.0, 0.75)
    assert told["iqm_low"] <= told["iqm"] <= told["iqm_high"]


def test_scores_are_what_was_earned(result):
    earned = replace(result, parties=("a", "b"), proposer="b", rewards=(10.0, 30.0))
    row = summarize([earned], seed=0).to_dict()
    assert (row["own_score"], row["collective"]) == (30.0, 20.0)


def test_a_rate_without_episodes_is_refused():
    with pytest.raises(ValueError, match="at least one"):
        estimate_rate([])
