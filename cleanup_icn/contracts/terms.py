"""The values of a contract: clauses, how long they bind, and whom. Data, never code.

Every number is finite; booleans are refused. Numbers are kept as floats, so that a contract
written with ``rate=1`` equals the one that is read back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cleanup_icn.contracts.clauses import (
    ROLE_WORDS,
    Clause,
    ContractError,
    UnitClause,
    check_name,
)

UNTIL = ("end", "step", "change")
_ANY_CLAUSE = "a Share, Wage, Fine, Quota or LumpSum"


@dataclass(frozen=True)
class Duration:
    """How long a contract binds.

    Attributes:
        until: ``end`` (of the episode), ``step`` or ``change`` (of the world).
        step: with ``step`` only: the contract covers steps 0 to ``step - 1``.
    """

    until: str = "end"
    step: int | None = None

    def __post_init__(self) -> None:
        if self.until not in UNTIL:
            raise ContractError("until", self.until, "'end', 'step' or 'change'")
        if self.until != "step":
            if self.step is not None:
                raise ContractError("step", self.step, f"none with until {self.until!r}")
            return
        step: Any = self.step
        whole = isinstance(step, int | float) and not isinstance(step, bool) and step % 1 == 0
        if not whole or step < 0:
            raise ContractError("step", step, "a whole number of steps, at least 0")
        object.__setattr__(self, "step", int(step))


@dataclass(frozen=True)
class Contract:
    """Clauses, how long they bind, and whom.

    Attributes:
        clauses: any sequence of clauses, kept as a tuple; none for the null contract.
        duration: how long the contract binds; to the end when not given.
        parties: only these are bound, and ``others`` and ``all`` range over those of them that
            are present; None binds everyone.

    Raises:
        ContractError: a field that cannot be, or a named agent that is not a party.
    """

    clauses: Sequence[Clause] = ()
    duration: Duration = field(default_factory=Duration)
    parties: Sequence[str] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "clauses", _as_tuple("clauses", self.clauses))
        for index, clause in enumerate(self.clauses):
            if not isinstance(clause, Clause):
                raise ContractError(f"clauses[{index}]", clause, _ANY_CLAUSE)
        if not isinstance(self.duration, Duration):
            raise ContractError("duration", self.duration, "a Duration")
        if self.parties is not None:
            object.__setattr__(self, "parties", _as_tuple("parties", self.parties))
            self._check_parties(self.parties)

    def _check_parties(self, parties: Sequence[str]) -> None:
        if not parties or len(set(parties)) < len(parties):
            raise ContractError("parties", list(parties), "at least one agent, none twice")
        for index, party in enumerate(parties):
            check_name(f"parties[{index}]", party, what="an agent's name")
            if party in ROLE_WORDS:
                raise ContractError(f"parties[{index}]", party, "an agent's name, not a role word")
        for path, name in self.named_roles():
            if name not in parties:
                raise ContractError(path, name, f"a party: one of {', '.join(parties)}")

    @property
    def is_null(self) -> bool:
        """Whether nothing can ever be due."""
        return not self.clauses

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Features that the clauses measure, in order of appearance."""
        units = (clause for clause in self.clauses if isinstance(clause, UnitClause))
        return tuple(dict.fromkeys(clause.feature for clause in units))

    @property
    def public_names(self) -> tuple[str, ...]:
        """Public quantities that the conditions compare, in order of appearance."""
        units = (clause for clause in self.clauses if isinstance(clause, UnitClause))
        return tuple(dict.fromkeys(clause.when.feature for clause in units if clause.when))

    @property
    def agent_names(self) -> tuple[str, ...]:
        """Agents named as a party, a payer or a payee."""
        named = (name for _, name in self.named_roles())
        return tuple(dict.fromkeys([*(self.parties or ()), *named]))

    def named_roles(self) -> Iterator[tuple[str, str]]:
        """Each payer or payee that is an agent's name, with the path at which it stands."""
        for index, clause in enumerate(self.clauses):
            for side, name in (("payer", clause.payer), ("payee", clause.payee)):
                if name not in ROLE_WORDS:
                    yield f"clauses[{index}].{side}", name

    def joined(self, other: Contract) -> Contract:
        """The contract with the clauses of both.

        Raises:
            ContractError: the two differ in duration or in parties.
        """
        if other.duration != self.duration:
            raise ContractError("duration", other.duration, f"the same as {self.duration}")
        if other.parties != self.parties:
            raise ContractError("parties", other.parties, f"the same as {self.parties}")
        return Contract((*self.clauses, *other.clauses), self.duration, self.parties)

    # The forms below live in modules of their own, which import this one.

    def to_dict(self) -> dict[str, Any]:
        """The contract as plain JSON values."""
        from cleanup_icn.contracts.json_form import contract_to_dict

        return contract_to_dict(self)

    @classmethod
    def from_dict(cls, data: object) -> Contract:
        """The contract in plain JSON values; ContractError names the path of any fault."""
        from cleanup_icn.contracts.json_form import contract_from_dict

        return contract_from_dict(data)

    def to_json(self) -> str:
        """The contract as JSON text."""
        from cleanup_icn.contracts.json_form import render_json

        return render_json(self)

    @classmethod
    def from_json(cls, text: str) -> Contract:
        """The contract in JSON text; ContractError names the path of any fault."""
        from cleanup_icn.contracts.json_form import parse_json

        return parse_json(text)

    def to_text(self) -> str:
        """The contract as its one canonical English sentence."""
        from cleanup_icn.contracts.english import render_contract

        return render_contract(self)

    @classmethod
    def from_text(cls, text: str) -> Contract:
        """The contract in an English sentence; ContractError names the part not understood."""
        from cleanup_icn.contracts.english import parse_contract

        return parse_contract(text)


def _as_tuple(field: str, values: object) -> tuple[Any, ...]:
    if isinstance(values, str | bytes | Mapping) or not hasattr(values, "__iter__"):
        raise ContractError(field, values, "a list")
    return tuple(values)
