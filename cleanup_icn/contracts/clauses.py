"""The clauses of a contract and their conditions. Data, never code.

Who is meant by a role
    A named agent; ``others``; or ``all``. The *subject* of a clause is the role whose feature is
    measured: the payee of a wage, else the payer. The *counterpart* is the other role. A named
    subject is that one; ``all`` is each agent in turn; ``others`` is everyone but the named
    counterpart. A subject's counterparts: the named one; everyone under ``all`` (the subject's
    part to itself is zero); everyone but the subject under ``others``. Where either role is
    ``others``, no agent is its own counterpart. Only agents present count, and, where the contract
    lists parties, only parties.
"""

from __future__ import annotations

import math
import numbers
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

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
    field: str,
    value: object,
    *,
    low: float | None = None,
    high: float | None = None,
    is_positive: bool = False,
) -> float:
    """Return `value` as a float if it is a finite number in [low, high]; raise otherwise."""
    expected = "a finite number"
    if is_positive:
        expected += " above 0"
    elif low is not None:
        expected += f" of at least {low:g}" if high is None else f" from {low:g} to {high:g}"
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise ContractError(field, value, expected)
    try:
        number = float(value)
    except OverflowError:
        raise ContractError(field, value, expected) from None
    outside = (low is not None and number < low) or (high is not None and number > high)
    if not math.isfinite(number) or outside or (is_positive and number <= 0):
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
    """What all but a lump sum have in common: money in every step, by somebody's feature.

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
        """Amount that moves for each unit of the feature, or for a quota missed, unsplit."""
        price: float = getattr(self, self.price_field)
        return price

    def due(self, value: float) -> float:
        """What is due in a step on account of a subject whose feature has this value."""
        return self.price * value

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
class Quota(UnitClause):
    """The payer pays ``amount`` (>= 0) in each step in which its ``per`` is below ``at_least``.

    A feature that is not listed is 0, and ``at_least`` is above 0, so whoever does nothing pays.
    A quota of 0 would be none: no agent does less than nothing.
    """

    kind: ClassVar[str] = "quota"
    subject_side: ClassVar[Literal["payer", "payee"]] = "payer"
    feature_field: ClassVar[str] = "per"
    price_field: ClassVar[str] = "amount"

    per: str
    at_least: float
    amount: float

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least = check_number("at_least", self.at_least, is_positive=True)
        object.__setattr__(self, "at_least", at_least)

    def due(self, value: float) -> float:
        """The amount if the feature is below the quota, else 0."""
        return self.amount if value < self.at_least else 0.0


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


Clause = Share | Wage | Fine | Quota | LumpSum
