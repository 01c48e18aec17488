"""Results as JSON values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, is_dataclass
from functools import lru_cache
from operator import attrgetter
from typing import Any

import numpy as np

from cleanup_icn.contracts import Contract

# A record holds thousands of values: most of them are told by their type alone.
_PLAIN = frozenset({str, int, float, bool, type(None)})


def to_json_values(value: Any) -> Any:
    """Return `value` with contracts, NumPy numbers and frozen values inside as JSON values."""
    kind: Any = type(value)
    if kind in _PLAIN:
        return value
    if kind is list or kind is tuple:
        return _listed(value)
    if isinstance(value, Contract):
        return value.to_dict()
    parts = _parts_of(kind)
    if parts is not None:
        names, read = parts
        return dict(zip(names, _listed(read(value)), strict=True))
    if isinstance(value, Mapping):
        return {str(key): to_json_values(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return _listed(value)
    if isinstance(value, np.generic):
        return value.item()
    return value


def _listed(values: Iterable[Any]) -> list[Any]:
    return [inner if type(inner) in _PLAIN else to_json_values(inner) for inner in values]


@lru_cache(maxsize=256)
def _parts_of(kind: type) -> tuple[tuple[str, ...], Callable[[Any], Iterable[Any]]] | None:
    """Return the names of a dataclass's fields, and what reads them all; None for other types."""
    if not is_dataclass(kind):
        return None
    names = tuple(field.name for field in fields(kind))
    if len(names) < 2:  # a getter of one name returns no tuple
        return names, lambda value: [getattr(value, name) for name in names]
    return names, attrgetter(*names)
