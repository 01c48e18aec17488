"""Subgame-perfect equilibria of Cleanup for two agents under a contract, by backward induction.

In the last step every state is a stage game of the immediate payoffs; in the step before, of the
immediate payoffs and what the selected equilibrium of the step after is worth, and so on: play that
is in equilibrium at every state of every step is subgame-perfect (Fudenberg and Tirole 1991, ch.
13; Markov perfect equilibrium). Where a stage game has several equilibria one has to be selected,
and the selection at one step shapes the games of the steps before. Two selections are offered: at
every state the pure equilibrium of *highest*, or of *lowest*, welfare from there on. Of equals the
lexicographically first joint action is taken (wait, move, harvest, clean; agent 0 first). Where no
pure equilibrium exists, the extreme mixed one of highest, or lowest, expected welfare.

They are two selections and no bounds: what is best at every state, given what is selected later,
need not be best from the start, and the low selection may earn more than the high one.

When the schedule is a surprise (``announce_changes=False``) agents believe at every step that the
parameters in force will stay, and play the equilibrium of that belief from the state reached.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cleanup_icn.config import CleanupConfig, ConfigError
from cleanup_icn.contracts import Contract
from cleanup_icn.solve.markov import Course, MarkovPolicy, Play, course_of, values_of
from cleanup_icn.solve.settlement import Settlement
from cleanup_icn.solve.stage import Mixed, first_best, mixed_equilibria, pure_equilibria
from cleanup_icn.solve.two_agents import (
    LEGAL,
    NUM_AGENTS,
    NUM_PLACES,
    StageTables,
    check_two_agents,
    lump_sums,
    state_index,
    tables_for,
)
from cleanup_icn.solve.worlds import Floats, Grid, Ints
from cleanup_icn.state import NUM_ACTIONS, CleanupState

SELECTIONS = ("high", "low")
"""At every state the equilibrium of highest, or of lowest, welfare from there on."""

TOGETHER = 16
"""Contracts solved at a time: so many fit in the caches of a processor."""


@dataclass(frozen=True, eq=False)
class Equilibrium:
    """One selected subgame-perfect equilibrium of a configuration under a contract.

    ``values[t, i, places, s]`` is what agent i is to expect from step t on, reward units, with
    the agents of the set ``places`` at the shore and the s-th (pollution, fruit) pair of ``grid``.
    """

    config: CleanupConfig
    contract: Contract
    selection: str  # "high" or "low"
    grid: Grid = field(repr=False)  # what the last axis of the values stands for
    values: Floats = field(repr=False)  # (horizon_steps + 1, 2, 4, pairs), lump sums left out
    _plan: _Plan = field(repr=False)

    @property
    def num_states(self) -> int:
        """Number of (step, places, pollution, fruit) states solved."""
        return self._plan.joint.size

    @property
    def num_without_pure(self) -> int:
        """Number of states in which the stage game has no pure equilibrium."""
        return len(self._plan.mixed)

    @property
    def policies(self) -> tuple[MarkovPolicy, MarkovPolicy]:
        """Each agent's part, written out anew at every call."""
        return self._plan.policies()

    def strategies(self, state: CleanupState, step: int) -> Floats:
        """Return the probabilities of the four actions, (2, 4), an agent a row."""
        places, pair = self.place_of(state)
        found = np.zeros((NUM_AGENTS, NUM_ACTIONS))
        own = self._plan.strategies(step, places, pair)
        for agent in range(NUM_AGENTS):
            found[agent, list(LEGAL[places >> agent & 1])] = own[agent]
        return found

    @property
    def payoffs(self) -> Floats:
        """Each agent's expected return from the configured start, lump sums included, (2,)."""
        return np.asarray(self.value(self.config.start, 0) + lump_sums(self.contract))

    @property
    def welfare(self) -> float:
        """Expected sum of both agents' returns from the configured start."""
        return float(self.payoffs.sum())

    def value(self, state: CleanupState, step: int) -> Floats:
        """Return what each agent expects from ``step`` on, (2,), lump sums left out."""
        places, pair = self.place_of(state)
        return np.asarray(self.values[step, :, places, pair])

    def place_of(self, state: CleanupState) -> tuple[int, int]:
        """Return (places, pair) of a state. Raises KeyError if it is not among those solved."""
        return state_index(self.grid, state)

    def course(self, state: CleanupState | None = None, step: int = 0) -> Course:
        """Return the expected course of play from a state, the configured start if none."""
        play = Play(self.config, self.contract)
        return course_of(play, self.policies, state=state, step=step)


def equilibrium(
    config: CleanupConfig, contract: Contract | None = None, *, selection: str = "high"
) -> Equilibrium:
    """Solve a configuration for two agents under one contract; see `equilibria`."""
    return equilibria(config, [contract or Contract()], selection=selection)[0]


def equilibria(
    config: CleanupConfig, contracts: Sequence[Contract], *, selection: str = "high"
) -> tuple[Equilibrium, ...]:
    """Solve a configuration for two agents under each of several contracts, in their order.

    Args:
        config: the game; two agents.
        contracts: each in force from the first step on; no caps, no plain language.
        selection: which equilibrium is taken where there are several, one of `SELECTIONS`.

    Raises:
        ConfigError: more agents than two, a contract that is not additive, another selection.
    """
    check_two_agents(config)
    if selection not in SELECTIONS:
        raise ConfigError("selection", selection, "one of " + ", ".join(SELECTIONS))
    found: list[Equilibrium] = []
    for first in range(0, len(contracts), TOGETHER):
        found += _solve(config, contracts[first : first + TOGETHER], selection)
    return tuple(found)


def _solve(
    config: CleanupConfig, contracts: Sequence[Contract], selection: str
) -> Iterator[Equilibrium]:
    inductions = _inductions(config, contracts, selection)
    grid = tables_for(config, 0).grid
    for k, contract in enumerate(contracts):
        plan = _plan_of(inductions, k)
        if len(inductions) == 1:
            values = inductions[0].values[:, k].copy()  # not to keep those of all contracts
        else:  # what was believed is not what comes to be
            values = values_of(Play(config, contract), plan.policies())
        yield Equilibrium(config, contract, selection, grid, values, plan)


@dataclass(frozen=True, eq=False)
class _Plan:
    """What is played in every state: a joint action, or a mixture in the few that have none."""

    joint: npt.NDArray[np.int8]  # (steps, 4, pairs): 3 * agent 0's action + agent 1's
    mixed: dict[tuple[int, int, int], Floats]  # (step, places, pair) -> (2, 3)

    def strategies(self, step: int, places: int, pair: int) -> Floats:
        """Return the probabilities of each agent's legal actions, (2, 3)."""
        if (step, places, pair) in self.mixed:
            return self.mixed[step, places, pair]
        return np.eye(3)[list(divmod(int(self.joint[step, places, pair]), 3))]

    def policies(self) -> tuple[MarkovPolicy, MarkovPolicy]:
        first, second = (np.eye(3)[actions] for actions in np.divmod(self.joint, 3))
        for place, probs in self.mixed.items():
            first[place], second[place] = probs
        return MarkovPolicy(0, first), MarkovPolicy(1, second)


def _plan_of(inductions: Sequence[_Induction], k: int) -> _Plan:
    """Return what is played under the k-th contract."""
    joint = np.concatenate([each.joint[:, k] for each in inductions])
    mixed: dict[tuple[int, int, int], Floats] = {}
    mixtures = (found for each in inductions for found in each.mixtures)
    for step, ((of_contract, places, pair), probs) in enumerate(mixtures):
        for game in np.flatnonzero(of_contract == k):
            place = (step, int(places[game]), int(pair[game]))
            mixed[place] = np.stack([own[game] for own in probs])
    return _Plan(joint, mixed)


class _Mixtures(NamedTuple):
    """The states of one step in which the selected equilibrium is mixed."""

    states: tuple[Ints, Ints, Ints]  # contract, places, pair of each
    probs: Mixed


class _Induction(NamedTuple):
    """What backward induction found for k contracts over some steps."""

    values: Floats  # (steps + 1, k, 2, 4, pairs)
    joint: npt.NDArray[np.int8]  # (steps, k, 4, pairs): 3 * agent 0's action + agent 1's
    mixtures: list[_Mixtures]  # a step each: where `joint` does not count


def _inductions(
    config: CleanupConfig, contracts: Sequence[Contract], selection: str
) -> list[_Induction]:
    """Solve what is believed from each surprise on; keep the steps up to the next."""
    horizon = config.horizon_steps
    starts = [0, *(step for step in config.change_steps if step), horizon]
    if config.announce_changes or len(starts) == 2:
        starts = [0, horizon]
        believed = [[tables_for(config, step) for step in range(horizon)]]
    else:
        believed = [[tables_for(config, start)] * (horizon - start) for start in starts[:-1]]
    return [
        _backward(config, contracts, tables, steps=stop - start, selection=selection)
        for (start, stop), tables in zip(pairwise(starts), believed, strict=True)
    ]


def _backward(
    config: CleanupConfig,
    contracts: Sequence[Contract],
    believed: Sequence[StageTables],
    *,
    steps: int,
    selection: str,
) -> _Induction:
    """Induce from the horizon back; what is played is kept for the first ``steps`` steps."""
    start = config.horizon_steps - len(believed)
    settlements = {each: Settlement(config, contracts, each) for each in set(believed)}
    shape = (len(contracts), NUM_AGENTS, NUM_PLACES, believed[0].num_pairs)
    values = np.zeros((len(believed) + 1, *shape))
    joint = np.zeros((steps, len(contracts), *shape[2:]), np.int8)
    mixtures: list[_Mixtures] = []
    for row in reversed(range(len(believed))):
        tables = believed[row]
        moved = settlements[tables].at(start + row, believed_from=start)
        worth = tables.expected(values[row + 1])
        worth += tables.rewards
        worth += moved
        chosen, values[row], mixed = _select(worth, highest=selection == "high")
        if row < steps:
            joint[row] = chosen
            mixtures.append(mixed)
    return _Induction(values, joint, mixtures[::-1])


def _select(worth: Floats, *, highest: bool) -> tuple[Ints, Floats, _Mixtures]:
    """Select an equilibrium of every stage game of ``worth``, (k, 2, 4, 3, 3, pairs)."""
    first, second = worth[:, 0], worth[:, 1]
    is_pure = pure_equilibria(first, second, rows=-3, columns=-2)
    num_contracts, num_places, _, _, num_pairs = is_pure.shape
    flat = (num_contracts, num_places, 9, num_pairs)
    is_pure = is_pure.reshape(flat)
    chosen = first_best((first + second).reshape(flat), is_pure, highest=highest, axis=-2)
    by_joint = worth.reshape(num_contracts, NUM_AGENTS, num_places, 9, num_pairs)
    values = np.take_along_axis(by_joint, chosen[:, None, :, None], axis=-2)[..., 0, :]
    k, places, pair = np.nonzero(~is_pure.any(axis=-2))
    mixed = mixed_equilibria(
        first[k, places, :, :, pair], second[k, places, :, :, pair], highest=highest
    )
    for agent in range(NUM_AGENTS):
        own = worth[k, agent, places, :, :, pair]
        values[k, agent, places, pair] = np.einsum("gab,ga,gb->g", own, *mixed)
    return chosen, values, _Mixtures((k, places, pair), mixed)
