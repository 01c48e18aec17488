"""PettingZoo parallel environments side by side, as a batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import ArrayLike, NDArray
from pettingzoo import ParallelEnv

from agents.ppo.batch import LaneEnds, Start, Step

MakeLane = Callable[[], "ParallelEnv[str, Any, Any]"]
ResetOptions = Callable[[np.random.Generator], dict[str, Any] | None]

_OPTIONS_KEY = 0x0B710  # keeps the draws of options apart from those of the lane itself


class PythonLanes:
    """B parallel environments of N agents as a `Batch`, stepped one after the other.

    Every agent of a lane needs the same 1-D `Box` observation space and `Discrete` action space,
    and all leave together; a lane of another kind raises `ValueError`. Masks come from
    `infos[agent]["action_mask"]`; without one, everything is legal. Features are `LaneEnds`.

    Args:
        make_lane: makes one environment.
        num_lanes: number B of lanes.
        reset_options: draws the `options` of every reset, from a generator that follows from the
            lane's seed.
        auto_reset: a lane whose episode ended starts its next one at once, by a `reset()` without
            seed; otherwise stepping it raises `ValueError`.
    """

    def __init__(
        self,
        make_lane: MakeLane,
        num_lanes: int,
        *,
        reset_options: ResetOptions | None = None,
        auto_reset: bool = False,
    ) -> None:
        if num_lanes < 1:
            raise ValueError(f"num_lanes = {num_lanes!r}: expected an integer of at least 1")
        self._lanes = [make_lane() for _ in range(num_lanes)]
        self.agents: tuple[str, ...] = tuple(self._lanes[0].possible_agents)
        observation_space, action_space = _row_spaces(self._lanes[0])
        self.num_lanes, self.num_agents = num_lanes, len(self.agents)
        self.observation_size = int(observation_space.shape[0])
        self.num_actions = int(action_space.n)
        self.auto_reset = auto_reset
        self._draw_options = reset_options
        self._option_rngs = [np.random.default_rng(_OPTIONS_KEY) for _ in self._lanes]
        rows = (num_lanes, self.num_agents)
        self._observation = np.zeros((*rows, self.observation_size), np.float32)
        self._mask = np.ones((*rows, self.num_actions), np.int8)

    def reset(self, seeds: ArrayLike | None = None) -> Start:
        """Start an episode in every lane: the one of its seed, or its next one."""
        for index, seed in enumerate(self._seeds(seeds)):
            self._reset_lane(index, seed)
        return self._observation.copy(), self._mask.copy()

    def step(self, actions: NDArray[np.intp]) -> Step:
        """Step every lane by the actions (B, N)."""
        reward = np.zeros((self.num_lanes, self.num_agents))
        ended = np.zeros(self.num_lanes, np.bool_)
        terminated = np.zeros(self.num_lanes, np.bool_)
        for index, lane in enumerate(self._lanes):
            if not lane.agents:
                raise ValueError(f"lane {index} has ended: expected a reset before the next step")
            chosen = dict(zip(self.agents, np.asarray(actions[index]).tolist(), strict=True))
            observations, rewards, terminations, truncations, infos = lane.step(chosen)
            reward[index] = [rewards[agent] for agent in self.agents]
            ended[index] = _all_ended(self.agents, terminations, truncations)
            terminated[index] = all(terminations[agent] for agent in self.agents)
            self._write(index, observations, infos)
        last_observation = self._observation.copy()
        if self.auto_reset:
            for ended_index in np.flatnonzero(ended).tolist():
                self._reset_lane(ended_index, None)
        features = LaneEnds(last_observation, terminated)
        return self._observation.copy(), reward, ended, self._mask.copy(), features

    def close(self) -> None:
        """Close every lane."""
        for lane in self._lanes:
            lane.close()

    def _seeds(self, seeds: ArrayLike | None) -> list[int | None]:
        if seeds is None:
            return [None] * self.num_lanes
        given = np.asarray(seeds).tolist()
        if not isinstance(given, list) or len(given) != self.num_lanes:
            raise ValueError(f"seeds = {seeds!r}: expected {self.num_lanes} integers, one a lane")
        return [int(seed) for seed in given]

    def _reset_lane(self, index: int, seed: int | None) -> None:
        if seed is not None:
            self._option_rngs[index] = np.random.default_rng((_OPTIONS_KEY, seed))
        options = None
        if self._draw_options is not None:
            options = self._draw_options(self._option_rngs[index])
        self._write(index, *self._lanes[index].reset(seed=seed, options=options))

    def _write(
        self, index: int, observations: dict[str, Any], infos: dict[str, dict[str, Any]]
    ) -> None:
        for row, agent in enumerate(self.agents):
            self._observation[index, row] = observations[agent]
            self._mask[index, row] = infos[agent].get("action_mask", 1)


def _row_spaces(lane: ParallelEnv[str, Any, Any]) -> tuple[spaces.Box, spaces.Discrete]:
    """Return the spaces that all rows share."""
    first, *others = lane.possible_agents
    observation_space, action_space = lane.observation_space(first), lane.action_space(first)
    if not (isinstance(observation_space, spaces.Box) and len(observation_space.shape) == 1):
        raise ValueError(f"observation space = {observation_space}: expected a Box of one axis")
    if not (isinstance(action_space, spaces.Discrete) and action_space.start == 0):
        raise ValueError(f"action space = {action_space}: expected a Discrete that starts at 0")
    for agent in others:
        shape, actions = lane.observation_space(agent).shape, lane.action_space(agent)
        if shape != observation_space.shape or actions != action_space:
            raise ValueError(f"spaces of {agent} = {shape}, {actions}: expected those of {first}")
    return observation_space, action_space


def _all_ended(
    agents: Sequence[str], terminations: dict[str, bool], truncations: dict[str, bool]
) -> bool:
    ended = [agent for agent in agents if terminations[agent] or truncations[agent]]
    if 0 < len(ended) < len(agents):
        raise ValueError(f"agents that left = {ended}: expected all of {list(agents)} together")
    return bool(ended)
