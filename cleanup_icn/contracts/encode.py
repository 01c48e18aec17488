"""A contract as a vector of fixed length, as seen by one agent: for learners."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from cleanup_icn.contracts.clauses import (
    ALL,
    OPERATORS,
    OTHERS,
    Clause,
    ContractError,
    Fine,
    LumpSum,
    Quota,
    Share,
    Wage,
)
from cleanup_icn.contracts.terms import UNTIL, Contract

LARGEST = 1e6  # numbers in a vector are clipped to this much either way
_TYPES = tuple(cls.kind for cls in (Share, Wage, Fine, LumpSum))
# A quota has no entry among them: policies trained before there were quotas go on reading vectors.
Vector = NDArray[np.float32]


class ContractEncoder:
    """Turns contracts over a fixed vocabulary into vectors of one length.

    Layout, F features, P public quantities, first the clauses in order, zeros where there is
    none::

        present | type (4) | feature (F) | number | has cap | cap
                | has when | public quantity (P) | operator (6) | value | I pay | I receive

    and then ``until`` (3: end, step, change) and the step, in steps or, with `horizon_steps`, as
    a fraction of the horizon. Words are one-hot. "I pay" and "I receive" are 1 if the agent for
    whom the vector is made can be on that side of the clause. The types are share, wage, fine and
    lump sum; a quota is of none of them and has its ``at_least`` in the place of its feature's 1.

    Args:
        agents: names that a contract may use.
        feature_names: features that its clauses may measure.
        public_names: public quantities that its conditions may compare.
        max_clauses: most clauses it may have.
        horizon_steps: length of an episode, if known.
    """

    def __init__(
        self,
        *,
        agents: Sequence[str],
        feature_names: Sequence[str],
        public_names: Sequence[str] = (),
        max_clauses: int = 4,
        horizon_steps: int | None = None,
    ) -> None:
        self.agents = tuple(agents)
        self.feature_names = tuple(feature_names)
        self.public_names = tuple(public_names)
        self.max_clauses = max_clauses
        self.horizon_steps = horizon_steps
        if max_clauses < 0:
            raise ContractError("max_clauses", max_clauses, "a number of clauses, at least 0")
        if horizon_steps is not None and horizon_steps <= 0:
            raise ContractError("horizon_steps", horizon_steps, "a number of steps, at least 1")

        words = len(_TYPES) + len(self.feature_names)
        conditions = len(self.public_names) + len(OPERATORS)
        self._clause_size = words + conditions + 8
        self.size = max_clauses * self._clause_size + len(UNTIL) + 1
        self.space = spaces.Box(-LARGEST, LARGEST, (self.size,), np.float32)

    def encode(self, contract: Contract, agent: str) -> Vector:
        """The vector (float32, shape ``(size,)``) of a contract as `agent` sees it.

        Raises:
            ContractError: the contract has more clauses than fit, or a name not in the vocabulary.
        """
        self.check(contract)
        rows: list[float] = []
        for clause in contract.clauses:
            rows += self._encode_clause(clause, contract, agent)
        rows += [0.0] * ((self.max_clauses - len(contract.clauses)) * self._clause_size)
        rows += _one_hot(contract.duration.until, UNTIL)
        # A step may be an integer that no float can hold.
        last = min(contract.duration.step or 0, int(LARGEST) * (self.horizon_steps or 1))
        rows.append(last / (self.horizon_steps or 1))
        return np.clip(rows, -LARGEST, LARGEST).astype(np.float32)

    def check(self, contract: Contract) -> None:
        """Raise ContractError if the contract cannot be encoded."""
        if len(contract.clauses) > self.max_clauses:
            raise ContractError(
                "clauses", len(contract.clauses), f"at most {self.max_clauses} (max_clauses)"
            )
        for field, names, allowed in (
            ("agents", contract.agent_names, self.agents),
            ("features", contract.feature_names, self.feature_names),
            ("public", contract.public_names, self.public_names),
        ):
            for name in names:
                if name not in allowed:
                    raise ContractError(field, name, f"one of {', '.join(allowed) or 'none'}")

    def _encode_clause(self, clause: Clause, contract: Contract, agent: str) -> list[float]:
        row = [1.0, *_one_hot(clause.kind, _TYPES)]
        if isinstance(clause, LumpSum):
            row += _one_hot(None, self.feature_names)
            row += [clause.amount, 0.0, 0.0, 0.0]
            row += [0.0] * (len(self.public_names) + len(OPERATORS) + 1)
        else:
            when = clause.when
            mark = clause.at_least if isinstance(clause, Quota) else 1.0
            row += [mark * each for each in _one_hot(clause.feature, self.feature_names)]
            row += [clause.price, float(clause.cap is not None), clause.cap or 0.0]
            row += [float(when is not None)]
            row += _one_hot(when.feature if when else None, self.public_names)
            row += _one_hot(when.op if when else None, OPERATORS)
            row += [when.value if when else 0.0]
        bound = contract.parties is None or agent in contract.parties
        pays = bound and _can_be(agent, clause.payer, clause.payee)
        receives = bound and _can_be(agent, clause.payee, clause.payer)
        return [*row, float(pays), float(receives)]


def _can_be(agent: str, role: str, other_role: str) -> bool:
    return role in (agent, ALL) or (role == OTHERS and other_role != agent)


def _one_hot(word: str | None, words: Sequence[str]) -> list[float]:
    return [float(word == each) for each in words]
