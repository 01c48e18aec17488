"""How large a difference is, whatever its unit."""

from __future__ import annotations

import math

import numpy as np

from benchmarks.statistics.bootstrap import Floats

SMALLEST_SAMPLE = 3
"""Fewer differences say nothing of their spread: Hedges' correction of two makes every effect 0."""


def standardized_mean(differences: Floats) -> float | None:
    """Return the mean of paired differences in their standard deviations, (n,) -> one number.

    Cohen's d_z with Hedges' correction (1981). None where there are fewer than three, or they do
    not differ: then no finite number says how large the effect is, unless all are zero.
    """
    n = len(differences)
    if n < SMALLEST_SAMPLE:
        return None
    return _ratio(float(differences.mean()), float(differences.std(ddof=1)), n - 1)


def standardized_difference(first: Floats, second: Floats) -> float | None:
    """Return Hedges' g (1981): the difference of two means in pooled standard deviations.

    None where there are fewer than three values to a side, or none differ within a side.
    """
    if min(len(first), len(second)) < SMALLEST_SAMPLE:
        return None
    df = len(first) + len(second) - 2
    squares = float(((first - first.mean()) ** 2).sum() + ((second - second.mean()) ** 2).sum())
    return _ratio(float(first.mean() - second.mean()), math.sqrt(squares / df), df)


def _ratio(mean: float, spread: float, df: int) -> float | None:
    if spread <= 1e-9 * max(1.0, abs(mean)):  # rounding alone
        return 0.0 if abs(mean) <= 1e-9 else None
    return _correction(df) * mean / spread


def _correction(df: int) -> float:
    """Return what an effect size from so many degrees of freedom is too large by, below 1."""
    logs = math.lgamma(df / 2.0) - math.lgamma((df - 1) / 2.0)
    return math.exp(logs) / math.sqrt(df / 2.0)


def probability_of_improvement(first: Floats, second: Floats) -> float:
    """Return how probably a value of the first exceeds one of the second, ties counting half.

    The Mann-Whitney statistic over all pairs divided by their number, by SciPy; over one task what
    Agarwal et al. (2021, arXiv:2108.13264) report. Cliff's delta is twice this less 1.
    """
    from scipy import stats

    pairs = len(first) * len(second)
    return float(stats.mannwhitneyu(first, second, method="asymptotic").statistic) / pairs


def share_improved(differences: Floats) -> float:
    """Return in how large a share of pairs the first is better, ties counting half."""
    same = np.abs(differences) <= 1e-9
    return float(np.mean(np.where(same, 0.5, differences > 0)))
