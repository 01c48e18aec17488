"""The agent that knows what is legal and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from agents.protocol import Decision, ImmediateAgent

FALLBACK_ACTION = 0
NO_LEGAL_ACTION = "no_legal_action"


class RandomAgent(ImmediateAgent):
    """Draws uniformly from the actions that `observation["action_mask"]` allows.

    Where no mask comes, or one that allows nothing, the action is 0 and the status
    `"no_legal_action"`.
    """

    def __init__(self) -> None:
        self._rng = np.random.default_rng(0)

    def reset(self, *, seed: int) -> None:
        """Begin a new episode: its draws follow from `seed` alone."""
        self._rng = np.random.default_rng(seed)

    def act(self, observation: Any) -> Decision:
        """Draw one legal action."""
        mask = observation.get("action_mask") if isinstance(observation, Mapping) else None
        legal = np.flatnonzero(mask) if mask is not None else np.empty(0, dtype=np.intp)
        if legal.size == 0:
            return Decision(action=FALLBACK_ACTION, status=NO_LEGAL_ACTION)
        return Decision(action=int(legal[self._rng.integers(legal.size)]))
