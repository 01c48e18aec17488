"""Means and their intervals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.statistics import estimate_mean

finite = st.floats(-1e3, 1e3)


@settings(max_examples=25, deadline=None)
@given(st.lists(finite, min_size=2, max_size=8), st.integers(0, 9))
def test_an_interval_lies_within_the_values_and_a_repetition_gives_the_same(values, seed):
    estimate = estimate_mean(values, seed=seed)
    tolerance = 1e-6
    assert min(values) - tolerance <= estimate.low <= estimate.high <= max(values) + tolerance
    assert estimate == estimate_mean(values, seed=seed)


def test_values_that_are_all_the_same_are_called_deterministic():
    estimate = estimate_mean([0.1 + 0.2, 0.3, 0.3], seed=0)
    assert estimate.is_deterministic
    assert estimate.low == estimate.high == estimate.mean


def test_one_episode_says_nothing_about_spread():
    estimate = estimate_mean([0.5], seed=0)
    assert (estimate.mean, estimate.low, estimate.high) == (0.5, None, None)
    assert not estimate.is_deterministic


def test_nearly_all_intervals_of_normal_samples_hold_the_true_mean():
    rng = np.random.default_rng(0)
    estimates = [estimate_mean(rng.normal(size=40).tolist(), seed=1) for _ in range(100)]
    covered = sum(estimate.low <= 0.0 <= estimate.high for estimate in estimates)
    assert 88 <= covered <= 99


def test_without_values_there_is_no_mean():
    with pytest.raises(ValueError, match="at least one"):
        estimate_mean([], seed=0)
