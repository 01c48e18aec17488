"""Exact answers about Cleanup by dynamic programming, its transitions taken from the rule book.

The group's welfare depends on who stands where only through how many do, so a state is
(number at the shore, pollution, fruit) and a joint action is how many do what at each place.

When the schedule is a surprise (``announce_changes=False``) the planner believes at every step that
the parameters in force will stay, and solves again from the state reached when they change; the
optimum is what that planner earns. When changes are announced it plans with the schedule. Among
equally good joint actions the planner takes the one with the fewest moves, then the most
harvesters, then the most cleaners: this decides in which state a surprise finds it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cleanup_icn.config import CleanupConfig
from cleanup_icn.solve.worlds import (
    Floats,
    Grid,
    World,
    grid_of,
    has_full_grid,
    outcomes_of,
    world_of,
)
from cleanup_icn.state import CLEAN, HARVEST, MOVE, WAIT, CleanupState


class GroupAction(NamedTuple):
    """How many agents do what; the rest of each place waits."""

    harvesters: int
    cleaners: int
    to_shore: int
    to_garden: int


@dataclass(frozen=True, eq=False)
class SocialOptimum:
    """The welfare-maximising play of one configuration, from any state of its grid.

    ``values[t, k, s]`` is the expected welfare from step t on with k agents at the shore and the
    s-th (pollution, fruit) pair of ``grid``; shape (horizon_steps + 1, num_agents + 1, pairs),
    fruit units. ``policy[t, k, s]`` is what is done there: an index into
    ``group_actions(num_agents, k)``; shape (horizon_steps, num_agents + 1, pairs).
    """

    config: CleanupConfig
    grid: Grid = field(repr=False)
    values: Floats = field(repr=False)
    policy: npt.NDArray[np.int16] = field(repr=False)
    _worlds: tuple[World, ...] = field(repr=False)  # one for each step

    @property
    def welfare(self) -> float:
        """Expected sum of all agents' returns over an episode from the configured start."""
        return self.welfare_from(self.config.pollution_initial, self.config.fruit_initial)

    def welfare_from(self, pollution: int, fruit: int) -> float:
        """Return the optimum of an episode that starts with these amounts. KeyError if unsolved."""
        return float(self.values[0, 0, self.grid.index_of[pollution, fruit]])

    def knows(self, state: CleanupState) -> bool:
        """Whether a state's amounts are among those solved."""
        return (state.pollution, state.fruit) in self.grid.index_of

    def value(self, state: CleanupState, step: int) -> float:
        """Return the expected welfare from ``step`` on, starting in ``state``."""
        pair = self.grid.index_of[state.pollution, state.fruit]
        return float(self.values[step, state.at_shore.bit_count(), pair])

    def group_action(self, state: CleanupState, step: int) -> GroupAction:
        """Return the optimal joint action as numbers of agents."""
        num_shore = state.at_shore.bit_count()
        pair = self.grid.index_of[state.pollution, state.fruit]
        chosen = int(self.policy[step, num_shore, pair])
        return group_actions(self.config.num_agents, num_shore)[chosen]

    def joint_action(self, state: CleanupState, step: int) -> tuple[int, ...]:
        """Return an optimal action for every agent, in the order of their indices.

        Harvesters are the lowest indices in the garden and movers the highest; at the shore the
        lowest move and the highest clean. So all who follow the plan agree without talking.
        """
        n = self.config.num_agents
        group = self.group_action(state, step)
        garden = [i for i in range(n) if not state.at_shore >> i & 1]
        shore = [i for i in range(n) if state.at_shore >> i & 1]
        actions = [WAIT] * n
        for i in garden[: group.harvesters]:
            actions[i] = HARVEST
        for i in shore[len(shore) - group.cleaners :]:
            actions[i] = CLEAN
        for i in (*garden[len(garden) - group.to_shore :], *shore[: group.to_garden]):
            actions[i] = MOVE
        return tuple(actions)

    def welfare_by_step(self, pollution: int, fruit: int) -> Floats:
        """Return the optimum's expected welfare in each step, (horizon_steps,), from this start."""
        n = self.config.num_agents
        earned = np.zeros(self.config.horizon_steps)
        reached = {(0, self.grid.index_of[pollution, fruit]): 1.0}
        for step, world in enumerate(self._worlds):
            ahead: dict[tuple[int, int], float] = {}
            for (num_shore, pair), weight in reached.items():
                action = group_actions(n, num_shore)[self.policy[step, num_shore, pair]]
                moves = world.moves[action.harvesters, action.cleaners]
                earned[step] += weight * moves.taken[pair]
                after = num_shore + action.to_shore - action.to_garden
                for prob, successor in zip(world.probs, moves.successors, strict=True):
                    key = (after, int(successor[pair]))
                    ahead[key] = ahead.get(key, 0.0) + weight * prob
            reached = ahead
        return earned


def social_optimum(config: CleanupConfig) -> SocialOptimum:
    """Solve a configuration exactly; games that differ in their start alone share the work."""
    shared = replace(config, pollution_initial=0, fruit_initial=0)
    solved = _solve(shared if has_full_grid(config) else config)
    return replace(solved, config=config)


def welfare_of_counts(config: CleanupConfig, counts: Callable[[int], tuple[int, int]]) -> float:
    """Return the expected welfare when ``counts(step)`` agents (harvesters, cleaners) act."""
    reached = {(config.pollution_initial, config.fruit_initial): 1.0}
    welfare = 0.0
    for step in range(config.horizon_steps):
        parameters = config.parameters_at(step)
        ahead: dict[tuple[int, int], float] = {}
        for (pollution, fruit), weight in reached.items():
            taken, outcomes = outcomes_of(pollution, fruit, *counts(step), parameters)
            welfare += weight * taken
            for prob, pair in outcomes:
                ahead[pair] = ahead.get(pair, 0.0) + weight * prob
        reached = ahead
    return welfare


def all_harvest_welfare(config: CleanupConfig) -> float:
    """Return the expected welfare when everybody harvests in every step."""
    return welfare_of_counts(config, lambda _: (config.num_agents, 0))


def one_cleaner_welfare(config: CleanupConfig) -> float:
    """Return the expected welfare when one agent goes to clean for good and the others harvest."""
    others = config.num_agents - 1
    return welfare_of_counts(config, lambda step: (others, min(step, 1)))


@lru_cache(maxsize=64)
def group_actions(num_agents: int, num_shore: int) -> tuple[GroupAction, ...]:
    """Return all joint actions with so many at the shore, in the order that breaks ties."""
    num_garden = num_agents - num_shore
    actions = [
        GroupAction(h, c, to_shore, to_garden)
        for h in range(num_garden + 1)
        for to_shore in range(num_garden + 1 - h)
        for c in range(num_shore + 1)
        for to_garden in range(num_shore + 1 - c)
    ]
    return tuple(
        sorted(actions, key=lambda a: (a.to_shore + a.to_garden, -a.harvesters, -a.cleaners))
    )


@lru_cache(maxsize=32)
def _solve(config: CleanupConfig) -> SocialOptimum:
    grid = grid_of(config)
    segments = [0, *(step for step in config.change_steps if step)]
    by_parameters = {
        parameters: world_of(parameters, config.num_agents, grid)
        for parameters in {config.parameters_at(step) for step in segments}
    }
    horizon = config.horizon_steps
    worlds = tuple(by_parameters[config.parameters_at(t)] for t in range(horizon))
    if config.announce_changes or len(segments) == 1:
        values, policy = _backward(config.num_agents, worlds, len(grid.pairs))
        return SocialOptimum(config, grid, values, policy, worlds)
    policies = []
    for start, stop in pairwise([*segments, horizon]):
        believed = (worlds[start],) * (horizon - start)
        policies.append(_backward(config.num_agents, believed, len(grid.pairs))[1][: stop - start])
    policy = np.concatenate(policies)
    values, _ = _backward(config.num_agents, worlds, len(grid.pairs), policy=policy)
    return SocialOptimum(config, grid, values, policy, worlds)


def _backward(
    num_agents: int,
    worlds: tuple[World, ...],
    num_pairs: int,
    *,
    policy: npt.NDArray[np.int16] | None = None,
) -> tuple[Floats, npt.NDArray[np.int16]]:
    """Backward induction over ``worlds``: the best policy's values, or those of a given one."""
    values = np.zeros((len(worlds) + 1, num_agents + 1, num_pairs))
    chosen = np.zeros((len(worlds), num_agents + 1, num_pairs), np.int16)
    everywhere = np.arange(num_pairs)
    for step in reversed(range(len(worlds))):
        gain = _gains(worlds[step], values[step + 1])
        for num_shore in range(num_agents + 1):
            worth = np.stack(
                [
                    gain[a.harvesters, a.cleaners][num_shore + a.to_shore - a.to_garden]
                    for a in group_actions(num_agents, num_shore)
                ]
            )
            best = np.argmax(worth, axis=0) if policy is None else policy[step, num_shore]
            chosen[step, num_shore] = best
            values[step, num_shore] = worth[best, everywhere]
    return values, chosen


def _gains(world: World, ahead: Floats) -> dict[tuple[int, int], Floats]:
    """Fruit taken now plus expected welfare after, (agents at the shore after, pairs)."""
    return {
        counts: moves.taken
        + sum(
            (prob * ahead[:, s] for prob, s in zip(world.probs, moves.successors, strict=True)),
            start=np.zeros_like(ahead),
        )
        for counts, moves in world.moves.items()
    }
