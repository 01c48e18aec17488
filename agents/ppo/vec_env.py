"""A batch as one Stable-Baselines3 `VecEnv`.

```
row of every array   0         1         2         3         ...
lane                 0         0         1         1
agent                agent_0   agent_1   agent_0   agent_1
```
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray
from stable_baselines3.common.vec_env import VecEnv

from agents.ppo.batch import Batch, LaneEnds

Indices = None | int | Iterable[int]

_FIRST_TRAINING_SEED = 2**31


def lane_seeds(seed: int, num_lanes: int) -> NDArray[np.int64]:
    """Draw the seed of every lane, shape (num_lanes,), from 2**31 to 2**32 - 1.

    Lane b's does not depend on the number of lanes. Seeds below 2**31 never occur in training, so
    they are free for episodes that a policy is judged by.
    """
    drawn = np.random.SeedSequence(seed).generate_state(num_lanes, np.uint32)
    return _FIRST_TRAINING_SEED + (drawn.astype(np.int64) >> 1)


class BatchVecEnv(VecEnv):
    """The B * N rows of a batch, lane-major, for learners of Stable-Baselines3.

    The batch must restart its lanes by itself. Rewards come multiplied by `reward_scale`. Infos
    are empty, except under `bootstrap_truncation` in rows whose lane was cut off rather than
    terminated: `terminal_observation` and `TimeLimit.truncated` tell the learner to value what
    lies past the end. This takes a batch whose features are `LaneEnds`; another raises
    `ValueError` at its first step.
    """

    def __init__(
        self, batch: Batch, *, reward_scale: float = 1.0, bootstrap_truncation: bool = False
    ) -> None:
        self.batch = batch
        self._reward_scale = reward_scale
        self._bootstraps = bootstrap_truncation
        self._lane_seeds: NDArray[np.int64] | None = None
        num_rows = batch.num_lanes * batch.num_agents
        self._masks = np.ones((num_rows, batch.num_actions), np.int8)
        self._actions = np.zeros(num_rows, np.intp)
        self._return_so_far = np.zeros((batch.num_lanes, batch.num_agents))
        self._finished_returns: list[NDArray[np.float64]] = []
        box = spaces.Box(-np.inf, np.inf, (batch.observation_size,), np.float32)
        super().__init__(num_rows, box, spaces.Discrete(batch.num_actions))

    def seed(self, seed: int | None = None) -> Sequence[int | None]:
        """Seed every lane's next reset by `lane_seeds`; returns the seed of every row's lane.

        Without a seed one is drawn from the operating system.
        """
        if seed is None:
            seed = int(np.random.SeedSequence().generate_state(1)[0])
        self._lane_seeds = lane_seeds(seed, self.batch.num_lanes)
        return [int(lane_seed) for lane_seed in self._lane_seeds.repeat(self.batch.num_agents)]

    def reset(self) -> NDArray[np.float32]:
        """Restart every lane, by its seed if it has a new one; returns observations (B * N, D)."""
        observation, mask = self.batch.reset(self._lane_seeds)
        self._lane_seeds = None
        self._return_so_far[:] = 0.0
        self._masks = mask.reshape(self._masks.shape)
        return observation.reshape(self.num_envs, -1)

    def action_masks(self) -> NDArray[np.int8]:
        """Return what is legal now, nonzero, shape (B * N, A)."""
        return self._masks

    def step_async(self, actions: NDArray[Any]) -> None:
        """Take the actions of the next step, shape (B * N,)."""
        self._actions = np.asarray(actions).astype(np.intp)

    def step_wait(
        self,
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_], list[dict[str, Any]]]:
        """Step every lane: observations (B * N, D), rewards, ends (B * N,) and infos."""
        num_agents = self.batch.num_agents
        actions = self._actions.reshape(self.batch.num_lanes, num_agents)
        observation, reward, ended, mask, features = self.batch.step(actions)
        self._masks = mask.reshape(self._masks.shape)
        self._return_so_far += reward
        if ended.any():
            self._finished_returns.append(self._return_so_far[ended])
            self._return_so_far[ended] = 0.0
        infos: list[dict[str, Any]] = [{}] * self.num_envs
        if self._bootstraps:
            infos = self._infos_of(ended, features)
        scaled = (reward.reshape(-1) * self._reward_scale).astype(np.float32)
        return observation.reshape(self.num_envs, -1), scaled, ended.repeat(num_agents), infos

    def pop_mean_return(self) -> float | None:
        """Mean unscaled return of an agent over the episodes ended since last asked, if any."""
        finished, self._finished_returns = self._finished_returns, []
        return float(np.concatenate(finished).mean()) if finished else None

    def close(self) -> None:
        """Leave the batch to whoever made it."""

    def get_attr(self, attr_name: str, indices: Indices = None) -> list[Any]:
        """Return an attribute of every row; only `action_masks` is a row's own."""
        rows = self._rows(indices)
        if attr_name == "action_masks":
            return [self._masks[row].copy for row in rows]
        if attr_name == "render_mode":
            return [None for _ in rows]  # training is not drawn
        raise AttributeError(f"{attr_name!r} is not a row's attribute: expected 'action_masks'")

    def set_attr(self, attr_name: str, value: Any, indices: Indices = None) -> None:
        """Refuse: a batch is what its maker made it."""
        raise NotImplementedError(f"cannot set {attr_name!r}: make the batch with it")

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
        return list(self._masks[list(self._rows(indices))])

    def env_is_wrapped(
        self,
        wrapper_class: type[Any],  # noqa: ARG002  # Stable-Baselines3's signature
        indices: Indices = None,
    ) -> list[bool]:
        """Say for every row whether a Gymnasium wrapper stands around it: never."""
        return [False for _ in self._rows(indices)]

    def _rows(self, indices: Indices) -> Iterable[int]:
        return self._get_indices(indices)

    def _infos_of(self, ended: NDArray[np.bool_], features: Any) -> list[dict[str, Any]]:
        if not isinstance(features, LaneEnds):
            raise ValueError(
                "bootstrap_truncation = True: expected a batch whose features are LaneEnds"
            )
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        num_agents = self.batch.num_agents
        for lane in np.flatnonzero(ended & ~features.terminated):
            for agent, last in enumerate(features.last_observation[lane]):
                infos[lane * num_agents + agent] = {
                    "terminal_observation": last,
                    "TimeLimit.truncated": True,
                }
        return infos
