"""Seeds of episodes in three families that never meet: to learn from, to choose by, to judge by.

Training seeds its lanes from 2**31 on (`agents.ppo`); below that, one half validates and the other
tests.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

VALIDATION: Final = 0
TEST: Final = 2**30
"""The first seeds of the two families that nothing is learned from."""

Seeds = npt.NDArray[np.int64]


def episode_seeds(family: int, count: int) -> Seeds:
    """Return the first `count` seeds of a family, (count,)."""
    return np.arange(family, family + count)
