"""The rows of the study: a policy under a treatment in one world, with all measures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.study.episodes import StudyCell
from benchmarks.study.resampling import estimate

MEASURES = (
    "efficiency",
    "whole_efficiency",
    "whole_negotiations",
    "regret",
    "welfare",
    "recovery_steps",
    "recovered",
    "negotiations",
    "rounds",
    "ratified",
    "transfers",
    "equality",
    "return_0",
    "return_1",
)
"""What a row has a mean and an interval of."""


def rows_of(cells: Sequence[StudyCell]) -> list[dict[str, Any]]:
    """Return a row of JSON values for every cell.

    A mean is over the units of which the measure says something: the steps to recover over those
    that do recover.
    """
    return [_row(cell) for cell in cells]


def place_fields(cell: StudyCell) -> dict[str, Any]:
    """Return which world it is, and who plays."""
    change = cell.change
    return {
        "group": cell.group,
        "kind": change.kind,
        "magnitude": change.magnitude,
        "moment": change.moment,
        "pace": change.pace,
        "policy": cell.policy,
    }


def measure_fields(cell: StudyCell, measure: str, name: str | None = None) -> dict[str, Any]:
    """Return a measure's mean and its bounds under its own name, or another."""
    shown = measure if name is None else name
    values = list(cell.by_unit(measure).values())
    if not values:
        return {shown: None, f"{shown}_low": None, f"{shown}_high": None}
    found = estimate(values, unit=cell.unit)
    return {shown: found.mean, f"{shown}_low": found.low, f"{shown}_high": found.high}


def _row(cell: StudyCell) -> dict[str, Any]:
    treatment = cell.treatment
    row = {
        **place_fields(cell),
        "condition": treatment.name,
        "family": treatment.family,
        "fate": treatment.fate,
        "price": treatment.price,
        "judge": treatment.judge,
        "cost": treatment.cost_steps,
        "history": treatment.history,
        "disagreement": treatment.disagreement,
        "n": len(cell.by_unit("welfare")),
        "unit": cell.unit,
        "episodes": len(cell.episodes),
        "same_state": cell.same_state,
        "optimum": float(np.mean([each.after.optimum for each in cell.episodes])),
    }
    for measure in MEASURES:
        row |= measure_fields(cell, measure)
    return row
