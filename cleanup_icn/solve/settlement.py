"""What contracts move in every state and for every joint action of two agents, as tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from cleanup_icn.config import SCHEDULED_NAMES, CleanupConfig
from cleanup_icn.contracts import Condition, Contract, transfers
from cleanup_icn.contracts.clauses import UnitClause
from cleanup_icn.solve.two_agents import (
    AGENTS,
    NUM_AGENTS,
    StageTables,
    actions_of,
    check_additive,
    joint_actions,
)
from cleanup_icn.solve.worlds import Floats
from cleanup_icn.state import CLEAN, HARVEST

_AMOUNTS = ("pollution", "fruit")


class Settlement:
    """The transfers of k contracts under one set of parameters; lump sums are left out.

    Raises `ConfigError` for a contract that `check_additive` refuses.
    """

    def __init__(
        self, config: CleanupConfig, contracts: Sequence[Contract], tables: StageTables
    ) -> None:
        for contract in contracts:
            check_additive(contract)
        self._contracts = tuple(contracts)
        self._changes = tuple(step for step in config.change_steps if step)
        self._are_announced = config.announce_changes
        self._tables = tables
        self._by_clause = [
            [self._of_clause(clause, contract) for clause in unit_clauses(contract)]
            for contract in self._contracts
        ]
        self._kept: dict[tuple[tuple[bool, ...], ...], Floats] = {}

    def at(self, step: int, *, believed_from: int | None = None) -> Floats:
        """Return what each agent gains in ``step``, (contracts, 2, 4, 3, 3, pairs), units.

        With ``believed_from``, as it is foreseen from that step: nobody expects a change of the
        world, and with it the end of a contract, that is not announced.
        """
        known = self._changes
        if believed_from is not None and not self._are_announced:
            known = tuple(change for change in known if change <= believed_from)
        due = tuple(
            self._due_clauses(each, step, min(known, default=None)) for each in self._contracts
        )
        if due not in self._kept:
            shape = (len(due), *self._tables.rewards.shape)
            found = np.zeros(shape)
            for k, flags in enumerate(due):
                for table, is_due in zip(self._by_clause[k], flags, strict=True):
                    if is_due:
                        found[k] += table
            self._kept[due] = found
        return self._kept[due]

    def _due_clauses(
        self, contract: Contract, step: int, first_change: int | None
    ) -> tuple[bool, ...]:
        """Say of each clause whether anything can be due in this step, amounts aside."""
        if not covers(contract, step, first_change):
            return (False,) * len(unit_clauses(contract))
        public = {"step": float(step), **_in_force(self._tables)}
        return tuple(
            clause.when is None or clause.when.feature in _AMOUNTS or clause.when.holds(public)
            for clause in unit_clauses(contract)
        )

    def _of_clause(self, clause: UnitClause, contract: Contract) -> Floats:
        """Return what a clause moves while it is due, (2, 4, 3, 3, pairs), units."""
        tables = self._tables
        unit: Any = replace(clause, when=None)
        always = Contract([unit], parties=contract.parties)
        found = np.zeros_like(tables.rewards)
        for places, a, b in joint_actions():
            shares = np.stack(
                [tables.harvest_share[places, a, b], tables.clean_share[places, a, b]]
            )
            distinct, inverse = np.unique(shares, axis=1, return_inverse=True)
            moved = np.zeros((NUM_AGENTS, distinct.shape[1]))
            for column, (harvested, cleaned) in enumerate(distinct.T):
                features = _features(actions_of(places, a, b), harvested, cleaned)
                gained = transfers(always, features)
                moved[:, column] = [gained[agent] for agent in AGENTS]
            found[:, places, a, b] = moved[:, inverse.reshape(-1)]
        if clause.when is not None and clause.when.feature in _AMOUNTS:
            found *= _holds(clause.when, tables)
        return found


def unit_clauses(contract: Contract) -> list[UnitClause]:
    """Return the clauses of a contract that are due step by step."""
    return [clause for clause in contract.clauses if isinstance(clause, UnitClause)]


def covers(contract: Contract, step: int, first_change: int | None) -> bool:
    """Whether a contract that is in force from the first step on still binds in ``step``."""
    duration = contract.duration
    if duration.until == "step":
        return step < (duration.step or 0)
    return duration.until != "change" or first_change is None or step < first_change


def _features(
    actions: tuple[int, int], harvested: float, cleaned: float
) -> dict[str, dict[str, float]]:
    """Return what contracts can pay for."""
    return {
        agent: {
            "harvested": harvested if action == HARVEST else 0.0,
            "cleaned": cleaned if action == CLEAN else 0.0,
            "reward": harvested if action == HARVEST else 0.0,
        }
        for agent, action in zip(AGENTS, actions, strict=True)
    }


def _in_force(tables: StageTables) -> dict[str, float]:
    return dict(zip(SCHEDULED_NAMES, tables.parameters, strict=False))


def _holds(when: Condition, tables: StageTables) -> Floats:
    return np.array(
        [when.holds(dict(zip(_AMOUNTS, pair, strict=True))) for pair in tables.grid.pairs],
        np.float64,
    )
