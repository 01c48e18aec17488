"""What pairs with what, what a unit is, and how two rows differ."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.statistics import (
    EPISODE,
    TRAINING_SEED,
    Side,
    contrast,
    measure_difference,
)
from benchmarks.statistics.paired import contrast_over_strata

finite = st.floats(-100, 100)


def script(values):
    return Side(values={"script": dict(enumerate(values))})


def learned(matrix):
    players = {f"learned/{k}": dict(enumerate(row)) for k, row in enumerate(matrix)}
    return Side(values=players, is_learned=True)


def difference(first, base, seed=0):
    return measure_difference(contrast(first, base), seed=seed)


@settings(max_examples=15, deadline=None)
@given(st.lists(finite, min_size=2, max_size=8))
def test_a_row_does_not_differ_from_itself(values):
    found = difference(script(values), script(values))
    assert (found.difference, found.low, found.high) == (0.0, 0.0, 0.0)
    assert (found.p, found.improvement, found.further) == (1.0, 0.5, None)


def test_a_training_does_not_differ_from_itself():
    side = learned(np.random.default_rng(0).normal(size=(4, 6)))
    found = difference(side, side)
    assert (found.difference, found.p, found.improvement) == (0.0, 1.0, 0.5)
    assert found.low < 0.0 < found.high  # its seeds do not pair, and so are two samples


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(finite, finite), min_size=2, max_size=8))
def test_swapping_the_rows_turns_the_sign_and_leaves_p(pairs):
    first, second = (script(side) for side in zip(*pairs, strict=True))
    forth, back = difference(first, second), difference(second, first)
    assert forth.difference == -back.difference
    assert forth.p == back.p
    assert forth.improvement == pytest.approx(1.0 - back.improvement)
    assert forth.further == back.further


def test_pairs_take_out_what_both_rows_share():
    starts = np.linspace(0.0, 10.0, 12)
    better = starts + 0.5 + 0.1 * np.sin(np.arange(12))
    found = difference(script(better), script(starts))
    assert (found.unit, found.n, found.base_n, found.is_paired) == (EPISODE, 12, 12, True)
    assert found.difference == pytest.approx(0.5, abs=0.02)
    assert 0.4 < found.low < found.difference < found.high < 0.6
    assert (found.p, found.improvement, found.further) == (2 / 2**12, 1.0, 0)
    assert found.effect > 5.0


def test_rows_are_compared_on_the_episodes_that_both_played():
    first = Side(values={"a": {0: 1.0, 1: 2.0, 3: 9.0}})
    base = Side(values={"b": {1: 1.5, 0: 0.0, 2: 7.0}})
    found = difference(first, base)
    assert (found.n, found.mean, found.base_mean) == (2, 1.5, 0.75)
    assert contrast(first, Side(values={"b": {2: 1.0}})) is None
    assert contrast(first, Side(values={"b": {}})) is None
    assert contrast(first, Side(values={})) is None


def test_one_episode_has_a_difference_and_nothing_else():
    found = difference(script([3.0]), script([1.0]))
    assert (found.n, found.difference, found.improvement) == (1, 2.0, 1.0)
    assert (found.low, found.high, found.p, found.effect, found.further) == (None,) * 5


def test_episodes_that_differ_all_alike_need_only_as_many_as_the_test_does():
    found = difference(script([2.0, 3.0, 4.0]), script([1.0, 2.0, 3.0]))
    assert (found.low, found.high, found.effect) == (1.0, 1.0, None)
    assert (found.p, found.further) == (0.25, 3)


def test_two_trainings_have_training_seeds_that_do_not_pair():
    first = learned([[1.0, 1.2], [0.9, 1.3], [1.1, 1.1], [1.0, 1.4]])
    base = learned([[0.1, 0.2], [0.0, 0.3], [0.2, 0.2]])
    found = difference(first, base)
    assert (found.n, found.base_n, found.unit) == (4, 3, TRAINING_SEED)
    assert not found.is_paired
    assert found.p == pytest.approx(2 / 35)
    assert found.improvement == 1.0
    assert found.difference == pytest.approx(1.125 - 1 / 6)
    assert found.further == 1  # the smaller of the two has three, and a test needs four


def test_more_episodes_do_not_make_more_training_seeds():
    rng = np.random.default_rng(0)
    seeds = rng.normal(size=(4, 1))
    few, many = (seeds + 0.01 * rng.normal(size=(4, n)) for n in (5, 500))
    narrow = difference(learned(many), script(np.zeros(500)))
    wide = difference(learned(few), script(np.zeros(5)))
    assert narrow.n == wide.n == 4
    assert narrow.high - narrow.low == pytest.approx(wide.high - wide.low, rel=0.1)


def test_a_training_and_a_script_differ_by_the_means_of_the_table():
    rng = np.random.default_rng(0)
    matrix, sessions = rng.normal(size=(3, 7)), rng.normal(size=7)
    found = difference(learned(matrix), script(sessions))
    assert (found.n, found.unit, found.is_paired) == (3, TRAINING_SEED, True)
    assert found.difference == pytest.approx(matrix.mean() - sessions.mean())
    assert found.low < found.difference < found.high
    back = difference(script(sessions), learned(matrix))
    assert back.difference == pytest.approx(-found.difference)
    assert (back.p, back.effect) == (found.p, pytest.approx(-found.effect))


def test_a_model_whose_sessions_scatter_is_not_surely_below_a_training_that_does_not():
    """All training seeds meet the same sessions: their luck is one luck, not five."""
    rng, covered = np.random.default_rng(0), 0
    for _ in range(100):
        trained, sessions = 0.01 * rng.normal(size=(5, 20)), rng.normal(size=20)
        found = difference(learned(trained), script(sessions))
        covered += found.low <= 0.0 <= found.high
    assert covered >= 85  # with means over all sessions, a seed each, it would be about ten


def test_with_fewer_episodes_than_training_seeds_the_episodes_are_the_units():
    matrix = np.arange(12.0).reshape(6, 2)
    found = difference(learned(matrix), script([0.0, 1.0]))
    assert (found.n, found.unit) == (2, EPISODE)
    assert found.difference == pytest.approx(matrix.mean() - 0.5)


def test_one_training_seed_says_nothing_about_another():
    found = difference(learned([[1.0, 2.0, 3.0]]), script([0.0, 0.0, 0.0]))
    assert (found.n, found.unit, found.low, found.p) == (1, TRAINING_SEED, None, None)
    assert found.difference == 2.0


def test_a_training_seed_without_episodes_is_left_out():
    first = Side(
        values={"a/0": {0: 1.0, 1: 1.0}, "a/1": {}, "a/2": {0: 3.0, 1: 3.0}}, is_learned=True
    )
    found = difference(first, script([0.0, 0.0]))
    assert (found.n, found.difference) == (2, 2.0)


def test_over_several_conditions_an_episode_is_one_unit_and_games_are_strata():
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(3, 8)) * 0.1
    pairs = [
        (script(level + row), script(np.zeros(8)))
        for level, row in zip((1, 3, 8), noise, strict=True)
    ]
    found = measure_difference(contrast_over_strata({"g": pairs[:2], "h": pairs[2:]}), seed=0)
    assert (found.n, found.unit) == (16, EPISODE)
    assert found.difference == pytest.approx((2.0 + 8.0) / 2, abs=0.1)
    assert found.high - found.low < 0.2  # the games lie six apart, which is no spread
    assert contrast_over_strata({"g": [], "h": []}) is None
    assert contrast_over_strata({"g": [(script([1.0]), Side(values={"b": {}}))]}) is None
