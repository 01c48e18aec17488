"""How a run stands, laid out for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from shlex import quote

from rich import box
from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from benchmarks.play_screen import legible
from benchmarks.store import COMPLETE, RUNNING
from benchmarks.table import with_interval
from benchmarks.watch import KILLED, CellSoFar, Snapshot

_CAPTION = (
    "Means so far over done episodes, [low, high]: 95% interval, of rates Wilson's, of others by "
    "Student's t. The table at the end resamples instead."
)
_WIDTH_OF_NAMES, _WIDTH_OF_MEASURE = 56, 24
_LINES_BESIDE = 14  # that a snapshot takes beside its tables
_FAILURES_SHOWN = 3
_STYLES = {RUNNING: "bold", COMPLETE: "bold green"}
_BROKEN_OFF = "bold red"


def headline(seen: Snapshot) -> str:
    """Say in one line how far the run is."""
    parts = [f"{seen.suite}: {seen.status}", f"{seen.done} of {seen.total} episodes"]
    if seen.status == RUNNING and seen.done == seen.total:
        parts.append("being summed up")
    elif seen.rate_per_s is not None and seen.left_s is not None:
        parts += [_rate(seen.rate_per_s), f"about {_duration(seen.left_s)} left"]
    if seen.idle_s is not None and seen.idle_s >= 60:
        parts.append(f"last episode {_duration(seen.idle_s)} ago")
    if seen.malformed:
        parts.append(f"{seen.malformed} malformed")
    if seen.failures:
        parts.append(f"{len(seen.failures)} failed")
    return ", ".join(parts)


def how_to_go_on(seen: Snapshot) -> str:
    """Say how a run that ended too early is resumed; empty for others."""
    if not seen.is_broken_off:
        return ""
    why = "was killed: nobody writes it" if seen.status == KILLED else "stopped"
    reason = f" ({legible(seen.stopped)})" if seen.stopped else ""
    left = seen.total - seen.done
    rest = f"plays the other {left}" if left else "sums them up"
    return (
        f"The run {why}{reason}. All {seen.done} episodes are kept; the command that began it, "
        f"with --resume, {rest}: "
        f"commonweal compare {_suite_argument(seen.suite)} --out {quote(str(seen.path))} --resume, "
        "and its other options."
    )


def _suite_argument(name: str) -> str:
    """Return how a suite is asked for: where its file was, a run does not tell."""
    from benchmarks.suite_file import bundled_suites

    return name if name in bundled_suites() else "FILE.toml"


def render(seen: Snapshot, *, width: int, height: int | None = None) -> Group:
    """Lay out a snapshot.

    Args:
        seen: the snapshot.
        width: of the terminal, in characters.
        height: of the terminal, in lines; cells are left out where it is too low. None: no limit.
    """
    style = _BROKEN_OFF if seen.is_broken_off else _STYLES.get(seen.status, "bold")
    progress = Table.grid(padding=(0, 1, 0, 0))
    progress.add_row(
        ProgressBar(total=max(seen.total, 1), completed=seen.done, width=min(width - 6, 60)),
        f"{seen.done / max(seen.total, 1):.0%}",
    )
    parts: list[RenderableType] = [Text(headline(seen), style=style), progress]
    kinds = dict.fromkeys(seen.measures.values())
    room = None if height is None else max(height - _LINES_BESIDE - 3 * len(kinds), 3)
    shown = _that_fit(seen.cells, room)
    for measures in kinds:
        cells = [cell for cell in shown if seen.measures[cell.planned.arena] == measures]
        if cells:
            has_arenas = len(seen.measures) > 1
            parts += [_cells(cells, measures, width=width, has_arenas=has_arenas), Text()]
    left_out = len(seen.cells) - len(shown)
    note = f"{left_out} more cells not shown. " if left_out else ""
    parts += [Text(note + _CAPTION, style="italic"), *_models(seen), Text(), _last(seen)]
    parts += [Text(f"no answer: {legible(line)}") for line in seen.failures[:_FAILURES_SHOWN]]
    if seen.is_broken_off:
        parts.append(Text(how_to_go_on(seen), style=_BROKEN_OFF))
    return Group(*parts)


def _that_fit(cells: Sequence[CellSoFar], room: int | None) -> Sequence[CellSoFar]:
    """Return the cells that there is room for, in their order: first those that move."""
    if room is None or len(cells) <= room:
        return cells
    by_interest = sorted(
        range(len(cells)),
        key=lambda i: (cells[i].is_under_way, cells[i].last_ended_at),
        reverse=True,
    )
    chosen = set(by_interest[:room])
    return [cell for i, cell in enumerate(cells) if i in chosen]


def _cells(
    cells: Sequence[CellSoFar], measures: Sequence[str], *, width: int, has_arenas: bool
) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False)
    if has_arenas:
        table.add_column("arena", no_wrap=True)
    table.add_column("policy", no_wrap=True)
    table.add_column("condition", no_wrap=True)
    table.add_column("done", justify="right", no_wrap=True)
    table.add_column("malformed", justify="right", no_wrap=True)
    fitting = measures[: max((width - _WIDTH_OF_NAMES) // _WIDTH_OF_MEASURE, 1)]
    for name in fitting:
        table.add_column(name.replace("_", " "), justify="right", overflow="fold")
    for cell in cells:
        means = (cell.means.get(name) for name in fitting)
        table.add_row(
            *([Text(cell.planned.arena)] if has_arenas else []),
            Text(cell.planned.policy),
            Text(cell.planned.contract),
            f"{cell.done}/{cell.planned.num_episodes}",
            str(cell.malformed) if cell.done else "-",
            *("-" if mean is None else with_interval(mean) for mean in means),
        )
    return table


def _models(seen: Snapshot) -> list[Text]:
    if not seen.calls and not seen.malformed:
        return []
    return [
        Text(
            f"{seen.calls:,} questions to models or stubs, {seen.prompt_tokens:,} tokens in prompts"
            f" and {seen.completion_tokens:,} in answers; {seen.malformed} answers malformed, in "
            f"{seen.malformed_episodes} episodes"
        )
    ]


def _last(seen: Snapshot) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    for row in seen.last:
        shown = [
            f"{name.replace('_', ' ')} {value:.2f}"
            for name in seen.measures.get(row.arena, ())[:2]
            if (value := row.measures.get(name)) is not None
        ]
        malformed = f"{row.malformed} malformed" if row.malformed else ""
        table.add_row(
            Text(row.ended_at[11:19]),
            Text(f"{row.policy}, {row.contract}, episode {row.episode}"),
            Text(", ".join(shown)),
            Text(f"{row.wall_s:.1f} s"),
            Text(malformed),
        )
    return table


def _rate(per_s: float) -> str:
    for unit, seconds in (("second", 1), ("minute", 60)):
        if per_s * seconds >= 1:
            return f"{per_s * seconds:.1f} a {unit}"
    return f"{per_s * 3600:.1f} an hour"


def _duration(seconds: float) -> str:
    """Write a duration in its two largest units."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    hours, minutes = divmod(timedelta(seconds=whole) // timedelta(minutes=1), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
