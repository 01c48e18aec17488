"""A row a training seed, and what they say together."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from benchmarks.learning.experiment import Measure
from benchmarks.statistics import SAME_WITHIN, TRAINING_SEED, Estimate

# Two-sided 95% quantiles of Student's t with 1, 2, ... degrees of freedom.
_T_95 = (
    *(12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.3060, 2.2622, 2.2281),
    *(2.2010, 2.1788, 2.1604, 2.1448, 2.1314, 2.1199, 2.1098, 2.1009, 2.0930, 2.0860),
    *(2.0796, 2.0739, 2.0687, 2.0639, 2.0595, 2.0555, 2.0518, 2.0484, 2.0452, 2.0423),
)

_CAPTION = (
    "Each row: what a training seed learned, on test episodes that it never met. Mean: over "
    "training seeds, [low, high]: 95% interval by Student's t."
)


def estimate_over_seeds(values: Sequence[float]) -> Estimate:
    """Estimate a mean over training seeds by Student's t, for they are few.

    A percentile bootstrap of five values would be too narrow; of values in two clusters an interval
    says little, whichever it is. One seed has none. Raises `ValueError` without values.
    """
    if not values:
        raise ValueError("values = []: expected at least one")
    sample = np.asarray(values, dtype=np.float64)
    n, mean = len(sample), float(sample.mean())
    if n == 1:
        return Estimate(mean, None, None, 1, is_deterministic=False, unit=TRAINING_SEED)
    if np.ptp(sample) <= SAME_WITHIN:
        return Estimate(mean, mean, mean, n, is_deterministic=True, unit=TRAINING_SEED)
    quantile = _T_95[n - 2] if n - 2 < len(_T_95) else _T_95[-1]
    half_width = quantile * float(sample.std(ddof=1)) / math.sqrt(n)
    low, high = mean - half_width, mean + half_width
    return Estimate(mean, low, high, n, is_deterministic=False, unit=TRAINING_SEED)


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
