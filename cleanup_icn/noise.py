"""Dice that depend on nothing but a seed, the step and the channel.

SplitMix64 (Steele, Lea and Flood, *Fast splittable pseudorandom number generators*, OOPSLA 2014)
read as a counter-based stream: its k-th output is a hash of the seed and k, so any step's dice can
be had without those before it, and no action can shift them. The functions are in the subset that
numba compiles (pass ``numpy.uint64`` there).
"""

from __future__ import annotations

from cleanup_icn.state import Dice

_GAMMA = 0x9E3779B97F4A7C15
_MASK = 0xFFFFFFFFFFFFFFFF


def splitmix64(seed: int, counter: int) -> int:
    """Return output number ``counter`` (from 1) of SplitMix64 started at ``seed``, 64 bits."""
    x = (seed + _GAMMA * counter) & _MASK
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & _MASK
    return x ^ (x >> 31)


def uniform(seed: int, counter: int) -> float:
    """Return output number ``counter`` (from 1) as a float in [0, 1)."""
    return (splitmix64(seed, counter) >> 11) * (1.0 / 9007199254740992.0)


def episode_seed(seed: int, episode: int) -> int:
    """Seed of the k-th episode (from 0) after ``reset(seed=seed)``, 64 bits."""
    return splitmix64(splitmix64(seed & _MASK, 1), episode + 1)


def dice(seed: int, step: int) -> Dice:
    """Return the dice of step ``step`` (from 0) of the episode that ``seed`` stands for."""
    return Dice(pollution=uniform(seed, 2 * step + 1), fruit=uniform(seed, 2 * step + 2))
