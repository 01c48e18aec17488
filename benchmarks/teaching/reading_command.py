"""`commonweal reading-table`: how much of a taught model is reading, and how much is memory."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from benchmarks.teaching.evaluate_command import Folder, LessonsName, Seed, require_packages
from benchmarks.terminal import AsJson, answer, say, under_way
from cleanup_icn import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.teaching.reading_table import Reading, ReadingTest, Row

_Episodes = Annotated[int, typer.Option(min=1, help="Settings a row, each played once.")]
_Out = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Write the table: Markdown, or JSON by .json.")
]


def reading_table(
    folder: Folder,
    lessons: LessonsName = None,
    episodes: _Episodes = 20,
    seed: Seed = 0,
    out: _Out = None,
    as_json: AsJson = False,
) -> None:
    """Ask a taught model where it was not taught: other settings, partners and words.

    Every row plays drawn settings once. Efficiency is welfare by the optimum's; beside it stands
    the share of valid answers and of those that its teacher would have given in the same place.
    """
    from benchmarks.teaching.examination import as_taught, check_folder
    from benchmarks.teaching.reading_table import ReadingTest

    if out is not None and not out.resolve().parent.is_dir():
        raise ConfigError("--out", str(out), "a file in a folder that exists")
    model = check_folder(folder)
    taught, asked = as_taught(model, lessons)
    require_packages()
    test = ReadingTest(folder=model, lessons=taught, asked=asked, episodes=episodes, seed=seed)
    rows = [reading.to_dict() for reading in _measured(test)]
    answer(rows, _table(rows, test), as_json=as_json)
    if out is not None:
        out.write_text(_written(rows, as_json=out.suffix == ".json"), encoding="utf-8")
        say(f"table: {out}")


def _measured(test: ReadingTest) -> list[Reading]:
    readings = []
    with under_way("playing"):
        for reading in test.readings():
            readings.append(reading)
            say(f"{reading.trial.name}: {reading.student.main.mean:.3f}")
    return readings


def _table(rows: Sequence[Row], test: ReadingTest) -> Table:
    from benchmarks.teaching.reading_table import columns_of, shown_values

    name = test.lessons.name
    table = Table(title=f"{name}: reading or memory", title_justify="left")
    for index, column in enumerate(columns_of(rows)):
        table.add_column(column, justify="left" if index == 0 else "right")
    for row in rows:
        table.add_row(*shown_values(row))
    return table


def _written(rows: Sequence[Row], *, as_json: bool) -> str:
    from benchmarks.teaching.reading_table import render_markdown

    if as_json:
        return json.dumps(rows, indent=2) + "\n"
    return render_markdown(rows)
