"""One seat of Cleanup as a Gymnasium environment, the other seats played by given partners."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import gymnasium
import numpy.typing as npt

from cleanup_icn import noise
from cleanup_icn.config import ConfigError
from cleanup_icn.env import check_kind, parallel_env
from cleanup_icn.policies import SCRIPTED, scripted_policy

Partner = str | Callable[[Any], Any]


class CleanupSeatEnv(gymnasium.Env[Any, Any]):
    """Cleanup from one agent's seat: ``gymnasium.make("commonweal/CleanupSeat-v0", ...)``.

    Args:
        seat: the agent that is played, "agent_0" and so on.
        partners: who plays the others: one partner for all, ``{agent: partner}``, or a list of one
            for each in the order of their names. A partner is
            the name of a scripted policy, a function from an observation (``observation="both"``)
            to an action, or an agent with ``act(observation)``, whose decision's ``action`` is
            played and whose ``reset(seed=...)``, if it has one, is called at every reset.
        observation: what the seat observes: "both", "text" or "vector".
        render_mode: as in `cleanup_icn.parallel_env`.
        **config: the game, as in `cleanup_icn.parallel_env`.

    Raises:
        ConfigError: for a seat or partner there is not, or a configuration that cannot be.
    """

    metadata: dict[str, Any] = {  # noqa: RUF012 - Gymnasium's declared type
        "render_modes": ["human", "ansi", "rgb_array"],
        "render_fps": 4,
    }

    def __init__(
        self,
        *,
        seat: str = "agent_0",
        partners: Partner | Mapping[str, Partner] | Sequence[Partner] = "all-harvest",
        observation: str = "both",
        render_mode: str | None = None,
        **config: Any,
    ) -> None:
        check_kind(observation)
        self._env = parallel_env(render_mode=render_mode, **config)
        self.render_mode = render_mode
        if seat not in self._env.possible_agents:
            raise ConfigError("seat", seat, "one of " + ", ".join(self._env.possible_agents))
        self.seat = seat
        others = [agent for agent in self._env.possible_agents if agent != seat]
        if isinstance(partners, list | tuple):
            partners = dict(zip(others, partners, strict=False))
        chosen = partners if isinstance(partners, Mapping) else dict.fromkeys(others, partners)
        if set(chosen) != set(others):
            raise ConfigError("partners", sorted(chosen), "one for each of " + ", ".join(others))
        self._partners = {agent: self._partner(chosen[agent]) for agent in others}
        self._kind = observation
        space: Any = self._env.observation_space(seat)
        self.observation_space = space if observation == "both" else space[_KEYS[observation]]
        self.action_space = self._env.action_space(seat)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Start an episode; seeds and options are Cleanup's."""
        super().reset(seed=seed)
        self._seen, infos = self._env.reset(seed=seed, options=options)
        for index, partner in enumerate(self._partners.values()):
            if hasattr(partner, "reset"):
                partner.reset(seed=noise.episode_seed(self._env.episode_seed, index))
        return self._own(self._seen), infos[self.seat]

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Play one step together with the partners."""
        actions = {agent: _ask(p, self._seen[agent]) for agent, p in self._partners.items()}
        self._seen, rewards, terminations, truncations, infos = self._env.step(
            {**actions, self.seat: action}
        )
        seat = self.seat
        return (
            self._own(self._seen),
            rewards[seat],
            terminations[seat],
            truncations[seat],
            infos[seat],
        )

    def render(self) -> npt.NDArray[Any] | str | None:
        """Draw the two places, as `CleanupEnv.render` does."""
        return self._env.render()

    def _partner(self, partner: object) -> Any:
        if isinstance(partner, str) and partner in SCRIPTED:
            return scripted_policy(partner, self._env)
        if callable(partner) or hasattr(partner, "act"):
            return partner
        names = ", ".join(SCRIPTED)
        raise ConfigError("partners", partner, f"one of {names}, a function or an agent")

    def _own(self, observations: dict[str, Any]) -> Any:
        own = observations[self.seat]
        return own if self._kind == "both" else own[_KEYS[self._kind]]


_KEYS = {"text": "text", "vector": "observation"}


def _ask(partner: Any, observation: Any) -> Any:
    if not hasattr(partner, "act"):
        return partner(observation)
    decision = partner.act(observation)
    return getattr(decision, "action", decision)
