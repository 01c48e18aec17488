"""Means, interquartile means, rates, and their intervals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.statistics import (
    TRAINING_SEED,
    estimate_iqm,
    estimate_mean,
    estimate_over_seeds,
    estimate_rate,
)
from benchmarks.statistics.bootstrap import bootstrap_interval, mean_of_means, widened

finite = st.floats(-1e3, 1e3)
samples = st.lists(finite, min_size=2, max_size=8)
both = pytest.mark.parametrize("estimate", [estimate_mean, estimate_iqm])


@both
@settings(max_examples=15, deadline=None)
@given(values=samples, seed=st.integers(0, 9))
def test_an_interval_lies_within_the_values_and_a_repetition_gives_the_same(estimate, values, seed):
    found = estimate(values, seed=seed)
    tolerance = 1e-6
    assert min(values) - tolerance <= found.low <= found.high <= max(values) + tolerance
    assert found == estimate(values, seed=seed)


@both
@settings(max_examples=15, deadline=None)
@given(half=st.lists(st.floats(0.01, 1e3), min_size=2, max_size=6))
def test_the_interval_of_a_symmetric_sample_holds_its_mean(estimate, half):
    found = estimate([*half, *(-value for value in half)], seed=0)
    assert found.low < 0.0 < found.high
    assert found.mean == pytest.approx(0.0, abs=1e-9)


@both
def test_an_interval_does_not_depend_on_what_else_is_estimated(estimate):
    values = np.sin(np.arange(15.0)).tolist()
    alone = estimate(values, seed=3)
    estimate_mean([1.0, 2.0, 4.0], seed=3)
    np.random.default_rng(3).normal(size=100)
    assert estimate(values, seed=3) == alone
    assert estimate(values, seed=4) != alone


@both
def test_values_that_are_all_the_same_are_called_deterministic(estimate):
    found = estimate([0.1 + 0.2, 0.3, 0.3], seed=0)
    assert found.is_deterministic
    assert found.low == found.high == found.mean


@both
def test_one_episode_says_nothing_about_spread(estimate):
    found = estimate([0.5], seed=0)
    assert (found.mean, found.low, found.high, found.n) == (0.5, None, None, 1)
    assert not found.is_deterministic


@pytest.mark.parametrize("n", [5, 10, 40])
def test_nearly_all_intervals_of_normal_samples_hold_the_true_mean(n):
    rng = np.random.default_rng(0)
    found = [estimate_mean(rng.normal(size=n).tolist(), seed=1) for _ in range(200)]
    covered = sum(each.low <= 0.0 <= each.high for each in found)
    assert 176 <= covered <= 199  # 0.88 to 0.995


def test_a_percentile_interval_of_five_that_is_not_widened_holds_it_less_often():
    rng, covered = np.random.default_rng(0), {True: 0, False: 0}
    for _ in range(200):
        sample = rng.normal(size=5)
        for is_widened in covered:
            confidence = widened(0.95, [5]) if is_widened else 0.95
            low, high = bootstrap_interval([sample], mean_of_means, seed=1, confidence=confidence)
            covered[is_widened] += low <= 0.0 <= high
    assert covered[True] - covered[False] > 10


def test_the_widening_vanishes_as_samples_grow():
    levels = [widened(0.95, [n]) for n in (3, 5, 20, 1_000)]
    assert levels == sorted(levels, reverse=True)
    assert levels[-1] == pytest.approx(0.95, abs=1e-3)
    # sqrt(10 / 9) times Student's 2.2622 is 2.3845, beyond which lie 0.00855 of a normal.
    assert (1.0 - widened(0.95, [10])) / 2.0 == pytest.approx(0.00855, abs=1e-5)


def test_the_interquartile_mean_is_that_of_the_middle_half():
    assert estimate_iqm([100.0, 2.0, 3.0, -50.0], seed=0).mean == 2.5
    assert estimate_iqm([1.0, 2.0, 30.0], seed=0).mean == 11.0  # nothing to cut
    assert estimate_iqm([5.0, 1.0, 2.0, 3.0, 4.0], seed=0).mean == 3.0


def test_an_outlier_widens_the_interval_of_the_mean_and_not_that_of_the_middle_half():
    values = [*np.linspace(0.0, 1.0, 19).tolist(), 50.0]
    mean, iqm = estimate_mean(values, seed=0), estimate_iqm(values, seed=0)
    assert mean.high > 5.0 > 1.0 > iqm.high


def test_strata_count_the_same_whatever_their_size():
    found = estimate_mean([0.0, 0.0, 0.0, 0.1, 1.0, 1.1], seed=0, strata=["a"] * 4 + ["b"] * 2)
    assert found.mean == pytest.approx((0.025 + 1.05) / 2)


def test_what_lies_between_strata_is_no_spread():
    values = [0.0, 0.1, 0.2, 0.1, 9.0, 9.1, 9.2, 9.1]
    apart = estimate_mean(values, seed=0, strata=[0, 0, 0, 0, 1, 1, 1, 1])
    together = estimate_mean(values, seed=0)
    assert apart.mean == together.mean
    assert apart.high - apart.low < 0.3 < 3.0 < together.high - together.low


def test_a_stratum_of_one_leaves_no_interval():
    found = estimate_mean([1.0, 2.0, 3.0], seed=0, strata=["a", "a", "b"])
    assert (found.mean, found.low, found.high) == (2.25, None, None)


def test_a_stratum_is_asked_for_each_value():
    with pytest.raises(ValueError, match="expected 2"):
        estimate_mean([1.0, 2.0], seed=0, strata=["a"])


@both
def test_without_values_there_is_no_mean(estimate):
    with pytest.raises(ValueError, match="at least one"):
        estimate([], seed=0)


def test_large_samples_are_resampled_bit_by_bit():
    values = np.random.default_rng(0).normal(size=3_000).tolist()
    found = estimate_mean(values, seed=0)
    assert found.high - found.low == pytest.approx(2 * 1.96 / np.sqrt(3_000), rel=0.1)


def test_the_unit_is_what_is_said():
    assert estimate_iqm([1.0, 2.0], seed=0, unit=TRAINING_SEED).unit == TRAINING_SEED
    assert estimate_over_seeds([1.0, 2.0]).unit == TRAINING_SEED


def test_a_rate_has_a_width_even_where_all_succeed():
    found = estimate_rate([True] * 20)
    assert (found.mean, found.high, found.is_deterministic) == (1.0, 1.0, False)
    assert found.low == pytest.approx(20 / (20 + 1.959963984540054**2))
