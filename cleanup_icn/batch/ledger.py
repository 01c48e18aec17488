"""Accounts over lanes: what `cleanup_icn.contracts.Accounts` does for one game, for B.

The kernels read a `ContractTable`'s terms, in which all roles are already worked out. A step is
booked, then settled; what follows for the contract in force is for those to say who play.

`Accounts` counts whole ticks of 10^-24; here amounts are float64. What is due is rounded to 12
decimals as there, and no sum of a game's amounts is off by more than 1e-9: balances of up to about
10^5 agree within that, larger ones to 12 digits. Features are never negative.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cleanup_icn.batch.compiled import compiled
from cleanup_icn.batch.world import BatchFeatures, Flags, Floats, Ints, LaneStates, World
from cleanup_icn.contracts.table import NO_CONDITION, NO_QUOTA, ContractTable, Terms
from cleanup_icn.env import CleanupEnv
from cleanup_icn.observe import PUBLIC_FEATURES

NUM_PUBLIC = len(PUBLIC_FEATURES)
"""How many quantities conditions may compare."""

NUM_FEATURES = len(CleanupEnv.contract_features)
"""How many features clauses may measure; the last one is the reward."""

_AMOUNTS_PER_UNIT = 1e12
_AT_LEAST, _ABOVE, _AT_MOST, _BELOW, _EQUAL = range(5)  # places in `contracts.clauses.OPERATORS`


class LaneAccounts(NamedTuple):
    """The accounts of B lanes among N agents, in reward units; kernels write into them."""

    in_force: Ints  # (B,): index of the contract in force
    lump_sums_are_due: Flags  # (B,): whether nothing was booked since it was signed
    moved: Floats  # (B, C): what each of its clauses has moved
    balance: Floats  # (B, N): what each agent is due (or owes) and has not settled
    earned: Floats  # (B, N): game rewards so far
    transferred: Floats  # (B, N): received minus paid so far


def open_accounts(table: ContractTable, num_lanes: int) -> LaneAccounts:
    """Make accounts of B lanes, all empty, under the null contract."""
    _, most, num_agents, _ = table.terms.parts.shape
    return LaneAccounts(
        in_force=np.full(num_lanes, table.null_index, np.int64),
        lump_sums_are_due=np.ones(num_lanes, np.bool_),
        moved=np.zeros((num_lanes, most)),
        balance=np.zeros((num_lanes, num_agents)),
        earned=np.zeros((num_lanes, num_agents)),
        transferred=np.zeros((num_lanes, num_agents)),
    )


def clear(accounts: LaneAccounts, b: int) -> None:
    """Make a lane's accounts those of an episode that begins; then sign its contract."""
    for i in range(accounts.balance.shape[1]):
        accounts.balance[b, i] = 0.0
        accounts.earned[b, i] = 0.0
        accounts.transferred[b, i] = 0.0


def sign(accounts: LaneAccounts, b: int, contract: int) -> None:
    """Put a contract in force in a lane from the next booking on, caps and lump sums fresh."""
    accounts.in_force[b] = contract
    accounts.lump_sums_are_due[b] = True
    for c in range(accounts.moved.shape[1]):
        accounts.moved[b, c] = 0.0


def end_if_over(
    terms: Terms, accounts: LaneAccounts, b: int, next_step: int, null_index: int
) -> None:
    """Sign the null contract in place of one that does not cover the step to come."""
    if next_step >= terms.end_step[accounts.in_force[b]]:
        sign(accounts, b, null_index)


def within_cap(moved: float, total: float, cap: float) -> float:
    """What part of a step's total can still be moved under a cap, 0..1."""
    if total == 0.0 or abs(moved + total) <= cap:
        return 1.0
    room = cap - moved if total > 0.0 else cap + moved
    return max(0.0, room) / abs(total)


def holds(operator: int, quantity: float, value: float) -> bool:
    """Whether a comparison holds; the operator is its place in `contracts.clauses.OPERATORS`."""
    if operator == _AT_LEAST:
        return quantity >= value
    if operator == _ABOVE:
        return quantity > value
    if operator == _AT_MOST:
        return quantity <= value
    if operator == _BELOW:
        return quantity < value
    if operator == _EQUAL:
        return quantity == value
    return quantity != value


def rounded(amount: float) -> float:
    """The amount to 12 decimals, as `Accounts` rounds what is due and what is earned."""
    return np.rint(amount * _AMOUNTS_PER_UNIT) / _AMOUNTS_PER_UNIT  # type: ignore[no-any-return]


def due_for(value: float, price: float, quota: float) -> float:
    """What is due for a feature: its price by units, or once if it is below a quota."""
    if quota == NO_QUOTA:
        return price * value
    return price if value < quota else 0.0


@compiled
def book(
    terms: Terms, accounts: LaneAccounts, plays: Flags, features: BatchFeatures, public: Floats
) -> None:
    """Accrue one step under the contracts in force, in the lanes that played it.

    Args:
        terms: of all contracts.
        accounts: written to.
        plays: (B,): which lanes played; nothing is done in the others.
        features: of the step.
        public: (B, P) what everybody saw before the step, which conditions compare.
    """
    num_agents = accounts.balance.shape[1]
    values, due = np.empty((num_agents, NUM_FEATURES)), np.empty(num_agents)
    for b in range(plays.shape[0]):
        if not plays[b]:
            continue
        k = accounts.in_force[b]
        once = 1.0 if accounts.lump_sums_are_due[b] else 0.0
        accounts.lump_sums_are_due[b] = False
        for i in range(num_agents):
            values[i, 0] = values[i, 3] = features.harvested[b, i]  # which is the reward as well
            values[i, 1] = features.cleaned[b, i]
            values[i, 2] = features.illegal[b, i]
            accounts.earned[b, i] += rounded(features.harvested[b, i])
            accounts.balance[b, i] += once * terms.lump_sums[k, i]
        for c in range(terms.num_clauses[k]):
            q = terms.public[k, c]
            if q != NO_CONDITION and not holds(
                terms.operator[k, c], public[b, q], terms.value[k, c]
            ):
                continue
            total = 0.0
            for i in range(num_agents):
                value = values[i, terms.feature[k, c]]
                due[i] = rounded(due_for(value, terms.price[k, c], terms.quota[k, c]))
                total += due[i] * terms.moved[k, c, i]
            part = within_cap(accounts.moved[b, c], total, terms.cap[k, c])
            accounts.moved[b, c] += part * total
            for i in range(num_agents):
                if due[i] != 0.0:
                    for j in range(num_agents):
                        accounts.balance[b, j] += part * due[i] * terms.parts[k, c, i, j]


@compiled
def settle(accounts: LaneAccounts, settles: Flags, is_limited: bool, transfers: Floats) -> None:
    """Close the open balances of some lanes.

    With limited liability nobody pays more than ``max(0, earned + transferred)``; creditors share
    the shortfall in proportion, and it is forgiven. `Accounts.settle` is the same for one game.

    Args:
        accounts: written to.
        settles: (B,): in which lanes.
        is_limited: whether liability is limited.
        transfers: (B, N): what changed hands is written here, 0 in the other lanes.
    """
    for b in range(settles.shape[0]):
        paid = credit = 0.0
        for i in range(transfers.shape[1]):
            transfers[b, i] = accounts.balance[b, i] if settles[b] else 0.0
            if is_limited and transfers[b, i] < 0.0:
                has = max(0.0, accounts.earned[b, i] + accounts.transferred[b, i])
                transfers[b, i] = max(transfers[b, i], -has)
                paid -= transfers[b, i]
            else:
                credit += max(0.0, transfers[b, i])
        if settles[b]:
            for i in range(transfers.shape[1]):
                if is_limited and transfers[b, i] > 0.0:
                    transfers[b, i] *= paid / credit
                accounts.transferred[b, i] += transfers[b, i]
                accounts.balance[b, i] = 0.0


@compiled
def read_public(world: World, lanes: LaneStates, public: Floats) -> None:
    """Write what everybody sees, (B, 10): the public quantities that conditions may compare."""
    for b in range(public.shape[0]):
        s = world.segment[lanes.step[b]]
        public[b, 0] = lanes.pollution[b]
        public[b, 1] = lanes.fruit[b]
        public[b, 2] = lanes.step[b]
        for k in range(world.amounts.shape[1]):
            public[b, 3 + k] = world.amounts[s, k]
        for k in range(world.probs.shape[1]):
            public[b, 8 + k] = world.probs[s, k]
