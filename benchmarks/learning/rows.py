"""A row a training seed, and what they say together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from benchmarks.learning.experiment import Measure
from benchmarks.statistics import estimate_over_seeds

_CAPTION = (
    "Each row: what a training seed learned, on test episodes that it never met. Mean: over "
    "training seeds, [low, high]: 95% interval by Student's t."
)


def render_rows(
    rows: Sequence[Mapping[str, Any]], measures: Sequence[Measure], *, title: str
) -> Group:
    """Lay out the rows, and under them the means over training seeds."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False)
    table.add_column("training seed", no_wrap=True)
    for heading in ("agent-steps", "seconds", "n", *(measure.heading for measure in measures)):
        table.add_column(heading, justify="right", overflow="fold")
    for index, row in enumerate(rows):
        told = (f"{row['agent_steps']:,}", f"{row['seconds']:.0f}", str(row["n"]))
        values = (_number(row[measure.name]) for measure in measures)
        table.add_row(str(row["seed"]), *told, *values, end_section=index == len(rows) - 1)
    means = [_mean([row[measure.name] for row in rows]) for measure in measures]
    table.add_row(f"mean of {len(rows)}", "", "", "", *means)
    parts = (Text(title, style="bold"), Text(), table, Text(), Text(_CAPTION, style="italic"))
    return Group(*parts)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _mean(values: Sequence[float | None]) -> str:
    present = [value for value in values if value is not None]
    if not present:
        return "-"
    estimate = estimate_over_seeds(present)
    if estimate.is_deterministic:
        return f"{estimate.mean:.3f} in all {estimate.n}"
    if estimate.low is None or estimate.high is None:
        return _number(estimate.mean)
    return f"{estimate.mean:.3f} [{estimate.low:.3f}, {estimate.high:.3f}]"
