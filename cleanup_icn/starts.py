"""Starts that are drawn anew for every episode."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cleanup_icn.config import CleanupConfig, ConfigError
from cleanup_icn.noise import AT_START, draw_at_start, episode_seed, uniform

_POLLUTION, _FRUIT = 0, 1  # channels of what is drawn at the start of an episode

Words = npt.NDArray[np.uint64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Starts:
    """Ranges, ends included, from which every episode's start is drawn uniformly.

    The draw is a function of the episode's seed alone, so that a lane of a batch starts where the
    single environment starts that is reset with `options`.
    """

    pollution_initial: tuple[int, int]  # pollution units, lowest and highest
    fruit_initial: tuple[int, int]  # fruit units, lowest and highest

    @classmethod
    def anywhere(cls, config: CleanupConfig) -> Starts:
        """Return the range of everything that the river and the garden can hold."""
        return cls(pollution_initial=(0, config.pollution_max), fruit_initial=(0, config.fruit_max))

    def options(self, seed: int, episode: int = 0) -> dict[str, int]:
        """Return the ``options`` of the k-th (from 0) ``reset`` after ``reset(seed=seed)``."""
        begun = episode_seed(operator.index(seed), operator.index(episode))
        return {
            "pollution_initial": draw_at_start(begun, _POLLUTION, *self.pollution_initial),
            "fruit_initial": draw_at_start(begun, _FRUIT, *self.fruit_initial),
        }

    def draw(self, episode_seeds: Words) -> tuple[Ints, Ints]:
        """Return pollution and fruit, (B,) each, for the seeds of B episodes, (B,)."""
        return (
            draw_integers(episode_seeds, _POLLUTION, *self.pollution_initial),
            draw_integers(episode_seeds, _FRUIT, *self.fruit_initial),
        )

    def check(self, config: CleanupConfig) -> None:
        """Raise `ConfigError` unless a game of this configuration can start everywhere here."""
        limits = {"pollution_initial": config.pollution_max, "fruit_initial": config.fruit_max}
        for name, limit in limits.items():
            given = getattr(self, name)
            if not _is_range(given, limit):
                raise ConfigError(
                    f"starts.{name}", given, f"(lowest, highest), integers from 0 to {limit}"
                )


def draw_integers(episode_seeds: Words, channel: int, low: int, high: int) -> Ints:
    """Return `cleanup_icn.noise.draw_at_start` for many episodes at once, (B,)."""
    counters = np.full(episode_seeds.shape, AT_START + channel, np.uint64)
    shares = np.asarray(uniform(episode_seeds, counters))  # type: ignore[arg-type]
    return low + (shares * (high - low + 1)).astype(np.int64)


def _is_range(given: object, limit: int) -> bool:
    if not isinstance(given, Sequence) or len(given) != 2:
        return False
    if not all(isinstance(e, int | np.integer) and not isinstance(e, bool) for e in given):
        return False
    return bool(0 <= given[0] <= given[1] <= limit)
