"""Our figures beside those of published implementations, on the same data; -s prints both.

The figures of rliable 1.2.0 (Agarwal et al. 2021, with arch 7.2.0) stand here as it gave them; it
is asked again where it is installed. Those of Holm and of power are of statsmodels 0.15.0.
"""

from __future__ import annotations

import sys

import numpy as np
import pytest
from scipy import stats

from benchmarks.statistics import (
    estimate_iqm,
    estimate_mean,
    estimate_over_seeds,
    estimate_rate,
    groups_needed,
    holm,
    pairs_needed,
    probability_of_improvement,
    sign_flip_test,
    two_sample_test,
)
from benchmarks.statistics.bootstrap import bootstrap_interval, interquartile_mean, mean_of_means

RUNS, TASKS = np.ogrid[0:10, 0:4]
SCORES = np.sin(3.0 * RUNS + 5.0 * TASKS) + TASKS / 4.0  # runs by tasks, (10, 4)
OTHERS = np.cos(2.0 * RUNS + 7.0 * TASKS) + TASKS / 5.0
RESAMPLED = 0.02  # two bootstraps of this size differ by so much at their ends, from chance alone

RLIABLE = {
    "mean": (0.3626048018315301, 0.1383447231270738, 0.5872191044230562),
    "iqm": (0.327855628501449, 0.028143413480054873, 0.6433938214308808),
}
RLIABLE_IMPROVEMENT = 0.47


def beside(what, ours, theirs):
    sys.stdout.write(f"\n{what:44}{np.round(ours, 4)!s:>20}{np.round(theirs, 4)!s:>20}")
    return ours, theirs


def columns(scores):
    return [np.ascontiguousarray(column) for column in scores.T]


def flat(scores):
    tasks = np.broadcast_to(TASKS, scores.shape)
    return scores.T.ravel().tolist(), tasks.T.ravel().tolist()


@pytest.mark.parametrize(
    ("name", "statistic", "estimate"),
    [
        ("mean", mean_of_means, estimate_mean),
        ("iqm", interquartile_mean, estimate_iqm),
    ],
)
def test_stratified_means_and_intervals_are_those_of_rliable(name, statistic, estimate):
    ours = bootstrap_interval(columns(SCORES), statistic, seed=0, confidence=0.95)
    values, strata = flat(SCORES)
    point, *bounds = RLIABLE[name]
    found, point = beside(
        f"{name} over 4 strata", estimate(values, seed=0, strata=strata).mean, point
    )
    assert found == pytest.approx(point, abs=1e-12)
    ours, bounds = beside(f"95% interval of the {name}", ours, bounds)
    assert ours == pytest.approx(bounds, abs=RESAMPLED)


def test_the_probability_of_improvement_is_that_of_rliable():
    each = [probability_of_improvement(x, y) for x, y in zip(SCORES.T, OTHERS.T, strict=True)]
    ours, theirs = beside("probability of improvement", np.mean(each), RLIABLE_IMPROVEMENT)
    assert ours == pytest.approx(theirs, abs=1e-12)


@pytest.mark.parametrize(
    "values", [SCORES[:, 0], SCORES[:5, 1], np.array([0.0, 0.0, 1.0, 1.0, 1.0])]
)
def test_the_interval_of_a_mean_is_that_of_scipy(values):
    drawn = stats.bootstrap(
        (values,), np.mean, n_resamples=10_000, method="percentile", rng=np.random.default_rng(7)
    )
    theirs = tuple(drawn.confidence_interval)
    ours = bootstrap_interval([values], mean_of_means, seed=7, confidence=0.95)
    ours, theirs = beside("95% interval of one sample, SciPy", ours, theirs)
    assert ours == pytest.approx(theirs, abs=1e-12)


def test_the_interquartile_mean_is_that_of_scipy():
    values = SCORES.ravel()
    theirs = stats.trim_mean(values, 0.25)
    ours, theirs = beside("IQM, SciPy", estimate_iqm(values.tolist(), seed=0).mean, theirs)
    assert ours == pytest.approx(theirs, abs=1e-12)


def test_the_interval_over_training_seeds_is_that_of_scipy():
    values = SCORES[:5, 0]
    theirs = stats.ttest_1samp(values, 0.0).confidence_interval(0.95)
    found = estimate_over_seeds(values.tolist())
    ours, theirs = beside("Student's t, SciPy", (found.low, found.high), tuple(theirs))
    assert ours == pytest.approx(theirs, abs=1e-9)


def test_wilsons_interval_is_that_of_scipy():
    theirs = stats.binomtest(13, 20).proportion_ci(0.95, method="wilson")
    found = estimate_rate([True] * 13 + [False] * 7)
    ours, theirs = beside("Wilson, SciPy", (found.low, found.high), tuple(theirs))
    assert ours == pytest.approx(theirs, abs=1e-9)


def test_p_values_are_near_those_of_students_tests_by_scipy():
    first, second = SCORES[:, 2] + 0.4, OTHERS[:, 1]
    ours, theirs = beside(
        "p of 10 pairs; t test, SciPy",
        sign_flip_test(first - second, seed=0),
        stats.ttest_rel(first, second).pvalue,
    )
    assert ours == pytest.approx(theirs, rel=0.2)
    ours, theirs = beside(
        "p of 10 against 10; t test, SciPy",
        two_sample_test(first, second, seed=0),
        stats.ttest_ind(first, second).pvalue,
    )
    assert ours == pytest.approx(theirs, rel=0.2)


def test_many_pairs_have_the_p_value_that_scipy_draws():
    differences = SCORES.ravel() - 0.2
    theirs = stats.permutation_test(
        (differences,),
        np.mean,
        permutation_type="samples",
        vectorized=True,
        n_resamples=9_999,
        rng=np.random.default_rng(1),
    ).pvalue
    ours, theirs = beside("p of 40 pairs, SciPy", sign_flip_test(differences, seed=0), theirs)
    assert ours == pytest.approx(theirs, abs=0.02)


def test_holms_correction_is_that_of_statsmodels():
    raw = [0.01, 0.04, 0.03, 0.005, 0.2, 0.04]
    theirs = [0.05, 0.12, 0.12, 0.03, 0.2, 0.12]  # multipletests(raw, method="holm"), 0.15.0
    ours, theirs = beside("Holm, statsmodels", holm(raw), theirs)
    assert ours == pytest.approx(theirs)


@pytest.mark.parametrize(
    ("needed", "effect", "published"),
    [
        (pairs_needed, 0.5, 34),
        (pairs_needed, 0.3, 90),
        (pairs_needed, 1.2, 8),
        (groups_needed, 0.2, 394),
        (groups_needed, 0.5, 64),
        (groups_needed, 0.8, 26),
        (groups_needed, 1.5, 9),
    ],
)
def test_the_units_needed_are_those_of_statsmodels(needed, effect, published):
    what = f"{needed.__name__}({effect}), statsmodels"
    ours, theirs = beside(what, needed(effect), published)
    assert ours == theirs


def test_rliable_still_says_the_same():
    metrics = pytest.importorskip("rliable.metrics", exc_type=ImportError)
    library = pytest.importorskip("rliable.library", exc_type=ImportError)
    np.random.seed(0)  # noqa: NPY002 (rliable draws from there)
    aggregates = {"mean": metrics.aggregate_mean, "iqm": metrics.aggregate_iqm}
    for name, aggregate in aggregates.items():
        points, intervals = library.get_interval_estimates(
            {"x": SCORES}, lambda scores, of=aggregate: np.array([of(scores)]), reps=20_000
        )
        told = (points["x"][0], *intervals["x"][:, 0])
        assert told == pytest.approx(RLIABLE[name], abs=RESAMPLED)
    improvement = metrics.probability_of_improvement(SCORES, OTHERS)
    assert improvement == pytest.approx(RLIABLE_IMPROVEMENT, abs=1e-12)
