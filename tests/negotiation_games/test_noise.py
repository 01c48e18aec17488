"""Dice for many negotiations at once."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from negotiation_games import noise

seeds = st.integers(-(2**70), 2**70)


def test_the_stream_is_the_published_one():
    # The first outputs for seed 1234567, as in the reference implementation's test.
    drawn = noise.words(np.array([1234567], np.uint64), 3)
    assert drawn.tolist() == [[6457827717110365317, 3203168211198807973, 9817491932198370423]]


@given(given_seeds=st.lists(seeds, min_size=1, max_size=9))
def test_a_seed_draws_the_same_wherever_it_stands(given_seeds):
    together = noise.uniforms(noise.as_words(given_seeds), 5)
    alone = [noise.uniforms(noise.as_words([seed]), 5)[0] for seed in given_seeds]
    assert np.array_equal(together, alone)
    assert ((together >= 0) & (together < 1)).all()


def test_seeds_count_modulo_64_bits_whatever_their_kind():
    assert noise.as_words([-1, 2**64 + 3, np.int8(5)]).tolist() == [2**64 - 1, 3, 5]
    assert noise.as_words(np.array([-1, 4])).tolist() == [2**64 - 1, 4]
    assert noise.as_words(range(3)).tolist() == [0, 1, 2]


@pytest.mark.parametrize("wrong", [[0.5], ["1"], [None], np.array([0.0])])
def test_what_is_no_integer_is_no_seed(wrong):
    with pytest.raises(TypeError):
        noise.as_words(wrong)


def test_episodes_and_streams_of_neighbouring_seeds_have_nothing_in_common():
    words = noise.as_words(range(200))
    episodes = np.concatenate([noise.episode_seeds(words, k) for k in range(20)])
    streams = [noise.stream(episodes, k) for k in (noise.ORDER, noise.PARTNERS, noise.SHEETS)]
    drawn = np.concatenate([noise.words(each, 4).ravel() for each in streams])
    assert len(np.unique(drawn)) == drawn.size == 200 * 20 * 3 * 4
