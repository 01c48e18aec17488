"""What a contract moves between agents in one step: pure, numbers in and numbers out.

For each subject i of a clause (see `cleanup_icn.contracts.clauses`) the amount is

    price * feature_i                (price: the fraction of a share, the rate of a wage or fine)
    amount if feature_i < at_least   (a quota)

split equally among i's counterparts present; the part to itself is zero, and with no counterpart
present nothing moves. Each part leaves one agent and reaches another, so every booking sums to
zero whatever the contract and whatever the features, negative ones included.

Amounts are rounded to 12 decimals, so that 0.6 for each of 3 units is 1.8 and not
1.7999999999999998. They are counted in whole ticks, Python integers, in which sums are exact.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from cleanup_icn.contracts.clauses import (
    ALL,
    OTHERS,
    Clause,
    ContractError,
    LumpSum,
    UnitClause,
)
from cleanup_icn.contracts.terms import Contract

AMOUNTS_PER_UNIT = 10**12  # an amount due is a whole number of these
TICKS_PER_AMOUNT = 10**12  # finer still, so that a third of an amount is as good as a float's
TICKS_PER_UNIT = AMOUNTS_PER_UNIT * TICKS_PER_AMOUNT

Features = Mapping[str, Mapping[str, float]]
Flow = tuple[str, str, int]  # payer, payee, ticks; negative ticks flow the other way


def to_ticks(value: float, *, field: str) -> int:
    """`value` in reward units as a whole number of ticks, rounded to 12 decimals.

    Raises:
        ContractError: the value is not a finite number; the message begins with `field`.
    """
    try:
        return round(float(value) * AMOUNTS_PER_UNIT) * TICKS_PER_AMOUNT
    except (TypeError, ValueError, OverflowError):
        raise ContractError(field, value, "a finite number") from None


def to_units(ticks: Mapping[str, int]) -> dict[str, float]:
    """Ticks as floats in reward units, which sum to zero if the ticks do.

    The nearest floats of everyday amounts sum to zero within 1e-13. Where they do not, all are
    put on one binary grid, that of the last digit of the sum of what is received. Float addition
    is exact on it in any order.
    """
    units = {agent: amount / TICKS_PER_UNIT for agent, amount in ticks.items()}
    if abs(sum(units.values())) < 1e-13 or sum(ticks.values()) != 0:
        return units
    received = sum(value for value in units.values() if value > 0)
    grid = math.ldexp(1.0, math.frexp(received)[1] - 53)
    on_grid = {agent: round(value / grid) * grid for agent, value in units.items()}
    largest = max(units, key=lambda agent: abs(units[agent]))
    on_grid[largest] = -sum(value for agent, value in on_grid.items() if agent != largest)
    return on_grid


class Ledger:
    """One signed contract, and what each of its clauses has moved so far."""

    def __init__(self, contract: Contract) -> None:
        self.contract = contract
        self._moved_ticks = [0] * len(contract.clauses)
        self._lump_sums_are_due = True

    def book(self, features: Features, public: Mapping[str, float] | None = None) -> dict[str, int]:
        """Book one step; return the ticks that each agent in `features` gains.

        Args:
            features: for each agent present, its features in this step; an unlisted feature is 0.
            public: quantities that conditions may compare.
        """
        present = tuple(features)
        if self.contract.parties is not None:
            present = tuple(agent for agent in present if agent in self.contract.parties)
        gains = dict.fromkeys(features, 0)
        for index, clause in enumerate(self.contract.clauses):
            for payer, payee, ticks in self._flows(index, clause, present, features, public or {}):
                gains[payer] -= ticks
                gains[payee] += ticks
        self._lump_sums_are_due = False
        return gains

    def _flows(
        self,
        index: int,
        clause: Clause,
        present: Sequence[str],
        features: Features,
        public: Mapping[str, float],
    ) -> list[Flow]:
        if isinstance(clause, LumpSum):
            return lump_sum_flows(clause, present) if self._lump_sums_are_due else []
        if clause.when is not None and not clause.when.holds(public):
            return []
        flows = unit_flows(clause, present, features)
        if clause.cap is None:
            return flows
        cap = to_ticks(clause.cap, field="cap")
        flows = scale_to_cap(flows, moved_ticks=self._moved_ticks[index], cap_ticks=cap)
        self._moved_ticks[index] += sum(ticks for _, _, ticks in flows)
        return flows


def transfers(
    contract: Contract,
    features: Features,
    public: Mapping[str, float] | None = None,
) -> dict[str, float]:
    """What each agent gains in a single booking of a contract just signed.

    Lump sums are included and caps are fresh; what happens over many steps is kept by
    `cleanup_icn.contracts.Accounts`. The duration plays no part here.

    Args:
        contract: the contract in force.
        features: ``{agent: {feature: value}}`` over the agents present. A feature that an agent
            does not list is 0. An agent without an entry is absent: it neither pays nor is paid.
        public: ``{quantity: value}`` for conditions; one on a quantity not listed does not hold.

    Returns:
        ``{agent: transfer}`` in reward units for every agent in `features`, 0.0 for those not
        involved; the values sum to zero.

    Raises:
        ContractError: a feature that a clause measures is not a finite number.

    >>> from cleanup_icn.contracts import Contract, Wage
    >>> wage = Wage(payer="others", payee="agent_1", per="cleaned", rate=0.6)
    >>> transfers(Contract([wage]), {"agent_0": {}, "agent_1": {"cleaned": 3.0}})
    {'agent_0': -1.8, 'agent_1': 1.8}
    """
    return to_units(Ledger(contract).book(features, public))


def unit_flows(clause: UnitClause, present: Sequence[str], features: Features) -> list[Flow]:
    """What a clause that measures a feature moves in one step, before its cap."""
    flows: list[Flow] = []
    for subject in subjects(clause.subject_role, clause.counterpart_role, present):
        ticks = _due_ticks(clause, subject, features[subject].get(clause.feature, 0.0))
        flows += subject_flows(clause, subject, ticks, present)
    return flows


def subject_flows(
    clause: UnitClause, subject: str, ticks: int, present: Sequence[str]
) -> list[Flow]:
    """What moves when so many ticks are due on account of one subject."""
    if not ticks:
        return []
    paid_with = counterparts(subject, clause.subject_role, clause.counterpart_role, present)
    others = [other for other in paid_with if other != subject]
    if clause.subject_side == "payer":
        return [(subject, other, ticks // len(paid_with)) for other in others]
    return [(other, subject, ticks // len(paid_with)) for other in others]


def _due_ticks(clause: UnitClause, subject: str, value: Any) -> int:
    try:
        number = float(value)
        # What is due under a quota is finite whatever the feature is.
        due = clause.due(number) if math.isfinite(number) else number
        return to_ticks(due, field=clause.feature)
    except (TypeError, ValueError, OverflowError):
        path = f"features[{subject!r}][{clause.feature!r}]"
        raise ContractError(path, value, "a finite number") from None


def lump_sum_flows(clause: LumpSum, present: Sequence[str]) -> list[Flow]:
    """What a lump sum moves, once, among the agents present."""
    flows: list[Flow] = []
    payers = subjects(clause.payer, clause.payee, present)
    for payer in payers:
        payees = counterparts(payer, clause.payer, clause.payee, present)
        for payee in payees:
            if payee != payer:
                ticks = to_ticks(clause.amount, field="amount")
                flows.append((payer, payee, ticks // (len(payers) * len(payees))))
    return flows


def scale_to_cap(flows: list[Flow], *, moved_ticks: int, cap_ticks: int) -> list[Flow]:
    """The flows, scaled down in proportion if |moved so far + these| would pass the cap."""
    total = sum(ticks for _, _, ticks in flows)
    if abs(moved_ticks + total) <= cap_ticks:
        return flows
    room = max(0, cap_ticks - moved_ticks if total > 0 else cap_ticks + moved_ticks)
    return [(payer, payee, ticks * room // abs(total)) for payer, payee, ticks in flows]


def subjects(role: str, counterpart_role: str, present: Sequence[str]) -> list[str]:
    """Agents present whose feature is measured under a subject role."""
    if role == OTHERS:
        # If the counterpart is a role word, no agent bears that name and everyone stays.
        return [agent for agent in present if agent != counterpart_role]
    if role == ALL:
        return list(present)
    return [role] if role in present else []


def counterparts(
    subject: str, subject_role: str, counterpart_role: str, present: Sequence[str]
) -> list[str]:
    """Agents present among whom a subject's amount is split, itself included under ``all``."""
    named = counterpart_role not in (ALL, OTHERS)
    group = [agent for agent in present if not named or agent == counterpart_role]
    if OTHERS in (subject_role, counterpart_role):
        return [agent for agent in group if agent != subject]
    return group
