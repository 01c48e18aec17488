"""Effect sizes, and how many units they ask for."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.statistics import (
    groups_needed,
    pairs_needed,
    probability_of_improvement,
    share_improved,
    sign_flip_test,
    standardized_difference,
    standardized_mean,
    two_sample_test,
)

sixteenths = st.integers(-160, 160).map(lambda number: number / 16)
sample = st.lists(sixteenths, min_size=3, max_size=12).map(np.array)


def test_an_effect_is_the_mean_in_standard_deviations_corrected_as_hedges_does():
    differences = np.array([1.0, 2.0, 3.0, 4.0, 5.0])
    approximation = 1.0 - 3.0 / (4.0 * 4 - 1.0)
    expected = approximation * 3.0 / math.sqrt(2.5)
    assert standardized_mean(differences) == pytest.approx(expected, rel=0.005)


def test_two_samples_share_their_spread():
    first, second = np.array([3.0, 4.0, 5.0]), np.array([0.0, 1.0, 2.0])
    assert standardized_difference(first, second) == pytest.approx(3.0 * 0.8, rel=0.01)


@given(sample, sample)
def test_effects_turn_their_sign_when_sides_are_swapped(first, second):
    forth, back = standardized_difference(first, second), standardized_difference(second, first)
    assert (forth is None) == (back is None)
    assert forth is None or forth == pytest.approx(-back)
    assert probability_of_improvement(first, second) == pytest.approx(
        1.0 - probability_of_improvement(second, first)
    )
    assert share_improved(first) == pytest.approx(1.0 - share_improved(-first))


def test_ties_count_half():
    assert share_improved(np.array([1.0, 0.0, 0.0, -1.0, 2.0])) == 0.6
    assert probability_of_improvement(np.array([1.0, 2.0]), np.array([1.0, 0.0])) == 0.875
    assert probability_of_improvement(np.ones(3), np.ones(4)) == 0.5


def test_what_cannot_be_measured_is_none():
    assert standardized_mean(np.array([1.0, 2.0])) is None
    assert standardized_mean(np.full(5, 0.3)) is None
    assert standardized_mean(np.zeros(5)) == 0.0
    assert standardized_difference(np.ones(5), np.zeros(2)) is None
    assert standardized_difference(np.ones(5), np.zeros(5)) is None


@settings(max_examples=25, deadline=None)
@given(st.floats(0.02, 2.5), st.floats(1.05, 2.0))
def test_smaller_effects_need_more_units_whatever_their_sign(effect, factor):
    for needed in (pairs_needed, groups_needed):
        assert needed(effect / factor) >= needed(effect)
        assert needed(-effect) == needed(effect)


def test_no_effect_needs_more_units_than_there_are():
    assert pairs_needed(0.0) is None
    assert groups_needed(1e-6) is None


@pytest.mark.parametrize("effect", [3.0, 9.0, 40.0, -1e6])
def test_huge_effects_need_the_fewest(effect):
    assert pairs_needed(effect) == pairs_needed(math.inf) == 6
    assert groups_needed(effect) == groups_needed(math.inf) == 4


def test_no_fewer_are_asked_for_than_a_permutation_test_can_tell_apart():
    few, fewer = pairs_needed(math.inf), pairs_needed(math.inf) - 1
    assert sign_flip_test(np.ones(few), seed=0) < 0.05 < sign_flip_test(np.ones(fewer), seed=0)
    few, fewer = groups_needed(math.inf), groups_needed(math.inf) - 1
    assert two_sample_test(np.ones(few), np.zeros(few), seed=0) < 0.05
    assert two_sample_test(np.ones(fewer), np.zeros(fewer), seed=0) > 0.05


def test_with_as_many_pairs_as_asked_for_four_in_five_studies_find_the_effect():
    rng, n = np.random.default_rng(0), pairs_needed(0.8)
    found = [sign_flip_test(rng.normal(0.8, 1.0, size=n), seed=0) <= 0.05 for _ in range(300)]
    assert 0.74 <= np.mean(found) <= 0.87
