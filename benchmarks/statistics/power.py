"""How many units it takes to tell two rows apart."""

from __future__ import annotations

import math
from collections.abc import Callable

ALPHA = 0.05
"""Rate at which equal rows may be called different."""

POWER = 0.80
"""Rate at which rows that differ as these seem to are to be told apart."""

MOST = 1_000_000
"""From here on an effect is as good as none."""

_FEWEST_PAIRS, _FEWEST_A_GROUP = 6, 4
"""Below these no permutation test has a p-value under 5%: 2 / 2**5 and 2 / C(6, 3) exceed it."""

_LARGEST_EFFECT = 3.0  # the fewest are enough for it, and SciPy's noncentral t is accurate up to it


def pairs_needed(effect: float) -> int | None:
    """Return how many pairs tell an effect of so many standard deviations from none.

    Two-sided at 5% with 80% power, by the noncentral t of the paired test; the permutation test
    needs about as many. None if a million are not enough.
    """
    size = min(abs(effect), _LARGEST_EFFECT)
    return _fewest(lambda n: _power(size * math.sqrt(n), n - 1), _FEWEST_PAIRS)


def groups_needed(effect: float) -> int | None:
    """Return how many units each of two samples must have to tell such an effect from none.

    `effect` is in pooled standard deviations. The rest is as in `pairs_needed`.
    """
    size = min(abs(effect), _LARGEST_EFFECT)
    return _fewest(lambda n: _power(size * math.sqrt(n / 2.0), 2 * n - 2), _FEWEST_A_GROUP)


def _power(noncentrality: float, df: int) -> float:
    """Return how often Student's test with this noncentrality finds a difference."""
    from scipy import stats

    critical = stats.t.ppf(1.0 - ALPHA / 2.0, df)
    above = stats.nct.sf(critical, df, noncentrality)
    below = stats.nct.cdf(-critical, df, noncentrality)
    return float(above + below)


def _fewest(power: Callable[[int], float], fewest: int) -> int | None:
    """Return the smallest number from `fewest` on whose power is enough; it grows with n."""
    if power(fewest) >= POWER:
        return fewest
    too_few, enough = fewest, 2 * fewest
    while power(enough) < POWER:
        too_few, enough = enough, 2 * enough
        if too_few >= MOST:
            return None
    while enough - too_few > 1:
        middle = (too_few + enough) // 2
        if power(middle) < POWER:
            too_few = middle
        else:
            enough = middle
    return enough
