"""A contract around an environment in which agents act in turn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pettingzoo import AECEnv
from pettingzoo.utils import BaseWrapper
from pettingzoo.utils.conversions import parallel_to_aec_wrapper

from cleanup_icn.contracts.accounts import Settlement
from cleanup_icn.contracts.wrapper import TALLIES, ContractWrapper, Transition, layers

Tallies = dict[str, dict[str, float]]


class AECContractWrapper(ContractWrapper, BaseWrapper[Any, Any, Any]):
    """`ContractWrapper` for an AECEnv.

    A step is a turn, booked once, with the features of that turn. In an environment converted
    from parallel, turns only collect actions: there a step is the turn in which the world moves.
    Steps of a duration are counted in rounds: the number of turns of the agent that has had most,
    less one. Turns of agents that have left are not booked.

    Attributes:
        rewards: game rewards and transfers of this turn.
        step_tallies: of this turn, by agent, what `infos` sum up since the agent last acted.
    """

    env_type = AECEnv

    rewards: dict[str, Any]
    infos: dict[str, dict[str, Any]]
    step_tallies: Tallies
    _cumulative_rewards: dict[str, Any]

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> None:
        """Reset the environment and open fresh accounts."""
        self.env.reset(seed=seed, options=options)
        self._open_accounts()
        agents = list(self.env.agents)
        self._inner = next((e for e in layers(self.env) if isinstance(e, AECContractWrapper)), None)
        # An environment that was parallel renews its infos when the world steps, and only then.
        self._clock = next(
            (e for e in layers(self.env) if isinstance(e, parallel_to_aec_wrapper)), None
        )
        self._clock_infos = None if self._clock is None else self._clock.infos
        self._num_turns = dict.fromkeys(self.env.possible_agents, 0)
        self._steps_told = self._told_step(self.env.infos)
        self._actions: dict[str, Any] = {}
        self._booked = {agent: info.get("features") for agent, info in self.env.infos.items()}
        self.rewards = dict(self.env.rewards)
        self._cumulative_rewards = dict.fromkeys(agents, 0) | {
            agent: reward for agent, reward in self.env._cumulative_rewards.items() if reward
        }
        self.step_tallies = _no_tallies(agents)
        self._tallies = _no_tallies(agents)
        self._renew_infos()

    def step(self, action: Any) -> None:
        """Step the environment, book what happened, and settle if it is time."""
        if not self.env.agents:
            self.env.step(action)
            return
        agent = self.env.agent_selection
        if self.env.terminations[agent] or self.env.truncations[agent]:
            self.env.step(action)
            self._forget_the_gone()
            return
        present = tuple(each for each in self.env.agents if self._is_live(each))
        self._num_turns[agent] += 1
        self._actions[agent] = action
        self._cumulative_rewards[agent] = 0
        self._tallies[agent] = dict.fromkeys(TALLIES, 0.0)

        self.env.step(action)
        settlement = self._nothing_settled
        world_moved = self._world_has_moved()
        self.step_tallies = self._inner_tallies(world_moved=world_moved)
        if world_moved:
            told = self._told_step(self.env.infos)
            settlement = self._enforce(
                self._transition(present),
                received={each: float(self.env.rewards.get(each, 0.0)) for each in present},
                world_moved=told is None or told > (self._steps_told or 0),
                anyone_left=not all(self._is_live(each) for each in present),
            )
            self._steps_told = told
            self._actions = {}
        self._lapse(next_step=self._next_step() if self._steps_told is None else self._steps_told)
        self._pay(settlement)
        self._renew_infos()

    def observe(self, agent: str) -> Any:
        """What the agent sees, with the contract in force."""
        return self._show(agent, self.env.observe(agent))

    def _pay(self, settlement: Settlement) -> None:
        """Add the settlement to this turn's rewards, and both to what agents will see next."""
        self.rewards = {}
        for agent in self.env.agents:
            reward, transfer = self.env.rewards[agent], settlement.transfers[agent]
            self.rewards[agent] = reward + transfer if transfer else reward
            self._cumulative_rewards.setdefault(agent, 0)
            self._cumulative_rewards[agent] += self.rewards[agent]
            tallies = self.step_tallies[agent]
            tallies["transfer"] += transfer
            tallies["unpaid"] += settlement.unpaid[agent]
            tallies["unreceived"] += settlement.unreceived[agent]
            sums = self._tallies.setdefault(agent, dict.fromkeys(TALLIES, 0.0))
            for name, amount in tallies.items():
                sums[name] += amount

    def _transition(self, present: tuple[str, ...]) -> Transition:
        observations = {}
        if self._has_functions():
            observations = {agent: self.env.observe(agent) for agent in self.env.agents}
        tallies = self.step_tallies
        return Transition(
            agents=present,
            actions=self._actions,
            observations=observations,
            rewards={
                agent: tallies[agent]["game_reward"] if agent in tallies else 0.0
                for agent in present
            },
            terminations=dict(self.env.terminations),
            truncations=dict(self.env.truncations),
            infos=dict(self.env.infos),
        )

    def _listed_features(self, transition: Transition) -> Mapping[str, Mapping[str, float]]:
        listed = super()._listed_features(transition)
        if self._clock is not None:
            return listed
        news = {agent: new for agent, new in listed.items() if new is not self._booked.get(agent)}
        self._booked |= news
        return news

    def _world_has_moved(self) -> bool:
        if self._clock is None:
            return True
        has_moved = self._clock.infos is not self._clock_infos
        self._clock_infos = self._clock.infos
        return has_moved

    def _inner_tallies(self, *, world_moved: bool) -> Tallies:
        """What this turn gave each agent before the transfers of this wrapper."""
        tallies = _no_tallies(self.env.agents)
        for agent, amounts in tallies.items():
            amounts["game_reward"] = float(self.env.rewards[agent])
            if self._inner is not None:
                amounts.update(self._inner.step_tallies[agent])
            elif self._clock is not None and world_moved:
                # A parallel wrapper may stand inside the conversion; its infos are of this step.
                info = self.env.infos[agent]
                amounts.update({name: info[name] for name in TALLIES if name in info})
        return tallies

    def _next_step(self) -> int:
        num_rounds = max(self._num_turns.values())
        next_agent = self.env.agent_selection
        if self._is_live(next_agent):
            num_rounds = max(num_rounds, self._num_turns[next_agent] + 1)
        return num_rounds - 1

    def _is_live(self, agent: str) -> bool:
        ended = self.env.terminations.get(agent, True) or self.env.truncations.get(agent, True)
        return not ended

    def _forget_the_gone(self) -> None:
        agents = list(self.env.agents)
        self.rewards = dict.fromkeys(agents, 0)
        self._cumulative_rewards = {agent: self._cumulative_rewards[agent] for agent in agents}
        self.step_tallies = _no_tallies(agents)
        self._tallies = {agent: self._tallies[agent] for agent in agents}
        self._renew_infos()

    def _renew_infos(self) -> None:
        self.infos = {
            agent: self._info(agent, self.env.infos[agent], self._tallies[agent])
            for agent in self.env.agents
        }


def _no_tallies(agents: list[str]) -> Tallies:
    return {agent: dict.fromkeys(TALLIES, 0.0) for agent in agents}
