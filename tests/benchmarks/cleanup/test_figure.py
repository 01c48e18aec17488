"""The figure."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.cleanup.figure import save_figure
from benchmarks.cleanup.metrics import summarize
from cleanup_icn import CleanupConfig


@pytest.fixture
def drawn(tiny_suite, make_result, make_step, tmp_path):
    def draw(suite=tiny_suite, n=2):
        rows = [
            summarize(
                [
                    make_result(
                        make_step(game_rewards=(reward, 0.0)),
                        policy=policy,
                        contract=condition.name,
                    )
                    for reward in range(1, n + 1)
                ],
                seed=0,
            )
            for policy in suite.policies
            for condition in suite.conditions
        ]
        path = tmp_path / "figure.svg"
        save_figure(suite, rows, [(10.0, 10.0)], [path, tmp_path / "figure.png"])
        return path.read_text()

    return draw


def test_the_figure_names_every_policy_and_contract_and_marks_the_change(drawn, tiny_suite):
    svg = drawn()
    for name in (*tiny_suite.policies, *(c.name for c in tiny_suite.conditions)):
        assert name in svg
    assert "pollution threshold 6 → 12" in svg


def test_a_world_that_does_not_change_has_no_mark(drawn, tiny_suite):
    scenario = replace(tiny_suite.scenario, config=CleanupConfig.create(preset="linear"))
    assert "→" not in drawn(replace(tiny_suite, scenario=scenario))


def test_one_episode_is_drawn_without_intervals(drawn):
    assert "n = 1 a cell" in drawn(n=1)
