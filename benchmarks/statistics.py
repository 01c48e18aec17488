"""What a handful of episodes says about a mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from negotiation_games.logs import wilson_interval

EPISODE, TRAINING_SEED = "episode", "training seed"
"""What a mean is over."""

CONFIDENCE = 0.95
NUM_RESAMPLES = 10_000
SAME_WITHIN = 1e-9
"""Values that differ by no more than this are the same: they differ by rounding alone."""


@dataclass(frozen=True)
class Estimate:
    """A mean over n episodes, or training seeds, with its interval.

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


def estimate_mean(values: Sequence[float], *, seed: int) -> Estimate:
    """Estimate a mean by the percentile bootstrap (Efron 1979), resampling whole episodes.

    The same seed and number of values draw the same resamples, so that intervals do not depend on
    what else is estimated. Raises `ValueError` without values.
    """
    if not values:
        raise ValueError("values = []: expected at least one")
    sample = np.asarray(values, dtype=np.float64)
    n = len(sample)
    mean = float(sample.mean())
    if n == 1:
        return Estimate(mean, None, None, 1, is_deterministic=False)
    if np.ptp(sample) <= SAME_WITHIN:
        return Estimate(mean, mean, mean, n, is_deterministic=True)
    drawn = np.random.default_rng(seed).integers(n, size=(NUM_RESAMPLES, n))
    tail = (1.0 - CONFIDENCE) / 2.0
    low, high = np.quantile(sample[drawn].mean(axis=1), (tail, 1.0 - tail))
    return Estimate(mean, float(low), float(high), n, is_deterministic=False)


def estimate_rate(successes: Sequence[bool]) -> Estimate:
    """Estimate a probability by Wilson's score interval (Wilson 1927).

    It has a width even where all episodes ended alike, so no estimate is called deterministic.
    Raises `ValueError` without episodes.
    """
    rate = wilson_interval(successes)
    if rate.value is None:
        raise ValueError("successes = []: expected at least one")
    return Estimate(rate.value, rate.low, rate.high, len(successes), is_deterministic=False)
