"""Contracts as English, both ways: one canonical sentence for each contract, and back.

    Until step 30: agent_0 pays the others 0.4 of each unit harvested by the payer; the others pay
    agent_1 0.6 for each unit cleaned by the payee, at most 40 in total; every agent pays the
    others a fine of 1 for each unit harvested by the payer while pollution >= 6; agent_1 pays the
    others 2 in each step with less than 3 units cleaned by the payer; agent_0 pays agent_1 5 once.

Reading forgives letter case in everything but names, spacing, and a missing final stop. Numbers
are written in full and without exponent, so that reading gives back the same float.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from cleanup_icn.contracts.clauses import (
    ALL,
    OPERATORS,
    OTHERS,
    Clause,
    Condition,
    ContractError,
    Fine,
    LumpSum,
    Quota,
    Share,
    UnitClause,
    Wage,
)
from cleanup_icn.contracts.terms import Contract, Duration

NO_CONTRACT_LINE = "Contract in force: none."
LINE_START = "Contract in force:"
NO_PAYMENTS = "no payments"

_NAME = r"[A-Za-z0-9_]+"
_NUMBER = r"-?[0-9]+(?:\.[0-9]+)?"
_ROLES = (
    rf"(?P<payer>the others|every agent|{_NAME}) pays? (?P<payee>the others|every agent|{_NAME})"
)
_CAP = rf"(?:, at most (?P<cap>{_NUMBER}) in total)?"
_WHEN = rf"(?: while (?P<quantity>{_NAME}) (?P<op>{'|'.join(OPERATORS)}) (?P<value>{_NUMBER}))?"
_UNIT = rf"each unit (?P<feature>{_NAME}) by the"
_SHORT = rf"less than (?P<at_least>{_NUMBER}) units? (?P<feature>{_NAME}) by the"
_NUM = rf"(?P<number>{_NUMBER})"

CLAUSE_FORMS: tuple[tuple[type[Clause], re.Pattern[str]], ...] = tuple(
    (cls, re.compile(rf"{_ROLES} {form}", re.IGNORECASE | re.ASCII))
    for cls, form in (
        (Share, rf"{_NUM} of {_UNIT} payer{_CAP}{_WHEN}"),
        (Wage, rf"{_NUM} for {_UNIT} payee{_CAP}{_WHEN}"),
        (Fine, rf"a fine of {_NUM} for {_UNIT} payer{_CAP}{_WHEN}"),
        (Quota, rf"{_NUM} in each step with {_SHORT} payer{_CAP}{_WHEN}"),
        (LumpSum, rf"{_NUM} once"),
    )
)
_CLAUSE_HELP = (
    "'PAYER pays PAYEE' and then 'N of each unit FEATURE by the payer', "
    "'N for each unit FEATURE by the payee', 'a fine of N for each unit FEATURE by the payer', "
    "'N in each step with less than N units FEATURE by the payer' "
    "(each may end in ', at most N in total' and in ' while QUANTITY >= N') or 'N once'"
)
_HEAD = re.compile(
    rf"(?:between (?P<parties>(?:{_NAME}(?:, ?{_NAME})* and )?{_NAME}), ?)?"
    r"until (?:(?P<end>the end)|step (?P<step>[0-9]+)|(?P<change>the world changes))",
    re.IGNORECASE | re.ASCII,
)
_HEAD_HELP = (
    "'Until the end:', 'Until step N:' or 'Until the world changes:', "
    "with 'Between NAME, NAME and NAME, until ...' if only these are bound"
)


def contract_line(contract: Contract | None) -> str:
    """The line by which an observation's text tells the contract in force.

    An environment that writes its own text writes ``Contract in force: none.`` as a line of its
    own; `cleanup_icn.contracts.ContractWrapper` puts its contract there.
    """
    if contract is None or contract.is_null:
        return NO_CONTRACT_LINE
    return f"{LINE_START} {contract.to_text()}"


def render_contract(contract: Contract) -> str:
    """The canonical sentence of a contract."""
    duration = contract.duration
    ends = {"end": "the end", "step": f"step {duration.step}", "change": "the world changes"}
    head = f"until {ends[duration.until]}"
    if contract.parties is not None:
        *first, last = contract.parties
        parties = f"{', '.join(first)} and {last}" if first else last
        head = f"between {parties}, {head}"
    body = "; ".join(_render_clause(clause) for clause in contract.clauses) or NO_PAYMENTS
    return f"{head[0].upper()}{head[1:]}: {body}."


def parse_contract(text: str) -> Contract:
    """The contract in an English sentence of the canonical form.

    Raises:
        ContractError: names the part that was not understood and what is allowed there.
    """
    if not isinstance(text, str):
        raise ContractError("contract", text, "text")
    head, colon, body = re.sub(r"\s+", " ", text).strip().partition(":")
    match = _HEAD.fullmatch(head.strip())
    if not colon or not match:
        raise ContractError("beginning", head.strip(), _HEAD_HELP)
    body = body.strip().removesuffix(".").strip()
    clauses = []
    if body.lower() != NO_PAYMENTS:
        for index, part in enumerate(body.split(";")):
            clauses.append(_parse_clause(f"clauses[{index}]", part.strip()))
    return Contract(clauses, _parse_duration(match), _parse_parties(match["parties"]))


def _render_clause(clause: Clause) -> str:
    # Only `others` is a plural: "the others pay", "every agent pays", "agent_0 pays".
    verb = "pay" if clause.payer == OTHERS else "pays"
    start = f"{_render_role(clause.payer)} {verb} {_render_role(clause.payee)}"
    if isinstance(clause, LumpSum):
        return f"{start} {_render_number(clause.amount)} once"
    price = _render_number(clause.price)
    done = f"{clause.feature} by the {clause.subject_side}"
    if isinstance(clause, Quota):
        units = f"{_render_number(clause.at_least)} {'unit' if clause.at_least == 1 else 'units'}"
        body = f"{price} in each step with less than {units} {done}"
    else:
        terms = {"share": f"{price} of", "wage": f"{price} for", "fine": f"a fine of {price} for"}
        body = f"{terms[clause.kind]} each unit {done}"
    return f"{start} {body}{_render_limits(clause)}"


def _render_limits(clause: UnitClause) -> str:
    limits = ""
    if clause.cap is not None:
        limits += f", at most {_render_number(clause.cap)} in total"
    if clause.when is not None:
        when = clause.when
        limits += f" while {when.feature} {when.op} {_render_number(when.value)}"
    return limits


def _render_role(role: str) -> str:
    return {OTHERS: "the others", ALL: "every agent"}.get(role, role)


def _render_number(number: float) -> str:
    """All digits that the float needs to be read back, without exponent."""
    digits = format(Decimal(repr(number)), "f")
    return digits.rstrip("0").rstrip(".") if "." in digits else digits


def _parse_duration(match: re.Match[str]) -> Duration:
    if match["step"]:
        try:
            return Duration("step", int(match["step"]))
        except ValueError:  # more digits than Python reads
            raise ContractError("step", match["step"], "a whole number of steps") from None
    return Duration("end" if match["end"] else "change")


def _parse_parties(text: str | None) -> tuple[str, ...] | None:
    if text is None:
        return None
    # The last two words are "and" and a name, whatever the parties are called.
    *first, last = text.rsplit(" ", 2)
    return (*re.split(", ?", first[0]), last) if first else (last,)


def _parse_clause(path: str, text: str) -> Clause:
    for cls, form in CLAUSE_FORMS:
        match = form.fullmatch(text)
        if match:
            try:
                return cls(**_clause_fields(cls, match))
            except ContractError as fault:
                raise fault.within(path) from None
    raise ContractError(path, text, _CLAUSE_HELP)


def _clause_fields(cls: type[Clause], match: re.Match[str]) -> dict[str, Any]:
    fields: dict[str, Any] = {side: _parse_role(match[side]) for side in ("payer", "payee")}
    number = float(match["number"])
    if issubclass(cls, LumpSum):
        return {**fields, "amount": number}
    if match["cap"]:
        fields["cap"] = float(match["cap"])
    if match["quantity"]:
        fields["when"] = Condition(match["quantity"], match["op"], float(match["value"]))
    if issubclass(cls, Quota):
        fields["at_least"] = float(match["at_least"])
    return {**fields, cls.feature_field: match["feature"], cls.price_field: number}


def _parse_role(text: str) -> str:
    return {"the others": OTHERS, "every agent": ALL}.get(text.lower(), text)
