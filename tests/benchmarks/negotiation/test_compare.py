"""A whole comparison in negotiation, small."""

from __future__ import annotations

import json
from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console
from run_folders import begin_run, kept_in, outcome_of, play_run, records_in

from benchmarks.kinds import kind_of
from benchmarks.store import FIGURES, TABLE
from benchmarks.table import ONE_TABLE_COLUMNS


@pytest.fixture(scope="module")
def played(tiny_suite, tmp_path_factory):
    """A run's rows and its folder."""
    out = tmp_path_factory.mktemp("run")
    return play_run(tiny_suite, out).rows, out


def test_a_run_leaves_its_records_table_and_figure(played, tiny_suite):
    rows, out = played
    told = [{"arena": tiny_suite.name, **row.to_dict()} for row in rows]
    assert told == json.loads((out / TABLE).read_text())
    assert len(records_in(out)) == len(rows) * tiny_suite.num_episodes == 12
    assert all((out / name).stat().st_size > 1000 for name in FIGURES)


def test_the_same_seed_gives_the_same_table_and_figure(played, tiny_suite, tmp_path):
    _, out = played
    play_run(tiny_suite, tmp_path)
    assert (tmp_path / TABLE).read_text() == (out / TABLE).read_text()
    assert (tmp_path / FIGURES[0]).read_bytes() == (out / FIGURES[0]).read_bytes()


def test_a_cell_does_not_depend_on_the_others(played, tiny_suite, tmp_path):
    rows, _ = played
    part = replace(tiny_suite, policies=("stub-erratic",), conditions=tiny_suite.conditions[1:])
    alone = play_run(part, tmp_path)
    assert [row.to_dict() for row in alone.rows] == [rows[-1].to_dict()]


def test_processes_give_the_rows_of_one(played, tiny_suite, tmp_path):
    rows, out = played
    assert play_run(tiny_suite, tmp_path, num_workers=2).rows == rows
    assert records_in(tmp_path) == records_in(out)


@pytest.mark.parametrize("kept", [0, 1, 5, 11])
def test_a_run_that_lost_its_last_episodes_is_resumed_to_what_it_was(
    kept, played, tiny_suite, tmp_path
):
    _, out = played
    begin_run(tiny_suite, tmp_path, kept_in(out)[:kept])
    assert play_run(tiny_suite, tmp_path, resume=True).is_complete
    assert outcome_of(tmp_path, TABLE) == outcome_of(out, TABLE)


def test_the_figure_names_every_policy_game_and_setting(played, tiny_suite):
    svg = (played[1] / FIGURES[0]).read_text()
    names = {*tiny_suite.policies, *tiny_suite.games, "cooperative", "greedy-veto"}
    assert all(name in svg for name in names)
    assert "parties that agree" in svg


def test_a_figure_without_the_shown_policy_can_be_drawn(tiny_suite, tmp_path):
    suite = replace(tiny_suite, policies=("planner",), num_episodes=1)
    play_run(suite, tmp_path)
    assert (tmp_path / FIGURES[1]).stat().st_size > 1000


@pytest.mark.parametrize("width", [80, ONE_TABLE_COLUMNS])
def test_the_table_names_settings_and_gives_success_with_its_interval(played, tiny_suite, width):
    rows, _ = played
    console = Console(file=StringIO(), width=width)
    console.print(kind_of(tiny_suite).render_tables(rows, title=tiny_suite.title, width=width))
    text = console.file.getvalue()
    assert "game/incentives" in text
    assert "1.00 [0.34, 1.00]" in text
    assert "…" not in text
