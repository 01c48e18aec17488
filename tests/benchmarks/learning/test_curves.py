"""The figure of a training."""

from __future__ import annotations

import pytest

from benchmarks.learning.curves import Curve, save_curves
from benchmarks.learning.experiment import Reference

CURVES = [
    Curve((1000, 2000, 3000), (0.2, 0.6, 0.9)),
    Curve((1000, 2000, 3000), (0.3, 0.5, 0.8)),
]
REFERENCES = [Reference("social optimum", 1.0), Reference("all harvest", 0.07)]


@pytest.fixture
def drawn(tmp_path):
    """Draw curves; returns the SVG."""

    def draw(curves=CURVES, references=REFERENCES):
        paths = [tmp_path / "curves.svg", tmp_path / "curves.png"]
        save_curves(curves, references, paths, name="mine", score="efficiency")
        assert paths[1].read_bytes().startswith(b"\x89PNG")
        return paths[0].read_text()

    return draw


def test_the_figure_says_what_is_drawn_and_names_its_references(drawn):
    svg = drawn()
    assert "mine: mean of 2 training seeds, 95% interval" in svg
    assert "efficiency, validation episodes" in svg
    assert "social optimum 1.00" in svg
    assert "all harvest 0.07" in svg
    assert "2k" in svg


def test_one_seed_has_no_band(drawn):
    assert "FillBetween" in drawn()
    alone = drawn(CURVES[:1])
    assert "FillBetween" not in alone
    assert "mine: one training seed" in alone


def test_the_same_curves_give_the_same_file(drawn):
    assert drawn() == drawn()


def test_seeds_that_got_differently_far_are_averaged_where_all_were_evaluated(drawn):
    longer = Curve((1000, 2000, 3000, 4000), (0.2, 0.6, 0.9, 0.9))
    assert "mean of 2" in drawn([longer, CURVES[1]])


def test_points_far_from_zero_fill_the_axis(drawn):
    svg = drawn([Curve((10, 20), (70.0, 80.0))], [Reference("planner", 80.0)])
    assert ">0</text>" in svg  # of agent-steps
    assert ">40</text>" not in svg


def test_a_curve_is_read_from_what_training_wrote():
    lines = [
        {"chunk": 0, "agent_steps": 40, "seconds": 1.0, "evaluation": {"score": 0.5, "x": 1.0}},
        {"chunk": 1, "agent_steps": 80, "seconds": 2.0, "evaluation": {"score": 0.25}},
    ]
    assert Curve.of(lines) == Curve((40, 80), (0.5, 0.25))
