"""Empty environments with the spaces and keys of ours: what PettingZoo's API itself costs."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces
from pettingzoo import AECEnv, ParallelEnv

from cleanup_icn import CleanupEnv
from negotiation_games import NegotiationEnv


class EmptyCleanup(ParallelEnv[str, Any, Any]):
    """Hands out fresh zeros in the shape of Cleanup's vectors, masks and infos, and does no more.

    Args:
        like: whose agents, spaces and horizon it has.
    """

    metadata: dict[str, Any] = {"name": "empty_cleanup_v0"}  # noqa: RUF012 - PettingZoo's type

    def __init__(self, like: CleanupEnv) -> None:
        self.possible_agents = like.possible_agents[:]
        self.agents: list[str] = []
        self._observation_spaces = {a: like.observation_space(a) for a in self.possible_agents}
        self._action_spaces = {a: like.action_space(a) for a in self.possible_agents}
        self._horizon_steps = like.config.horizon_steps
        (self._size,) = like.state_space.shape
        self._num_actions = len(like.reset(seed=0)[1][self.possible_agents[0]]["action_mask"])
        self._step = 0

    def observation_space(self, agent: str) -> spaces.Space[Any]:
        """Return Cleanup's."""
        return self._observation_spaces[agent]

    def action_space(self, agent: str) -> spaces.Space[Any]:
        """Return Cleanup's."""
        return self._action_spaces[agent]

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Begin to count the steps of an episode."""
        del seed, options
        self.agents = self.possible_agents[:]
        self._step = 0
        return self._observations(), self._infos()

    def step(
        self, actions: dict[str, Any]
    ) -> tuple[dict[str, Any], dict[str, float], dict[str, bool], dict[str, bool], dict[str, Any]]:
        """Count a step; at the horizon everybody is truncated."""
        del actions
        self._step += 1
        is_over = self._step >= self._horizon_steps
        observations, infos = self._observations(), self._infos()
        rewards = dict.fromkeys(self.agents, 0.0)
        terminations = dict.fromkeys(self.agents, False)
        truncations = dict.fromkeys(self.agents, is_over)
        if is_over:
            self.agents = []
        return observations, rewards, terminations, truncations, infos

    def render(self) -> None:
        """Draw nothing."""

    def close(self) -> None:
        """Nothing is held open."""

    def _observations(self) -> dict[str, Any]:
        return {agent: np.zeros(self._size, np.float32) for agent in self.agents}

    def _infos(self) -> dict[str, Any]:
        step = self._step
        public = {
            "pollution": 0,
            "fruit": 0,
            "step": step,
            "pollution_threshold": 0,
            "pollution_growth_per_step": 0,
            "fruit_growth_per_step": 0,
            "harvest_per_action": 0,
            "clean_per_action": 0,
            "prob_pollution_growth": 1.0,
            "prob_fruit_growth": 1.0,
        }
        changed: dict[str, Any] = {}  # as in Cleanup, one of it and of `public` for all agents
        return {
            agent: {
                "pollution": 0,
                "fruit": 0,
                "step": step,
                "pollution_threshold": 0,
                "pollution_growth_per_step": 0,
                "fruit_growth_per_step": 0,
                "harvest_per_action": 0,
                "clean_per_action": 0,
                "prob_pollution_growth": 1.0,
                "prob_fruit_growth": 1.0,
                "harvested": 0.0,
                "cleaned": 0.0,
                "illegal": 0,
                "features": {"harvested": 0.0, "cleaned": 0.0, "illegal": 0.0, "reward": 0.0},
                "public": public,
                "changed": changed,
                "action_mask": np.zeros(self._num_actions, np.int8),
            }
            for agent in self.agents
        }


class CopiedCleanup(EmptyCleanup):
    """The same, handing out copies of what was laid out once: the cheapest that is still fresh."""

    def __init__(self, like: CleanupEnv) -> None:
        super().__init__(like)
        self._info = like.reset(seed=0)[1][self.possible_agents[0]]
        self._zeros = np.zeros(self._size, np.float32)

    def _observations(self) -> dict[str, Any]:
        return {agent: self._zeros.copy() for agent in self.agents}

    def _infos(self) -> dict[str, Any]:
        laid_out = self._info
        public = laid_out["public"].copy()
        public["step"] = laid_out["step"] = self._step
        infos = {}
        for agent in self.agents:
            infos[agent] = info = laid_out.copy()
            info["features"] = laid_out["features"].copy()
            info["public"] = public
            info["action_mask"] = laid_out["action_mask"].copy()
        return infos


class EmptyNegotiation(AECEnv[str, Any, Any]):
    """Hands out fresh zeros in the shape of the negotiation's vectors, masks and infos, in turn.

    Args:
        like: whose parties, spaces and number of turns it has.
    """

    metadata: dict[str, Any] = {"name": "empty_negotiation_v0"}  # noqa: RUF012 - PettingZoo's type

    def __init__(self, like: NegotiationEnv) -> None:
        self.possible_agents = like.possible_agents[:]
        self._observation_spaces = {a: like.observation_space(a) for a in self.possible_agents}
        self._action_spaces = {a: like.action_space(a) for a in self.possible_agents}
        (self._size,) = like.observation_space(self.possible_agents[0]).shape or (0,)
        self._num_actions = int(spaces.flatdim(like.action_space(self.possible_agents[0])))
        self._num_turns = like.num_turns + 1  # the final proposal is one more

    def observation_space(self, agent: str) -> spaces.Space[Any]:
        """Return the negotiation's."""
        return self._observation_spaces[agent]

    def action_space(self, agent: str) -> spaces.Space[Any]:
        """Return the negotiation's."""
        return self._action_spaces[agent]

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> None:
        """Begin to count the turns of a negotiation."""
        del seed, options
        self.agents = self.possible_agents[:]
        self.rewards = dict.fromkeys(self.agents, 0.0)
        self._cumulative_rewards = dict.fromkeys(self.agents, 0.0)
        self.terminations = dict.fromkeys(self.agents, False)
        self.truncations = dict.fromkeys(self.agents, False)
        self._skip_agent_selection = None
        self._turn = 0
        self.agent_selection = self.agents[0]
        self._write_infos()

    def step(self, action: Any) -> None:
        """Count a turn; after the last one everybody is terminated."""
        agent = self.agent_selection
        if self.terminations[agent]:
            self._was_dead_step(action)
            return
        self._cumulative_rewards[agent] = 0.0
        self._clear_rewards()
        self._turn += 1
        if self._turn >= self._num_turns:
            self.terminations = dict.fromkeys(self.agents, True)
        self.agent_selection = self.agents[self._turn % len(self.agents)]
        self._write_infos()
        self._accumulate_rewards()

    def observe(self, agent: str) -> Any:
        """Return zeros."""
        del agent
        return np.zeros(self._size, np.float32)

    def render(self) -> None:
        """Draw nothing."""

    def close(self) -> None:
        """Nothing is held open."""

    def _write_infos(self) -> None:
        self.infos = {
            agent: {
                "phase": "discuss",
                "turn": self._turn,
                "status": None,
                "illegal": 0,
                "action_mask": np.zeros(self._num_actions, np.int8),
            }
            for agent in self.agents
        }
