"""Dice that depend on nothing but a seed, the step and the channel.

SplitMix64 (Steele, Lea and Flood, *Fast splittable pseudorandom number generators*, OOPSLA 2014)
read as a counter-based stream: its k-th output is a hash of the seed and k, so any step's dice can
be had without those before it, and no action can shift them. `splitmix64`, `uniform` and
`episode_seed` take arrays of ``numpy.uint64`` as well, and compile (with ``numpy.uint64``).
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


POLLUTION, FRUIT = 0, 1
"""The channels of a step's dice."""

AT_START = 1 << 63
"""Counters from here on belong to what is drawn once, when an episode starts: no step gets here."""


def counter_of(step: int, channel: int) -> int:
    """Return which output of an episode's stream one of the dice of a step (from 0) is."""
    return 2 * step + channel + 1


def dice(seed: int, step: int) -> Dice:
    """Return the dice of step ``step`` (from 0) of the episode that ``seed`` stands for."""
    return Dice(
        pollution=uniform(seed, counter_of(step, POLLUTION)),
        fruit=uniform(seed, counter_of(step, FRUIT)),
    )


def draw_at_start(seed: int, channel: int, low: int, high: int) -> int:
    """Return an integer from ``low`` to ``high``, drawn once an episode on a channel from 0."""
    return low + int(uniform(seed, AT_START + channel) * (high - low + 1))
