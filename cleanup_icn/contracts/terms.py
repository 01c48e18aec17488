"""The values of a contract: clauses, conditions, duration, parties. Data, never code.

Who is meant by a role
    A named agent; ``others``; or ``all``. The *subject* of a clause is the role whose feature is
    measured: the payer of a share or a fine, the payee of a wage. The *counterpart* is the other
    role. A named subject is that one; ``all`` is each agent in turn; ``others`` is everyone but
    the named counterpart. A subject's counterparts: the named one; everyone under ``all`` (the
    subject's part to itself is zero); everyone but the subject under ``others``. Where either
    role is ``others``, no agent is its own counterpart. Only agents present count, and, where the
    contract lists parties, only parties.

Every number is finite; booleans are refused. Numbers are kept as floats, so that a contract
written with ``rate=1`` equals the one that is read back.
"""

from __future__ import annotations

import math
import numbers
import operator
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

ALL = "all"
OTHERS = "others"
ROLE_WORDS = (OTHERS, ALL)
_COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    ">": operator.gt,
    "<=": operator.le,
    "<": operator.lt,
    "==": operator.eq,
    "!=": operator.ne,
}
OPERATORS = tuple(_COMPARISONS)
UNTIL = ("end", "step", "change")
_NAME = re.compile(r"[A-Za-z0-9_]+")


class ContractError(ValueError):
    """A contract, or the way it is put to use, that cannot be.

    Attributes:
        field: where the fault is, a path such as ``clauses[1].rate``.
        value: what was found there.
        expected: what is allowed there.
    """

    def __init__(self, field: str, value: object, expected: str) -> None:
        self.field = field
        self.value = value
        self.expected = expected
        super().__init__(f"{field} = {value!r}: expected {expected}")

    def __reduce__(self) -> tuple[type[ContractError], tuple[str, object, str]]:
        return type(self), (self.field, self.value, self.expected)

    def within(self, path: str) -> ContractError:
        """The same fault, seen from one level further out."""
        return ContractError(f"{path}.{self.field}", self.value, self.expected)


def check_name(field: str, value: object, *, what: str) -> str:
    """Return `value` if it is a name; raise ContractError otherwise."""
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise ContractError(field, value, f"{what}: letters, digits and underscores")
    return value


def check_number(
    field: str, value: object, *, low: float | None = None, high: float | None = None
) -> float:
    """Return `value` as a float if it is a finite number in [low, high]; raise otherwise."""
    expected = "a finite number"
    if low is not None:
        expected += f" of at least {low:g}" if high is None else f" from {low:g} to {high:g}"
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise ContractError(field, value, expected)
    try:
        number = float(value)
    except OverflowError:
        raise ContractError(field, value, expected) from None
    outside = (low is not None and number < low) or (high is not None and number > high)
    if not math.isfinite(number) or outside:
        raise ContractError(field, value, expected)
    # Adding 0.0 turns -0.0 into 0.0, which would otherwise be equal but written differently.
    return number + 0.0


@dataclass(frozen=True)
class Condition:
    """A comparison of a public quantity with a number, e.g. ``pollution >= 6``.

    A condition on a quantity that is not public does not hold.
    """

    feature: str
    op: str
    value: float

    def __post_init__(self) -> None:
        check_name("feature", self.feature, what="the name of a public quantity")
        if self.op not in OPERATORS:
            raise ContractError("op", self.op, f"one of {' '.join(OPERATORS)}")
        object.__setattr__(self, "value", check_number("value", self.value))

    def holds(self, public: Mapping[str, float]) -> bool:
        """Whether the condition holds for the public quantities given."""
        if self.feature not in public:
            return False
        return bool(_COMPARISONS[self.op](public[self.feature], self.value))


@dataclass(frozen=True, kw_only=True)
class UnitClause:
    """What share, wage and fine have in common: money for each unit of somebody's feature.

    Attributes:
        payer: role that pays.
        payee: role that is paid.
        cap: most that the clause moves in total between different agents over the life of the
            contract, as |net amount moved|; None for no limit. A step that would pass it is
            scaled down in proportion.
        when: the clause pays only in steps in which this holds; None for always.
    """

    kind: ClassVar[str]
    subject_side: ClassVar[Literal["payer", "payee"]]
    feature_field: ClassVar[str]
    price_field: ClassVar[str]
    highest_price: ClassVar[float | None] = None

    payer: str
    payee: str
    cap: float | None = None
    when: Condition | None = None

    def __post_init__(self) -> None:
        _check_roles(self.payer, self.payee)
        check_name(self.feature_field, self.feature, what="the name of a feature")
        price = check_number(self.price_field, self.price, low=0, high=self.highest_price)
        object.__setattr__(self, self.price_field, price)
        if self.cap is not None:
            object.__setattr__(self, "cap", check_number("cap", self.cap, low=0))
        if self.when is not None and not isinstance(self.when, Condition):
            raise ContractError("when", self.when, "a Condition or None")

    @property
    def feature(self) -> str:
        """Name of the feature that is measured."""
        return str(getattr(self, self.feature_field))

    @property
    def price(self) -> float:
        """Amount that moves for each unit of the feature, before it is split."""
        price: float = getattr(self, self.price_field)
        return price

    @property
    def subject_role(self) -> str:
        """Role whose feature is measured."""
        return self.payer if self.subject_side == "payer" else self.payee

    @property
    def counterpart_role(self) -> str:
        """The other role."""
        return self.payee if self.subject_side == "payer" else self.payer


@dataclass(frozen=True, kw_only=True)
class Share(UnitClause):
    """The payer hands over a fraction, in [0, 1], of its feature ``of``."""

    kind: ClassVar[str] = "share"
    subject_side: ClassVar[Literal["payer", "payee"]] = "payer"
    feature_field: ClassVar[str] = "of"
    price_field: ClassVar[str] = "fraction"
    highest_price: ClassVar[float | None] = 1.0

    of: str
    fraction: float


@dataclass(frozen=True, kw_only=True)
class Wage(UnitClause):
    """The payers pay ``rate`` (>= 0, in all) for each unit of the payee's feature ``per``."""

    kind: ClassVar[str] = "wage"
    subject_side: ClassVar[Literal["payer", "payee"]] = "payee"
    feature_field: ClassVar[str] = "per"
    price_field: ClassVar[str] = "rate"

    per: str
    rate: float


@dataclass(frozen=True, kw_only=True)
class Fine(UnitClause):
    """The payer pays ``rate`` (>= 0) for each unit of its own feature ``per``."""

    kind: ClassVar[str] = "fine"
    subject_side: ClassVar[Literal["payer", "payee"]] = "payer"
    feature_field: ClassVar[str] = "per"
    price_field: ClassVar[str] = "rate"

    per: str
    rate: float


@dataclass(frozen=True, kw_only=True)
class LumpSum:
    """``amount`` (>= 0), due once, at the first booking after the contract is signed.

    It is split equally among the payers present, and each payer's part among its payees.
    """

    kind: ClassVar[str] = "lump_sum"

    payer: str
    payee: str
    amount: float

    def __post_init__(self) -> None:
        _check_roles(self.payer, self.payee)
        object.__setattr__(self, "amount", check_number("amount", self.amount, low=0))


def _check_roles(payer: object, payee: object) -> None:
    what = "an agent's name, 'others' or 'all'"
    check_name("payer", payer, what=what)
    check_name("payee", payee, what=what)


Clause = Share | Wage | Fine | LumpSum


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
                raise ContractError(f"clauses[{index}]", clause, "a Share, Wage, Fine or LumpSum")
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
