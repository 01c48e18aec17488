"""Critical magnitudes, on curves made by hand and drawn by chance."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.statistics import TRAINING_SEED
from benchmarks.study.critical import Crossing, critical_magnitude, curve_of


def curve(gains, *, unit="episode"):
    """Return the curve of these gains: by magnitude, a list by unit or the one of all."""
    return curve_of(
        {
            magnitude: {
                k: (0.5, 0.5 + gain)
                for k, gain in enumerate(each if isinstance(each, list) else [each])
            }
            for magnitude, each in gains.items()
        },
        unit=unit,
    )


def test_the_first_magnitude_that_reaches_the_level_is_critical():
    found = critical_magnitude(curve({0: 0.0, 2: 0.02, 4: 0.05, 6: 0.2}), 0.05)
    assert found.magnitude == 4
    assert found.crossings == (Crossing(2, 4, "up"),)


def test_an_exact_curve_has_no_width():
    found = critical_magnitude(curve({0: 0.0, 3: 0.1}), 0.1)
    assert (found.low, found.magnitude, found.high, found.never) == (3, 3, 3, 0.0)
    equal = critical_magnitude(curve({0: [0.0, 0.0], 3: [0.1, 0.1]}), 0.1)
    assert (equal.low, equal.magnitude, equal.high, equal.never) == (3, 3, 3, 0.0)


def test_all_crossings_of_a_curve_that_comes_back_are_told():
    found = critical_magnitude(curve({1: 0.0, 2: 0.1, 3: 0.0, 4: 0.2, 5: 0.3, 6: 0.05}), 0.1)
    assert found.magnitude == 2
    assert found.crossings == (
        Crossing(1, 2, "up"),
        Crossing(2, 3, "down"),
        Crossing(3, 4, "up"),
        Crossing(5, 6, "down"),
    )


def test_a_curve_that_never_gets_there_has_no_critical_magnitude():
    found = critical_magnitude(curve({0: 0.0, 2: 0.02}), 0.05)
    assert (found.low, found.magnitude, found.high, found.never) == (None, None, None, 1.0)
    assert found.crossings == ()


def test_a_curve_that_begins_above_the_level_is_critical_at_its_first_magnitude():
    found = critical_magnitude(curve({1: 0.3, 2: 0.4}), 0.1)
    assert (found.low, found.magnitude, found.high) == (1, 1, 1)
    assert found.crossings == (Crossing(None, 1, "up"),)


def test_falls_are_told_from_the_smallest_to_the_largest():
    found = critical_magnitude(curve({-4: 0.2, 0: 0.0, -2: 0.01}), 0.1)
    assert found.magnitude == -4
    assert found.crossings == (Crossing(-2, -4, "up"),)


def test_a_gain_short_of_the_level_by_rounding_alone_reaches_it():
    assert critical_magnitude(curve({1: 0.1 - 1e-12}), 0.1).magnitude == 1


def test_points_are_the_mean_gains_with_their_intervals():
    first, second = curve({0: [0.0, 0.0, 0.0], 2: [0.0, 0.1, 0.2]}).points
    assert first == (0, 0.0, 0.0, 0.0)
    assert second.magnitude == 2
    assert second.difference == pytest.approx(0.1)
    assert second.low < 0.1 < second.high


def test_only_units_that_both_played_at_every_magnitude_count():
    pairs = {0: {0: (0.0, 0.0), 1: (0.0, 1.0)}, 2: {1: (0.0, 0.5), 2: (0.0, 9.0)}, 4: {}}
    found = curve_of(pairs)
    assert found.magnitudes == (0, 2)
    assert found.gains.tolist() == [[1.0, 0.5]]
    assert curve_of({0: {0: (0.0, 0.0)}, 2: {1: (0.0, 0.0)}}) is None
    assert curve_of({}) is None


def test_one_training_seed_says_nothing_of_others():
    found = critical_magnitude(curve({0: 0.0, 2: 0.3}, unit=TRAINING_SEED), 0.1)
    assert found.magnitude == 2
    assert (found.low, found.high, found.never) == (None, None, None)


def test_a_crossing_that_half_of_the_episodes_make_is_uncertain():
    found = critical_magnitude(curve({0: [0.0] * 20, 2: [0.0, 0.2] * 10, 4: [0.3] * 20}), 0.1)
    assert (found.magnitude, found.low, found.high, found.never) == (2, 2, 4, 0.0)


def test_what_a_fifth_of_the_resamples_never_reach_has_no_upper_bound():
    gains = [0.0] * 9 + [1.0] * 11
    found = critical_magnitude(curve({0: [0.0] * 20, 8: gains}), 0.45)
    assert found.magnitude == 8
    assert 0.1 < found.never < 0.3
    assert (found.low, found.high) == (8, None)


def test_episodes_are_resampled_with_all_their_magnitudes():
    lucky = [0.0] * 10 + [0.2] * 10
    unlucky = lucky[::-1]
    together = critical_magnitude(curve({1: lucky, 2: lucky}), 0.1)
    apart = critical_magnitude(curve({1: lucky, 2: unlucky}), 0.1)
    assert 0.2 < together.never < 0.6  # what one misses the other misses too
    assert apart.never == 0.0  # where one is below its mean the other is above


gains_by_magnitude = st.dictionaries(
    st.integers(-10, 10),
    st.lists(st.floats(-1, 1), min_size=3, max_size=3),
    min_size=1,
    max_size=8,
)


def as_number(magnitude):
    return math.inf if magnitude is None else abs(magnitude)


@settings(max_examples=60, deadline=None)
@given(gains_by_magnitude, st.floats(0.01, 0.5), st.floats(0.0, 0.5))
def test_a_higher_level_never_has_a_smaller_critical_magnitude(gains, level, more):
    lower, higher = (critical_magnitude(curve(gains), each) for each in (level, level + more))
    assert as_number(higher.magnitude) >= as_number(lower.magnitude)
    assert as_number(higher.low) >= as_number(lower.low)
    assert as_number(higher.high) >= as_number(lower.high)
    assert higher.never >= lower.never


@settings(max_examples=60, deadline=None)
@given(gains_by_magnitude, st.floats(0.01, 0.5))
def test_ups_and_downs_alternate_and_the_first_up_is_critical(gains, level):
    found = critical_magnitude(curve(gains), level)
    directions = [crossing.direction for crossing in found.crossings]
    assert directions == [("up", "down")[k % 2] for k in range(len(directions))]
    if found.crossings:
        assert found.crossings[0].outer == found.magnitude
    else:
        assert found.magnitude is None


def test_intervals_hold_the_true_crossing_about_as_often_as_they_say():
    magnitudes, level, true_crossing = range(0, 12, 2), 0.1, 6
    held = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        noise = rng.normal(0.0, 0.05, size=(20, len(magnitudes)))
        gains = {
            magnitude: (0.015 * magnitude + 0.02 + noise[:, k]).tolist()  # 0.08 at 4, 0.11 at 6
            for k, magnitude in enumerate(magnitudes)
        }
        found = critical_magnitude(curve(gains), level)
        held += as_number(found.low) <= true_crossing <= as_number(found.high)
    assert held >= 90
