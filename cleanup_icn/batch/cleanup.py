"""Cleanup over lanes, for learners."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cleanup_icn.batch.world import (
    BatchFeatures,
    Flags,
    Floats,
    Ints,
    LaneWorlds,
    Masks,
    Vectors,
)
from cleanup_icn.config import CleanupConfig
from cleanup_icn.starts import Starts
from cleanup_icn.state import NUM_ACTIONS


class BatchStart(NamedTuple):
    """What B lanes show when their episodes start."""

    observation: Vectors  # float32 (B, N, D)
    mask: Masks  # int8 (B, N, A): 1 where an action is legal


class BatchStep(NamedTuple):
    """What came of one step in B lanes."""

    observation: Vectors  # float32 (B, N, D): of the episode to come where one has just ended
    reward: Floats  # float64 (B, N)
    truncated: Flags  # bool (B,): whether the lane's episode ended in this step
    mask: Masks  # int8 (B, N, A), to go with the observation
    features: BatchFeatures


class BatchCleanup:
    """B lanes of Cleanup stepped together; see `cleanup_icn.parallel_env` for the game.

    A lane plays exactly what ``parallel_env(observation="vector", ...)`` plays for the same seed
    and actions, whatever B and whatever the other lanes do. Every array returned is fresh.

    Args:
        config: the game of all lanes.
        num_lanes: B, at least 1.
        auto_reset: whether a lane whose episode has ended starts its next one at once.
        starts: ranges from which every episode's start is drawn; by default it is configured.

    Raises:
        ConfigError: for a number of lanes or a start that cannot be, or an amount above 2^31.

    >>> batch = BatchCleanup(CleanupConfig.create(), 3)
    >>> batch.reset(seeds=[5, 6, 7]).observation.shape
    (3, 2, 31)
    >>> batch.step(np.full((3, 2), 2)).reward[0].tolist()  # everybody harvests
    [4.0, 4.0]
    """

    num_actions = NUM_ACTIONS

    def __init__(
        self,
        config: CleanupConfig,
        num_lanes: int,
        *,
        auto_reset: bool = False,
        starts: Starts | None = None,
    ) -> None:
        self._worlds = LaneWorlds(config, num_lanes, starts=starts)
        self.config, self.num_lanes = config, self._worlds.num_lanes
        self.num_agents = config.num_agents
        self.auto_reset = auto_reset
        self.observation_size = self._worlds.vector_size

    def reset(
        self,
        seeds: npt.ArrayLike | None = None,
        *,
        pollution_initial: npt.ArrayLike | None = None,
        fruit_initial: npt.ArrayLike | None = None,
    ) -> BatchStart:
        """Start an episode in every lane.

        Args:
            seeds: B integers; lane b plays what ``reset(seed=seeds[b])`` of the single environment
                plays. None goes on to the next episode of every lane.
            pollution_initial: pollution units, (B,) or one for all, in place of drawn ones.
            fruit_initial: fruit units, likewise.

        Raises:
            ConfigError: for other seeds or starts, or without seeds at first.
        """
        self._worlds.reset(seeds, pollution_initial=pollution_initial, fruit_initial=fruit_initial)
        return BatchStart(*self._seen())

    def step(self, actions: npt.ArrayLike) -> BatchStep:
        """Play one step in every lane.

        Args:
            actions: integers (B, N); what is none of the four counts as an illegal wait.

        Raises:
            ValueError: for another shape or type, or if the episode of a lane is over.
        """
        features = self._worlds.advance(self._worlds.checked_actions(actions))
        truncated = self._worlds.is_over
        if self.auto_reset and truncated.any():
            self._worlds.begin(truncated)
        observation, mask = self._seen()
        return BatchStep(observation, features.harvested.copy(), truncated, mask, features)

    @property
    def at_shore(self) -> Ints:
        """The set of agents at the shore in every lane, (B,): bit i for agent i."""
        return self._worlds.lanes.at_shore.copy()

    @property
    def pollution(self) -> Ints:
        """Pollution units in every lane, (B,)."""
        return self._worlds.lanes.pollution.copy()

    @property
    def fruit(self) -> Ints:
        """Fruit units in every lane, (B,)."""
        return self._worlds.lanes.fruit.copy()

    @property
    def num_steps(self) -> Ints:
        """Steps made in every lane's episode, (B,)."""
        return self._worlds.lanes.step.copy()

    def _seen(self) -> tuple[Vectors, Masks]:
        rows = np.empty((self.num_lanes, self.num_agents, self.observation_size), np.float32)
        self._worlds.observe(rows)
        masks = np.empty((self.num_lanes, self.num_agents, NUM_ACTIONS), np.int8)
        self._worlds.write_masks(masks)
        return rows, masks
