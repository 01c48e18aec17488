"""The critical magnitudes as a terminal shows them: a table a group and policy, a column a family.

The full study has hundreds of curves; rises and falls of one parameter are rows of their own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from benchmarks.study.critical import LEVELS
from benchmarks.study.designed import FAMILIES
from benchmarks.study.place import GROUPS

Entry = Mapping[str, Any]

_NONE = "-"
_UNKNOWN = "?"
_NOT_PLAYED = ""


def critical_tables(found: Sequence[Entry]) -> Group:
    """Lay out `critical_magnitudes` of a study's summary, within a hundred columns."""
    if not found:
        return Group(Text("No contract that stays was compared with the same one renegotiated."))
    levels = " / ".join(f"{level:g}" for level in LEVELS)
    told = Text(
        f"Smallest change at which renegotiation gains {levels} in efficiency over the contract\n"
        f"that stays; {_NONE} stands for none that was played, brackets for the 95% interval."
    )
    return Group(told, *(part for one in _tables(found) for part in (Text(), one)))


def _tables(found: Sequence[Entry]) -> Iterator[Table]:
    in_order = sorted(found, key=lambda entry: GROUPS.index(entry["group"]))
    for (group, policy), entries in _by(("group", "policy"), in_order).items():
        played = {entry["family"] for entry in entries}
        families = [family for family in FAMILIES if family in played]
        table = Table(
            *("change", "step", "pace", *families, "n"),
            title=f"{group}, {policy}",
            title_justify="left",
            box=box.SIMPLE_HEAD,
            show_edge=False,
            padding=(0, 1, 0, 0),
        )
        signs = _by(("kind", "sign"), entries)
        worlds = _by(("kind", "sign", "moment", "pace"), entries)
        for (kind, sign, *when), curves in worlds.items():
            is_both = (kind, "+") in signs and (kind, "-") in signs
            change = f"{kind} {sign}" if is_both else kind
            table.add_row(change, *map(str, when), *_cells(curves, families))
        yield table


def _cells(entries: Sequence[Entry], families: Sequence[str]) -> Iterator[str]:
    by_family = _by(("family",), entries)
    for family in families:
        yield _cell(by_family.get((family,), ()))
    yield ", ".join(sorted({str(entry["n"]) for entry in entries}))


def _cell(entries: Sequence[Entry]) -> str:
    """Return the magnitudes at all levels; on lines of their own where they have intervals."""
    told = [_told(entry) for entry in sorted(entries, key=lambda entry: entry["level"])]
    if not told:
        return _NOT_PLAYED
    return ("\n" if any("[" in each for each in told) else " / ").join(told)


def _told(entry: Entry) -> str:
    ends = (entry["low"], entry["high"])
    if entry["never"] is None:
        return f"{_magnitude(entry['magnitude'])} [{_UNKNOWN}]"
    if ends == (entry["magnitude"],) * 2:
        return _magnitude(entry["magnitude"])
    return f"{_magnitude(entry['magnitude'])} [{', '.join(map(_magnitude, ends))}]"


def _magnitude(value: int | None) -> str:
    return _NONE if value is None else f"{value:+d}"


def _by(names: Sequence[str], entries: Sequence[Entry]) -> dict[tuple[Any, ...], list[Entry]]:
    groups: dict[tuple[Any, ...], list[Entry]] = {}
    for entry in entries:
        groups.setdefault(tuple(entry[name] for name in names), []).append(entry)
    return groups
