"""Contracts as JSON, both ways. The shape is closed: an unknown or missing key is refused.

``cap``, ``when`` and ``parties`` are left out when absent; ``duration`` may be left out when
reading and then means to the end. `cleanup_icn.contracts.contract_schema` describes the shape.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any, TypeVar

from cleanup_icn.contracts.clauses import (
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

T = TypeVar("T")
VERSION = 1
CLAUSE_TYPES: Mapping[str, type[Clause]] = {
    cls.kind: cls for cls in (Share, Wage, Fine, Quota, LumpSum)
}


def required_fields(cls: type[Clause]) -> tuple[str, ...]:
    """Names of the JSON fields that a clause of this type must have, besides ``type``."""
    if issubclass(cls, LumpSum):
        return ("payer", "payee", "amount")
    measured = (cls.feature_field, *(("at_least",) if issubclass(cls, Quota) else ()))
    return ("payer", "payee", *measured, cls.price_field)


def optional_fields(cls: type[Clause]) -> tuple[str, ...]:
    """Names of the JSON fields that a clause of this type may have."""
    return () if issubclass(cls, LumpSum) else ("cap", "when")


def render_json(contract: Contract) -> str:
    """The contract as one line of JSON."""
    return json.dumps(contract_to_dict(contract), allow_nan=False)


def parse_json(text: str) -> Contract:
    """The contract in JSON text.

    Raises:
        ContractError: not JSON, a key given twice, or not a contract; the message names the path.
    """
    if not isinstance(text, str):
        raise ContractError("contract", text, "JSON text")
    try:
        data = json.loads(text, object_pairs_hook=_without_duplicates)
    except ContractError:
        raise
    except (ValueError, RecursionError) as fault:  # ValueError: not JSON, or too long a number
        raise ContractError("contract", text, f"JSON ({fault})") from None
    return contract_from_dict(data)


def contract_to_dict(contract: Contract) -> dict[str, Any]:
    """The contract as plain JSON values."""
    duration: dict[str, Any] = {"until": contract.duration.until}
    if contract.duration.step is not None:
        duration["step"] = contract.duration.step
    data: dict[str, Any] = {
        "version": VERSION,
        "clauses": [_clause_to_dict(clause) for clause in contract.clauses],
        "duration": duration,
    }
    if contract.parties is not None:
        data["parties"] = list(contract.parties)
    return data


def contract_from_dict(data: object) -> Contract:
    """The contract in plain JSON values.

    Raises:
        ContractError: not a contract; the message names the path of the fault.
    """
    top = _closed_object("contract", data, ("version", "clauses"), ("duration", "parties"))
    if isinstance(top["version"], bool) or top["version"] != VERSION:
        raise ContractError("version", top["version"], f"{VERSION}")
    clauses = [
        _clause_from_dict(f"clauses[{index}]", clause)
        for index, clause in enumerate(_list("clauses", top["clauses"]))
    ]
    duration = _duration_from_dict(top["duration"]) if "duration" in top else Duration()
    parties = _list("parties", top["parties"]) if "parties" in top else None
    return Contract(clauses, duration, parties)


def _clause_to_dict(clause: Clause) -> dict[str, Any]:
    data: dict[str, Any] = {"type": clause.kind}
    for name in required_fields(type(clause)):
        data[name] = getattr(clause, name)
    if isinstance(clause, UnitClause):
        if clause.cap is not None:
            data["cap"] = clause.cap
        if clause.when is not None:
            when = clause.when
            data["when"] = {"feature": when.feature, "op": when.op, "value": when.value}
    return data


def _clause_from_dict(path: str, data: object) -> Clause:
    kind = data.get("type") if isinstance(data, Mapping) else None
    if isinstance(data, Mapping) and "type" in data and not _is_clause_type(kind):
        raise ContractError(f"{path}.type", kind, f"one of {', '.join(CLAUSE_TYPES)}")
    if not isinstance(kind, str):
        raise ContractError(path, data, f"an object with a type: {', '.join(CLAUSE_TYPES)}")
    cls = CLAUSE_TYPES[kind]
    allowed = optional_fields(cls)
    fields = _closed_object(path, data, ("type", *required_fields(cls)), allowed)
    del fields["type"]
    for name in allowed:
        if name in fields and fields[name] is None:
            raise ContractError(f"{path}.{name}", None, "no such key where there is none")
    if "when" in fields:
        fields["when"] = _condition_from_dict(f"{path}.when", fields["when"])
    return _built(path, cls, fields)


def _is_clause_type(kind: object) -> bool:
    return isinstance(kind, str) and kind in CLAUSE_TYPES


def _condition_from_dict(path: str, data: object) -> Condition:
    fields = _closed_object(path, data, ("feature", "op", "value"))
    return _built(path, Condition, fields)


def _duration_from_dict(data: object) -> Duration:
    is_step = isinstance(data, Mapping) and data.get("until") == "step"
    fields = _closed_object("duration", data, ("until", "step") if is_step else ("until",))
    return _built("duration", Duration, fields)


def _built(path: str, cls: type[T], fields: dict[str, Any]) -> T:
    try:
        return cls(**fields)
    except ContractError as fault:
        raise fault.within(path) from None


def _closed_object(
    path: str, data: object, required: Collection[str], optional: Collection[str] = ()
) -> dict[str, Any]:
    """A copy of `data` if it is an object with all the required keys and no unknown one."""
    if not isinstance(data, Mapping):
        raise ContractError(path, data, f"an object with {', '.join(required)}")
    allowed = (*required, *optional)
    for key in data:
        if key not in allowed:
            raise ContractError(_join(path, key), data[key], f"only {', '.join(allowed)}")
    for key in required:
        if key not in data:
            raise ContractError(_join(path, key), None, f"{key} to be given")
    return dict(data)


def _join(path: str, key: object) -> str:
    return f"{key}" if path == "contract" else f"{path}.{key}"


def _list(path: str, data: object) -> list[Any]:
    if not isinstance(data, list | tuple):
        raise ContractError(path, data, "a list")
    return list(data)


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for key, value in pairs:
        if key in data:
            raise ContractError(key, value, "each key once")
        data[key] = value
    return data
