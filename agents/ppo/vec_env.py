"""PettingZoo parallel environments as one Stable-Baselines3 `VecEnv`.

```
row of every array   0         1         2         3         ...
lane                 0         0         1         1
agent                agent_0   agent_1   agent_0   agent_1
```
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray
from pettingzoo import ParallelEnv
from stable_baselines3.common.vec_env import VecEnv

MakeLane = Callable[[], "ParallelEnv[str, Any, Any]"]
ResetOptions = Callable[[np.random.Generator], dict[str, Any] | None]
Indices = None | int | Iterable[int]


class LaneVecEnv(VecEnv):
    """B lanes (parallel environments) of N agents as B * N rows, lane-major.

    Every agent of a lane needs the same 1-D `Box` observation space and `Discrete` action space,
    and all leave together. Masks come from `infos[agent]["action_mask"]`; without one, everything
    is legal. An ended lane restarts at once; the last observation is then in the row's info as
    `terminal_observation`, and `TimeLimit.truncated` tells whether its value is to be counted:
    for a truncation under `bootstrap_truncation`, the default. Rewards come multiplied by
    `reward_scale`.

    Lane b first resets with a seed derived from `(seed, b)`, whatever the number of lanes; later
    resets go on with the lane's own sequence. `reset_options` draws the `options` of every reset
    from a generator derived likewise. A lane whose spaces or agents cannot be laid out as rows
    raises `ValueError`.
    """

    def __init__(
        self,
        make_lane: MakeLane,
        num_lanes: int,
        *,
        seed: int,
        reset_options: ResetOptions | None = None,
        bootstrap_truncation: bool = True,
        reward_scale: float = 1.0,
    ) -> None:
        if num_lanes < 1:
            raise ValueError(f"num_lanes = {num_lanes!r}: expected an integer of at least 1")
        self._lanes = [make_lane() for _ in range(num_lanes)]
        self.agents: tuple[str, ...] = tuple(self._lanes[0].possible_agents)
        observation_space, action_space = _row_spaces(self._lanes[0])
        num_rows = num_lanes * len(self.agents)
        super().__init__(num_rows, observation_space, action_space)
        self._reset_options_of = reset_options
        self._bootstrap_truncation = bootstrap_truncation
        self._reward_scale = np.float32(reward_scale)
        self._observations = np.zeros((num_rows, *observation_space.shape), observation_space.dtype)
        self._masks = np.ones((num_rows, int(action_space.n)), dtype=np.bool_)
        self._actions: list[int] = []
        self.seed(seed)

    def seed(self, seed: int | None = None) -> Sequence[int | None]:
        """Seed every lane's next reset; returns the seed of every row's lane.

        Without a seed one is drawn from the operating system.
        """
        sequences = np.random.SeedSequence(seed).spawn(len(self._lanes))
        self._lane_seeds: list[int | None] = [int(s.generate_state(1)[0]) for s in sequences]
        self._option_rngs = [np.random.default_rng(s.spawn(1)[0]) for s in sequences]
        return [lane_seed for lane_seed in self._lane_seeds for _ in self.agents]

    def reset(self) -> NDArray[Any]:
        """Restart every lane; returns the observations, shape (B * N, D)."""
        for lane_index in range(len(self._lanes)):
            self._reset_lane(lane_index)
        return self._observations.copy()

    @property
    def num_actions(self) -> int:
        """Number A of actions of a row."""
        return int(self._masks.shape[1])

    def action_masks(self) -> NDArray[np.bool_]:
        """Return what is legal now, shape (B * N, A)."""
        return self._masks.copy()

    def step_async(self, actions: NDArray[Any]) -> None:
        """Take the actions of the next step, shape (B * N,)."""
        self._actions = actions.tolist()

    def step_wait(
        self,
    ) -> tuple[NDArray[Any], NDArray[np.float32], NDArray[np.bool_], list[dict[str, Any]]]:
        """Step every lane: observations (B * N, D), rewards, ends (B * N,) and infos."""
        agents = self.agents
        rewards: list[float] = []
        dones: list[bool] = []
        row_infos: list[dict[str, Any]] = []
        first_row = 0
        for lane_index, lane in enumerate(self._lanes):
            next_row = first_row + len(agents)
            actions = dict(zip(agents, self._actions[first_row:next_row], strict=True))
            observations, lane_rewards, terminations, truncations, infos = lane.step(actions)
            rewards += [lane_rewards[agent] for agent in agents]
            ended = _all_ended(agents, terminations, truncations)
            if ended:
                row_infos += self._last_infos(observations, terminations, infos)
                self._reset_lane(lane_index)
            else:
                row_infos += [infos[agent] for agent in agents]
                self._write_rows(first_row, observations, infos)
            dones += [ended] * len(agents)
            first_row = next_row
        return (
            self._observations.copy(),
            np.array(rewards, dtype=np.float32) * self._reward_scale,
            np.array(dones, dtype=np.bool_),
            row_infos,
        )

    def close(self) -> None:
        """Close every lane."""
        for lane in self._lanes:
            lane.close()

    def get_attr(self, attr_name: str, indices: Indices = None) -> list[Any]:
        """Return the attribute of every row's lane."""
        if attr_name == "action_masks":
            return [self._masks[row].copy for row in self._rows(indices)]
        if attr_name == "render_mode":
            return [None for _ in self._rows(indices)]  # training is not drawn
        num_agents = len(self.agents)
        return [getattr(self._lanes[row // num_agents], attr_name) for row in self._rows(indices)]

    def set_attr(self, attr_name: str, value: Any, indices: Indices = None) -> None:
        """Refuse: a lane is what `make_lane` made it."""
        raise NotImplementedError(f"cannot set {attr_name!r}: let make_lane set it")

    def env_method(
        self,
        method_name: str,
        *method_args: Any,  # noqa: ARG002  # Stable-Baselines3's signature
        indices: Indices = None,
        **method_kwargs: Any,  # noqa: ARG002
    ) -> list[Any]:
        """Call a method for every row; only `action_masks` is a row's own."""
        if method_name != "action_masks":
            raise AttributeError(f"{method_name!r} is not a row's method: expected 'action_masks'")
        return [self._masks[row].copy() for row in self._rows(indices)]

    def env_is_wrapped(
        self,
        wrapper_class: type[Any],  # noqa: ARG002  # Stable-Baselines3's signature
        indices: Indices = None,
    ) -> list[bool]:
        """Say for every row whether a Gymnasium wrapper stands around it: never."""
        return [False for _ in self._rows(indices)]

    def _rows(self, indices: Indices) -> Iterable[int]:
        return self._get_indices(indices)

    def _reset_lane(self, lane_index: int) -> None:
        options = None
        if self._reset_options_of is not None:
            options = self._reset_options_of(self._option_rngs[lane_index])
        lane = self._lanes[lane_index]
        seed, self._lane_seeds[lane_index] = self._lane_seeds[lane_index], None
        observations, infos = lane.reset(seed=seed, options=options)
        first_row = lane_index * len(self.agents)
        self._write_rows(first_row, observations, infos)
        for row, agent in enumerate(self.agents, start=first_row):
            self.reset_infos[row] = infos[agent]

    def _write_rows(
        self, first_row: int, observations: dict[str, Any], infos: dict[str, dict[str, Any]]
    ) -> None:
        for row, agent in enumerate(self.agents, start=first_row):
            self._observations[row] = observations[agent]
            self._masks[row] = infos[agent].get("action_mask", True)

    def _last_infos(
        self,
        observations: dict[str, Any],
        terminations: dict[str, bool],
        infos: dict[str, dict[str, Any]],
    ) -> list[dict[str, Any]]:
        return [
            {
                **infos[agent],
                "terminal_observation": np.array(observations[agent]),
                "TimeLimit.truncated": self._bootstrap_truncation and not terminations[agent],
            }
            for agent in self.agents
        ]


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
