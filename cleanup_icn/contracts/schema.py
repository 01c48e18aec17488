"""The JSON Schema of contracts, for validation and for structured output of models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cleanup_icn.contracts.clauses import OPERATORS, ROLE_WORDS, UnitClause
from cleanup_icn.contracts.json_form import CLAUSE_TYPES, VERSION, optional_fields, required_fields

_NAME = {"type": "string", "pattern": "^[A-Za-z0-9_]+$"}
_AMOUNT = {"type": "number", "minimum": 0}
_FRACTION = {"type": "number", "minimum": 0, "maximum": 1}
_QUOTA = {"type": "number", "exclusiveMinimum": 0}


def contract_schema(
    agents: Sequence[str] | None = None,
    features: Sequence[str] | None = None,
    public: Sequence[str] | None = None,
) -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of a contract.

    It accepts what `Contract.from_json` accepts, but for what a schema cannot say: that a named
    agent must be one of the parties if there are any, that a number must fit in a float, and
    that no key is given twice.

    Args:
        agents: narrows payers, payees and parties to these (and the role words).
        features: narrows what clauses can measure; with none, only lump sums are left.
        public: narrows what conditions can compare; with none, there are no conditions.
    """
    clauses = [
        _clause_schema(kind, agents, features, public)
        for kind, cls in CLAUSE_TYPES.items()
        if features is None or features or not issubclass(cls, UnitClause)
    ]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Contract",
        "type": "object",
        "properties": {
            "version": {"const": VERSION},
            "clauses": {"type": "array", "items": {"anyOf": clauses}},
            "duration": _duration_schema(),
            "parties": {
                "type": "array",
                "items": _party_schema(agents),
                "minItems": 1,
                "uniqueItems": True,
            },
        },
        "required": ["version", "clauses"],
        "additionalProperties": False,
    }


def _clause_schema(
    kind: str,
    agents: Sequence[str] | None,
    features: Sequence[str] | None,
    public: Sequence[str] | None,
) -> dict[str, Any]:
    cls = CLAUSE_TYPES[kind]
    role = _NAME if agents is None else {"enum": [*agents, *ROLE_WORDS]}
    shapes: dict[str, Any] = {
        "payer": role,
        "payee": role,
        "of": _one_of(features),
        "per": _one_of(features),
        "fraction": _FRACTION,
        "rate": _AMOUNT,
        "at_least": _QUOTA,
        "amount": _AMOUNT,
        "cap": _AMOUNT,
        "when": _condition_schema(public),
    }
    required = required_fields(cls)
    no_conditions = public is not None and not public
    optional = [name for name in optional_fields(cls) if name != "when" or not no_conditions]
    fields = {name: shapes[name] for name in (*required, *optional)}
    return _closed({"type": {"const": kind}, **fields}, required=["type", *required])


def _condition_schema(public: Sequence[str] | None) -> dict[str, Any]:
    fields = {
        "feature": _one_of(public),
        "op": {"enum": list(OPERATORS)},
        "value": {"type": "number"},
    }
    return _closed(fields, required=list(fields))


def _duration_schema() -> dict[str, Any]:
    unbounded = {"until": {"enum": ["end", "change"]}}
    to_step = {"until": {"const": "step"}, "step": {"type": "integer", "minimum": 0}}
    options = [_closed(fields, required=list(fields)) for fields in (unbounded, to_step)]
    return {"anyOf": options}


def _party_schema(agents: Sequence[str] | None) -> dict[str, Any]:
    if agents is not None:
        return {"enum": list(agents)}
    return {**_NAME, "not": {"enum": list(ROLE_WORDS)}}


def _one_of(names: Sequence[str] | None) -> dict[str, Any]:
    return _NAME if names is None else {"enum": list(names)}


def _closed(properties: dict[str, Any], *, required: list[str]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }
