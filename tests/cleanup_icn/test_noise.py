"""Dice: published outputs of the generator, and what the game relies on."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleanup_icn import noise

PUBLISHED = (
    6457827717110365317,
    3203168211198807973,
    9817491932198370423,
    4593380528125082431,
    16408922859458223821,
)
"""The first outputs of SplitMix64 from seed 1234567, as printed by its reference in C."""

settle = settings(deadline=None)
SEEDS = st.integers(0, 2**64 - 1)
MANY = 4000


def channel(name, *, seed=7, steps=MANY):
    return np.array([getattr(noise.dice(seed, step), name) for step in range(steps)])


def test_the_published_outputs_come_out_in_order():
    assert tuple(noise.splitmix64(1234567, k) for k in range(1, 6)) == PUBLISHED


def test_any_output_can_be_had_without_those_before_it():
    assert noise.splitmix64(1234567, 5) == PUBLISHED[4]


@settle
@given(seed=SEEDS, counter=st.integers(1, 2**32))
def test_outputs_have_sixty_four_bits_and_uniforms_are_in_the_unit_interval(seed, counter):
    assert 0 <= noise.splitmix64(seed, counter) < 2**64
    assert 0.0 <= noise.uniform(seed, counter) < 1.0


def test_the_largest_output_is_still_below_one(monkeypatch):
    monkeypatch.setattr(noise, "splitmix64", lambda seed, counter: 2**64 - 1)
    assert noise.uniform(0, 1) < 1.0


@settle
@given(seed=SEEDS, step=st.integers(0, 10_000))
def test_a_steps_dice_are_two_consecutive_uniforms(seed, step):
    pair = (noise.uniform(seed, 2 * step + 1), noise.uniform(seed, 2 * step + 2))
    assert noise.dice(seed, step) == pair


@pytest.mark.parametrize("name", ["pollution", "fruit"])
def test_each_channel_is_uniform(name):
    counts, _ = np.histogram(channel(name), bins=20, range=(0, 1))
    chi_squared = ((counts - MANY / 20) ** 2 / (MANY / 20)).sum()
    assert chi_squared < 43.8  # exceeded with probability 0.001 at 19 degrees of freedom


def test_the_channels_know_nothing_of_each_other_nor_of_the_step_before():
    pollution, fruit = channel("pollution"), channel("fruit")
    far = 4 / np.sqrt(MANY)
    for one, other in (
        (pollution, fruit),
        (pollution[1:], fruit[:-1]),
        (pollution[1:], pollution[:-1]),
        (fruit[1:], fruit[:-1]),
    ):
        assert abs(np.corrcoef(one, other)[0, 1]) < far


def test_neighbouring_seeds_throw_unrelated_dice():
    assert abs(np.corrcoef(channel("fruit", seed=0), channel("fruit", seed=1))[0, 1]) < 0.064


def test_episodes_of_one_seed_and_of_its_neighbours_all_differ():
    seeds = [noise.episode_seed(seed, episode) for seed in range(40) for episode in range(40)]
    assert len(set(seeds)) == 1600
    assert all(0 <= seed < 2**64 for seed in seeds)


def test_the_next_episode_is_not_the_next_seeds_episode():
    assert noise.episode_seed(0, 1) != noise.episode_seed(1, 0)


@settle
@given(seed=st.integers(-(2**70), 2**70))
def test_any_integer_is_a_seed_and_counts_by_its_last_sixty_four_bits(seed):
    assert noise.episode_seed(seed, 3) == noise.episode_seed(seed % 2**64, 3)
