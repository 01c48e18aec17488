"""Grids: from what is written of one arena to what is meant of an arena for every point."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from itertools import product
from typing import Any, NamedTuple

from benchmarks.checked import NAME
from benchmarks.sections import SectionReader

GRID = "grid"


class Point(NamedTuple):
    """One point of a grid."""

    label: str  # of its values, "" where there is no grid
    written: dict[str, Any]  # of the arena, with the values in their places


def points(reader: SectionReader, where: str, written: Mapping[str, Any]) -> list[Point]:
    """Return the arenas that an arena with a grid stands for; without a grid itself alone.

    The grid has lists of values by dotted keys. A part of a key is a key of a table, or the number
    (from 0) or the ``name`` of an entry of a list. What is wrong is noted.
    """
    plain = {key: value for key, value in written.items() if key != GRID}
    axes = dict(_axes(reader, f"{where}.{GRID}", written.get(GRID, {})))
    labels = _labels(list(axes))
    found = []
    for values in product(*axes.values()):
        point = deepcopy(plain)
        for key, value in zip(axes, values, strict=True):
            if not _put(point, key.split("."), deepcopy(value)):
                allowed = "a key of the arena, entries of lists by number or name"
                reader.refuse(f"{where}.{GRID}", key, allowed)  # the rest is checked all the same
        parts = (
            f"{labels[key]}-{_word(value, axes[key])}"
            for key, value in zip(axes, values, strict=True)
        )
        found.append(Point("/".join(parts), point))
    return found


def _axes(reader: SectionReader, where: str, given: Any) -> Iterator[tuple[str, list[Any]]]:
    """Yield the values by their dotted keys, written as one word or as nested tables."""
    if not isinstance(given, Mapping):
        reader.refuse(where, given, f"a table [{where}] of lists")
        return
    for key, value in given.items():
        if isinstance(value, Mapping):
            nested = _axes(reader, f"{where}.{key}", value)
            yield from ((f"{key}.{rest}", values) for rest, values in nested)
        elif isinstance(value, list) and value:
            yield key, value
        else:
            reader.refuse(f"{where}.{key}", value, "a list of values")


def _labels(keys: Sequence[str]) -> dict[str, str]:
    """Return the last word of every key, or the whole key where that is not enough."""
    last = {key: [p for p in key.split(".") if not p.isdigit()][-1:] for key in keys}
    short = ["".join(parts) for parts in last.values()]
    return {
        key: "".join(parts) if parts and short.count(parts[0]) == 1 else key
        for key, parts in last.items()
    }


def _word(value: Any, values: Sequence[Any]) -> str:
    """Write a value as a part of a name; what has no short name gets its number, from 1."""
    word = str(value).lower() if isinstance(value, bool) else str(value)
    is_short = isinstance(value, bool | int | float | str) and NAME.fits(f"is-{word}")
    return word if is_short else str(1 + values.index(value))


def _put(target: Any, path: Sequence[str], value: Any) -> bool:
    """Set a value deep in tables and lists; whether there is such a place."""
    *before, last = path
    for part in before:
        if isinstance(target, dict):
            target = target.setdefault(part, {})
        else:
            index = _index(target, part)
            if index is None:
                return False
            target = target[index]
    if isinstance(target, dict):
        if last:
            target[last] = value
        return bool(last)
    index = _index(target, last)
    if index is not None:
        target[index] = value
    return index is not None


def _index(entries: Any, part: str) -> int | None:
    """Return the place of an entry of a list, named or numbered."""
    if not isinstance(entries, list):
        return None
    if part.isdigit():
        return int(part) if int(part) < len(entries) else None
    named = (
        index
        for index, entry in enumerate(entries)
        if isinstance(entry, dict) and part == entry.get("name", entry.get("kind"))
    )
    return next(named, None)
