"""Permutation tests, and what is left of their p-values when there are several."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchmarks.statistics.bootstrap import Floats, difference_of_means

NUM_PERMUTATIONS = 9_999
"""Up to this many, all are gone through; of more, this many are drawn."""
_DRAWN_AT_A_TIME = 2_000_000  # values


def sign_flip_test(differences: Floats, *, seed: int) -> float:
    """Return the two-sided p-value of a mean of paired differences, (n,), n of 2 or more.

    If the two of a pair could as well be swapped, every difference could as well have the other
    sign. Up to 13 differences go through all signs, so that p is exact and no less than
    ``2 ** (1 - n)``; of more, signs are drawn, and the observed ones count as drawn too
    (Phipson & Smyth 2010): p is never 0.
    """
    from scipy import stats

    n = len(differences)
    if 2**n <= NUM_PERMUTATIONS:
        found = stats.permutation_test(
            (differences,),
            np.mean,
            permutation_type="samples",
            vectorized=True,
            n_resamples=NUM_PERMUTATIONS,
        )
        return float(found.pvalue)
    rng, sizes = np.random.default_rng(seed), np.abs(differences)
    upwards = -differences if differences.mean() < 0.0 else differences  # the same p, same draws

    def with_drawn_signs(size: tuple[int, ...]) -> Floats:
        return np.where(rng.integers(2, size=size, dtype=np.int8) == 1, sizes, -sizes)

    drawn = stats.monte_carlo_test(
        upwards,
        with_drawn_signs,
        np.mean,
        vectorized=True,
        n_resamples=NUM_PERMUTATIONS,
        batch=max(1, _DRAWN_AT_A_TIME // n),
    )
    return float(drawn.pvalue)


def two_sample_test(first: Floats, second: Floats, *, seed: int) -> float:
    """Return the two-sided p-value of a difference of means of two samples, each of 2 or more.

    If both come from one distribution, each value could as well be in the other. Exact where there
    are fewer than 10,000 ways to part them (seven against seven), else drawn as in
    `sign_flip_test`.
    """
    from scipy import stats

    # Which sample comes first must not matter to what is drawn.
    one, other = sorted((first, second), key=lambda sample: (len(sample), sample.tolist()))
    found = stats.permutation_test(
        (one, other),
        difference_of_means,
        permutation_type="independent",
        vectorized=True,
        n_resamples=NUM_PERMUTATIONS,
        rng=np.random.default_rng(seed),
    )
    return float(found.pvalue)


def holm(p_values: Sequence[float]) -> list[float]:
    """Return the p-values of a family, each multiplied for the others beside it (Holm 1979).

    The k-th smallest of m is multiplied by ``m - k + 1``, none comes out smaller than one that was
    smaller before, and none above 1. Calling those below 0.05 different is then wrong about any of
    the family in at most 5% of studies.
    """
    p = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p, kind="stable")
    multiplied = np.arange(len(p), 0, -1) * p[order]
    corrected = np.empty_like(p)
    corrected[order] = np.minimum(np.maximum.accumulate(multiplied), 1.0)
    return [float(each) for each in corrected]
