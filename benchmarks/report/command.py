"""`commonweal report`: a run as a folder that a browser opens."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from benchmarks.terminal import AsJson, answer, say


def report(
    run: Annotated[Path, typer.Argument(help="Folder of a run, as given to `compare --out`.")],
    out: Annotated[
        Path | None, typer.Option(help="Folder of the report.", show_default="RUN/report")
    ] = None,
    open_it: Annotated[bool, typer.Option("--open", help="Open it in a browser.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write the report of a run: tables, figures and a viewer of every episode.

    It holds all that was said, scratchpads and secret sheets included.
    """
    from rich.table import Table

    from benchmarks.report.build import INDEX, build_report, status_of
    from benchmarks.store import COMPLETE, RUNNING, open_run

    with open_run(run) as reader:
        status, num_episodes = status_of(run, reader.about), len(reader)
    with _Progress() as progress:
        folder = build_report(run, out, report=progress.show)
    page = folder / INDEX
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    told: dict[str, Any] = {
        "report": str(page),
        "episodes": num_episodes,
        "status": status,
        "bytes": size,
    }
    table = Table(*told)
    table.add_row(str(page), str(num_episodes), status, f"{size / 1e6:.1f} MB")
    answer(told, table, as_json=as_json)
    if status != COMPLETE:
        how = "goes on" if status == RUNNING else "ended before all its episodes were played"
        say(f"commonweal: the run {how}; the report has what it had kept")
    if open_it:
        typer.launch(page.resolve().as_uri())


class _Progress:
    """A progress bar on stderr."""

    def __init__(self) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

        self._bars = Progress(
            "{task.description}",
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
        )
        self._task = self._bars.add_task("episodes", total=None)

    def __enter__(self) -> _Progress:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def show(self, done: int, total: int) -> None:
        """Tell how many episodes are written."""
        self._bars.update(self._task, completed=done, total=total)
