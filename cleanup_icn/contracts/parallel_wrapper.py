"""A contract around a parallel environment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pettingzoo import ParallelEnv
from pettingzoo.utils import BaseParallelWrapper

from cleanup_icn.contracts.accounts import Settlement
from cleanup_icn.contracts.aec_wrapper import AECContractWrapper
from cleanup_icn.contracts.clauses import ContractError
from cleanup_icn.contracts.wrapper import TALLIES, ContractWrapper, Transition, layers


class ParallelContractWrapper(ContractWrapper, BaseParallelWrapper[Any, Any, Any]):
    """`ContractWrapper` for a ParallelEnv."""

    env_type = ParallelEnv

    def __init__(self, env: ParallelEnv[Any, Any, Any], *args: Any, **kwargs: Any) -> None:
        _refuse_turns_inside(env)
        super().__init__(env, *args, **kwargs)
        self._num_steps = 0
        self._left: set[str] = set()

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Reset the environment and open fresh accounts."""
        observations, infos = self.env.reset(seed=seed, options=options)
        self._open_accounts()
        self._num_steps = self._told_step(infos) or 0
        self._left = set()
        agents = list(self.env.agents)
        tallies = {agent: dict.fromkeys(TALLIES, 0.0) for agent in agents}
        return self._show_all(observations), self._info_all(infos, tallies)

    def step(
        self, actions: dict[str, Any]
    ) -> tuple[
        dict[str, Any], dict[str, Any], dict[str, bool], dict[str, bool], dict[str, dict[str, Any]]
    ]:
        """Step the environment, book what happened, and settle if it is time."""
        present = tuple(agent for agent in self.env.agents if agent not in self._left)
        observations, rewards, terminations, truncations, infos = self.env.step(actions)
        if not present:
            return observations, rewards, terminations, truncations, infos
        transition = Transition(
            agents=present,
            actions=dict(actions),
            observations=observations,
            rewards=_game_rewards(present, rewards, infos),
            terminations=dict(terminations),
            truncations=dict(truncations),
            infos={agent: infos[agent] for agent in present if agent in infos},
        )
        # Most agents leave with a flag, some without a word; for the accounts that is the same.
        left = {agent for agent in present if terminations.get(agent) or truncations.get(agent)}
        left |= set(present) - set(self.env.agents)
        self._left |= left
        told = self._told_step(infos)
        next_step = self._num_steps + 1 if told is None else told
        settlement = self._enforce(
            transition,
            received={agent: float(rewards.get(agent, 0.0)) for agent in present},
            world_moved=next_step > self._num_steps,
            anyone_left=bool(left),
        )
        self._num_steps = next_step
        self._lapse(next_step=next_step)
        tallies = {agent: _tallies(agent, transition, settlement) for agent in present}
        return (
            self._show_all(observations),
            _with_transfers(rewards, settlement.transfers),
            terminations,
            truncations,
            self._info_all(infos, tallies),
        )

    def _show_all(self, observations: Mapping[str, Any]) -> dict[str, Any]:
        return {agent: self._show(agent, seen) for agent, seen in observations.items()}

    def _info_all(
        self, infos: Mapping[str, Any], tallies: Mapping[str, Mapping[str, float]]
    ) -> dict[str, Any]:
        # PettingZoo allows entries beside those of agents, which stay as they are.
        shown = dict(infos)
        for agent, amounts in tallies.items():
            shown[agent] = self._info(agent, infos.get(agent, {}), amounts)
        return shown


def _game_rewards(
    agents: tuple[str, ...], rewards: Mapping[str, Any], infos: Mapping[str, Any]
) -> dict[str, float]:
    """Rewards before any transfer: a wrapper inside this one left them in the infos."""
    return {
        agent: float(infos.get(agent, {}).get("game_reward", rewards.get(agent, 0.0)))
        for agent in agents
    }


def _tallies(agent: str, transition: Transition, settlement: Settlement) -> dict[str, float]:
    info = transition.infos.get(agent, {})
    return {
        "game_reward": transition.rewards[agent],
        "transfer": info.get("transfer", 0.0) + settlement.transfers[agent],
        "unpaid": info.get("unpaid", 0.0) + settlement.unpaid[agent],
        "unreceived": info.get("unreceived", 0.0) + settlement.unreceived[agent],
    }


def _with_transfers(rewards: Mapping[str, Any], transfers: Mapping[str, float]) -> dict[str, Any]:
    # A zero is not added, so that the game's reward comes through as the object it was.
    paid = {agent: amount for agent, amount in transfers.items() if amount}
    return dict(rewards) | {agent: rewards.get(agent, 0.0) + paid[agent] for agent in paid}


def _refuse_turns_inside(env: Any) -> None:
    """A conversion from AEC sums rewards over turns but keeps the infos of the last turn only."""
    if any(isinstance(layer, AECContractWrapper) for layer in layers(env)):
        raise ContractError(
            "env", str(env), "no AEC ContractWrapper inside; wrap the parallel environment"
        )
