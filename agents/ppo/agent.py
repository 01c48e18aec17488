"""A trained policy as a player."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.ppo.network import MaskedPolicy
from agents.protocol import Decision, ImmediateAgent


class PPOAgent(ImmediateAgent):
    """Draws its actions from a trained policy; `deterministic` takes the likeliest instead.

    It reads `observation["observation"]` and `observation["action_mask"]`, or a bare vector, for
    which every action is legal. Its draws follow from the seed of `reset` and touch no global
    generator, so one policy may serve many agents at once.
    """

    def __init__(self, policy: MaskedPolicy, *, deterministic: bool = False) -> None:
        self._policy = policy
        self._deterministic = deterministic
        self._rng = np.random.default_rng(0)

    @classmethod
    def load(cls, checkpoint: Path | str, *, deterministic: bool = False) -> PPOAgent:
        """Return an agent that plays the checkpoint which training wrote."""
        return cls(MaskedPolicy.load(checkpoint), deterministic=deterministic)

    def reset(self, *, seed: int) -> None:
        """Begin a new episode: its draws follow from `seed` alone."""
        self._rng = np.random.default_rng(seed)

    def act(self, observation: Any) -> Decision:
        """Decide for one observation."""
        vector, mask = _vector_and_mask(observation)
        return Decision(action=int(self.act_batch(vector, mask)))

    def act_batch(
        self, observations: NDArray[Any], action_masks: NDArray[Any] | None = None
    ) -> NDArray[np.intp]:
        """Actions, shape (...), for observations (..., D) under masks (..., A)."""
        drawn = None
        if not self._deterministic:
            drawn = np.asarray(self._rng.random(np.shape(observations)[:-1]))
        return self._policy.act(observations, action_masks, drawn)


def _vector_and_mask(observation: Any) -> tuple[NDArray[Any], NDArray[Any] | None]:
    if isinstance(observation, Mapping):
        return np.asarray(observation["observation"]), observation.get("action_mask")
    return np.asarray(observation), None
