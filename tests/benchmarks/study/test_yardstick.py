"""The yardstick is the social optimum, whatever has been before."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.study.yardstick import optimal_course, optimum_from
from cleanup_icn import CleanupConfig
from cleanup_icn.solve import social_optimum
from cleanup_icn.state import CleanupState

RISE = {"pollution_threshold": 12}
WORLDS = {
    "still": CleanupConfig.create(preset="linear", horizon_steps=14),
    "sudden": CleanupConfig.create(preset="linear", horizon_steps=14, schedule=[(5, RISE)]),
    "twice": CleanupConfig.create(
        preset="linear",
        horizon_steps=14,
        schedule=[(5, {"clean_per_action": 5}), (9, RISE)],
    ),
    "announced": CleanupConfig.create(
        preset="linear",
        horizon_steps=14,
        schedule=[(5, RISE), (9, {"harvest_per_action": 1})],
        announce_changes=True,
    ),
    "noisy": CleanupConfig.create(
        preset="linear", horizon_steps=14, schedule=[(5, RISE)], prob_pollution_growth=0.9
    ),
}


@settings(max_examples=20, deadline=None)
@given(
    at_shore=st.integers(0, 3),
    pollution=st.integers(0, 30),
    fruit=st.integers(0, 24),
    step=st.integers(0, 13),
)
@pytest.mark.parametrize("name", WORLDS)
def test_what_is_past_makes_no_difference_to_the_optimum(name, at_shore, pollution, fruit, step):
    config, state = WORLDS[name], CleanupState(at_shore, pollution, fruit)
    whole = social_optimum(config).value(state, step)
    assert optimum_from(config, state, step) == pytest.approx(whole)
    course = optimal_course(config, state, step)
    assert len(course) == 14 - step
    assert sum(course) == pytest.approx(whole)


@pytest.mark.parametrize("name", WORLDS)
def test_the_course_from_the_start_is_the_one_of_the_solver(name):
    config = WORLDS[name]
    expected = social_optimum(config).welfare_by_step(0, 10)
    assert optimal_course(config, CleanupState(0, 0, 10), 0) == pytest.approx(expected.tolist())


def test_a_world_too_large_for_a_full_grid_is_solved_as_it_is():
    config = CleanupConfig.create(
        horizon_steps=4,
        pollution_max=200,
        fruit_max=200,
        schedule=[(1, {"pollution_growth_per_step": 7})],
    )
    reached = CleanupState(0b10, 3, 9)  # as only the world of before can bring about
    expected = social_optimum(config).value(reached, 1)
    assert optimum_from(config, reached, 1) == pytest.approx(expected)
    assert sum(optimal_course(config, reached, 1)) == pytest.approx(expected)
