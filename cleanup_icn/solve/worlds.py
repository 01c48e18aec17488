"""The states of Cleanup as a grid, and the rule book as tables over it.

Every solver works on these: a *pair* is (pollution, fruit), and what a joint action does to a pair
depends on how many harvest and how many clean alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import product
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cleanup_icn import rules
from cleanup_icn.config import CleanupConfig
from cleanup_icn.state import Parameters

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

FULL_GRID_LIMIT = 20_000
"""Up to so many (pollution, fruit) pairs all are solved; beyond, those reachable from the start."""


class Grid(NamedTuple):
    """The (pollution, fruit) pairs that are solved, in units, and where each stands."""

    pairs: list[tuple[int, int]]
    index_of: dict[tuple[int, int], int]


class Moves(NamedTuple):
    """What (harvesters, cleaners) do to every (pollution, fruit) pair."""

    taken: Floats  # (pairs,)
    successors: list[Ints]  # for each outcome of the dice: index of the pair reached, (pairs,)


class World(NamedTuple):
    """The transitions under one set of parameters."""

    probs: list[float]  # of the outcomes of the dice
    moves: dict[tuple[int, int], Moves]  # by (harvesters, cleaners)


def has_full_grid(config: CleanupConfig) -> bool:
    """Whether all pairs are solved, or only those reachable from the start."""
    return (config.pollution_max + 1) * (config.fruit_max + 1) <= FULL_GRID_LIMIT


@lru_cache(maxsize=256)
def chances_of(parameters: Parameters) -> tuple[tuple[float, bool, bool], ...]:
    """Outcomes of the dice that can happen: probability, pollution grows, fruit grows."""
    pollution, fruit = parameters.prob_pollution_growth, parameters.prob_fruit_growth
    chances = [
        ((pollution if p else 1.0 - pollution) * (fruit if f else 1.0 - fruit), p, f)
        for p, f in product((True, False), repeat=2)
    ]
    return tuple(chance for chance in chances if chance[0] > 0.0)


def outcomes_of(
    pollution: int, fruit: int, harvesters: int, cleaners: int, parameters: Parameters
) -> tuple[int, list[tuple[float, tuple[int, int]]]]:
    """Fruit taken, and the (pollution, fruit) pairs that can follow with their probabilities."""
    taken, removed = rules.take_and_remove(pollution, fruit, harvesters, cleaners, parameters)
    return taken, [
        (prob, rules.grow(pollution - removed, fruit - taken, p, f, parameters))
        for prob, p, f in chances_of(parameters)
    ]


def counts_of(num_agents: int) -> Iterator[tuple[int, int]]:
    """All (harvesters, cleaners) that so many agents can be."""
    return ((h, c) for h in range(num_agents + 1) for c in range(num_agents + 1 - h))


def grid_of(config: CleanupConfig) -> Grid:
    """Return the pairs of a configuration, see `FULL_GRID_LIMIT`."""
    if has_full_grid(config):
        pairs = list(product(range(config.pollution_max + 1), range(config.fruit_max + 1)))
    else:
        pairs = _reachable(config)
    return Grid(pairs, {pair: i for i, pair in enumerate(pairs)})


def _reachable(config: CleanupConfig) -> list[tuple[int, int]]:
    """Return the pairs that some play can reach within the horizon, under any of the parameters."""
    segments = {config.parameters_at(step) for step in (0, *config.change_steps)}
    seen = {(config.pollution_initial, config.fruit_initial)}
    frontier = set(seen)
    for _ in range(config.horizon_steps):
        ahead = {
            pair
            for (pollution, fruit), parameters in product(frontier, segments)
            for h, c in counts_of(config.num_agents)
            for _, pair in outcomes_of(pollution, fruit, h, c, parameters)[1]
        }
        frontier = ahead - seen
        seen |= frontier
        if not frontier:
            break
    return sorted(seen)


def world_of(parameters: Parameters, num_agents: int, grid: Grid) -> World:
    """Tabulate the rule book; a successor outside the grid cannot be met, so any index serves."""
    chances = [prob for prob, _, _ in chances_of(parameters)]
    moves: dict[tuple[int, int], Moves] = {}
    for h, c in counts_of(num_agents):
        rows = [outcomes_of(pollution, fruit, h, c, parameters) for pollution, fruit in grid.pairs]
        moves[h, c] = Moves(
            np.array([taken for taken, _ in rows], np.float64),
            [
                np.array([grid.index_of.get(outcomes[i][1], 0) for _, outcomes in rows], np.int64)
                for i in range(len(chances))
            ],
        )
    return World(chances, moves)
