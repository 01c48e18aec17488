"""Markov policies of two agents as tables, and the course that play takes under them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cleanup_icn.config import CleanupConfig
from cleanup_icn.contracts import Contract
from cleanup_icn.solve.settlement import Settlement
from cleanup_icn.solve.two_agents import (
    LEGAL,
    NUM_AGENTS,
    NUM_PLACES,
    StageTables,
    check_two_agents,
    state_index,
    tables_for,
)
from cleanup_icn.solve.worlds import Floats
from cleanup_icn.state import NUM_ACTIONS, CleanupState


@dataclass(frozen=True, eq=False)
class MarkovPolicy:
    """What one agent does in every state at every step, by chance or not.

    ``probs[t, places, pair, i]`` is the probability of the i-th of its legal actions there (wait,
    move, harvest or clean, see `cleanup_icn.solve.two_agents.LEGAL`); shape (horizon_steps, 4,
    pairs, 3); the last axis sums to 1.
    """

    agent_index: int
    probs: Floats

    def action_probs(self, step: int, places: int, pair: int) -> Floats:
        """Return the probabilities of the game's four actions, (4,)."""
        found = np.zeros(NUM_ACTIONS)
        found[list(LEGAL[places >> self.agent_index & 1])] = self.probs[step, places, pair]
        return found


class Play:
    """The game of one configuration and contract, with its payoffs after transfers, by step.

    Raises `ConfigError` for another number of agents than two or a contract that is not additive.
    """

    def __init__(self, config: CleanupConfig, contract: Contract | None = None) -> None:
        check_two_agents(config)
        self.config = config
        self.contract = contract or Contract()
        self._settlements: dict[StageTables, Settlement] = {}

    def tables(self, step: int) -> StageTables:
        """Return the tables of the parameters in force at ``step``."""
        return tables_for(self.config, step)

    def transfers(self, step: int) -> Floats:
        """Return what each agent gains from the contract, (2, 4, 3, 3, pairs), reward units."""
        tables = self.tables(step)
        if tables not in self._settlements:
            self._settlements[tables] = Settlement(self.config, [self.contract], tables)
        return np.asarray(self._settlements[tables].at(step)[0])

    def payoffs(self, step: int) -> Floats:
        """Return each agent's reward after transfers, (2, 4, 3, 3, pairs), reward units."""
        return np.asarray(self.tables(step).rewards + self.transfers(step))


@dataclass(frozen=True, eq=False)
class Course:
    """What is to be expected step by step when play begins in one state at one step.

    Rows are the steps from ``first_step`` on; amounts are expectations in reward units.
    """

    first_step: int
    rewards: Floats  # (steps, 2), before transfers
    transfers: Floats  # (steps, 2), received minus paid, lump sums left out
    moved: Floats  # (steps,): half the sum of what transfers take and give
    states: tuple[dict[tuple[int, int], float], ...]  # before each step: (places, pair) -> chance

    @property
    def welfare_by_step(self) -> Floats:
        """Both agents' rewards, (steps,)."""
        return np.asarray(self.rewards.sum(axis=1))

    @property
    def returns(self) -> Floats:
        """Each agent's rewards and transfers from here to the end, (2,)."""
        return np.asarray((self.rewards + self.transfers).sum(axis=0))


def course_of(
    play: Play,
    policies: Sequence[MarkovPolicy],
    *,
    state: CleanupState | None = None,
    step: int = 0,
) -> Course:
    """Follow two policies forward from a state (the configured start) through the true world."""
    config = play.config
    first = state or config.start
    reached = {state_index(play.tables(step).grid, first): 1.0}
    num_steps = config.horizon_steps - step
    rewards, transfers = np.zeros((num_steps, NUM_AGENTS)), np.zeros((num_steps, NUM_AGENTS))
    moved, states = np.zeros(num_steps), []
    for row, t in enumerate(range(step, config.horizon_steps)):
        tables, paid = play.tables(t), play.transfers(t)
        states.append(reached)
        ahead: dict[tuple[int, int], float] = {}
        for (places, pair), weight in reached.items():
            joint = weight * np.outer(*(policy.probs[t, places, pair] for policy in policies))
            for a, b in zip(*np.nonzero(joint), strict=True):
                chance, here = float(joint[a, b]), (places, a, b, pair)
                rewards[row] += chance * tables.rewards[(slice(None), *here)]
                gained = paid[(slice(None), *here)]
                transfers[row] += chance * gained
                moved[row] += chance * np.abs(gained).sum() / 2.0
                for prob, successors in zip(tables.probs, tables.successors, strict=True):
                    key = divmod(int(successors[here]), tables.num_pairs)
                    ahead[key] = ahead.get(key, 0.0) + chance * prob
        reached = ahead
    return Course(step, rewards, transfers, moved, tuple(states))


def values_of(play: Play, policies: Sequence[MarkovPolicy]) -> Floats:
    """Return what each agent is to expect from every state on, lump sums left out.

    The shape is (horizon_steps + 1, 2, 4, pairs), reward units after transfers.
    """
    horizon = play.config.horizon_steps
    num_pairs = play.tables(0).num_pairs
    values = np.zeros((horizon + 1, NUM_AGENTS, NUM_PLACES, num_pairs))
    for step in reversed(range(horizon)):
        worth = play.payoffs(step) + play.tables(step).expected(values[step + 1])
        first, second = (policy.probs[step] for policy in policies)
        values[step] = np.einsum("isabp,spa,spb->isp", worth, first, second)
    return values
