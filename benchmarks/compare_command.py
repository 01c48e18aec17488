"""`commonweal compare`: its options, its progress, and what it says at the end."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.text import Text

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
from benchmarks.terminal import FAILED, AsJson, answer, console, say
from cleanup_icn import ConfigError

if TYPE_CHECKING:
    from benchmarks.compare import ArenaRows, Outcome
    from benchmarks.model_config import ModelsConfig
    from benchmarks.suite import Suite
    from benchmarks.work import Executor

_Suite = Annotated[str, typer.Argument(help="Name of a suite, see `suites`, or a TOML file.")]
_Out = Annotated[Path | None, typer.Option(help="Folder of the run.", show_default="runs/SUITE")]
_Episodes = Annotated[int | None, typer.Option(min=1, help="Episodes a cell.")]
_Seed = Annotated[int | None, typer.Option(min=0, help="Seed of the run.")]
_Policies = Annotated[
    str | None, typer.Option(metavar="NAME,...", help="Only these policies of the suite.")
]
_Trained = Annotated[
    list[Path] | None,
    typer.Option(
        metavar="DIR", help="Folder that `train cleanup` wrote: plays too; more than one: each."
    ),
]
_MaxInFlight = Annotated[
    int | None, typer.Option(min=1, help="Most questions at a time.", show_default="adaptive")
]
_MaxTokens = Annotated[
    int | None, typer.Option(min=1, help="Longest answer, in tokens.", show_default="512")
]
_Style = Annotated[
    str | None, typer.Option(help="How to reason before answering.", show_default="direct")
]
_Structured = Annotated[
    str | None,
    typer.Option(
        metavar="auto|off",
        help="Whether the server holds answers to their form.",
        show_default="auto",
    ),
]
_MaxRepairs = Annotated[
    int | None,
    typer.Option(min=0, help="Times a malformed answer is sent back.", show_default="1"),
]
_RecordLines = Annotated[
    int | None,
    typer.Option(min=0, help="Last lines of the public record shown.", show_default="all"),
]


def compare(
    suite: _Suite = "cleanup-smoke",
    out: _Out = None,
    episodes: _Episodes = None,
    seed: _Seed = None,
    policies: _Policies = None,
    trained: _Trained = None,
    resume: Resume = False,
    overwrite: Overwrite = False,
    executor: ExecutorName = "processes",
    workers: Workers = None,
    ray_address: RayAddress = None,
    base_url: BaseUrl = None,
    model: Model = None,
    models: Models = None,
    max_in_flight: _MaxInFlight = None,
    max_tokens: _MaxTokens = None,
    style: _Style = None,
    structured: _Structured = None,
    max_repairs: _MaxRepairs = None,
    record_lines: _RecordLines = None,
    as_json: AsJson = False,
) -> None:
    """Play policies under contracts, or incentives; write records, a table and a figure.

    A served model plays in the stub models' place with --base-url and --model; its server's key, if
    it needs one, is read from the environment variable OPENAI_API_KEY.
    """
    short_way = {
        "max_in_flight": max_in_flight,
        "max_tokens": max_tokens,
        "style": style,
        "structured": structured,
        "max_repairs": max_repairs,
        "record_lines": record_lines,
    }
    from benchmarks.executors.named import executor_named

    where = executor_named(executor, num_workers=workers, address=ray_address)
    served = models_asked_for(models, base_url, model, short_way)
    wanted = _wanted(suite, served, episodes=episodes, seed=seed)
    folder = out or Path("runs") / wanted.name
    if trained:
        wanted = _seat_trained(wanted, trained, folder)
    if policies is not None:
        seated = [each.name for arena in wanted.arenas for each in arena.trained]
        wanted = wanted.with_policies([*(name.strip() for name in policies.split(",")), *seated])
    if not (resume or overwrite):
        refuse_to_lose_answers(folder)
    playable, done = _play(wanted, folder, where, resume=resume)
    _say_all(playable, folder, done, as_json=as_json)


def _wanted(
    name: str,
    served: ModelsConfig | None,
    *,
    episodes: int | None,
    seed: int | None,
) -> Suite:
    """Return the suite that is asked for, with the models that are served."""
    from benchmarks.kinds import misfits
    from benchmarks.suite_file import load_suite

    wanted = load_suite(name).with_run(num_episodes=episodes, seed=seed)
    if served is not None:
        wanted = wanted.with_models(served, misfits=partial(misfits, models=served))
    return wanted


def _seat_trained(suite: Suite, folders: Sequence[Path], out: Path) -> Suite:
    """Return the suite with the trainings in these folders as further policies."""
    from benchmarks.seated_training import SeatedTraining
    from benchmarks.training import INSTALL_HINT, is_available

    if not is_available():
        say(f"commonweal: learned policies need more packages: {INSTALL_HINT}")
        raise typer.Exit(FAILED)
    for folder in folders:
        # A new run removes the checkpoints of an earlier one: not those of a training.
        if folder.resolve().is_relative_to(out.resolve()):
            raise ConfigError("--trained", str(folder), "a folder outside that of the run")
        suite = suite.with_trained(partial(SeatedTraining.of, folder))
    return suite


def _play(wanted: Suite, out: Path, executor: Executor, *, resume: bool) -> tuple[Suite, Outcome]:
    """Play a suite, or what is missing of it, and sum it up."""
    from benchmarks import compare as comparison

    def play(run: RunUnderWay) -> Outcome:
        return comparison.compare(
            run.suite,
            folder=run.folder,
            executor=executor,
            report=run.progress.report,
            on_status=run.progress.show,
            command=sys.argv[1:],
        )

    return play_in_folder(wanted, out, executor, play=play, resume=resume)


def _say_all(suite: Suite, path: Path, done: Outcome, *, as_json: bool) -> None:
    """Print the rows; say where everything is, and what is missing."""
    from benchmarks.table import render_serving

    rows: Any = [row for table in done.tables for row in table.to_dicts()]
    tables: list[RenderableType] = []
    for table in done.tables:
        tables += _tables(suite, table, done)
    if done.serving is not None:
        tables.append(render_serving(done.serving))
    answer(rows, Group(*tables), as_json=as_json)
    figures = sorted(path.glob("figure*.svg"))
    shown = str(figures[0]) if len(figures) == 1 else f"{len(figures)}, {path / 'figure-*.svg'}"
    say(f"records: {path}" + (f"  figure: {shown} and .png" if figures else ""))
    say(f"every episode to read, step by step: commonweal report {quote(str(path))} --open")
    say_what_is_missing(done)


def _tables(suite: Suite, table: ArenaRows, done: Outcome) -> Iterator[RenderableType]:
    """Yield an arena's table, its comparisons and, if episodes went wrong, what is left of it."""
    from benchmarks.comparisons_table import render_comparisons
    from benchmarks.kinds import kind_of
    from benchmarks.sensitivity import render_sensitivity

    title, width = suite.title_of(table.arena), console().width
    render = kind_of(table.arena).render_tables
    yield render(table.rows, title=title, width=width)
    yield render_comparisons(done.comparisons, table.arena, width=width)
    checked = [row for row in done.sensitivity if row.arena == table.arena.name]
    if any(row.is_affected for row in checked):
        yield Text()
        yield render_sensitivity(checked, table.arena, width=width)
    yield Text()
