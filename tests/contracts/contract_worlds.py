"""Strategies for contracts and features, and two small worlds to put contracts in."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
from gymnasium import spaces
from hypothesis import strategies as st
from pettingzoo import AECEnv, ParallelEnv

from cleanup_icn.contracts import (
    Condition,
    Contract,
    Duration,
    Fine,
    LumpSum,
    Quota,
    Share,
    Wage,
)

AGENTS = ("agent_0", "agent_1", "agent_2")
FEATURES = ("harvested", "cleaned", "reward")
PUBLIC = ("pollution",)
OPERATORS = (">=", ">", "<=", "<", "==", "!=")

# Numbers of at most six decimals, which is what contracts between agents are written with.
amounts = st.integers(0, 50).map(float) | st.decimals(0, 50, places=6).map(float)
quotas = st.integers(1, 50).map(float) | st.decimals("0.000001", 50, places=6).map(float)
signed = st.decimals(-100, 100, places=3).map(float)
names = st.text("abAB019_", min_size=1, max_size=4) | st.sampled_from(
    ["and", "the", "pay", "pays", "once", "until", "while", "fine", "of", "every", "in", "units"]
)


def clauses(
    agents: st.SearchStrategy[str], features: st.SearchStrategy[str], *, caps: bool = True
) -> st.SearchStrategy[Any]:
    role = agents | st.sampled_from(["others", "all"])
    between = {"payer": role, "payee": role}
    condition = st.builds(
        Condition, st.sampled_from(PUBLIC) | features, st.sampled_from(OPERATORS), signed
    )
    limits = {"cap": st.none() | amounts if caps else st.none(), "when": st.none() | condition}
    fraction = st.decimals(0, 1, places=6).map(float)
    return st.one_of(
        st.builds(Share, **between, **limits, of=features, fraction=fraction),
        st.builds(Wage, **between, **limits, per=features, rate=amounts),
        st.builds(Fine, **between, **limits, per=features, rate=amounts),
        st.builds(Quota, **between, **limits, per=features, at_least=quotas, amount=amounts),
        st.builds(LumpSum, **between, amount=amounts),
    )


durations = (
    st.just(Duration())
    | st.just(Duration("change"))
    | st.integers(0, 8).map(lambda step: Duration("step", step))
)


@st.composite
def contracts(draw: Any, *, caps: bool = True, max_clauses: int = 4) -> Contract:
    """Contracts among the agents of the worlds below, over their features."""
    clause = clauses(st.sampled_from(AGENTS), st.sampled_from(FEATURES), caps=caps)
    chosen = draw(st.lists(clause, max_size=max_clauses))
    duration = draw(durations)
    parties = draw(st.none() | st.permutations(AGENTS))
    return Contract(chosen, duration, parties)


@st.composite
def any_contracts(draw: Any) -> Contract:
    """Contracts with any names, words of the English form among them."""
    agents = draw(st.lists(names, min_size=1, max_size=4, unique=True))
    clause = clauses(st.sampled_from(agents), names)
    chosen = draw(st.lists(clause, max_size=4))
    parties = draw(st.none() | st.just(tuple(agents)))
    return Contract(chosen, draw(durations), parties)


def feature_tables(
    values: st.SearchStrategy[float] = signed,
) -> st.SearchStrategy[dict[str, dict[str, float]]]:
    """Features of any agents, some absent, some features unlisted."""
    listed = st.dictionaries(st.sampled_from(FEATURES), values)
    return st.dictionaries(st.sampled_from(AGENTS), listed)


class Orchard(ParallelEnv):
    """Harvest (action 1) or clean (action 2); agents leave at steps of their own.

    Cleaning costs the cleaner 0.5. Pollution grows by 2 a step and says when it has passed 6.
    """

    metadata = {"name": "orchard_v0", "render_modes": [], "is_parallelizable": True}  # noqa: RUF012
    render_mode = None

    def __init__(
        self,
        leaves_at: dict[str, int] | None = None,
        observe: str = "box",
        horizon: int = 6,
    ) -> None:
        self.possible_agents = list(AGENTS)
        self.leaves_at = dict.fromkeys(AGENTS, horizon) | (leaves_at or {})
        self.observe_as = observe
        self._spaces = {agent: self._make_space() for agent in AGENTS}
        self._actions = {agent: spaces.Discrete(3) for agent in AGENTS}

    def _make_space(self) -> spaces.Space[Any]:
        box = spaces.Box(0, 100, (2,), np.float32)
        text = spaces.Text(80, charset="abcdefghijklmnopqrstuvwxyzPC 0123456789.:\n")
        return {
            "box": box,
            "double": spaces.Box(0, 100, (2,), np.float64),
            "whole": spaces.Box(0, 100, (2,), np.int64),
            "image": spaces.Box(0, 100, (2, 1), np.float32),
            "number": spaces.Discrete(101),
            "text": text,
            "dict": spaces.Dict(
                observation=box, text=text, action_mask=spaces.Box(0, 1, (3,), np.int8)
            ),
        }[self.observe_as]

    def observation_space(self, agent: str) -> spaces.Space[Any]:
        return self._spaces[agent]

    def action_space(self, agent: str) -> spaces.Space[Any]:
        return self._actions[agent]

    def _observation(self) -> Any:
        numbers = [self.pollution, self.step_number + 1]
        text = f"Pollution {self.pollution}.\nContract in force: none.\nChoose."
        if self.observe_as == "dict":
            mask = np.ones(3, np.int8)
            return {
                "observation": np.array(numbers, np.float32),
                "text": text,
                "action_mask": mask,
            }
        dtypes = {"double": np.float64, "whole": np.int64}
        return {
            "text": text,
            "number": np.int64(self.pollution),
            "image": np.array(numbers, np.float32).reshape(2, 1),
        }.get(self.observe_as, np.array(numbers, dtypes.get(self.observe_as, np.float32)))

    def _info(self, *, harvested: float = 0.0, cleaned: float = 0.0) -> dict[str, Any]:
        return {
            "features": {"harvested": harvested, "cleaned": cleaned},
            "public": {"pollution": self.pollution},
            "changed": self.pollution == 6,
        }

    def reset(self, seed: int | None = None, options: Any = None) -> Any:
        self.agents = list(AGENTS)
        self.pollution, self.step_number = 0, 0
        return (
            {agent: self._observation() for agent in AGENTS},
            {agent: self._info() for agent in AGENTS},
        )

    def step(self, actions: dict[str, int]) -> Any:
        self.step_number += 1
        self.pollution += 2
        acting = self.agents
        rewards, infos = {}, {}
        for index, agent in enumerate(acting):
            harvested = float(1 + index) if actions[agent] == 1 else 0.0
            cleaned = 1.5 if actions[agent] == 2 else 0.0
            rewards[agent] = harvested - cleaned / 3
            infos[agent] = self._info(harvested=harvested, cleaned=cleaned)
        ended = {agent: self.step_number >= self.leaves_at[agent] for agent in acting}
        self.agents = [agent for agent in acting if not ended[agent]]
        observations = {agent: self._observation() for agent in acting}
        return observations, rewards, ended, dict.fromkeys(acting, False), infos

    def render(self) -> None:
        return None

    def close(self) -> None:
        return None


class Turns(AECEnv):
    """Agents take turns at a pile; whoever takes is rewarded, and so is the one before."""

    metadata = {"name": "turns_v0", "render_modes": [], "is_parallelizable": False}  # noqa: RUF012
    render_mode = None

    def __init__(self, num_rounds: int = 4, leaves_after: dict[str, int] | None = None) -> None:
        super().__init__()
        self.possible_agents = list(AGENTS)
        self.leaves_after = dict.fromkeys(AGENTS, num_rounds) | (leaves_after or {})
        self._observation_spaces = {agent: spaces.Box(0, 100, (2,)) for agent in AGENTS}
        self._action_spaces = {agent: spaces.Discrete(3) for agent in AGENTS}

    def observation_space(self, agent: str) -> spaces.Space[Any]:
        return self._observation_spaces[agent]

    def action_space(self, agent: str) -> spaces.Space[Any]:
        return self._action_spaces[agent]

    def observe(self, agent: str) -> Any:
        return np.array([1 + self.num_turns[agent], len(self.agents)], np.float32)

    def reset(self, seed: int | None = None, options: Any = None) -> None:
        self.agents = list(AGENTS)
        self.num_turns = dict.fromkeys(AGENTS, 0)
        self.rewards = dict.fromkeys(AGENTS, 0)
        self._cumulative_rewards = dict.fromkeys(AGENTS, 0)
        self.terminations = dict.fromkeys(AGENTS, False)
        self.truncations = dict.fromkeys(AGENTS, False)
        self.infos = {agent: {"features": {}, "public": {"pollution": 0}} for agent in AGENTS}
        self.agent_selection = AGENTS[0]
        self._skip_agent_selection = None

    def step(self, action: int | None) -> None:
        agent = self.agent_selection
        if self.terminations[agent] or self.truncations[agent]:
            self._was_dead_step(action)
            return
        self._cumulative_rewards[agent] = 0
        self._clear_rewards()
        self.num_turns[agent] += 1
        live = [each for each in self.agents if not self.terminations[each]]
        taken = float(action or 0)
        before = live[live.index(agent) - 1]
        self.rewards[agent] += taken
        self.rewards[before] += 0.1 * taken
        self.infos[agent] = {
            "features": {"harvested": taken, "cleaned": 1.0},
            "public": {"pollution": self.num_turns[agent]},
        }
        self.agent_selection = live[(live.index(agent) + 1) % len(live)]
        self.terminations[agent] = self.num_turns[agent] >= self.leaves_after[agent]
        self._accumulate_rewards()
        self._deads_step_first()

    def render(self) -> None:
        return None

    def close(self) -> None:
        return None


def play_parallel(env: Any, actions: Callable[[int, str], int]) -> SimpleNamespace:
    """A whole episode: returns by agent, the last infos of each, and every step's rewards."""
    env.reset(seed=0)
    returns = dict.fromkeys(env.possible_agents, 0.0)
    infos: dict[str, Any] = {}
    transfers = dict.fromkeys(env.possible_agents, 0.0)
    rewards_by_step = []
    step = 0
    while env.agents:
        chosen = {agent: actions(step, agent) for agent in env.agents}
        _, rewards, _, _, step_infos = env.step(chosen)
        for agent, reward in rewards.items():
            returns[agent] += reward
            transfers[agent] += step_infos[agent].get("transfer", 0.0)
        infos |= step_infos
        rewards_by_step.append(rewards)
        step += 1
    return SimpleNamespace(
        returns=returns, infos=infos, transfers=transfers, rewards_by_step=rewards_by_step
    )


def play_aec(env: Any, actions: Callable[[int, str], int]) -> SimpleNamespace:
    """A whole episode by ``last()``: what agents would add up for themselves."""
    env.reset(seed=0)
    returns = dict.fromkeys(env.possible_agents, 0.0)
    transfers = dict.fromkeys(env.possible_agents, 0.0)
    games = dict.fromkeys(env.possible_agents, 0.0)
    turns = dict.fromkeys(env.possible_agents, 0)
    for agent in env.agent_iter():
        _, reward, terminated, truncated, info = env.last()
        returns[agent] += reward
        transfers[agent] += info.get("transfer", 0.0)
        games[agent] += info.get("game_reward", 0.0)
        env.step(None if terminated or truncated else actions(turns[agent], agent))
        turns[agent] += 1
    return SimpleNamespace(returns=returns, transfers=transfers, game_rewards=games)


def plan(step: int, agent: str) -> int:
    """A fixed mixture of actions, different for every agent and step."""
    return (step * 2 + AGENTS.index(agent) * (step + 1)) % 3
