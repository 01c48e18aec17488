"""Bootstrap intervals of samples that are resampled one by one."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Statistic = Callable[..., Floats]
"""Takes samples, each (..., n), and ``axis``; returns (...)."""

NUM_RESAMPLES = 10_000
_DRAWN_AT_A_TIME = 2_000_000  # values: 16 MB, whatever the size of the sample


def bootstrap_interval(
    samples: Sequence[Floats], statistic: Statistic, *, seed: int, confidence: float
) -> tuple[float, float]:
    """Return the bounds of a percentile bootstrap interval (Efron 1979), by SciPy.

    Each sample, (n,) with n of 2 or more, is resampled on its own: strata of one row, or the two
    sides of a comparison. The same seed and sizes draw the same resamples, whatever else is
    computed.
    """
    from scipy import stats  # a second to import: not before there is something to estimate

    drawn = stats.bootstrap(
        tuple(samples),
        statistic,
        n_resamples=NUM_RESAMPLES,
        batch=max(1, _DRAWN_AT_A_TIME // sum(map(len, samples))),
        vectorized=True,
        confidence_level=confidence,
        method="percentile",
        rng=np.random.default_rng(seed),
    )
    low, high = drawn.confidence_interval
    return float(low), float(high)


def widened(confidence: float, sizes: Sequence[int]) -> float:
    """Return the level at which a percentile interval of so small samples covers `confidence`.

    A resample of n values has a variance (n - 1) / n too small, and the normal quantile that a
    percentile stands for is smaller than Student's. Hesterberg (2015, "What teachers should know
    about the bootstrap") asks for the percentiles at the normal probability of
    ``sqrt(n / (n - 1)) t``; of several samples n is the smallest and t has the degrees of freedom
    of all together.
    """
    from scipy import stats

    smallest = min(sizes)
    quantile = stats.t.ppf((1.0 + confidence) / 2.0, sum(sizes) - len(sizes))
    return float(1.0 - 2.0 * stats.norm.sf(math.sqrt(smallest / (smallest - 1)) * quantile))


def mean_of_means(*samples: Floats, axis: int = -1) -> Floats:
    """Return the mean of the samples' means: every stratum counts the same."""
    return np.asarray(np.mean([sample.mean(axis=axis) for sample in samples], axis=0))


def interquartile_mean(*samples: Floats, axis: int = -1) -> Floats:
    """Return the mean of the middle half of all values (Agarwal et al. 2021), by SciPy."""
    from scipy import stats

    return np.asarray(stats.trim_mean(np.concatenate(samples, axis=axis), 0.25, axis=axis))


def difference_of_means(first: Floats, second: Floats, axis: int = -1) -> Floats:
    """Return the first sample's mean less the second's."""
    return np.asarray(first.mean(axis=axis) - second.mean(axis=axis))
