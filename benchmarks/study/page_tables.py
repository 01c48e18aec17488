"""The tables of the study's page, each from one of the summary's lists."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from benchmarks.page_marks import MISSING, markdown_table, word
from benchmarks.study.critical import LEVELS

Study = Mapping[str, Any]
Entry = Mapping[str, Any]
Options = Mapping[str, str]
Table = Callable[[Study, Options], str]


def critical(study: Study, options: Options) -> str:
    """Return the critical magnitudes, a row for each curve that the options leave.

    ``by`` names the fields that tell rows apart, separated by commas.
    """
    by = options.get("by", "kind,family").split(",")
    curves = _by([*by, "sign"], matching(study["critical_magnitudes"], options))
    rows = []
    for entries in curves.values():
        first = entries[0]
        levels = {entry["level"]: entry for entry in entries}
        largest = max(first["curve"], key=lambda point: point[1])
        rows.append(
            [
                ", ".join(str(first[name]) for name in by) + _way(first),
                *(_magnitude(levels[level]) for level in LEVELS),
                _crossings(levels[LEVELS[0]]),
                f"{largest[1]:.2f} at {largest[0]:+d}" if largest[1] > 0 else MISSING,
                str(first["n"]),
            ]
        )
    head = [", ".join(by), *(f"gain of {level:g}" for level in LEVELS)]
    return markdown_table([*head, f"crossings of {LEVELS[0]:g}", "largest gain", "n"], rows)


def families(study: Study, options: Options) -> str:
    """Return the critical magnitudes at both levels, a row for each kind and sense of change."""
    entries = matching(study["critical_magnitudes"], options)
    names = sorted({entry["family"] for entry in entries})
    rows = []
    for (kind, sign), curves in _by(["kind", "sign"], entries).items():
        found = {(entry["family"], entry["level"]): entry for entry in curves}
        cells = [" / ".join(_magnitude(found[name, level]) for level in LEVELS) for name in names]
        rows.append([kind + _way({"sign": sign}), *cells])
    return markdown_table(["change", *names], rows)


def judges(study: Study, options: Options) -> str:
    """Return the efficiency of the episode by judge and cost, and how often talks were held."""
    entries = matching(study["tradeoff"], options)
    costs = sorted({entry["cost"] for entry in entries})
    rows = []
    for judge, found in _by(["judge"], entries).items():
        by_cost = {entry["cost"]: entry for entry in found}
        cells = [f"{by_cost[c]['efficiency']:.3f}" if c in by_cost else MISSING for c in costs]
        rows.append([judge[0], *cells, _number(found[0]["negotiations"], "g")])
    head = ["judge", *(f"{cost} steps" for cost in costs), "talks"]
    return markdown_table(head, rows)


def best_judges(study: Study, options: Options) -> str:
    """Return the best judge at each cost, a row a world."""
    entries = matching(study["best_judge"], options)
    costs = sorted({entry["cost"] for entry in entries})
    rows = []
    for world, found in _by(["kind", "magnitude", "pace", "policy"], entries).items():
        by_cost = {entry["cost"]: entry for entry in found}
        kind, magnitude, pace, policy = world
        cells = [f"{by_cost[c]['judge']} ({by_cost[c]['efficiency']:.2f})" for c in costs]
        rows.append([f"{kind} {magnitude:+d}, {pace}, {policy}", *cells])
    return markdown_table(["world", *(f"talks cost {cost}" for cost in costs)], rows)


def history(study: Study, options: Options) -> str:
    """Return what it does that talks show what was agreed on before."""
    rows = [
        [
            f"{entry['kind']} {entry['magnitude']:+d}, {entry['family']}",
            "yes" if entry["history"] else "no",
            entry["disagreement"],
            _number(entry["rounds"], ".2f"),
            _number(entry["ratified"], ".2f"),
            _number(entry["efficiency"], ".3f"),
            str(entry["n"]),
        ]
        for entry in matching(study["history"], options)
    ]
    head = ["change, family", "history shown", "failed talks", "rounds", "ratified", "efficiency"]
    return markdown_table([*head, "n"], rows)


def stale(study: Study, options: Options) -> str:
    """Return how often, and how much, a contract that stays does worse than none, where it does."""
    rows = []
    changed = [entry for entry in matching(study["stale"], options) if entry["magnitude"]]
    for (kind, family), entries in _by(["kind", "family"], changed).items():
        harmed = [entry for entry in entries if entry["harm"] > _AS_GOOD]
        if harmed:
            worst = max(harmed, key=lambda entry: entry["harm"])
            where = f"{worst['magnitude']:+d}, step {worst['moment']}, {worst['pace']}"
            rows.append(
                [
                    f"{kind}, {family}",
                    f"{len(harmed)} of {len(entries)}",
                    f"{worst['harm']:.2f} ({where})",
                ]
            )
    return markdown_table(["kind, family", "worse than none in", "worst harm"], rows)


def sets(study: Study, options: Options) -> str:
    """Return what is left of the contracts that brought the optimum about."""
    rows = [
        [
            f"{entry['kind']} {entry['magnitude']:+d}, {entry['family']}",
            f"{entry['num_surviving']} of {entry['num_before']}",
            f"{entry['num_within_5']} of {entry['num_before']}",
            f"{entry['lowest']:.2f}",
            f"{entry['mean']:.2f}",
            f"{entry['highest']:.2f}",
        ]
        for entry in matching(study["sets"], options)
    ]
    head = ["change, contracts", "still optimal", "within 5%", "lowest", "mean", "highest"]
    return markdown_table(head, rows)


def regions(study: Study, options: Options) -> str:
    """Return how acceptance regions before and after overlap."""
    rows = [
        [
            f"{entry['kind']} {entry['magnitude']:+d}",
            *(_count(entry[name]) for name in _MASKS),
            f"{entry['overlap']:.2f}",
            _number(entry["survives"], ".2f"),
        ]
        for entry in matching(study["regions"], options)
    ]
    head = ["change", "accepted before", "after", "optimal before", "after"]
    return markdown_table([*head, "overlap", "of those before, still accepted"], rows)


def gains(study: Study, options: Options) -> str:
    """Return what each agent gains when the contract is renegotiated, in reward units."""
    rows = [
        [
            f"{entry['kind']} {entry['magnitude']:+d}, {entry['family']}",
            f"{entry['gain_0']:+.1f}",
            f"{entry['gain_1']:+.1f}",
        ]
        for entry in matching(study["gains"], options)
    ]
    return markdown_table(["change, family", "agent 0", "agent 1"], rows)


def cells(study: Study, options: Options) -> str:
    """Return rows of the study as they are: what was measured of each policy and treatment."""
    rows = [
        [
            f"{row['magnitude']:+d}, {row['policy']}, {row['condition']}",
            _with_bounds(row, "efficiency"),
            _number(row["negotiations"], "g"),
            _number(row["transfers"], ".0f"),
            _number(row["equality"], ".2f"),
            f"{row['n']} {row['unit']}s",
        ]
        for row in matching(study["rows"], options)
    ]
    head = ["change, players, treatment", "efficiency after", "talks", "transfers", "equality", "n"]
    return markdown_table(head, rows)


TABLES: Mapping[str, Table] = {
    "critical": critical,
    "families": families,
    "judges": judges,
    "best-judges": best_judges,
    "history": history,
    "stale": stale,
    "sets": sets,
    "regions": regions,
    "gains": gains,
    "cells": cells,
}
"""The tables by name."""

_MASKS = ("before", "after", "implements_before", "implements_after")
_AS_GOOD = 0.005  # what rounds to nothing in the table is no harm
_NOT_FIELDS = ("by",)


def matching(entries: Iterable[Entry], options: Options) -> list[Entry]:
    """Return the entries whose fields are among those given; several values are joined by a bar."""
    wanted = {name: value.split("|") for name, value in options.items() if name not in _NOT_FIELDS}
    return [
        entry
        for entry in entries
        if all(word(entry.get(name)) in values for name, values in wanted.items())
    ]


def _by(names: Sequence[str], entries: Iterable[Entry]) -> dict[tuple[Any, ...], list[Entry]]:
    groups: dict[tuple[Any, ...], list[Entry]] = {}
    for entry in entries:
        groups.setdefault(tuple(entry[name] for name in names), []).append(entry)
    return groups


def _way(entry: Entry) -> str:
    return ", rising" if entry["sign"] == "+" else ", falling"


def _magnitude(entry: Entry) -> str:
    """Write a critical magnitude, with its interval where it has one."""
    if entry["magnitude"] is None:
        return "none"
    text = f"{entry['magnitude']:+d}"
    if entry["low"] == entry["high"]:
        return text
    low, high = (MISSING if entry[b] is None else f"{entry[b]:+d}" for b in ("low", "high"))
    return f"{text} [{low}, {high}]"


def _crossings(entry: Entry) -> str:
    marks = {"up": "↑", "down": "↓"}
    found = [f"{marks[each['direction']]}{each['to']:+d}" for each in entry["crossings"]]
    return " ".join(found) or MISSING


def _number(value: float | None, form: str) -> str:
    return MISSING if value is None else format(value, form)


def _with_bounds(row: Entry, name: str) -> str:
    low, high = row[f"{name}_low"], row[f"{name}_high"]
    if low is None or high is None or low == high:
        return _number(row[name], ".2f")
    return f"{row[name]:.2f} [{low:.2f}, {high:.2f}]"


def _count(mask: Sequence[Sequence[bool]]) -> str:
    return f"{sum(map(sum, mask))} of {sum(map(len, mask))}"
