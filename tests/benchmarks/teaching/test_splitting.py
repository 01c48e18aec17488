"""Which seeds are held out: a law of the seeds alone."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from benchmarks.teaching.splitting import is_held_out

seeds = st.integers(0, 2**32 - 1)
shares = st.floats(0, 1)


@given(seeds, seeds)
def test_a_share_of_nothing_holds_out_nothing_and_of_everything_everything(seed, split_seed):
    assert not is_held_out(seed, share=0.0, split_seed=split_seed)
    assert is_held_out(seed, share=1.0, split_seed=split_seed)


@given(seeds, seeds, st.tuples(shares, shares).map(sorted))
def test_a_larger_share_holds_out_what_a_smaller_one_does(seed, split_seed, ordered):
    smaller, larger = (is_held_out(seed, share=each, split_seed=split_seed) for each in ordered)
    assert larger or not smaller


def test_of_many_seeds_about_the_share_is_held_out():
    held_out = sum(is_held_out(seed, share=0.1, split_seed=0) for seed in range(10_000))
    assert 850 < held_out < 1150


def test_another_split_holds_out_other_seeds():
    def held_out(split_seed):
        return {n for n in range(200) if is_held_out(n, share=0.3, split_seed=split_seed)}

    assert held_out(0) != held_out(1)
    assert held_out(0) == held_out(0) != set()
