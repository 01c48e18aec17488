"""The table for people."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from benchmarks.cleanup.metrics import summarize
from benchmarks.cleanup.table import render_tables
from benchmarks.table import ONE_TABLE_COLUMNS, table_of_answers


@pytest.fixture
def printed(make_result, make_step):
    def show(*rewards, width=ONE_TABLE_COLUMNS):
        results = [make_result(make_step(game_rewards=(r, 0.0))) for r in rewards]
        console = Console(file=StringIO(), width=width)
        row = summarize(results, seed=0)
        console.print(render_tables([row], title="title", width=width))
        return console.file.getvalue()

    return show


def test_a_cell_with_spread_has_an_interval_and_its_n(printed):
    text = printed(2.0, 4.0, 8.0)
    assert "0.23 [0.10, 0.40]" in text
    assert " 3 " in text


def test_a_deterministic_cell_says_so_instead_of_an_interval(printed):
    text = printed(2.0, 2.0)
    assert "0.10 same in all 2" in text
    assert "0.10 [" not in text


def test_an_interval_that_is_only_narrow_is_not_shown_as_none(printed):
    text = printed(2.0, 2.001)
    assert "0.1000 [0.1000, 0.1001]" in text
    assert "±<1" in text


def test_one_episode_has_no_interval(printed):
    assert "0.10 one episode" in printed(2.0)


def test_a_narrow_terminal_gets_two_tables_and_loses_nothing(printed):
    narrow, wide = printed(2.0, 4.0, width=80), printed(2.0, 4.0)
    assert narrow.count("policy") == 2
    assert wide.count("policy") == 1
    assert "…" not in narrow
    numbers = [word for word in wide.split() if any(letter.isdigit() for letter in word)]
    assert set(numbers) <= set(narrow.split())


def test_the_caption_explains_the_brackets(printed):
    text = " ".join(printed(1.0, 2.0).split())
    assert "[low, high]: 95% bootstrap interval" in text
    assert "of two or three episodes no more than their range" in text


ANSWERS = [
    ["best-guess", "base_7players/greedy-veto - base_7players/cooperative", "+0.50 [+0.00, +1.00]"],
    ["stub-erratic", "short - one", "+1.00 in all 2"],
]


def laid_out(width):
    table = table_of_answers(
        ["policy", "compared", "difference"], ANSWERS, names=2, title="t", width=width
    )
    console = Console(file=StringIO(), width=width)
    console.print(table)
    return console.file.getvalue()


@pytest.mark.parametrize("width", [40, 60, 80, 91, 92, 120])
def test_answers_are_never_cut_off_however_narrow_the_terminal(width):
    text = laid_out(width)
    assert "…" not in text
    whole = "".join(text.split())
    for word in ("+0.50", "[+0.00,+1.00]", "inall2", "best-guess", "stub-erratic"):
        assert word in whole
    assert max(map(len, text.splitlines())) <= width


def test_where_there_is_room_a_row_of_answers_is_one_line():
    assert any(all(cell in line for cell in ANSWERS[0]) for line in laid_out(120).splitlines())
    assert not any(ANSWERS[0][1] in line for line in laid_out(60).splitlines())
