"""What episodes that failed, or in which answers could not be read, do to a table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from rich.console import Group
from rich.text import Text

from benchmarks.arena import Arena
from benchmarks.comparisons import compared_measures
from benchmarks.episode_row import EpisodeRow
from benchmarks.negotiation.metrics import RATES
from benchmarks.statistics import (
    EPISODE,
    TRAINING_SEED,
    Estimate,
    estimate_mean,
    estimate_over_seeds,
    estimate_rate,
)
from benchmarks.table import ONE_TABLE_COLUMNS, table_of_answers, with_interval

EMPTY = "empty"
"""What is said of a cell of which no episode is left."""

_CAPTION = (
    "left: without the episodes in which some answer could not be read, over n of them; missing "
    "episodes, where no answer came or the run ended before, are in neither. Which episodes drop "
    "out is no chance: read this as a check of the table, not in its place. [low, high]: 95% "
    "interval."
)


@dataclass(frozen=True, kw_only=True)
class SensitivityRow:
    """A row of the table, and what is left of it without the episodes that went wrong."""

    arena: str
    policy: str
    contract: str
    unit: str
    planned: int  # episodes that were to be played, by all training seeds together
    missing: int  # of these, not played to their end: no answer came, or not yet
    malformed_episodes: int  # played, and some answer could not be read
    malformed_answers: int  # in these
    n: int  # units left without these
    played: Mapping[str, Estimate]  # by measure, over all episodes played
    left: Mapping[str, Estimate]  # over those without such an answer; {} if none is left

    @property
    def is_affected(self) -> bool:
        """Whether some episode is missing or has an answer that could not be read."""
        return bool(self.missing or self.malformed_episodes)

    def to_dict(self) -> dict[str, Any]:
        """Return the row as JSON values."""
        return asdict(self) | {"empty": self.n == 0}


def sensitivity(rows: Iterable[EpisodeRow], arenas: Sequence[Arena[Any]]) -> list[SensitivityRow]:
    """Return every cell of the tables with and without the episodes that went wrong."""
    by_cell: dict[tuple[str, str, str], list[EpisodeRow]] = {}
    for row in rows:
        by_cell.setdefault((row.arena, row.policy, row.contract), []).append(row)
    return [
        _row(arena, policy, condition.name, by_cell)
        for arena in arenas
        for policy in arena.policies
        for condition in arena.conditions
        if arena.plays(policy, condition)
    ]


def _row(
    arena: Arena[Any],
    policy: str,
    contract: str,
    by_cell: Mapping[tuple[str, str, str], Sequence[EpisodeRow]],
) -> SensitivityRow:
    players = arena.players(policy)
    by_player = [
        sorted(by_cell.get((arena.name, player, contract), ()), key=lambda row: row.episode)
        for player in players
    ]
    clean = [[row for row in rows if not row.malformed] for rows in by_player]
    played = [row for rows in by_player for row in rows]
    unit = TRAINING_SEED if any(each.name == policy for each in arena.trained) else EPISODE
    planned = arena.num_episodes * len(players)
    means = _estimates(by_player, unit=unit, seed=arena.seed)
    all_read = not any(row.malformed for row in played)
    left = means if all_read else _estimates(clean, unit=unit, seed=arena.seed)
    return SensitivityRow(
        arena=arena.name,
        policy=policy,
        contract=contract,
        unit=unit,
        planned=planned,
        missing=max(0, planned - len(played)),
        malformed_episodes=sum(row.malformed > 0 for row in played),
        malformed_answers=sum(row.malformed for row in played),
        n=sum(map(bool, clean)) if unit == TRAINING_SEED else len(clean[0]),
        played=means,
        left=left,
    )


def _estimates(
    by_player: Sequence[Sequence[EpisodeRow]], *, unit: str, seed: int
) -> dict[str, Estimate]:
    measures = dict.fromkeys(name for rows in by_player for row in rows for name in row.measures)
    found = {}
    for name in measures:
        values = [[row.measures.get(name) for row in rows] for rows in by_player]
        present = [[value for value in each if value is not None] for each in values]
        if any(present):
            found[name] = _estimate(name, [each for each in present if each], unit=unit, seed=seed)
    return found


def _estimate(name: str, values: Sequence[Sequence[float]], *, unit: str, seed: int) -> Estimate:
    if unit == TRAINING_SEED:
        return estimate_over_seeds([float(np.mean(each)) for each in values])
    if name in RATES:
        return estimate_rate([bool(value) for value in values[0]])
    return estimate_mean(values[0], seed=seed)


def render_sensitivity(
    rows: Sequence[SensitivityRow], arena: Arena[Any], *, width: int = ONE_TABLE_COLUMNS
) -> Group:
    """Lay out the rows of one arena in which something went wrong, by its main measure.

    In fewer than `width` characters, names stand below one another and intervals below means.
    """
    measure = compared_measures(arena)[0]
    affected = [row for row in rows if row.arena == arena.name and row.is_affected]
    if not affected:
        return Group(Text("No episode is missing, and all answers could be read."))
    table = table_of_answers(
        _HEADINGS,
        [_cells(row, measure) for row in affected],
        names=2,
        title=f"{measure}: without the episodes that went wrong",
        width=width,
    )
    return Group(table, Text(), Text(_CAPTION, style="italic"))


_HEADINGS = ("policy", "contract", "missing", "malformed", "n", "all played", "n left", "left")


def _cells(row: SensitivityRow, measure: str) -> list[str]:
    played = row.played.get(measure)
    counts = (str(row.missing), str(row.malformed_episodes), str(played.n if played else 0))
    left = row.left.get(measure)
    return [row.policy, row.contract, *counts, _write(played), str(row.n), _write(left)]


def _write(estimate: Estimate | None) -> str:
    return EMPTY if estimate is None else with_interval(estimate)
