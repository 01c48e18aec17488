"""Agents that follow a rule of play written as a function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from agents.protocol import Decision, ImmediateAgent

Policy = Callable[[Any], Any]


class ScriptedAgent(ImmediateAgent):
    """Plays `policy`, a callable from an observation to an action or to `(action, said)`.

    A policy with memory or chance is an object with a `reset(*, seed)` beside its `__call__`; it
    is called at the start of every episode.
    """

    def __init__(self, policy: Policy) -> None:
        self._policy = policy

    def reset(self, *, seed: int) -> None:
        """Begin a new episode, for the policy too if it keeps anything."""
        reset_policy = getattr(self._policy, "reset", None)
        if reset_policy is not None:
            reset_policy(seed=seed)

    def act(self, observation: Any) -> Decision:
        """Ask the policy."""
        answer = self._policy(observation)
        if isinstance(answer, tuple):
            action, said = answer
            return Decision(action=action, said=said)
        return Decision(action=answer)
