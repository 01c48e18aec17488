"""p1's seat of a negotiation as a parallel environment of one agent, for learners."""

from __future__ import annotations

from typing import Any

from gymnasium import spaces
from pettingzoo import ParallelEnv

from benchmarks.negotiation.policies import partners
from benchmarks.negotiation.suite import Setting
from benchmarks.seeds import seed_of


class ProposerLane(ParallelEnv[str, Any, Any]):
    """The negotiation as p1 meets it: between two of its turns the other parties speak.

    They play what `partners` makes. Observations are p1's vectors, ``infos`` carry its action mask.
    The reward comes at the end: what p1 earns above its threshold, so that failure, which pays the
    threshold, is 0.
    """

    metadata: dict[str, Any] = {"name": "negotiation_proposer"}  # noqa: RUF012 - PettingZoo's type

    def __init__(self, setting: Setting) -> None:
        self._env = setting.make_env()
        game = self._env.game
        self._proposer = game.parties[game.proposer_index]
        self._partners = partners(self._env)
        self.possible_agents = [self._proposer.name]
        self.agents: list[str] = []
        self._seed, self._episode = 0, 0

    def observation_space(self, agent: str) -> spaces.Space[Any]:
        """Return the space of p1's vectors."""
        space: Any = self._env.observation_space(agent)
        vectors: spaces.Space[Any] = space["observation"]
        return vectors

    def action_space(self, agent: str) -> spaces.Space[Any]:
        """Return the space of p1's actions."""
        return self._env.action_space(agent)

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Start a negotiation and play to p1's first turn."""
        del options
        if seed is not None:
            self._seed, self._episode = seed, 0
        self._env.reset(seed=seed)
        for seat, partner in enumerate(self._partners.values()):
            partner.reset(seed=seed_of(self._seed, self._episode, seat))
        self._episode += 1
        self.agents = self.possible_agents[:]
        self._let_others_speak()
        return self._seen()

    def step(
        self, actions: dict[str, Any]
    ) -> tuple[
        dict[str, Any],
        dict[str, float],
        dict[str, bool],
        dict[str, bool],
        dict[str, dict[str, Any]],
    ]:
        """Make p1's turn and play to its next one, or to the end."""
        p1 = self._proposer.name
        self._env.step(int(actions[p1]))
        self._let_others_speak()
        is_over = self._env.terminations[p1]
        reward = self._env.rewards[p1] - self._proposer.threshold if is_over else 0.0
        seen, infos = self._seen()
        if is_over:
            self.agents = []
        return seen, {p1: reward}, {p1: is_over}, {p1: False}, infos

    def _let_others_speak(self) -> None:
        env = self._env
        while (
            env.agent_selection != self._proposer.name and not env.terminations[env.agent_selection]
        ):
            party = env.agent_selection
            env.step(self._partners[party].act(env.observe(party)).action)

    def _seen(self) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
        """Return p1's vector, and its infos with the action mask that goes with it."""
        p1 = self._proposer.name
        seen = self._env.observe(p1)
        infos = {**self._env.infos[p1], "action_mask": seen["action_mask"]}
        return {p1: seen["observation"]}, {p1: infos}
