"""The rows of a comparison in negotiation as tables for people."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from rich.console import Group

from benchmarks.negotiation.metrics import NegotiationRow
from benchmarks.table import Column, lay_out, with_half_width, with_interval

_CAPTION = (
    "Over n episodes. [low, high]: 95% Wilson interval; ±: half the width of one, of any and "
    "unanimous by Wilson, else by bootstrap. Without ±, all n episodes gave the same; ±?: a single "
    "one says nothing of spread."
)


def render_tables(rows: Sequence[NegotiationRow], *, title: str, width: int) -> Group:
    """Lay out the rows for a terminal of so many characters; docs/compare.md has the columns."""
    return lay_out(
        rows,
        (_REACHED, _HOW),
        title=title,
        width=width,
        caption=_CAPTION,
        conditions="game/incentives",
    )


_REACHED = (
    Column("success", "final_success", with_interval),
    Column("any", "any_success", partial(with_half_width, decimals=2)),
    Column("unanimous", "unanimous", partial(with_half_width, decimals=2)),
)
_HOW = (
    Column("p1", "own_score", partial(with_half_width, decimals=1)),
    Column("all", "collective", partial(with_half_width, decimals=1)),
    Column("wrong", "wrong", partial(with_half_width, decimals=2)),
    Column("malf.", "malformed", partial(with_half_width, decimals=2)),
    Column("leaks", "leaks", partial(with_half_width, decimals=1)),
)
