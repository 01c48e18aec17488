"""`commonweal study`: play a study, or what is missing of it, and say what came out."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated, Any

import typer

from benchmarks.running import (
    BaseUrl,
    ExecutorName,
    Model,
    Models,
    Overwrite,
    RayAddress,
    Resume,
    RunUnderWay,
    Workers,
    models_asked_for,
    play_in_folder,
    refuse_to_lose_answers,
    say_what_is_missing,
)
from benchmarks.terminal import AsJson, answer, say, under_way

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.study.play import Studied

study = typer.Typer(help="Studies: a question, its episodes, its summary and its figures.")

_Out = Annotated[Path, typer.Option(help="Folder of the run.")]
_Size = Annotated[str, typer.Option(metavar="quick|full", help="How much of the grid is played.")]
_Groups = Annotated[
    str | None,
    typer.Option(
        metavar="NAME,...",
        help="Some of main, bare, tradeoff, history, sets, learned.",
        show_default="all",
    ),
]
_Agents = Annotated[
    str | None, typer.Option(metavar="NAME,...", help="Only these policies.", show_default="all")
]


_READABLE = 1000
"""A report of so many episodes opens at once; one of the whole grid takes minutes."""


@study.command("critical-change")
def critical_change(
    out: _Out,
    size: _Size = "full",
    groups: _Groups = None,
    agents: _Agents = None,
    resume: Resume = False,
    overwrite: Overwrite = False,
    executor: ExecutorName = "processes",
    workers: Workers = None,
    ray_address: RayAddress = None,
    base_url: BaseUrl = None,
    model: Model = None,
    models: Models = None,
    as_json: AsJson = False,
) -> None:
    """Find how large a change must be before it pays to renegotiate a contract.

    Worlds change, contracts stay, expire or are renegotiated. The grid of worlds, changes,
    treatments and policies is described in the module benchmarks.study.suite, and in docs/study.md.
    """
    from benchmarks.executors.named import executor_named
    from benchmarks.study.place import GROUPS
    from benchmarks.study.suite import study_suite

    where = executor_named(executor, num_workers=workers, address=ray_address)
    served = models_asked_for(models, base_url, model, {})
    if not (resume or overwrite):
        refuse_to_lose_answers(out)
    with under_way("designing the contracts"):
        wanted = study_suite(
            size,
            groups=GROUPS if groups is None else _names(groups),
            agents=None if agents is None else _names(agents),
            models=served,
        )

    def play(run: RunUnderWay) -> Studied:
        from benchmarks.study.play import play_study

        done = play_study(
            run.suite,
            size=size,
            folder=run.folder,
            executor=where,
            report=run.progress.report,
            on_status=run.progress.show,
            on_summary=partial(run.progress.note, "summing up, and drawing the figures"),
            command=sys.argv[1:],
            num_workers=workers,
        )
        run.progress.note("")
        return done

    _, done = play_in_folder(wanted, out, where, play=play, resume=resume)
    _say_all(done, out, as_json=as_json)


def _names(given: str) -> list[str]:
    return [name.strip() for name in given.split(",")]


def _say_all(done: Studied, out: Path, *, as_json: bool) -> None:
    """Print the answer; say where everything is, and what is missing."""
    from benchmarks.study.critical_table import critical_tables

    told = {
        "critical_magnitudes": done.study["critical_magnitudes"],
        "conditions": conditions_of(done.study),
        "n": done.study["n"],
        "seconds": done.study["seconds"],
        "study": str(out / "study.json"),
        "figures": [str(path) for path in done.figures],
    }
    answer(told, critical_tables(done.study["critical_magnitudes"]), as_json=as_json)
    say(f"summary: {out / 'study.json'}  figures: {len(done.figures)} files in {out}")
    if done.study["n"] <= _READABLE:
        say(f"every episode to read, step by step: commonweal report {quote(str(out))} --open")
    say_what_is_missing(done.played)


def conditions_of(study: Mapping[str, Any]) -> list[str]:
    """Return the names of the conditions that were played, each once, in order."""
    return sorted({row["condition"] for row in study["rows"]})


@study.command("page")
def page(
    runs: Annotated[list[Path], typer.Argument(help="Folders of runs of the study.")],
    docs: Annotated[Path, typer.Option(help="Folder of the documentation.")] = Path("docs"),
) -> None:
    """Fill in docs/study.md from runs of the study: every number, table and figure of it."""
    from benchmarks.study.page import write_page

    for path in write_page(runs, docs):
        say(f"written: {path}")
