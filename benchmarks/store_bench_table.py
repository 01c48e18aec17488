"""What keeping episodes costs, as a table for people."""

from __future__ import annotations

from rich import box
from rich.table import Table

from benchmarks.store_bench import StoreBench


def render_store(measured: StoreBench) -> Table:
    """Lay the figures out, each beside its goal if it has one."""
    table = Table(
        "an episode",
        "n",
        "mean ms",
        "median",
        "95th centile",
        "longest",
        "of it CPU",
        "goal",
        box=box.SIMPLE,
        caption=(
            f"n: episodes. On the disk {measured.bytes_per_episode:.0f} bytes an episode, its "
            f"record as JSON text {measured.record_bytes:.0f}. Keeping is all between a result and "
            "its commit."
        ),
        caption_justify="left",
    )
    for row in measured.rows:
        table.add_row(
            row.name,
            str(row.n),
            *(
                f"{value:.3f}"
                for value in (row.mean_ms, row.median_ms, row.p95_ms, row.max_ms, row.cpu_ms)
            ),
            "-" if row.goal_ms is None else f"{row.goal_ms:g} ms: {_verdict(row.is_met)}",
        )
    return table


def _verdict(is_met: bool | None) -> str:
    return "met" if is_met else "missed"
