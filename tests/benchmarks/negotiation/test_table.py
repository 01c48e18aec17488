"""The table for people."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console

from benchmarks.arena import Cell
from benchmarks.cells import play_cell
from benchmarks.negotiation.metrics import summarize
from benchmarks.negotiation.table import render_tables


@pytest.fixture(scope="module")
def printed(tiny_suite):
    cell = Cell(policy="planner", contract="base/cooperative")
    result = next(play_cell(tiny_suite, cell))

    def show(*passed):
        row = summarize([replace(result, passed=each, unanimous=each) for each in passed], seed=0)
        console = Console(file=StringIO(), width=160)
        console.print(render_tables([row], title="title", width=160))
        return console.file.getvalue()

    return show


def test_every_rate_has_its_interval(printed):
    text = printed(True, False, True, True)
    assert "0.75 [0.30, 0.95]" in text  # success, by Wilson
    assert "0.75 ±0.33" in text  # unanimous, half the width of the same
    assert " 4 " in text


def test_a_single_episode_says_that_it_has_no_interval_of_means(printed):
    assert "±?" in printed(True)
