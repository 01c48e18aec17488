"""Let ``step()`` take what a language model wrote."""

from __future__ import annotations

from typing import Any

from gymnasium import spaces
from pettingzoo import AECEnv, ParallelEnv
from pettingzoo.utils import BaseParallelWrapper, aec_to_parallel, parallel_to_aec

from cleanup_icn.text import CHARSET

MAX_ANSWER_CHARS = 8192
"""Length of the longest answer in the action space; longer ones are read all the same."""


def TextActions(env: Any) -> Any:  # noqa: N802 - used like the wrapper classes it stands for
    """Wrap a parallel or AEC environment of ours so that actions are answers in words.

    Each answer is read at the game's one text boundary (``parse_answer``); ``infos[agent]`` gain
    ``parse_status`` (a `ParseStatus` value) and ``action`` (what was played for it). A malformed
    answer is played as the documented fallback and never raises. The action mask is dropped from
    observations and infos: it is about numbers, and an action here is a `Text`.
    """
    if isinstance(env, AECEnv):
        return parallel_to_aec(ParallelTextActions(aec_to_parallel(env)))
    return ParallelTextActions(env)


class ParallelTextActions(BaseParallelWrapper[str, Any, Any]):
    """`TextActions` for the parallel API."""

    def __init__(self, env: ParallelEnv[str, Any, Any]) -> None:
        super().__init__(env)
        self._action_spaces = {
            agent: spaces.Text(MAX_ANSWER_CHARS, min_length=0, charset=CHARSET)
            for agent in env.possible_agents
        }
        self._observation_spaces = {
            agent: _without_mask(env.observation_space(agent)) for agent in env.possible_agents
        }

    def observation_space(self, agent: str) -> spaces.Space[Any]:
        """Return the wrapped space without its mask."""
        return self._observation_spaces[agent]

    def action_space(self, agent: str) -> spaces.Space[Any]:
        """Return the `Text` space of answers."""
        return self._action_spaces[agent]

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
        """Start an episode; nothing has been answered yet, so there is no status."""
        observations, infos = self.env.reset(seed=seed, options=options)
        return self._unmasked(observations), self._unmasked(infos)

    def step(
        self, actions: dict[str, Any]
    ) -> tuple[
        dict[str, Any],
        dict[str, float],
        dict[str, bool],
        dict[str, bool],
        dict[str, dict[str, Any]],
    ]:
        """Read every answer, play what was read, and report how it was read."""
        parse = self.env.unwrapped.parse_answer
        parsed = {agent: parse(agent, answer) for agent, answer in actions.items()}
        observations, rewards, terminations, truncations, infos = self.env.step(
            {agent: answer.action for agent, answer in parsed.items()}
        )
        infos = self._unmasked(infos)
        for agent, answer in parsed.items():
            if agent in infos:
                infos[agent]["parse_status"] = str(answer.status)
                infos[agent]["action"] = answer.action
        return self._unmasked(observations), rewards, terminations, truncations, infos

    @staticmethod
    def _unmasked(values: dict[str, Any]) -> dict[str, Any]:
        return {
            agent: {key: v for key, v in value.items() if key != "action_mask"}
            if isinstance(value, dict)
            else value
            for agent, value in values.items()
        }


def _without_mask(space: spaces.Space[Any]) -> spaces.Space[Any]:
    if not isinstance(space, spaces.Dict):
        return space
    return spaces.Dict({key: s for key, s in space.items() if key != "action_mask"})
