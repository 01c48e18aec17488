"""What a learner needs of a game: lanes stepped together, and policies that act on their rows."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

Start = tuple[NDArray[np.float32], NDArray[np.int8]]
"""Observations (B, N, D) and masks (B, N, A)."""

Step = tuple[NDArray[np.float32], NDArray[np.float64], NDArray[np.bool_], NDArray[np.int8], Any]
"""Observations (B, N, D), rewards (B, N), ends (B,), masks (B, N, A), and the game's features."""


class Batch(Protocol):
    """B lanes of one game of N agents, stepped together; all agents of a lane end together.

    Results are read by position, so a game may name their fields as it likes. Arrays are fresh:
    a caller may keep them. A batch that restarts lanes by itself (what learners need) returns, in
    the step that ends a lane's episode, the reward of the old episode and the observation and mask
    of the new one.
    """

    @property
    def num_lanes(self) -> int:
        """Number B of lanes."""
        ...

    @property
    def num_agents(self) -> int:
        """Number N of agents, the rows of a lane."""
        ...

    @property
    def observation_size(self) -> int:
        """Length D of an observation."""
        ...

    @property
    def num_actions(self) -> int:
        """Number A of actions of an agent."""
        ...

    def reset(self, seeds: ArrayLike | None = None) -> Start:
        """Start an episode in every lane: the one of its seed (B integers), or its next one."""
        ...

    def step(self, actions: NDArray[np.intp]) -> Step:
        """Step every lane by the actions (B, N)."""
        ...


class RowPolicy(Protocol):
    """A policy that decides rows of observations, each by itself."""

    def act(
        self,
        observations: NDArray[np.float32],
        masks: NDArray[np.int8] | None,
        uniforms: NDArray[np.float64] | None,
    ) -> NDArray[np.intp]:
        """Actions (R,) for observations (R, D) under masks (R, A).

        A row's chance is its number of `uniforms` (R,), in [0, 1); without them every row takes its
        likeliest action.
        """
        ...


class LaneEnds(NamedTuple):
    """Features of a batch that tell how episodes ended, for learners that value what lies past.

    Rows of lanes whose episode did not end in this step mean nothing.
    """

    last_observation: NDArray[np.float32]  # (B, N, D), of the episode that ended
    terminated: NDArray[np.bool_]  # (B,), ended by a rule of the game rather than cut off
