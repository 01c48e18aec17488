"""Permutation tests and Holm's correction."""

from __future__ import annotations

from itertools import combinations, product
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.statistics import holm, sign_flip_test, two_sample_test

# Sixteenths, so that sums are exact and values that tie do so in every order.
sixteenths = st.integers(-160, 160).map(lambda number: number / 16)
sample = st.lists(sixteenths, min_size=2, max_size=20).map(np.array)


@settings(max_examples=40, deadline=None)
@given(sample, st.integers(0, 9))
def test_the_p_value_of_pairs_is_a_probability_and_the_same_with_sides_swapped(differences, seed):
    p = sign_flip_test(differences, seed=seed)
    assert 0.0 < p <= 1.0
    assert sign_flip_test(-differences, seed=seed) == p
    assert p >= min(2.0 ** (1 - len(differences)), 2 / 10_000)


@settings(max_examples=25, deadline=None)
@given(sample, sample, st.integers(0, 9))
def test_the_p_value_of_two_samples_is_one_too(first, second, seed):
    p = two_sample_test(first, second, seed=seed)
    assert 0.0 < p <= 1.0
    assert two_sample_test(second, first, seed=seed) == p


@settings(max_examples=25, deadline=None)
@given(st.lists(sixteenths, min_size=2, max_size=8).map(np.array))
def test_few_pairs_go_through_all_signs(differences):
    totals = [np.dot(signs, differences) for signs in product((1, -1), repeat=len(differences))]
    above = np.mean(np.array(totals) >= differences.sum())
    below = np.mean(np.array(totals) <= differences.sum())
    expected = min(1.0, 2 * min(above, below))
    assert sign_flip_test(differences, seed=0) == pytest.approx(expected)


def test_few_units_go_through_all_ways_to_part_them():
    first, second = np.array([5.0, 6.0, 7.0, 9.0]), np.array([1.0, 2.0, 3.0, 8.0])
    pooled = np.concatenate([first, second])
    sums = [pooled[list(chosen)].sum() for chosen in combinations(range(8), 4)]
    expected = 2 * np.mean(np.array(sums) >= first.sum())
    assert two_sample_test(first, second, seed=0) == pytest.approx(expected)
    assert two_sample_test(np.arange(5.0) + 9, np.arange(5.0), seed=0) == 2 / comb(10, 5)


def test_differences_of_zero_have_no_evidence_in_them():
    assert sign_flip_test(np.zeros(5), seed=0) == 1.0
    assert sign_flip_test(np.zeros(30), seed=0) == 1.0


def test_the_signs_observed_count_as_drawn():
    assert sign_flip_test(np.full(60, 0.1), seed=0) == 2 / 10_000


@pytest.mark.parametrize("n", [8, 30])
def test_rows_that_do_not_differ_are_told_apart_in_about_one_of_twenty(n):
    rng = np.random.default_rng(1)
    called = [sign_flip_test(rng.normal(size=n), seed=0) <= 0.05 for _ in range(300)]
    assert 0.02 <= np.mean(called) <= 0.08


p_values = st.lists(st.floats(0.0, 1.0), min_size=1, max_size=12)


@given(p_values)
def test_a_corrected_p_value_is_no_smaller_and_keeps_its_place(raw):
    corrected = holm(raw)
    assert all(a <= b <= 1.0 for a, b in zip(raw, corrected, strict=True))
    by_raw = [each for _, each in sorted(zip(raw, corrected, strict=True))]
    assert by_raw == sorted(by_raw)
    assert min(corrected) == pytest.approx(min(1.0, min(raw) * len(raw)))


@given(p_values, st.randoms())
def test_the_order_of_a_family_does_not_matter(raw, random):
    order = list(range(len(raw)))
    random.shuffle(order)
    corrected, shuffled = holm(raw), holm([raw[at] for at in order])
    assert shuffled == [corrected[at] for at in order]


def test_a_family_of_one_is_left_as_it_is_and_none_stays_none():
    assert holm([0.03]) == [0.03]
    assert holm([]) == []
