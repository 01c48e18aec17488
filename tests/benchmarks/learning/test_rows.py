"""Rows of training seeds."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from benchmarks.learning.experiment import Measure
from benchmarks.learning.rows import render_rows
from benchmarks.statistics import estimate_over_seeds


def test_the_interval_of_five_seeds_is_that_of_students_t():
    # R: t.test(c(0.95, 0.97, 0.96, 0.99, 0.98))
    estimate = estimate_over_seeds([0.95, 0.97, 0.96, 0.99, 0.98])
    assert (estimate.mean, estimate.low, estimate.high) == pytest.approx(
        (0.97, 0.9503676, 0.9896324), abs=1e-6
    )


@given(st.lists(st.floats(-10, 10), min_size=2, max_size=40))
def test_an_interval_is_centred_on_the_mean(values):
    estimate = estimate_over_seeds(values)
    assert (estimate.low + estimate.high) / 2 == pytest.approx(estimate.mean, abs=1e-9)
    assert estimate.is_deterministic == (max(values) - min(values) <= 1e-9)


def test_one_seed_has_no_interval():
    assert estimate_over_seeds([0.5]).low is None


def test_without_seeds_there_is_nothing_to_estimate():
    with pytest.raises(ValueError, match="expected at least one"):
        estimate_over_seeds([])


def test_the_table_has_every_seed_and_their_mean_with_its_interval():
    rows = [
        {"seed": k, "agent_steps": 1200, "seconds": 3.4, "n": 8, "efficiency": e, "late": None}
        for k, e in enumerate((0.5, 0.7))
    ]
    told = io.StringIO()
    measures = (Measure("efficiency", "efficiency"), Measure("late", "late"))
    Console(file=told, width=120).print(render_rows(rows, measures, title="mine"))
    lines = told.getvalue().splitlines()
    assert lines[0] == "mine"
    assert [line.split() for line in lines if line.startswith(("0", "1"))] == [
        ["0", "1,200", "3", "8", "0.500", "-"],
        ["1", "1,200", "3", "8", "0.700", "-"],
    ]
    (mean,) = (line for line in lines if line.startswith("mean of 2"))
    assert "0.600 [-0.671, 1.871]" in mean
