"""Means and their intervals, thousands of them: the intervals of `benchmarks.statistics`, quickly.

A bootstrap of `benchmarks.statistics` takes ten milliseconds and a study has ten thousand numbers.
Here all means over as many units share their resamples, so that each takes a tenth of one.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from benchmarks.statistics import (
    CONFIDENCE,
    EPISODE,
    SAME_WITHIN,
    TRAINING_SEED,
    Estimate,
    estimate_over_seeds,
)
from benchmarks.statistics.bootstrap import widened

Floats = npt.NDArray[np.float64]

NUM_RESAMPLES = 2_000


def resampled_means(values: Floats, *, seed: int = 0) -> Floats:
    """Return the means of resamples of whole rows (Efron 1979).

    Args:
        values: (n, k), a unit a row.
        seed: the same seed and n draw the same resamples.

    Returns:
        (`NUM_RESAMPLES`, k).
    """
    return np.asarray(_weights(len(values), seed) @ values)


def tails(num_units: int) -> tuple[float, float]:
    """Return the two percentiles, 0 to 1, that bound a 95% interval of so few units."""
    outside = (1.0 - _widened(num_units)) / 2.0
    return outside, 1.0 - outside


def estimate(values: Sequence[float], *, unit: str = EPISODE, seed: int = 0) -> Estimate:
    """Estimate a mean; a single episode is exact, for it is played where chance has no part.

    Several episodes have the widened percentile interval of `benchmarks.statistics.estimate_mean`,
    training seeds Student's. A single training seed has no interval.
    """
    if unit == TRAINING_SEED:
        return estimate_over_seeds(values)
    sample = np.asarray(values, np.float64)
    n, mean = len(sample), float(sample.mean())
    if np.ptp(sample) <= SAME_WITHIN:
        return Estimate(mean, mean, mean, n, is_deterministic=True, unit=unit)
    low, high = np.quantile(resampled_means(sample[:, None], seed=seed), tails(n))
    return Estimate(mean, float(low), float(high), n, is_deterministic=False, unit=unit)


@lru_cache(maxsize=8)
def _weights(num_units: int, seed: int) -> Floats:
    """Return how much each unit counts in each resample, (resamples, units)."""
    rng = np.random.default_rng(seed)
    times = rng.multinomial(num_units, np.full(num_units, 1.0 / num_units), size=NUM_RESAMPLES)
    weights: Floats = times / num_units
    weights.setflags(write=False)
    return weights


@lru_cache(maxsize=64)
def _widened(num_units: int) -> float:
    return widened(CONFIDENCE, [num_units])
