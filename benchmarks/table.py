"""The rows of a comparison as a table for people."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from benchmarks.metrics import Row
from benchmarks.statistics import Estimate

_SIDE_MEASURES = {
    "equality": ("equality", 2),
    "transfers": ("transfers", 0),
    "illegal": ("illegal", 1),
    "malformed": ("malformed", 1),
    "negotiations": ("talks", 1),
}
"""Heading and decimals of the measures that come with half the width of their interval."""


def render_table(rows: Sequence[Row], *, title: str) -> Table:
    """Lay out the rows, a line between policies; see docs/compare.md for the columns."""
    table = Table(title=title, caption=_CAPTION, title_justify="left", caption_justify="left")
    table.add_column("policy", no_wrap=True)
    table.add_column("contract")
    for heading in ("n", "welfare", "efficiency", "after change"):
        table.add_column(heading, justify="right")
    for heading, _ in _SIDE_MEASURES.values():
        table.add_column(heading, justify="right")
    for index, row in enumerate(rows):
        is_first = index == 0 or rows[index - 1].policy != row.policy
        if is_first and index:
            table.add_section()
        table.add_row(
            row.policy if is_first else "",
            row.contract,
            str(row.n),
            _with_half_width(row.estimates["welfare"], 0),
            _with_interval(row.estimates["efficiency"]),
            _with_interval(row.estimates["efficiency_after_change"]),
            *(
                _with_half_width(row.estimates[measure], decimals)
                for measure, (_, decimals) in _SIDE_MEASURES.items()
            ),
        )
    return table


_CAPTION = (
    "Means over n episodes. [low, high]: 95% bootstrap interval; ±: half the width of one; "
    "without either, all n episodes gave the same."
)


def _with_interval(estimate: Estimate) -> str:
    if estimate.is_deterministic:
        return f"{estimate.mean:.2f} same in all {estimate.n}"
    if estimate.low is None or estimate.high is None:
        return f"{estimate.mean:.2f} one episode"
    return f"{estimate.mean:.2f} [{estimate.low:.2f}, {estimate.high:.2f}]"


def _with_half_width(estimate: Estimate, decimals: int) -> str:
    mean = f"{estimate.mean:.{decimals}f}"
    if estimate.is_deterministic or estimate.low is None or estimate.high is None:
        return mean
    return f"{mean} ±{(estimate.high - estimate.low) / 2:.{decimals}f}"
