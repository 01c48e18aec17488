"""`commonweal watch`: follows a run in the terminal."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from benchmarks.terminal import DONE, FAILED, console

if TYPE_CHECKING:
    from benchmarks.watch import Snapshot, Watch


def watch(
    run: Annotated[Path, typer.Argument(help="Folder of a run, as given to `compare --out`.")],
    once: Annotated[bool, typer.Option("--once", help="Say how it stands, and end.")] = False,
    every: Annotated[
        float, typer.Option(min=0.1, metavar="SECONDS", help="Time between two looks.")
    ] = 2.0,
) -> None:
    """Follow a run until it is over, or Ctrl-C: it goes on whether or not it is watched.

    The exit code is 1 if it ended before its episodes did.
    """
    from benchmarks.watch import Watch

    watched, screen = Watch(run), console()
    if once:
        seen = watched.look()
        _print(seen, screen)
    elif screen.is_terminal:
        seen = _follow_live(watched, screen, every_s=every)
    else:
        seen = _follow_in_lines(watched, screen, every_s=every)
    raise typer.Exit(FAILED if seen.is_broken_off else DONE)


def _print(seen: Snapshot, screen: Console) -> None:
    from benchmarks.watch_table import render

    screen.print(render(seen, width=screen.width))


def _follow_live(watched: Watch, screen: Console, *, every_s: float) -> Snapshot:
    """Redraw one picture; the last one is left in full."""
    from rich.live import Live

    from benchmarks.watch_table import render

    first = watched.look()
    with Live(console=screen, auto_refresh=False, transient=True) as live:

        def draw(seen: Snapshot) -> None:
            picture = render(seen, width=screen.width, height=screen.height)
            live.update(picture, refresh=True)

        last = _follow(watched, first, draw, every_s=every_s)
    _print(last, screen)
    return last


def _follow_in_lines(watched: Watch, screen: Console, *, every_s: float) -> Snapshot:
    """Write a line whenever something has changed, and the whole at the end."""
    from benchmarks.watch_table import headline

    told = -1

    def tell(seen: Snapshot) -> None:
        nonlocal told
        if seen.done != told:
            told = seen.done
            typer.echo(headline(seen))

    last = _follow(watched, watched.look(), tell, every_s=every_s)
    _print(last, screen)
    return last


def _follow(
    watched: Watch, seen: Snapshot, tell: Callable[[Snapshot], None], *, every_s: float
) -> Snapshot:
    """Look and tell until the run is over or the person has seen enough."""
    try:
        tell(seen)
        while not seen.is_over:
            time.sleep(every_s)
            seen = watched.look()
            tell(seen)
    except KeyboardInterrupt:
        pass
    return seen
