"""The rows of a comparison as tables for people."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from benchmarks.metrics import Row
from benchmarks.statistics import Estimate

ONE_TABLE_COLUMNS = 140
"""Width of a terminal, in characters, from which on all measures stand in one table."""

_CAPTION = (
    "Means over n episodes. [low, high]: 95% bootstrap interval; ±: half the width of one; "
    "without either, all n episodes gave the same."
)


def render_tables(rows: Sequence[Row], *, title: str, width: int) -> Group:
    """Lay out the rows for a terminal of so many characters; docs/compare.md has the columns."""
    if width >= ONE_TABLE_COLUMNS:
        tables = [_table(rows, (*_REACHED, *_HOW))]
    else:
        tables = [_table(rows, _REACHED), _table(rows, _HOW)]
    spaced = [part for table in tables for part in (Text(), table)]
    return Group(Text(title, style="bold"), *spaced, Text(), Text(_CAPTION, style="italic"))


def _table(rows: Sequence[Row], columns: Sequence[_Column]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False)
    table.add_column("policy", no_wrap=True)
    table.add_column("contract", no_wrap=True)
    table.add_column("n", justify="right", no_wrap=True)
    for column in columns:
        table.add_column(column.heading, justify="right", overflow="fold")
    for index, row in enumerate(rows):
        is_first = index == 0 or rows[index - 1].policy != row.policy
        if is_first and index:
            table.add_row()
        cells = (column.write(row.estimates[column.measure]) for column in columns)
        table.add_row(row.policy if is_first else "", row.contract, str(row.n), *cells)
    return table


def _with_interval(estimate: Estimate) -> str:
    if estimate.is_deterministic:
        return f"{estimate.mean:.2f} same in all {estimate.n}"
    if estimate.low is None or estimate.high is None:
        return f"{estimate.mean:.2f} one episode"
    # An interval of zero width would be a claim; what is only narrow gets more decimals.
    low, high = estimate.low, estimate.high
    decimals = next((d for d in (2, 3) if round(low, d) < round(high, d)), 4)
    return f"{estimate.mean:.{decimals}f} [{low:.{decimals}f}, {high:.{decimals}f}]"


def _with_half_width(estimate: Estimate, *, decimals: int) -> str:
    mean = f"{estimate.mean:.{decimals}f}"
    if estimate.is_deterministic or estimate.low is None or estimate.high is None:
        return mean
    half_width, smallest = (estimate.high - estimate.low) / 2, 10.0**-decimals
    if half_width < smallest:
        return f"{mean} ±<{smallest:.{decimals}f}"
    return f"{mean} ±{half_width:.{decimals}f}"


class _Column(NamedTuple):
    heading: str
    measure: str
    write: Callable[[Estimate], str]


_REACHED = (
    _Column("welfare", "welfare", partial(_with_half_width, decimals=0)),
    _Column("efficiency", "efficiency", _with_interval),
    _Column("after change", "efficiency_after_change", _with_interval),
)
_HOW = (
    _Column("equality", "equality", partial(_with_half_width, decimals=2)),
    _Column("transfers", "transfers", partial(_with_half_width, decimals=0)),
    _Column("illegal", "illegal", partial(_with_half_width, decimals=1)),
    _Column("malformed", "malformed", partial(_with_half_width, decimals=1)),
    _Column("talks", "negotiations", partial(_with_half_width, decimals=1)),
)
