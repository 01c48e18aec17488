"""A mean, an interquartile mean or a rate, and its interval."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.statistics.bootstrap import (
    Floats,
    Statistic,
    bootstrap_interval,
    interquartile_mean,
    mean_of_means,
    widened,
)
from negotiation_games.logs import wilson_interval

EPISODE, TRAINING_SEED = "episode", "training seed"
"""What a mean is over."""

CONFIDENCE = 0.95
SAME_WITHIN = 1e-9
"""Values that differ by no more than this are the same: they differ by rounding alone."""


@dataclass(frozen=True)
class Estimate:
    """A mean, of all or of the middle half, over n episodes or training seeds, and its interval.

    ``low`` and ``high`` bound the 95% interval and are None for a single one, which says nothing
    about spread. ``is_deterministic``: two or more, and all gave the same value; then both bounds
    are the mean.
    """

    mean: float
    low: float | None
    high: float | None
    n: int
    is_deterministic: bool
    unit: str = EPISODE  # what n counts


def estimate_mean(
    values: Sequence[float],
    *,
    seed: int,
    strata: Sequence[Hashable] | None = None,
    unit: str = EPISODE,
) -> Estimate:
    """Estimate a mean by the percentile bootstrap (Efron 1979), resampling whole units.

    The interval is widened for small samples, see `benchmarks.statistics.bootstrap.widened`.

    Args:
        values: one a unit.
        seed: the same seed and number of values draw the same resamples, so that intervals do not
            depend on what else is estimated.
        strata: the stratum of each value; each is resampled on its own, and the mean is that of
            the strata's means. Without, all are one stratum.
        unit: what a value is of.

    Raises:
        ValueError: there are no values, or not a stratum for each.

    """
    return _estimate(values, mean_of_means, seed=seed, strata=strata, unit=unit)


def estimate_iqm(
    values: Sequence[float],
    *,
    seed: int,
    strata: Sequence[Hashable] | None = None,
    unit: str = EPISODE,
) -> Estimate:
    """Estimate the interquartile mean, that of the middle half of all values.

    Less at the mercy of outliers than a mean, and steadier than a median (Agarwal et al. 2021,
    arXiv:2108.13264). Of fewer than four values nothing is cut: it is their mean. The rest is as
    in `estimate_mean`.
    """
    return _estimate(values, interquartile_mean, seed=seed, strata=strata, unit=unit)


def _estimate(
    values: Sequence[float],
    statistic: Statistic,
    *,
    seed: int,
    strata: Sequence[Hashable] | None,
    unit: str,
) -> Estimate:
    if not values:
        raise ValueError("values = []: expected at least one")
    samples = _samples(values, strata)
    n, mean = len(values), float(statistic(*samples))
    if n == 1:
        return Estimate(mean, None, None, 1, is_deterministic=False, unit=unit)
    if np.ptp(values) <= SAME_WITHIN:
        return Estimate(mean, mean, mean, n, is_deterministic=True, unit=unit)
    sizes = [len(sample) for sample in samples]
    if min(sizes) == 1:  # a stratum of one would be taken to have no spread
        return Estimate(mean, None, None, n, is_deterministic=False, unit=unit)
    confidence = widened(CONFIDENCE, sizes)
    low, high = bootstrap_interval(samples, statistic, seed=seed, confidence=confidence)
    return Estimate(mean, low, high, n, is_deterministic=False, unit=unit)


def _samples(values: Sequence[float], strata: Sequence[Hashable] | None) -> list[Floats]:
    """Return the values by stratum, in the order in which strata come."""
    if strata is None:
        return [np.asarray(values, dtype=np.float64)]
    if len(strata) != len(values):
        raise ValueError(f"strata of {len(strata)} values: expected {len(values)}")
    by_stratum: dict[Hashable, list[float]] = {}
    for stratum, value in zip(strata, values, strict=True):
        by_stratum.setdefault(stratum, []).append(value)
    return [np.asarray(sample, dtype=np.float64) for sample in by_stratum.values()]


def estimate_over_seeds(values: Sequence[float]) -> Estimate:
    """Estimate a mean over training seeds by Student's t, for they are few.

    A percentile bootstrap of five values would be too narrow; of values in two clusters an interval
    says little, whichever it is. One seed has none. Raises `ValueError` without values.
    """
    from scipy import stats

    if not values:
        raise ValueError("values = []: expected at least one")
    sample = np.asarray(values, dtype=np.float64)
    n, mean = len(sample), float(sample.mean())
    if n == 1:
        return Estimate(mean, None, None, 1, is_deterministic=False, unit=TRAINING_SEED)
    if np.ptp(sample) <= SAME_WITHIN:
        return Estimate(mean, mean, mean, n, is_deterministic=True, unit=TRAINING_SEED)
    quantile = float(stats.t.ppf((1.0 + CONFIDENCE) / 2.0, n - 1))
    half_width = quantile * float(sample.std(ddof=1)) / math.sqrt(n)
    low, high = mean - half_width, mean + half_width
    return Estimate(mean, low, high, n, is_deterministic=False, unit=TRAINING_SEED)


def estimate_rate(successes: Sequence[bool]) -> Estimate:
    """Estimate a probability by Wilson's score interval (Wilson 1927).

    It has a width even where all episodes ended alike, so no estimate is called deterministic.
    Raises `ValueError` without episodes.
    """
    rate = wilson_interval(successes)
    if rate.value is None:
        raise ValueError("successes = []: expected at least one")
    return Estimate(rate.value, rate.low, rate.high, len(successes), is_deterministic=False)
