"""What the study's rows say to its questions, as lists of JSON values.

Each function takes all cells and picks its own: a contract that stays is compared with the same
contract renegotiated, or expired, by the same policy in the same world.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np

from benchmarks.cleanup.conditions import MODEL_JUDGE
from benchmarks.study.critical import LEVELS, Curve, critical_magnitude, curve_of
from benchmarks.study.episodes import StudyCell, is_compared
from benchmarks.study.place import MAIN
from benchmarks.study.rows import measure_fields, place_fields
from benchmarks.study.treatments import EXPIRES, JUDGED, RENEGOTIATED, STAYS

SURVIVES = 1.0 - 1e-6
"""Efficiency after the change from which a contract still brings the optimum about."""

ALMOST = 0.95
"""Efficiency after the change of a contract that loses a twentieth at most."""

_COMPARED = (MAIN, "bare", "learned")
"""Groups in which a family's treatments are compared."""

Entry = dict[str, Any]
FoundT = TypeVar("FoundT")


class _Trio(NamedTuple):
    """One family's treatments of one policy in one world."""

    fixed: StudyCell
    expires: StudyCell | None
    renegotiated: StudyCell | None

    @property
    def fields(self) -> Entry:
        return {**place_fields(self.fixed), "family": self.fixed.treatment.family}


def critical_magnitudes(cells: Sequence[StudyCell]) -> list[Entry]:
    """Return where it begins to pay to renegotiate, for each level and each sign of the change.

    Rises and falls of one parameter are two curves, which have the control in common.
    """
    found = []
    for fields, curve in _curves(cells):
        points = [list(point) for point in curve.points]
        for level in LEVELS:
            critical = critical_magnitude(curve, level)
            crossings = [
                {"from": each.inner, "to": each.outer, "direction": each.direction}
                for each in critical.crossings
            ]
            found.append(
                {
                    **fields,
                    "level": level,
                    "magnitude": critical.magnitude,
                    "low": critical.low,
                    "high": critical.high,
                    "never": critical.never,
                    "crossings": crossings,
                    "curve": points,
                    "n": len(curve.gains),
                    "unit": curve.unit,
                }
            )
    return found


def _curves(cells: Sequence[StudyCell]) -> Iterator[tuple[Entry, Curve]]:
    by_curve = _grouped(
        (trio for trio in _trios(cells) if trio.renegotiated is not None),
        lambda trio: tuple(kv for kv in trio.fields.items() if kv[0] != "magnitude"),
    )
    for key, trios in by_curve.items():
        unit = trios[0].fixed.unit
        pairs = {trio.fixed.change.magnitude: _pairs(trio) for trio in trios}
        for sign in (1, -1):
            towards = {each: found for each, found in pairs.items() if each * sign >= 0}
            curve = curve_of(towards, unit=unit) if any(towards) else None
            if curve is not None:
                yield {**dict(key), "sign": "+" if sign > 0 else "-"}, curve


def _pairs(trio: _Trio) -> dict[Hashable, tuple[float, float]]:
    if trio.renegotiated is None:
        return {}
    fixed, other = (each.by_unit("efficiency") for each in (trio.fixed, trio.renegotiated))
    return {unit: (fixed[unit], other[unit]) for unit in fixed if unit in other}


def tradeoff(cells: Sequence[StudyCell]) -> list[Entry]:
    """Return what each judge comes to at each cost of talks.

    Efficiency and negotiations are those of the whole episode, for talks before the change have
    their cost, too; ``after`` is the efficiency from the change on.
    """
    return [
        {
            **_who(cell),
            "judge": cell.treatment.judge,
            "cost": cell.treatment.cost_steps,
            **_efficiency(cell, "whole_efficiency"),
            "after": cell.mean("efficiency"),
            "negotiations": cell.mean("whole_negotiations"),
            "n": len(cell.by_unit("efficiency")),
        }
        for cell in cells
        if cell.treatment.fate == JUDGED
    ]


def best_judge(cells: Sequence[StudyCell]) -> list[Entry]:
    """Return the best judge at each cost; of equals the one that calls for the fewest talks."""
    names = ("group", "kind", "magnitude", "moment", "pace", "policy", "family", "cost")
    judged = _grouped(tradeoff(cells), lambda entry: tuple(entry[name] for name in names))
    return [
        {
            **dict(zip(names, key, strict=True)),
            **{name: best[name] for name in ("judge", "efficiency", "negotiations")},
        }
        for key, entries in judged.items()
        for best in [min(entries, key=_worse)]
    ]


def _worse(entry: Entry) -> tuple[float, float, str]:
    return -round(entry["efficiency"], 6), entry["negotiations"], entry["judge"]


def history(cells: Sequence[StudyCell]) -> list[Entry]:
    """Return what it changes that talks show what was agreed on before."""
    return [
        {
            **_who(cell),
            "history": cell.treatment.history,
            "disagreement": cell.treatment.disagreement,
            **measure_fields(cell, "rounds"),
            "ratified": measure_fields(cell, "ratified")["ratified"],
            **_efficiency(cell),
            "lost": 1.0 - cell.mean("efficiency"),
            "n": len(cell.by_unit("efficiency")),
        }
        for cell in cells
        if cell.group == "history"
        and cell.treatment.fate == RENEGOTIATED
        and cell.treatment.judge != MODEL_JUDGE
    ]


def stale(cells: Sequence[StudyCell]) -> list[Entry]:
    """Return the harm that a contract does which stays, against none at all from the change on."""
    return [
        {**trio.fields, "fixed": fixed, "expires": expires, "harm": expires - fixed}
        for trio in _trios(cells)
        if trio.expires is not None
        for fixed, expires in [(trio.fixed.mean("efficiency"), trio.expires.mean("efficiency"))]
    ]


def gains(cells: Sequence[StudyCell]) -> list[Entry]:
    """Return what renegotiation gains: efficiency, and each agent's return from the change on.

    Returns are in reward units, after transfers; a gain is renegotiated less fixed.
    """
    return [
        {
            **trio.fields,
            "fixed": fixed,
            "renegotiated": renegotiated,
            "gain": renegotiated - fixed,
            **{
                f"gain_{i}": trio.renegotiated.mean(f"return_{i}") - trio.fixed.mean(f"return_{i}")
                for i in range(2)
            },
        }
        for trio in _trios(cells)
        if trio.renegotiated is not None
        for fixed, renegotiated in [
            (trio.fixed.mean("efficiency"), trio.renegotiated.mean("efficiency"))
        ]
    ]


def sets(cells: Sequence[StudyCell]) -> list[Entry]:
    """Return how many of the contracts that brought the optimum about still do so."""
    priced = _grouped(
        (cell for cell in cells if cell.treatment.price is not None),
        lambda cell: tuple(_who(cell).items()),
    )
    found = []
    for key, members in priced.items():
        reached = np.array([cell.mean("efficiency") for cell in members])
        surviving = int((reached >= SURVIVES).sum())
        found.append(
            {
                **dict(key),
                "num_before": len(reached),
                "num_surviving": surviving,
                "num_within_5": int((reached >= ALMOST).sum()),
                "fraction": surviving / len(reached),
                "lowest": float(reached.min()),
                "mean": float(reached.mean()),
                "highest": float(reached.max()),
            }
        )
    return found


def _trios(cells: Sequence[StudyCell]) -> Iterator[_Trio]:
    """Yield the treatments of every family that has the contract that stays."""
    told = (cell for cell in cells if cell.group in _COMPARED and is_compared(cell.treatment))
    for members in _grouped(told, lambda cell: tuple(_who(cell).items())).values():
        by_fate = {cell.treatment.fate: cell for cell in members}
        if STAYS in by_fate:
            yield _Trio(by_fate[STAYS], by_fate.get(EXPIRES), by_fate.get(RENEGOTIATED))


def _who(cell: StudyCell) -> Entry:
    return {**place_fields(cell), "family": cell.treatment.family}


def _efficiency(cell: StudyCell, measure: str = "efficiency") -> Entry:
    found = measure_fields(cell, measure, "efficiency")
    return {
        "efficiency": found["efficiency"],
        "low": found["efficiency_low"],
        "high": found["efficiency_high"],
    }


def _grouped(found: Iterable[FoundT], key_of: Callable[[FoundT], Any]) -> dict[Any, list[FoundT]]:
    groups: dict[Any, list[FoundT]] = {}
    for each in found:
        groups.setdefault(key_of(each), []).append(each)
    return groups
