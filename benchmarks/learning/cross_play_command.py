"""`commonweal cross-play`: who does how well with whom, under every contract."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from benchmarks.terminal import FAILED, AsJson, answer, say

if TYPE_CHECKING:
    from rich.console import Group

    from benchmarks.learning.cross_play_rows import CompanyRow, MatrixRow
    from benchmarks.learning.cross_play_settings import CrossPlay

_Config = Annotated[str, typer.Option(help="TOML file of settings, or default.")]
_Out = Annotated[
    Path | None, typer.Option(help="Folder of the run.", show_default="runs/cross-play")
]
_Trained = Annotated[
    list[Path] | None,
    typer.Option(metavar="DIR", help="Folder that `train cleanup` wrote; its seeds play too."),
]
_Workers = Annotated[
    int | None, typer.Option(min=0, help="Processes; 0: this one.", show_default="cores")
]
_Resume = Annotated[
    bool, typer.Option("--resume", help="Play only what the folder does not have yet.")
]

COMPANY = "company.json"


def cross_play(
    config: _Config = "default",
    out: _Out = None,
    trained: _Trained = None,
    workers: _Workers = None,
    resume: _Resume = False,
    as_json: AsJson = False,
) -> None:
    """Let every policy play with every other under every contract; write records and heat maps.

    Rows take seat 0, columns the other seats; every cell plays the same episodes.
    """
    from benchmarks.learning.cross_play_settings import load_cross_play
    from benchmarks.training import INSTALL_HINT, is_available

    setting = load_cross_play(config, trained or ())
    if (setting.settings.ppo_seeds or setting.trained) and not is_available():
        say(f"commonweal: learned policies need more packages: {INSTALL_HINT}; or ppo_seeds = 0")
        raise typer.Exit(FAILED)
    folder = out or Path("runs") / "cross-play"
    num_workers = (os.cpu_count() or 1) if workers is None else workers
    rows, company = _play(setting, folder, num_workers=num_workers, resume=resume)
    told = [row.to_dict() for row in rows]
    answer(told, _tables(setting, rows, company), as_json=as_json)
    say(f"records and heat maps: {folder}")


def _play(
    setting: CrossPlay, out: Path, *, num_workers: int, resume: bool
) -> tuple[list[MatrixRow], list[CompanyRow]]:
    """Play, write what came of it, and return its rows."""
    from benchmarks.learning.cross_play import open_folder, pairings, play_all
    from benchmarks.learning.cross_play_figure import save_heat_maps
    from benchmarks.learning.cross_play_rows import company_rows, matrix_rows
    from benchmarks.store import FIGURES, TABLE

    settings, num_conditions = setting.settings, len(setting.arena.conditions)
    totals = {
        "agent_steps": settings.ppo_seeds * num_conditions * settings.ppo_agent_steps,
        "episodes": len(pairings(setting)) * settings.episodes,
    }
    start_s = time.monotonic()
    with open_folder(out, setting, resume=resume) as folder:
        with _Progress(totals) as progress:
            played = play_all(setting, folder, num_workers=num_workers, report=progress.report)
        rows = matrix_rows(setting, played)
        company = company_rows(setting, rows)
        folder.write_json(TABLE, [row.to_dict() for row in rows])
        folder.write_json(COMPANY, [row.to_dict() for row in company])
        save_heat_maps(setting, rows, [folder.path / name for name in FIGURES])
        folder.write_run({"seconds": round(time.monotonic() - start_s, 1)})
    return rows, company


def _tables(setting: CrossPlay, rows: Sequence[MatrixRow], company: Sequence[CompanyRow]) -> Group:
    from rich.console import Group
    from rich.text import Text

    title = f"{setting.arena.name}: {setting.arena.scenario.name}"
    caption = (
        "First tables: efficiency, seat 0 (rows) with everybody in the other seats (columns, by "
        f"number), means of {rows[0].n} episodes. Last table: in both seats; [low, high]: 95% "
        "interval over what n counts. All cells with intervals: table.json."
    )
    matrices = [_matrix(setting, rows, each.name) for each in setting.arena.conditions]
    spaced: list[Any] = [part for each in matrices for part in (Text(), each)]
    heading, note = Text(title, style="bold"), Text(caption, style="italic")
    return Group(heading, *spaced, Text(), _company(company), Text(), note)


def _matrix(setting: CrossPlay, rows: Sequence[MatrixRow], contract: str) -> Any:
    from rich import box
    from rich.table import Table

    from benchmarks.learning.cross_play_rows import EFFICIENCY

    players = setting.players(contract)
    found = {row.pairing[1:]: row for row in rows if row.pairing.contract == contract}
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False)
    table.add_column(f"contract: {contract}", no_wrap=True)
    for number in range(len(players)):
        table.add_column(str(number), justify="right")
    for number, row in enumerate(players):
        cells = (f"{found[row, each].mean(EFFICIENCY):.2f}" for each in players)
        table.add_row(f"{number:2} {row}", *cells)
    return table


def _company(rows: Sequence[CompanyRow]) -> Any:
    from rich import box
    from rich.table import Table

    from benchmarks.learning.cross_play_rows import EFFICIENCY, OWN_RETURN
    from benchmarks.table import with_interval, without_interval

    table = Table(
        *("contract", "player", "with", "own return", "efficiency", "n"),
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        show_edge=False,
    )
    for row in rows:
        write = without_interval if row.n == 1 else with_interval
        values = (write(row.estimates[name]) for name in (OWN_RETURN, EFFICIENCY))
        table.add_row(row.contract, row.player, row.company, *values, f"{row.n} {row.over}")
    return table


class _Progress:
    """Bars on stderr: training steps and episodes."""

    def __init__(self, totals: dict[str, int]) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TimeElapsedColumn, TimeRemainingColumn

        columns = ("{task.description}", BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
        self._console = Console(stderr=True)
        self._bars = Progress(*columns, console=self._console)
        self._tasks = {
            kind: self._bars.add_task(kind.replace("_", "-"), total=total)
            for kind, total in totals.items()
            if total
        }

    def __enter__(self) -> _Progress:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()
        if not self._console.is_interactive:
            self._console.print()  # else what is said next would stand on the same line

    def report(self, kind: str, amount: int) -> None:
        """Take note of so many more episodes or training steps."""
        self._bars.advance(self._tasks[kind], amount)
