"""Dice that depend on nothing but a seed and a counter, for many negotiations at once.

SplitMix64 (Steele, Lea and Flood, *Fast splittable pseudorandom number generators*, OOPSLA 2014)
read as a counter-based stream: its k-th output is a hash of the seed and k. So what a negotiation
draws does not depend on how many others are drawn beside it. Seeds are arrays of 64-bit words.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
import numpy.typing as npt

Words = npt.NDArray[np.uint64]
Floats = npt.NDArray[np.float64]

ORDER, PARTNERS, SHEETS = range(3)
"""What an episode draws, each from a stream of its own: turns, co-players, score sheets."""

_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_MIX = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))
_SHIFTS = (np.uint64(30), np.uint64(27), np.uint64(31))
_TO_FLOAT, _FLOAT_STEP = np.uint64(11), 1.0 / 9007199254740992.0


def splitmix64(seeds: Words, counters: npt.ArrayLike) -> Words:
    """Return outputs number ``counters`` (from 1) of the streams started at ``seeds``, broadcast.

    One of the two has at least one axis.
    """
    x = seeds + _GAMMA * np.asarray(counters, np.uint64)
    x = (x ^ (x >> _SHIFTS[0])) * _MIX[0]
    x = (x ^ (x >> _SHIFTS[1])) * _MIX[1]
    drawn: Words = x ^ (x >> _SHIFTS[2])
    return drawn


def words(seeds: Words, num: int) -> Words:
    """Return the first ``num`` outputs of every stream, (*seeds.shape, num)."""
    return splitmix64(seeds[..., None], np.arange(1, num + 1, dtype=np.uint64))


def uniforms(seeds: Words, num: int) -> Floats:
    """Return them as floats in [0, 1), (*seeds.shape, num)."""
    return (words(seeds, num) >> _TO_FLOAT).astype(np.float64) * _FLOAT_STEP


def as_words(seeds: npt.ArrayLike) -> Words:
    """Return integers of any size modulo 2**64, (B,).

    Raises:
        TypeError: there is something that is no integer.
    """
    if isinstance(seeds, np.ndarray) and seeds.dtype.kind in "iu":
        return seeds.astype(np.uint64)
    each: Any = seeds  # numpy would make floats of integers that do not fit together
    return np.array([operator.index(seed) % 2**64 for seed in each], np.uint64)


def episode_seeds(seeds: Words, episodes: npt.ArrayLike) -> Words:
    """Return the seeds of the k-th episodes (from 0) after ``reset(seed=seed)``."""
    return splitmix64(splitmix64(seeds, 1), np.asarray(episodes, np.uint64) + np.uint64(1))


def stream(seeds: Words, number: int) -> Words:
    """Return the seeds of streams of their own, one for each number from 0."""
    return splitmix64(seeds, number + 1)
