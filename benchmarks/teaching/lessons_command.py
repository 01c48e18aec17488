"""`commonweal lessons`: play what a language model can be taught from, and keep the records."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from shlex import quote
from statistics import fmean
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from benchmarks.running import (
    Overwrite,
    Resume,
    RunUnderWay,
    Workers,
    play_in_folder,
    refuse_to_lose_answers,
    say_what_is_missing,
)
from benchmarks.terminal import AsJson, answer, say

if TYPE_CHECKING:
    from benchmarks.compare import Played
    from benchmarks.suite import Suite
    from benchmarks.teaching.lessons import Lessons

_Name = Annotated[str | None, typer.Argument(help="Of the lessons, see --list.")]
_Out = Annotated[Path | None, typer.Option(help="Folder of the run.")]
_Episodes = Annotated[int, typer.Option(min=1, help="Episodes in all.")]
_Seed = Annotated[int, typer.Option(min=0, help="Of worlds, starts and players.")]
_List = Annotated[bool, typer.Option("--list", help="List the lessons.")]

Rows = Mapping[str, Mapping[str, float]]
"""By table: `episodes`, and the means of measures by name."""


def lessons(
    name: _Name = None,
    out: _Out = None,
    episodes: _Episodes = 800,
    seed: _Seed = 0,
    workers: Workers = None,
    resume: Resume = False,
    overwrite: Overwrite = False,
    list_them: _List = False,
    as_json: AsJson = False,
) -> None:
    """Play lessons: scripted teachers beside wavering partners, in drawn worlds.

    The records are those of any run: `commonweal dataset` makes pairs of question and answer of
    them.
    """
    from benchmarks.executors.named import executor_named
    from benchmarks.teaching.lessons import lessons_named

    if list_them:
        _list(as_json=as_json)
        return
    if name is None or out is None:
        missing = "NAME" if name is None else "--out"
        raise typer.BadParameter("is needed", param_hint=missing)
    wanted = lessons_named(name)
    where = executor_named("processes", num_workers=workers)
    if not (resume or overwrite):
        refuse_to_lose_answers(out)
    suite = wanted.teaching_suite(episodes=episodes, seed=seed)
    _, played = play_in_folder(suite, out, where, play=lambda run: _play(run, where), resume=resume)
    _say_all(suite, played, out, taught=wanted, as_json=as_json)
    say_what_is_missing(played)


def means_by_table(suite: Suite, out: Path) -> Rows:
    """Return what the episodes kept in a folder come to, by table, in the order of the suite.

    Measures are the welfare, where the game has one, and those by which its rows are compared.
    """
    from benchmarks.comparisons import compared_measures
    from benchmarks.store import open_run

    names = dict.fromkeys(
        ("welfare", *(name for arena in suite.arenas for name in compared_measures(arena)))
    )
    found: dict[str, list[Mapping[str, float | None]]] = {name: [] for name in suite.policies}
    with open_run(out) as reader:
        for row in reader.rows():
            found[row.policy].append(row.measures)
    return {
        table: {"episodes": len(measured), **_means(measured, list(names))}
        for table, measured in found.items()
        if measured
    }


def _play(run: RunUnderWay, where: Any) -> Played:
    from benchmarks.compare import play_missing

    played = play_missing(run.suite, folder=run.folder, executor=where, report=run.progress.report)
    played.end_run(run.suite, run.folder, command=sys.argv[1:])
    return played


def _means(measured: list[Mapping[str, float | None]], names: list[str]) -> dict[str, float]:
    values = {name: [each[name] for each in measured if name in each] for name in names}
    known = {
        name: [value for value in found if value is not None] for name, found in values.items()
    }
    return {name: fmean(found) for name, found in known.items() if found}


def _list(*, as_json: bool) -> None:
    from benchmarks.teaching.lessons import LESSONS

    told = [
        {"name": each.name, "teacher": each.teacher, "description": each.description}
        for each in LESSONS.values()
    ]
    table = Table("lessons", "teacher", "what it makes of a pupil")
    for each in told:
        table.add_row(*each.values())
    answer(told, table, as_json=as_json)


def _say_all(suite: Suite, played: Played, out: Path, *, taught: Lessons, as_json: bool) -> None:
    from agents.llm.styles import DIRECT
    from benchmarks.teaching.recipe import preset_for

    rows = means_by_table(suite, out)
    num_episodes = sum(int(row["episodes"]) for row in rows.values())
    told = {
        "episodes": num_episodes,
        "arenas": len(suite.arenas),
        "seconds": played.seconds,
        "out": str(out),
    }
    answer(told, _table(rows), as_json=as_json)
    say(f"played: {num_episodes} episodes in {len(suite.arenas)} worlds or games, kept in {out}")
    data = preset_for(taught.name).data
    style = f"--style {data.style} " if data.style != DIRECT else ""
    say(
        f"the next step: commonweal dataset {quote(str(out))} --relabel {taught.teacher} "
        f"{style}--record-lines {data.record_lines} --out {quote(f'{out}.jsonl')}"
    )


def _table(rows: Rows) -> Table:
    measures = dict.fromkeys(name for row in rows.values() for name in row)
    table = Table("table", *(name.replace("_", " ") for name in measures))
    for name, row in rows.items():
        written = (f"{row[m]:.4g}" if m in row else "" for m in measures)
        table.add_row(name, *written)
    return table
