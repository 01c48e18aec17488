"""Quick intervals are those of the project's statistics."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.statistics import TRAINING_SEED, estimate_mean, estimate_over_seeds
from benchmarks.study.resampling import NUM_RESAMPLES, estimate, resampled_means


@pytest.mark.parametrize("num", [4, 20])
def test_an_interval_is_that_of_the_slow_bootstrap(num):
    values = np.random.default_rng(1).normal(0.8, 0.1, size=num).tolist()
    quick, slow = estimate(values), estimate_mean(values, seed=0)
    assert quick.mean == pytest.approx(slow.mean)
    width = slow.high - slow.low
    assert quick.low == pytest.approx(slow.low, abs=0.06 * width)
    assert quick.high == pytest.approx(slow.high, abs=0.06 * width)
    assert (quick.n, quick.unit) == (slow.n, slow.unit)


def test_a_single_episode_and_equal_ones_are_exact():
    one, equal = estimate([0.3]), estimate([0.3, 0.3 + 1e-12])
    assert (one.low, one.mean, one.high, one.n) == (0.3, 0.3, 0.3, 1)
    assert equal.low == equal.high == equal.mean
    assert equal.is_deterministic


def test_training_seeds_have_the_interval_of_students_t():
    values = [0.2, 0.5, 0.9]
    assert estimate(values, unit=TRAINING_SEED) == estimate_over_seeds(values)
    assert estimate([0.2], unit=TRAINING_SEED).low is None


def test_rows_are_resampled_whole():
    values = np.array([[1.0, 10.0], [2.0, 20.0], [4.0, 40.0]])
    means = resampled_means(values, seed=3)
    assert means.shape == (NUM_RESAMPLES, 2)
    assert means[:, 1] == pytest.approx(10.0 * means[:, 0])
    assert (means == resampled_means(values, seed=3)).all()
    assert (means != resampled_means(values, seed=4)).any()
