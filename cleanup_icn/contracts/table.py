"""Contracts as arrays of numbers, for kernels that play many lanes at once.

Who pays whom is worked out here, by the functions that book contracts one at a time
(`cleanup_icn.contracts.transfer`), applied to one unit due on account of one agent. What a clause
moves is linear in what is due, before its cap, so those units are all that a kernel has to know.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cleanup_icn.contracts.clauses import OPERATORS, ContractError, LumpSum, Quota, UnitClause
from cleanup_icn.contracts.encode import ContractEncoder
from cleanup_icn.contracts.terms import Contract
from cleanup_icn.contracts.transfer import TICKS_PER_UNIT, Ledger, subject_flows, subjects

NO_CONDITION = -1
"""In the place of a public quantity's index: the clause pays in every step."""

NO_QUOTA = 0.0
"""In the place of a quota, which is above 0: the clause counts units of the feature."""

NEVER = np.iinfo(np.int64).max
"""In the place of a step: it never comes."""

LARGEST_PRICE = 1e12
"""Amounts are floats here; beyond this they would be counted too coarsely."""

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


class Terms(NamedTuple):
    """The terms of K contracts, at most C clauses that measure in each, among N agents.

    Unused places of contracts with fewer clauses are zero. Lump sums are no clauses here.
    """

    num_clauses: Ints  # [K]
    feature: Ints  # [K, C] index of the feature that is measured
    price: Floats  # [K, C] reward units due for each unit of it, or for a quota missed
    quota: Floats  # [K, C] below this the price is due, once; NO_QUOTA where it is due by units
    parts: Floats  # [K, C, N, N] what agent j gains when 1 is due on account of subject i
    moved: Floats  # [K, C, N] how much of that passes between different agents
    cap: Floats  # [K, C] most that is moved in all, infinity for no limit
    public: Ints  # [K, C] index of the quantity that is compared, or NO_CONDITION
    operator: Ints  # [K, C] index in `OPERATORS`
    value: Floats  # [K, C] what the quantity is compared with
    lump_sums: Floats  # [K, N] what each agent gains once, at the first booking
    end_step: Ints  # [K] the contract covers the steps before this one, NEVER for all
    until_change: npt.NDArray[np.bool_]  # [K] whether it is over when the world has changed


@dataclass(frozen=True, eq=False)
class ContractTable:
    """K contracts over one vocabulary; the null contract is always among them.

    Make one with `ContractTable.of`. The arrays are read-only.

    Attributes:
        contracts: those given, in order, and the null contract if it was not given.
        num_given: how many were given.
        null_index: where the null contract stands.
        terms: what kernels read.
        rows: the contracts as each agent sees them, float32 (K, N, size).
    """

    contracts: tuple[Contract, ...]
    num_given: int
    null_index: int
    terms: Terms
    rows: npt.NDArray[np.float32]

    @classmethod
    def of(
        cls,
        contracts: Sequence[Contract],
        *,
        agents: Sequence[str],
        feature_names: Sequence[str],
        public_names: Sequence[str],
        encoder: ContractEncoder,
    ) -> ContractTable:
        """Lay out contracts among agents who are all present in every step.

        Args:
            contracts: at least one; one may be given twice.
            agents: the agents, in the order of their indices.
            feature_names: the features that clauses may measure, in the order of their indices.
            public_names: the quantities that conditions may compare, likewise.
            encoder: turns contracts into vectors; its vocabulary may be larger.

        Raises:
            ContractError: no contract, one in plain language, or one that names what there is
                not, that the encoder cannot hold, or that has a price above `LARGEST_PRICE`.
        """
        given = checked_contracts(contracts)
        vocabulary = _Vocabulary(tuple(agents), tuple(feature_names), tuple(public_names))
        for index, contract in enumerate(given):
            try:
                vocabulary.check(contract)
                encoder.check(contract)
            except ContractError as error:
                raise error.within(f"contracts[{index}]") from None
        known = given if Contract() in given else (*given, Contract())
        rows = np.array([[encoder.encode(each, agent) for agent in agents] for each in known])
        rows.setflags(write=False)
        return cls(
            contracts=known,
            num_given=len(given),
            null_index=known.index(Contract()),
            terms=_lay_out(known, vocabulary),
            rows=rows,
        )


def checked_contracts(contracts: object) -> tuple[Contract, ...]:
    """Return a list of contracts as a tuple.

    Raises:
        ContractError: this is no list, it is empty, or one of them is not made of clauses.
    """
    if not isinstance(contracts, Sequence) or not contracts:
        raise ContractError("contracts", contracts, "a list of at least one contract")
    for index, contract in enumerate(contracts):
        if type(contract) is not Contract:
            raise ContractError(f"contracts[{index}]", contract, "a Contract made of clauses")
    return tuple(contracts)


class _Vocabulary(NamedTuple):
    agents: tuple[str, ...]
    features: tuple[str, ...]
    public: tuple[str, ...]

    def check(self, contract: Contract) -> None:
        """Raise ContractError if a name is not known or a price too large."""
        for field, names, allowed in (
            ("agents", contract.agent_names, self.agents),
            ("features", contract.feature_names, self.features),
            ("public", contract.public_names, self.public),
        ):
            for name in names:
                if name not in allowed:
                    raise ContractError(field, name, f"one of {', '.join(allowed) or 'none'}")
        for index, clause in enumerate(contract.clauses):
            field = "amount" if isinstance(clause, LumpSum) else clause.price_field
            price = getattr(clause, field)
            if price > LARGEST_PRICE:
                allowed_price = f"a number of at most {LARGEST_PRICE:g}"
                raise ContractError(f"clauses[{index}].{field}", price, allowed_price)


def _lay_out(contracts: Sequence[Contract], vocabulary: _Vocabulary) -> Terms:
    units = [[c for c in each.clauses if isinstance(c, UnitClause)] for each in contracts]
    k, n = len(contracts), len(vocabulary.agents)
    most = max(1, *map(len, units))
    terms = Terms(
        num_clauses=np.array([len(clauses) for clauses in units], np.int64),
        feature=np.zeros((k, most), np.int64),
        price=np.zeros((k, most)),
        quota=np.full((k, most), NO_QUOTA),
        parts=np.zeros((k, most, n, n)),
        moved=np.zeros((k, most, n)),
        cap=np.full((k, most), np.inf),
        public=np.full((k, most), NO_CONDITION, np.int64),
        operator=np.zeros((k, most), np.int64),
        value=np.zeros((k, most)),
        lump_sums=np.array([_lump_sums(each, vocabulary.agents) for each in contracts]),
        end_step=np.array([_end_step(each) for each in contracts], np.int64),
        until_change=np.array([each.duration.until == "change" for each in contracts]),
    )
    for index, contract in enumerate(contracts):
        for place, clause in enumerate(units[index]):
            _set_clause(terms, (index, place), clause, contract, vocabulary)
    for array in terms:
        array.setflags(write=False)
    return terms


def _set_clause(
    terms: Terms,
    place: tuple[int, int],
    clause: UnitClause,
    contract: Contract,
    vocabulary: _Vocabulary,
) -> None:
    terms.feature[place] = vocabulary.features.index(clause.feature)
    terms.price[place] = clause.price
    if isinstance(clause, Quota):
        terms.quota[place] = clause.at_least
    if clause.cap is not None:
        terms.cap[place] = clause.cap
    if clause.when is not None:
        terms.public[place] = vocabulary.public.index(clause.when.feature)
        terms.operator[place] = OPERATORS.index(clause.when.op)
        terms.value[place] = clause.when.value
    terms.parts[place], terms.moved[place] = _unit_parts(clause, contract, vocabulary.agents)


def _unit_parts(
    clause: UnitClause, contract: Contract, agents: tuple[str, ...]
) -> tuple[Floats, Floats]:
    """What each agent gains when 1 is due on account of each subject; how much of it is moved."""
    bound = [agent for agent in agents if contract.parties is None or agent in contract.parties]
    parts, moved = np.zeros((len(agents), len(agents))), np.zeros(len(agents))
    for subject in subjects(clause.subject_role, clause.counterpart_role, bound):
        i = agents.index(subject)
        for payer, payee, ticks in subject_flows(clause, subject, TICKS_PER_UNIT, bound):
            parts[i, agents.index(payer)] -= ticks / TICKS_PER_UNIT
            parts[i, agents.index(payee)] += ticks / TICKS_PER_UNIT
            moved[i] += ticks / TICKS_PER_UNIT
    return parts, moved


def _lump_sums(contract: Contract, agents: Sequence[str]) -> list[float]:
    """What each agent gains once, at the first booking."""
    once = [clause for clause in contract.clauses if isinstance(clause, LumpSum)]
    paid_once = Contract(once, parties=contract.parties)
    gains = Ledger(paid_once).book({agent: {} for agent in agents})
    return [gains[agent] / TICKS_PER_UNIT for agent in agents]


def _end_step(contract: Contract) -> int:
    step = contract.duration.step
    return NEVER if step is None else min(step, NEVER)
