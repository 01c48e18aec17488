"""Chance by counting: a number in [0, 1) for every key and place, with no generator to carry along.

SplitMix64's mixing function (Steele, Lea and Flood 2014) over the key and its counters in turn. So
a lane draws the same whatever is played beside it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)
_TO_UNIT = 2.0**-53


def uniforms(keys: ArrayLike, *counters: ArrayLike) -> NDArray[np.float64]:
    """Draw a number in [0, 1) for every element of keys and counters, broadcast together.

    All are non-negative integers below 2**64.
    """
    bits = np.zeros(1, np.uint64)
    for counter in (keys, *counters):
        bits = _mixed(bits + _GOLDEN + np.atleast_1d(np.asarray(counter)).astype(np.uint64))
    shape = np.broadcast_shapes(*(np.shape(counter) for counter in (keys, *counters)))
    drawn = (bits >> np.uint64(11)).astype(np.float64) * _TO_UNIT
    return drawn.reshape(shape)


def _mixed(bits: NDArray[np.uint64]) -> NDArray[np.uint64]:
    bits = (bits ^ (bits >> np.uint64(30))) * _FIRST
    bits = (bits ^ (bits >> np.uint64(27))) * _SECOND
    return bits ^ (bits >> np.uint64(31))
