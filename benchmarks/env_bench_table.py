"""The rows of `commonweal bench env` as tables for people."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from importlib import metadata

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from benchmarks.env_bench import EnvBenchRow, ProfileRow
from benchmarks.env_bench_rows import Compilation

_CAPTION = (
    "Agent-steps a second of CPU time: medians of n repeats, with the lowest and the highest. "
    "x floor: how many times as fast as an empty environment with Cleanup's spaces and keys."
)


def render_rows(
    rows: Sequence[EnvBenchRow], compilation: Compilation, *, is_compiled: bool
) -> Group:
    """Lay out all rows, then the goals, what compiling cost, memory, and the machine."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False)
    table.add_column("row", no_wrap=True)
    for heading in (
        "agents",
        "lanes",
        "agent-steps/s",
        "[low, high]",
        "n",
        "x floor",
        "bytes/lane",
    ):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in rows:
        told = row.to_dict()
        held = told["bytes_per_lane"]
        table.add_row(
            row.name,
            str(row.num_agents),
            str(row.num_lanes),
            f"{row.agent_steps_per_s:,.0f}",
            f"[{told['low']:,.0f}, {told['high']:,.0f}]",
            str(told["n"]),
            f"{row.ratio_to_floor:.3g}",
            "-" if held is None else f"{held:,.0f}",
        )
    said = [
        *(_goal_line(row) for row in rows if row.goal is not None),
        _compilation_line(compilation, is_compiled=is_compiled),
        *_memory_lines(rows),
        _machine_line(),
    ]
    return Group(table, Text(), Text(_CAPTION, style="italic"), Text(), Text("\n".join(said)))


def render_profile(name: str, rows: Sequence[ProfileRow]) -> Table:
    """Lay out what a row's time went into."""
    table = Table("function", title=f"{name}: most time of their own", box=box.SIMPLE)
    for heading in ("calls", "own s", "share"):
        table.add_column(heading, justify="right")
    for row in rows:
        table.add_row(row.function, f"{row.calls:,}", f"{row.own_s:.3f}", f"{row.share:.0%}")
    return table


def _goal_line(row: EnvBenchRow) -> str:
    goal = row.goal
    assert goal is not None  # which the caller looked at
    if goal < 1:
        aim, got = f"at most {1 / goal:g} times the floor's", f"{1 / row.ratio_to_floor:.2f} times"
        line = f"goal: a step of {row.name} takes {aim} time: {got}"
    else:
        got = f"{row.ratio_to_floor:.3g} times"
        line = f"goal: {row.name} is at least {goal:g} times as fast as the floor: {got}"
    if row.meets_goal:
        return f"{line}, met"
    return f"{line}, missed; commonweal bench env --profile {row.name} shows what takes the time"


def _compilation_line(compilation: Compilation, *, is_compiled: bool) -> str:
    first = f"first calls of all batches took {compilation.seconds:.1f} s"
    if not is_compiled:
        return (
            "compilation: none, batches of Cleanup ran interpreted, for numba is not there or off "
            f"(pip install 'commonweal[ppo]'); {first}"
        )
    cached = compilation.kernels - compilation.compiled_now
    return (
        f"compilation: {compilation.compiled_now} kernels compiled now, {cached} from the cache; "
        f"{first}"
    )


def _memory_lines(rows: Sequence[EnvBenchRow]) -> list[str]:
    """Say what a lane takes, between each two batches of one game that differ in lanes alone."""
    held = {row.name: row for row in rows if row.num_bytes is not None}
    lines = []
    for few, many in (
        ("batch-64", "batch-1024"),
        ("batch-1024", "batch-4096"),
        ("negotiation-batch-64", "negotiation-batch-1024"),
    ):
        if few in held and many in held:
            a, b = held[few], held[many]
            more = ((b.num_bytes or 0) - (a.num_bytes or 0)) / (b.num_lanes - a.num_lanes)
            lines.append(f"memory: from {few} to {many} each lane takes {more:,.0f} bytes more")
    return lines


def _machine_line() -> str:
    versions = [f"Python {platform.python_version()}"]
    for package in ("numpy", "numba", "pettingzoo"):
        try:
            versions.append(f"{package} {metadata.version(package)}")
        except metadata.PackageNotFoundError:
            versions.append(f"no {package}")
    return f"machine: {os.cpu_count()} CPUs, {platform.machine()}, {', '.join(versions)}"
