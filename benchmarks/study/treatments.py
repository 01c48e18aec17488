"""Treatments: which contract a change finds in force, and what becomes of that contract.

The treatments of a family begin with the same contract and nobody is told what will become of it,
so that play before the change is the same under all of them and the change finds the same state.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import permutations

from benchmarks.cleanup.conditions import MODEL_JUDGE, Fixed, Negotiated
from benchmarks.study.designed import FAMILIES, PRICES, contract_of, designed
from cleanup_icn import CleanupConfig, ConfigError
from cleanup_icn.contracts import Contract, LumpSum
from cleanup_icn.solve.two_agents import AGENTS

STAYS, EXPIRES, RENEGOTIATED, JUDGED = "stays", "expires", "renegotiated", "judged"

FATES = (STAYS, EXPIRES, RENEGOTIATED, JUDGED)
"""What becomes of a contract.

``stays``: it binds to the end. ``expires``: none binds from the first change on. ``renegotiated``:
talks are held at every change, and at no other time. ``judged``: talks are held when a judge says
so, at a cost.
"""

JUDGES = {
    "never": "never",
    "start": "start",
    "every-5": "every:5",
    "every-10": "every:10",
    "every-25": "every:25",
    "change": "change",
    "change-only": "change-only",
    "welfare-fall": "welfare-fall",
}
"""Judges as treatments name them, and as Cleanup does."""

COSTS_STEPS = (0, 1, 2, 5)
"""What talks may cost: steps of forced waiting after each."""

MENU_WAGES = (0.5, 1.0, 1.5, 2.0, 2.5, 3.0)
MENU_SHARES = (0.2, 0.3, 0.4, 0.5)
MENU_PAYMENTS = (10.0, 20.0, 40.0)
"""What may be proposed: these prices and, with side payments, these lump sums beside them."""

DISAGREEMENTS = ("keep", "void")
"""What failed talks leave in force: the contract of before, or none."""

MAX_ROUNDS = 3
"""Proposals in one negotiation."""

_ON_CHANGE = "change-only"
_NEVER_ANY = "never-any"


@dataclass(frozen=True, kw_only=True)
class Treatment:
    """A family of contracts, and what becomes of the one that a change finds in force.

    Raises `ConfigError` for fields that do not go together.
    """

    family: str | None  # of `FAMILIES`; or "wage" or "share" with a price; None: no contract ever
    fate: str = STAYS  # one of `FATES`
    price: float | None = None  # of a contract that was not designed
    judge: str | None = None  # of `JUDGES`, or "model"; None where no talks are held
    cost_steps: int = 0  # steps of forced waiting after talks
    history: bool = True  # whether talks show what was agreed on before
    disagreement: str = "keep"  # one of `DISAGREEMENTS`
    side_payments: bool = True  # whether lump sums may be proposed beside wages and shares

    def __post_init__(self) -> None:
        """Check that the fields go together."""
        families = (*FAMILIES, *PRICES, None)
        for name, allowed in (
            ("family", families),
            ("fate", FATES),
            ("disagreement", DISAGREEMENTS),
            ("judge", self._judges()),
        ):
            if getattr(self, name) not in allowed:
                told = ", ".join(map(str, allowed))
                raise ConfigError(name, getattr(self, name), f"one of {told}")
        if (self.price is not None) != (self.family in PRICES):
            raise ConfigError("price", self.price, f"one where the family is {' or '.join(PRICES)}")
        if self.price is not None and self.price != round(self.price, 2):
            raise ConfigError("price", self.price, "two decimals at most, as in its name")
        if self.family not in FAMILIES and self.fate != STAYS:
            raise ConfigError("fate", self.fate, f"{STAYS}, for family {self.family}")
        if self.cost_steps not in ((*COSTS_STEPS,) if self.fate == JUDGED else (0,)):
            raise ConfigError("cost_steps", self.cost_steps, f"0, or with {JUDGED}: {COSTS_STEPS}")
        is_plain = self.history and self.disagreement == "keep" and self.side_payments
        if self.fate != RENEGOTIATED and not is_plain:
            named = "history, disagreement or side_payments"
            raise ConfigError(named, self.fate, f"fate {RENEGOTIATED}")

    def _judges(self) -> tuple[str | None, ...]:
        """Return which judges the fate goes with."""
        by_fate = {RENEGOTIATED: (_ON_CHANGE, MODEL_JUDGE), JUDGED: tuple(JUDGES)}
        return by_fate.get(self.fate, (None,))

    @property
    def name(self) -> str:
        """What the condition is called; `from_name` reads it."""
        if self.family is None:
            return _NEVER_ANY
        if self.price is not None:
            return f"{self.family}-{self.price:.2f}"
        if self.fate == EXPIRES:
            return f"{self.family}-expires"
        if self.fate == JUDGED:
            return f"{self.family}-{self.judge}-cost{self.cost_steps}"
        if self.fate == STAYS:
            return self.family
        parts = [self.family, "change"] + ["bare"] * (not self.side_payments)
        parts += ["nohistory"] * (not self.history) + ["void"] * (self.disagreement == "void")
        parts += ["model-judge"] * (self.judge == MODEL_JUDGE)
        return "-".join(parts)

    @classmethod
    def from_name(cls, name: str) -> Treatment:
        """Return the treatment of this name. Raises `ConfigError` where it is none."""
        found = _NAME.fullmatch(name)
        if found is None:
            raise ConfigError("condition", name, "as in least-wage, fair-share-change, wage-0.50")
        if found["never"]:
            return cls(family=None)
        if found["kind"]:
            return cls(family=found["kind"], price=float(found["price"]))
        family = found["family"]
        if found["expires"]:
            return cls(family=family, fate=EXPIRES)
        if found["judge"]:
            cost = int(found["cost"])
            return cls(family=family, fate=JUDGED, judge=found["judge"], cost_steps=cost)
        if not found["change"]:
            return cls(family=family)
        return cls(
            family=family,
            fate=RENEGOTIATED,
            judge=MODEL_JUDGE if found["model"] else _ON_CHANGE,
            history=not found["nohistory"],
            disagreement="void" if found["void"] else "keep",
            side_payments=not found["bare"],
        )

    def contract(self, base: CleanupConfig) -> Contract:
        """Return what is in force from the first step on in a world that is so at first."""
        if self.family is None:
            return Contract()
        if self.price is not None:
            return contract_of(self.family, self.price)
        return designed(base, self.family).contract

    def condition(self, base: CleanupConfig) -> Fixed | Negotiated:
        """Return the condition in a world that is so at first; a model cannot judge it yet."""
        contract = self.contract(base)
        if self.fate == STAYS:
            return Fixed(name=self.name, contract=contract)
        if self.fate == EXPIRES:
            # Talks from which nothing but the null contract can come: it ends as a surprise.
            return Negotiated(
                name=self.name,
                judge=_ON_CHANGE,
                menu=(Contract(),),
                initial_contract=contract,
                max_rounds=1,
                disagreement="void",
            )
        return Negotiated(
            name=self.name,
            judge=JUDGES[self.judge or _ON_CHANGE],
            menu=menu_with(contract, side_payments=self.side_payments),
            initial_contract=contract,
            max_rounds=MAX_ROUNDS,
            disagreement=self.disagreement,
            negotiation_cost_steps=self.cost_steps,
            history=self.history,
        )


def menu_with(contract: Contract, *, side_payments: bool) -> tuple[Contract, ...]:
    """Return what may be proposed: none, wages, shares, and what is in force at first.

    With side payments each of these, but for none, also with a lump sum to one agent or the other:
    what is best for both together can then be made better for each.
    """
    prices = [("wage", rate) for rate in MENU_WAGES] + [("share", part) for part in MENU_SHARES]
    terms = [contract_of(kind, price) for kind, price in prices]
    terms += [contract] * (contract not in terms and not contract.is_null)
    if not side_payments:
        return (Contract(), *terms)
    sums = [
        LumpSum(payer=payer, payee=payee, amount=amount)
        for amount in MENU_PAYMENTS
        for payer, payee in permutations(AGENTS)
    ]
    return (
        Contract(),
        *(each for term in terms for each in (term, *(_with_clause(term, one) for one in sums))),
    )


def _with_clause(term: Contract, clause: LumpSum) -> Contract:
    return Contract((*term.clauses, clause), term.duration, term.parties)


_NAME = re.compile(
    rf"(?P<never>{_NEVER_ANY})"
    rf"|(?P<kind>{'|'.join(PRICES)})-(?P<price>\d+\.\d\d)"
    rf"|(?P<family>{'|'.join(FAMILIES)})("
    r"|-(?P<expires>expires)"
    rf"|-(?P<judge>{'|'.join(JUDGES)})-cost(?P<cost>\d+)"
    r"|-(?P<change>change)(-(?P<bare>bare))?(-(?P<nohistory>nohistory))?(-(?P<void>void))?"
    r"(-(?P<model>model-judge))?"
    r")"
)
