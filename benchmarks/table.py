"""The rows of a comparison as tables for people."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple, Protocol, TypeVar

from rich import box
from rich.cells import cell_len
from rich.console import Group
from rich.table import Table
from rich.text import Text

from benchmarks.statistics import Estimate

ONE_TABLE_COLUMNS = 140
"""Width of a terminal, in characters, from which on all measures stand in one table."""

_NARROW_NAME = 20
"""Room for a name, in characters, where room is short."""


class TableRow(Protocol):
    """What a table shows of a cell."""

    @property
    def policy(self) -> str:
        """Name of the policy."""
        ...

    @property
    def contract(self) -> str:
        """Name of the condition."""
        ...

    @property
    def n(self) -> int:
        """How many episodes there are."""
        ...

    @property
    def estimates(self) -> Mapping[str, Estimate]:
        """The means by measure."""
        ...


RowT = TypeVar("RowT", bound=TableRow)


class Column(NamedTuple):
    """A measure, and how its estimate is written."""

    heading: str
    measure: str
    write: Callable[[Estimate], str]


def render_serving(serving: Mapping[str, Any]) -> Table:
    """Lay out what models did for a run, see `benchmarks.serving.ServingTally.to_dict`."""
    prompts, cached = serving["prompt_tokens"], serving["cached_tokens"]
    hits, gpu_s = serving["prefix_cache_hit_rate"], serving["gpu_s_per_episode"]
    told = {
        "requests": f"{serving['requests']}, {serving['requests_per_s']:.2f} a second",
        "tokens": (
            f"{prompts} in prompts{f', {cached / prompts:.0%} of them cached' if cached else ''}, "
            f"{serving['completion_tokens']} in answers, {serving['tokens_per_s']:.0f} a second"
        ),
        "prefix cache": "the server does not tell" if hits is None else f"{hits:.0%} found",
        "answers": (
            f"{serving['decisions']}, {serving['repaired']} repaired, "
            f"{serving['malformed']} malformed in the end"
        ),
        "GPU-seconds an episode": None if gpu_s is None else f"{gpu_s:.1f}",
        "money": f"{serving['money']:g}" if serving["money"] else None,
    }
    table = Table(title="models", box=box.SIMPLE, title_justify="left", show_header=False)
    for name, value in told.items():
        if value is not None:
            table.add_row(name, value)
    return table


def lay_out(
    rows: Sequence[RowT],
    columns: Sequence[Sequence[Column]],
    *,
    title: str,
    width: int,
    caption: str,
    conditions: str = "contract",
    write_n: Callable[[RowT], str] = lambda row: str(row.n),
) -> Group:
    """Put all columns into one table, or each group into its own on a narrow terminal.

    ``conditions`` heads the column of the conditions' names; ``write_n`` says how many samples a
    cell has.
    """
    groups = [tuple(chain(*columns))] if width >= ONE_TABLE_COLUMNS else columns
    tables = [_table(rows, group, conditions=conditions, write_n=write_n) for group in groups]
    spaced = [part for table in tables for part in (Text(), table)]
    return Group(Text(title, style="bold"), *spaced, Text(), Text(caption, style="italic"))


def _table(
    rows: Sequence[RowT],
    columns: Sequence[Column],
    *,
    conditions: str,
    write_n: Callable[[RowT], str],
) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False)
    table.add_column("policy", no_wrap=True)
    table.add_column(conditions, no_wrap=True)
    table.add_column("n", justify="right", no_wrap=True)
    for column in columns:
        table.add_column(column.heading, justify="right", overflow="fold")
    for index, row in enumerate(rows):
        is_first = index == 0 or rows[index - 1].policy != row.policy
        if is_first and index:
            table.add_row()
        cells = (column.write(row.estimates[column.measure]) for column in columns)
        table.add_row(row.policy if is_first else "", row.contract, write_n(row), *cells)
    return table


def table_of_answers(
    headings: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    names: int,
    title: str,
    width: int,
) -> Table:
    """Lay out rows whose first cells, `names` of them, say what the others are of.

    In fewer than `width` characters no answer is cut off: names stand below one another, and
    intervals below their means.
    """
    if _width_of(headings, rows) > width:
        headings = [
            ", ".join(headings[:names]),
            *(each.replace(" ", "\n") for each in headings[names:]),
        ]
        rows, names = [_narrow(cells, names=names) for cells in rows], 1
    table = Table(
        title=title,
        title_justify="left",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        show_edge=False,
    )
    for index, heading in enumerate(headings):
        is_name = index < names
        table.add_column(
            heading,
            justify="left" if is_name else "right",
            no_wrap=not is_name,
            overflow="fold",
        )
    for cells in rows:
        table.add_row(*cells)
    return table


def _width_of(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> int:
    """Return how many characters a table takes, two of them after each column."""
    columns = zip(headings, *rows, strict=True)
    return sum(2 + max(map(cell_len, column)) for column in columns)


def _narrow(cells: Sequence[str], *, names: int) -> list[str]:
    named = "\n".join(
        cell.replace(" - ", "\n- ") if cell_len(cell) > _NARROW_NAME else cell
        for cell in cells[:names]
    )
    return [named, *(cell.replace(" ", "\n", 1) for cell in cells[names:])]


def with_interval(estimate: Estimate) -> str:
    """Write a mean and its interval."""
    if estimate.is_deterministic:
        return f"{estimate.mean:.2f} same in all {estimate.n}"
    if estimate.low is None or estimate.high is None:
        return f"{estimate.mean:.2f} one {estimate.unit}"
    # An interval of zero width would be a claim; what is only narrow gets more decimals.
    low, high = estimate.low, estimate.high
    decimals = next((d for d in (2, 3) if round(low, d) < round(high, d)), 4)
    return f"{estimate.mean:.{decimals}f} [{low:.{decimals}f}, {high:.{decimals}f}]"


def without_interval(estimate: Estimate) -> str:
    """Write a mean alone."""
    return f"{estimate.mean:.2f}"


def with_half_width(estimate: Estimate, *, decimals: int) -> str:
    """Write a mean and half the width of its interval."""
    mean = f"{estimate.mean:.{decimals}f}"
    if estimate.is_deterministic:
        return mean
    if estimate.low is None or estimate.high is None:
        return f"{mean} ±?"
    half_width, smallest = (estimate.high - estimate.low) / 2, 10.0**-decimals
    if half_width < smallest:
        return f"{mean} ±<{smallest:.{decimals}f}"
    return f"{mean} ±{half_width:.{decimals}f}"
