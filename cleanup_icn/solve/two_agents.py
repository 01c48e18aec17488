"""Cleanup for two agents as a stochastic game in tables: what joint actions bring and lead to.

A state is (places, pollution, fruit): the set of agents at the shore, 0..3, and the index of a
(pollution, fruit) pair. In every state an agent has three actions, `LEGAL`: wait, move, and harvest
or clean; an illegal action is a wait and needs no column of its own. What a contract moves in a
step must depend on that step alone (be *additive*): then it is part of the stage's payoffs.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import product

import numpy as np

from cleanup_icn import rules
from cleanup_icn.config import CleanupConfig, ConfigError
from cleanup_icn.contracts import Contract, NaturalLanguageContract, transfers
from cleanup_icn.contracts.clauses import LumpSum, UnitClause
from cleanup_icn.observe import PUBLIC_FEATURES, agent_names
from cleanup_icn.solve.worlds import Floats, Grid, Ints, grid_of, has_full_grid, world_of
from cleanup_icn.state import CLEAN, HARVEST, MOVE, WAIT, CleanupState, Parameters

NUM_AGENTS = 2
NUM_PLACES = 4
"""Who is at the shore: nobody, agent 0, agent 1, both."""

LEGAL = ((WAIT, MOVE, HARVEST), (WAIT, MOVE, CLEAN))
"""The actions in the garden and at the shore, in lexicographic order."""

AGENTS = agent_names(NUM_AGENTS)

FEATURES = ("harvested", "cleaned", "reward")
"""What a contract can pay for in a solved game; a reward is what its agent harvested."""


@dataclass(frozen=True, eq=False)
class StageTables:
    """The game under one set of parameters.

    Axes: places before (4), the agents' actions as indices into `LEGAL` (3, 3), pairs.
    """

    parameters: Parameters
    grid: Grid
    rewards: Floats  # (2, 4, 3, 3, pairs): the agents' rewards before transfers, fruit units
    probs: tuple[float, ...]  # of the outcomes of the dice
    successors: tuple[Ints, ...]  # an outcome each, (4, 3, 3, pairs): index of the state reached
    harvest_share: Floats  # (4, 3, 3, pairs): fruit units that each harvester takes
    clean_share: Floats  # (4, 3, 3, pairs): pollution units that each cleaner removes

    @property
    def num_pairs(self) -> int:
        """Number of (pollution, fruit) pairs."""
        return len(self.grid.pairs)

    def expected(self, ahead: Floats) -> Floats:
        """Return the expectation of state values ``ahead``, (..., 4, pairs), by joint action.

        The shape of the answer is (..., 4, 3, 3, pairs).
        """
        flat = ahead.reshape(*ahead.shape[:-2], -1)
        found = [prob * flat[..., s] for prob, s in zip(self.probs, self.successors, strict=True)]
        return np.asarray(sum(found[1:], start=found[0]))


def check_two_agents(config: CleanupConfig) -> None:
    """Raise `ConfigError` unless two agents play."""
    if config.num_agents != NUM_AGENTS:
        raise ConfigError("num_agents", config.num_agents, "2: equilibria are solved for two")


def check_additive(contract: Contract) -> None:
    """Raise `ConfigError` if what a contract moves depends on more than the step it is due for.

    And if it names an agent, a feature or a quantity that a game of two does not have. What is
    illegal cannot be paid for: solved agents do nothing illegal.
    """
    if isinstance(contract, NaturalLanguageContract):
        raise ConfigError("contract", contract.to_text(), "clauses, not plain language")
    for index, clause in enumerate(contract.clauses):
        if not isinstance(clause, UnitClause | LumpSum):
            raise ConfigError(f"contract clauses[{index}]", clause, "a UnitClause or a LumpSum")
        if isinstance(clause, UnitClause) and clause.cap is not None:
            allowed = "no cap: what is due must not depend on earlier steps"
            raise ConfigError(f"contract clauses[{index}].cap", clause.cap, allowed)
    for what, names, known in (
        ("agent", contract.agent_names, AGENTS),
        ("feature", contract.feature_names, FEATURES),
        ("condition", contract.public_names, PUBLIC_FEATURES),
    ):
        for name in names:
            if name not in known:
                raise ConfigError(f"contract {what}", name, "one of " + ", ".join(known))


def state_index(grid: Grid, state: CleanupState) -> tuple[int, int]:
    """Return (places, pair) of a state. Raises KeyError if it is not among those solved."""
    return state.at_shore, grid.index_of[state.pollution, state.fruit]


def tables_for(config: CleanupConfig, step: int) -> StageTables:
    """Return the tables under the parameters in force at ``step``."""
    return _tables(config.parameters_at(step), _smallest(config))


def _smallest(config: CleanupConfig) -> CleanupConfig:
    """Return the same for all configurations that share a grid, so that they share tables."""
    if not has_full_grid(config):
        return config
    return CleanupConfig(
        pollution_max=config.pollution_max,
        fruit_max=config.fruit_max,
        pollution_threshold=0,
        fruit_initial=0,
    )


@lru_cache(maxsize=64)
def _tables(parameters: Parameters, like: CleanupConfig) -> StageTables:
    grid = grid_of(like)
    world = world_of(parameters, NUM_AGENTS, grid)
    shape = (NUM_PLACES, 3, 3, len(grid.pairs))
    rewards = np.zeros((NUM_AGENTS, *shape))
    harvest_share, clean_share = np.zeros(shape), np.zeros(shape)
    successors = tuple(np.zeros(shape, np.int64) for _ in world.probs)
    removed = {counts: _removed(*counts, parameters, grid) for counts in world.moves}
    for places, a, b in joint_actions():
        actions = actions_of(places, a, b)
        harvesters, cleaners = actions.count(HARVEST), actions.count(CLEAN)
        moves = world.moves[harvesters, cleaners]
        harvest_share[places, a, b] = moves.taken / max(harvesters, 1)
        clean_share[places, a, b] = removed[harvesters, cleaners] / max(cleaners, 1)
        for agent, action in enumerate(actions):
            if action == HARVEST:
                rewards[agent, places, a, b] = harvest_share[places, a, b]
        for reached, pair in zip(successors, moves.successors, strict=True):
            reached[places, a, b] = places_after(places, actions) * len(grid.pairs) + pair
    return StageTables(
        parameters, grid, rewards, tuple(world.probs), successors, harvest_share, clean_share
    )


def _removed(harvesters: int, cleaners: int, parameters: Parameters, grid: Grid) -> Floats:
    """Return the pollution units that so many remove from every pair, (pairs,)."""
    return np.array(
        [
            rules.take_and_remove(pollution, fruit, harvesters, cleaners, parameters)[1]
            for pollution, fruit in grid.pairs
        ],
        np.float64,
    )


def joint_actions() -> product[tuple[int, int, int]]:
    """Return all (places, first agent's index into `LEGAL`, second agent's)."""
    return product(range(NUM_PLACES), range(3), range(3))


def actions_of(places: int, first: int, second: int) -> tuple[int, int]:
    """Return the actions that two indices into `LEGAL` stand for."""
    return LEGAL[places & 1][first], LEGAL[places >> 1 & 1][second]


def places_after(places: int, actions: tuple[int, int]) -> int:
    """Return who is at the shore after these actions."""
    return places ^ sum((action == MOVE) << agent for agent, action in enumerate(actions))


def lump_sums(contract: Contract) -> Floats:
    """Return what each agent gains once when the contract is signed, (2,), reward units."""
    if contract.duration.step == 0:  # over before anything is booked
        return np.zeros(NUM_AGENTS)
    once = [clause for clause in contract.clauses if isinstance(clause, LumpSum)]
    due = transfers(Contract(once, parties=contract.parties), {agent: {} for agent in AGENTS})
    return np.array([due[agent] for agent in AGENTS])
