"""The rows of a comparison in Cleanup as tables for people."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from rich.console import Group

from benchmarks.cleanup.metrics import Row
from benchmarks.statistics import TRAINING_SEED
from benchmarks.table import Column, lay_out, with_half_width, with_interval

_CAPTION = (
    "Means over n episodes. [low, high]: 95% bootstrap interval, of two or three episodes no more "
    "than their range; ±: half the width of one; "
    "without either, all n episodes gave the same; ±?: a single one says nothing of spread."
)
_SEEDS_CAPTION = (
    " Where n counts training seeds, means and intervals are over these, by Student's t; the value "
    "of a seed is its mean over its episodes."
)


def render_tables(rows: Sequence[Row], *, title: str, width: int) -> Group:
    """Lay out the rows for a terminal of so many characters; docs/compare.md has the columns."""
    has_seeds = any(row.unit == TRAINING_SEED for row in rows)
    caption = _CAPTION + _SEEDS_CAPTION * has_seeds
    has_seat = all(_OWN.measure in row.estimates for row in rows)
    columns = (((_OWN,) if has_seat else ()) + _REACHED, _HOW)
    left = width - _OWN_WIDTH * has_seat  # for the columns that every table has
    return lay_out(rows, columns, title=title, width=left, caption=caption, write_n=_write_n)


def _write_n(row: Row) -> str:
    if row.unit != TRAINING_SEED:
        return str(row.n)
    seeds = "1 seed" if row.n == 1 else f"{row.n} seeds"
    return f"{seeds} x\n{row.episodes} episodes"  # two lines: the intervals need the room


_OWN = Column("own return", "own_return", partial(with_half_width, decimals=0))
"""What the seat earns, in arenas where a policy plays one."""

_OWN_WIDTH = 12

_REACHED = (
    Column("welfare", "welfare", partial(with_half_width, decimals=0)),
    Column("efficiency", "efficiency", with_interval),
    Column("after change", "efficiency_after_change", with_interval),
)
_HOW = (
    Column("equality", "equality", partial(with_half_width, decimals=2)),
    Column("transfers", "transfers", partial(with_half_width, decimals=0)),
    Column("illegal", "illegal", partial(with_half_width, decimals=1)),
    Column("malformed", "malformed", partial(with_half_width, decimals=1)),
    Column("talks", "negotiations", partial(with_half_width, decimals=1)),
)
