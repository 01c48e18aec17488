"""How a seat that learned among partners does with each of them, as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.table import Table

from benchmarks.statistics import estimate_over_seeds
from benchmarks.table import with_interval, without_interval


def render_partners(results: Sequence[Mapping[str, Any]]) -> Table:
    """Lay out the meetings of some training seeds, as `PartnerExperiment` notes them."""
    table = Table(
        title=f"\nWith whom, means and 95% intervals over {len(results)} training seeds",
        title_justify="left",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        show_edge=False,
    )
    for heading in ("partner", "met in training", "own return", "efficiency"):
        table.add_column(heading, no_wrap=True)
    write = with_interval if len(results) > 1 else without_interval
    for name, first in results[0].items():
        values = [
            write(estimate_over_seeds([result[name][measure] for result in results]))
            for measure in ("own_return", "efficiency")
        ]
        table.add_row(name, "no" if first["held_out"] else "yes", *values)
    return table
