"""Who speaks when, drawn for many negotiations at once."""

from __future__ import annotations

from collections import Counter
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from negotiation_games import noise
from negotiation_games.rules import draw_orders

CHI_SQUARE_TAIL = 4.0  # standard deviations of a chi-square above its mean


def orders(seeds, *, num_parties=4, blocks=3, proposer=1):
    return draw_orders(
        noise.as_words(seeds),
        num_parties=num_parties,
        num_turns=blocks * num_parties,
        proposer=proposer,
    )


def allowed_after(last, *, num_parties, proposer):
    """By the words of the rule: nobody twice in a row, p1 closes no block."""
    every = permutations(range(num_parties))
    return [each for each in every if each[0] != last and each[-1] != proposer]


@settings(max_examples=40, deadline=None)
@given(
    seeds=st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=20),
    num_parties=st.integers(3, 7),
    blocks=st.integers(1, 5),
    data=st.data(),
)
def test_a_lane_has_the_order_of_its_seed_whatever_lanes_are_beside_it(
    seeds, num_parties, blocks, data
):
    shape = {
        "num_parties": num_parties,
        "blocks": blocks,
        "proposer": data.draw(st.integers(0, num_parties - 1)),
    }
    together = orders(seeds, **shape)
    assert together.tolist() == [orders([seed], **shape)[0].tolist() for seed in seeds]


@pytest.mark.parametrize(("num_parties", "proposer"), [(3, 0), (4, 3), (5, 2)])
def test_every_block_is_uniform_among_what_the_rule_allows_after_the_one_before(
    num_parties, proposer
):
    num_games = 30_000
    drawn = orders(range(num_games), num_parties=num_parties, blocks=3, proposer=proposer)
    assert (drawn[:, -1] == proposer).all()
    last = np.full(num_games, proposer)
    for start in range(0, 3 * num_parties, num_parties):
        blocks = drawn[:, start : start + num_parties]
        for speaker in np.unique(last):
            seen = Counter(map(tuple, blocks[last == speaker].tolist()))
            allowed = allowed_after(speaker, num_parties=num_parties, proposer=proposer)
            assert set(seen) <= set(allowed)
            expected = seen.total() / len(allowed)
            assert expected > 5
            chi_square = sum((seen[each] - expected) ** 2 / expected for each in allowed)
            freedom = len(allowed) - 1
            assert chi_square < freedom + CHI_SQUARE_TAIL * (2 * freedom) ** 0.5
        last = blocks[:, -1]


def test_blocks_of_one_order_are_drawn_independently():
    # Where the second block may follow any first one of the same last speaker, it does.
    drawn = orders(range(20_000), num_parties=3, blocks=2, proposer=0)
    pairs = Counter((tuple(row[:3]), tuple(row[3:6])) for row in drawn.tolist())
    for first in allowed_after(0, num_parties=3, proposer=0):
        seconds = allowed_after(first[-1], num_parties=3, proposer=0)
        counts = [pairs[first, second] for second in seconds]
        mean = sum(counts) / len(seconds)
        assert all(abs(count - mean) < 5 * mean**0.5 for count in counts)


def test_neighbouring_seeds_and_episodes_have_orders_of_their_own():
    words = noise.as_words(range(300))
    rows = [
        draw_orders(noise.episode_seeds(words, k), num_parties=6, num_turns=24, proposer=0)
        for k in range(4)
    ]
    assert len(np.unique(np.concatenate(rows), axis=0)) == 4 * 300
