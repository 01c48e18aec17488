"""The tables of a report: means of all cells, and what compares them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.arena import Arena
from benchmarks.comparisons import Comparison, Question, compared_measures, comparisons
from benchmarks.comparisons_table import (
    caption_of,
    chosen,
    columns_of,
    shown_questions,
    title_of,
)
from benchmarks.episode_row import EpisodeRow
from benchmarks.report.measures import ShownMeasure
from benchmarks.sensitivity import sensitivity
from benchmarks.statistics import EPISODE, Estimate
from benchmarks.store import COMPARISONS, RUNNING
from benchmarks.table import with_interval

Cells = Mapping[tuple[str, str], Mapping[str, Estimate]]
"""By policy and condition, the estimates by measure."""


def estimates_of(arena: Arena[Any], rows: Iterable[EpisodeRow]) -> tuple[Cells, Cells | None]:
    """Return the means of every cell of an arena that has an episode, in the arena's order.

    Also those over the episodes in which every answer could be read; None where that is all of
    them. Both are those of `benchmarks.sensitivity`.
    """
    checked = sensitivity(rows, [arena])
    played = {(row.policy, row.contract): row.played for row in checked if row.played}
    left = {(row.policy, row.contract): row.left for row in checked if row.left}
    return played, left if any(row.malformed_episodes for row in checked) else None


def table_of(cells: Cells, measures: Sequence[ShownMeasure]) -> dict[str, Any]:
    """Return a table of estimates as the viewer takes it."""
    used = [m for m in measures if any(m.name in estimates for estimates in cells.values())]
    return {
        "columns": [{"key": m.name, "label": m.label, "title": m.title} for m in used],
        "rows": [
            {
                "policy": policy,
                "contract": contract,
                **_sample(estimates),
                "cells": {
                    measure.name: _cell(estimates[measure.name])
                    for measure in used
                    if measure.name in estimates
                },
            }
            for (policy, contract), estimates in cells.items()
        ],
    }


def comparisons_of(
    run: Path, about: Mapping[str, Any], rows: Sequence[EpisodeRow], arenas: Sequence[Arena[Any]]
) -> list[Comparison]:
    """Return the comparisons that a run drew when it ended; of one under way they are drawn now."""
    file = run / COMPARISONS
    if about.get("status") == RUNNING or not file.is_file():
        return comparisons(rows, arenas)
    told = json.loads(file.read_text(encoding="utf-8"))
    return [replace(Comparison(**each), question=Question(each["question"])) for each in told]


def shown_comparisons(drawn: Sequence[Comparison], arena: Arena[Any]) -> list[dict[str, Any]]:
    """Return the comparisons of an arena as tables of texts, the main measure first."""
    own = [each for each in drawn if each.arena == arena.name]
    tables = []
    for measure in compared_measures(arena):
        for question in shown_questions(arena):
            rows = chosen(own, arena=arena.name, question=question, measure=measure)
            if not rows:
                continue
            columns = columns_of(question)
            tables.append(
                {
                    "title": title_of(question, measure, arena),
                    "columns": list(columns),
                    "rows": [[write(row) for write in columns.values()] for row in rows],
                    "caption": caption_of(rows),
                }
            )
    return tables


def _sample(estimates: Mapping[str, Estimate]) -> dict[str, Any]:
    """Return how many of what the means of a row are over."""
    largest = max(estimates.values(), key=lambda estimate: estimate.n, default=None)
    if largest is None:
        return {"n": 0, "unit": EPISODE}
    return {"n": largest.n, "unit": largest.unit}


def _cell(estimate: Estimate) -> dict[str, Any]:
    return {
        "mean": estimate.mean,
        "low": estimate.low,
        "high": estimate.high,
        "text": with_interval(estimate),
    }
