"""What a terminal shows of critical magnitudes."""

from __future__ import annotations

import io
from itertools import product

import pytest
from rich.console import Console

from benchmarks.study.changes import KINDS, PACES
from benchmarks.study.critical_table import critical_tables
from benchmarks.study.designed import FAMILIES


@pytest.fixture
def shown():
    """Return the lines that a terminal of 100 columns shows."""

    def lay_out(*found):
        written = io.StringIO()
        Console(file=written, width=100).print(critical_tables(found))
        return [line.split() for line in written.getvalue().splitlines()]

    return lay_out


def entry(magnitude=4, **values):
    """Return a curve's critical magnitude at one level, exact unless bounds are given."""
    exact = {"magnitude": magnitude, "low": magnitude, "high": magnitude, "never": 0.0, "n": 1}
    where = {"group": "main", "kind": "linear-threshold", "sign": "+", "moment": 25}
    who = {"pace": "sudden", "policy": "equilibrium", "family": "least-wage", "level": 0.05}
    return {**where, **who, **exact, **values}


def test_groups_and_policies_have_tables_of_their_own_main_ones_first(shown):
    lines = shown(entry(6, group="bare"), entry(), entry(8, policy="contract-follower"))
    titles = [line for line in lines if line and line[0].endswith(",")]
    assert [" ".join(title) for title in titles] == [
        "main, equilibrium",
        "main, contract-follower",
        "bare, equilibrium",
    ]
    told = [line for line in lines if line and line[0] == "linear-threshold"]
    assert [line[3] for line in told] == ["+4", "+8", "+6"]


def test_rises_and_falls_of_one_parameter_are_told_apart(shown):
    pair = [entry(None, kind="cleaning-rate", sign=sign) for sign in "+-"]
    lines = shown(*pair, entry(None))
    told = [" ".join(line) for line in lines if line[-1:] == ["1"]]
    assert told == [
        "cleaning-rate + 25 sudden - 1",
        "cleaning-rate - 25 sudden - 1",
        "linear-threshold 25 sudden - 1",
    ]


def test_both_levels_of_a_family_share_a_cell(shown):
    levels = [entry(12, level=0.1), entry(4, level=0.05), entry(2, family="fair-wage")]
    (told,) = (line for line in shown(*levels) if line[-1:] == ["1"])
    assert told == ["linear-threshold", "25", "sudden", "+4", "/", "+12", "+2", "1"]


def test_where_nothing_was_compared_that_is_said(shown):
    (line,) = shown()
    assert line[:2] == ["No", "contract"]


@pytest.mark.parametrize(
    ("found", "told"),
    [
        ({"low": 3, "high": None, "never": 0.1, "n": 20}, "+4 [+3, -]"),
        ({"magnitude": None, "low": 8, "high": None, "never": 0.6, "n": 20}, "- [+8, -]"),
        ({"low": None, "high": None, "never": None}, "+4 [?]"),
        ({"low": 4, "high": 4, "n": 20}, "+4"),
    ],
)
def test_an_interval_says_how_far_it_reaches(shown, found, told):
    (line,) = (" ".join(line) for line in shown(entry(**found)) if line[:1] == ["linear-threshold"])
    assert line == f"linear-threshold 25 sudden {told} {found.get('n', 1)}"


def test_every_world_has_one_line_in_a_hundred_columns(shown):
    worlds = list(product(KINDS, PACES))
    found = [
        entry(None, kind=kind, pace=pace, family=family, level=level, low=-14, never=0.5)
        for (kind, pace), family, level in product(worlds, FAMILIES, (0.05, 0.1))
    ]
    lines = [line for line in shown(*found) if line[-1:] == ["1"]]
    assert [tuple(line[:3:2]) for line in lines] == worlds
