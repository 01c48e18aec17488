"""Cells in one process and on several."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.pool import Cell, cells_of, run_cells


def test_cells_come_policy_by_policy(tiny_suite):
    cells = cells_of(tiny_suite)
    assert [cell.contract for cell in cells[:3]] == ["none", "fixed", "icn"]
    assert {cell.policy for cell in cells[:3]} == {"all-harvest"}


def test_processes_give_the_results_of_one_and_report_every_episode(tiny_suite, tmp_path):
    suite = replace(tiny_suite, policies=("stub-erratic",), num_episodes=1)
    reported = []
    alone = run_cells(suite, folder=tmp_path, num_workers=0, report=lambda *_: None)
    together = run_cells(
        suite, folder=tmp_path, num_workers=2, report=lambda *made: reported.append(made)
    )
    assert together == alone
    assert list(together) == cells_of(suite)
    assert reported == [("episodes", 1)] * 3


def test_an_error_in_a_process_is_raised_here(tiny_suite, tmp_path):
    impossible = replace(tiny_suite.scenario, fruit_initial=(5, 0))
    suite = replace(tiny_suite, scenario=impossible, policies=("random",))
    with pytest.raises(ValueError, match="low > high"):
        run_cells(suite, folder=tmp_path, num_workers=1, report=lambda *_: None)


def test_a_cell_is_known_by_its_names():
    assert Cell(policy="a", contract="b") == Cell(policy="a", contract="b")
