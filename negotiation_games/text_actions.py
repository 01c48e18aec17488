"""Let ``step()`` take what a language model wrote."""

from __future__ import annotations

from typing import Any

from gymnasium import spaces
from pettingzoo import AECEnv
from pettingzoo.utils import BaseWrapper

from negotiation_games.spaces import Words


class TextActions(BaseWrapper[str, Any, Any]):
    """Wrap the negotiation so that actions are answers in words.

    Each answer is read by the environment's ``parse_answer``; how it was read is in
    ``infos[agent]["status"]``. A malformed answer proposes nothing, or abstains, and never raises.
    The action mask is dropped: it is about numbers, and an action here is words.
    """

    def __init__(self, env: AECEnv[str, Any, Any]) -> None:
        super().__init__(env)
        self._game: Any = env.unwrapped
        self._action_spaces = {agent: Words() for agent in env.possible_agents}
        self._observation_spaces = {
            agent: _without_mask(env.observation_space(agent)) for agent in env.possible_agents
        }

    def observation_space(self, agent: str) -> spaces.Space[Any]:
        """Return the wrapped space without its mask."""
        return self._observation_spaces[agent]

    def action_space(self, agent: str) -> spaces.Space[Any]:
        """Return the space of answers."""
        return self._action_spaces[agent]

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> None:
        """Start a negotiation."""
        self.env.reset(seed=seed, options=options)
        self._drop_masks()

    def step(self, action: Any) -> None:
        """Read the answer of the party whose turn it is and play what was read."""
        agent = self.env.agent_selection
        if not self.env.terminations[agent]:
            action = self._game.parse_answer(agent, action).action
        self.env.step(action)
        self._drop_masks()

    def observe(self, agent: str) -> Any:
        """Return what a party sees, without its mask."""
        seen = self.env.observe(agent)
        if not isinstance(seen, dict):
            return seen
        return {key: value for key, value in seen.items() if key != "action_mask"}

    def _drop_masks(self) -> None:
        for info in self.env.infos.values():
            info.pop("action_mask", None)


def _without_mask(space: spaces.Space[Any]) -> spaces.Space[Any]:
    if not isinstance(space, spaces.Dict):
        return space
    return spaces.Dict({key: s for key, s in space.items() if key != "action_mask"})
