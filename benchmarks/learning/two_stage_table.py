"""The menu of a contract learning as a table: what contracts are worth and who accepts them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from rich import box
from rich.table import Table

_CAPTION = (
    "Means over test starts and training seeds: what each agent earns, in brackets what its critic "
    "expects; who accepts, by the payoffs; how often a contract is in force."
)


def render_menu(results: Sequence[Mapping[str, Any]]) -> Table:
    """Lay out the menu of the results of some training seeds, as `TwoStageResult` notes them."""
    rows = [result["table"] for result in results]
    agents = range(len(rows[0][0]["returns"]))
    table = Table(
        title=f"\nThe menu, {len(rows)} training seeds",
        title_justify="left",
        caption=_CAPTION,
        caption_justify="left",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        show_edge=False,
    )
    table.add_column("contract", no_wrap=True)
    headings = ("efficiency", *(f"agent_{agent}" for agent in agents), "accept", "all others")
    for heading in (*headings, "solved", "learned"):
        table.add_column(heading, justify="right")
    for number, first in enumerate(rows[0]):
        alike = [row[number] for row in rows]
        returns, critic = (_mean(alike, name) for name in ("returns", "critic"))
        accepted = "/".join(f"{share:.2f}" for share in _mean(alike, "accepted"))
        passes, solved, learned = (_mean(alike, name) for name in ("passes", "solved", "learned"))
        table.add_row(
            first["contract"],
            f"{float(_mean(alike, 'efficiency')):.3f}",
            *(f"{returns[agent]:.1f} ({critic[agent]:.1f})" for agent in agents),
            accepted,
            *(f"{float(share):.2f}" for share in (passes, solved, learned)),
        )
    return table


def _mean(rows: Sequence[Mapping[str, Any]], name: str) -> Any:
    return np.mean([row[name] for row in rows], axis=0)
