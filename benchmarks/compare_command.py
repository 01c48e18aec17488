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

from benchmarks.terminal import FAILED, AsJson, answer, console, say
from cleanup_icn import ConfigError

if TYPE_CHECKING:
    from benchmarks.compare import ArenaRows, Outcome
    from benchmarks.model_config import ModelsConfig
    from benchmarks.suite import Suite
    from benchmarks.work import Executor

_FAILURES_SHOWN = 3


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
_Resume = Annotated[
    bool, typer.Option("--resume", help="Play only what the folder does not have yet.")
]
_Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="Replace a run in which models were asked.")
]
_Executor = Annotated[str, typer.Option(metavar="processes|ray", help="Where episodes are played.")]
_Workers = Annotated[
    int | None,
    typer.Option(
        min=0, help="Processes, or tasks on a cluster; 0: here.", show_default="2; all of a cluster"
    ),
]
_RayAddress = Annotated[
    str | None,
    typer.Option(metavar="ADDRESS", help="Cluster to join.", show_default="one of this machine"),
]
_BaseUrl = Annotated[
    list[str] | None,
    typer.Option(
        metavar="URL", help="A model's server, as http://HOST:PORT/v1; more than one: balanced."
    ),
]
_Model = Annotated[
    str | None, typer.Option(help="Name of the served model, played in the stubs' place.")
]
_Models = Annotated[
    Path | None, typer.Option(help="TOML file of models and who sits where, instead.")
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


def compare(
    suite: _Suite = "cleanup-smoke",
    out: _Out = None,
    episodes: _Episodes = None,
    seed: _Seed = None,
    policies: _Policies = None,
    trained: _Trained = None,
    resume: _Resume = False,
    overwrite: _Overwrite = False,
    executor: _Executor = "processes",
    workers: _Workers = None,
    ray_address: _RayAddress = None,
    base_url: _BaseUrl = None,
    model: _Model = None,
    models: _Models = None,
    max_in_flight: _MaxInFlight = None,
    max_tokens: _MaxTokens = None,
    style: _Style = None,
    structured: _Structured = None,
    max_repairs: _MaxRepairs = None,
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
    }
    from benchmarks.executors.named import executor_named

    where = executor_named(executor, num_workers=workers, address=ray_address)
    served = _models(models, base_url, model, short_way)
    wanted = _wanted(suite, served, episodes=episodes, seed=seed)
    folder = out or Path("runs") / wanted.name
    if trained:
        wanted = _seat_trained(wanted, trained, folder)
    if policies is not None:
        seated = [each.name for arena in wanted.arenas for each in arena.trained]
        wanted = wanted.with_policies([*(name.strip() for name in policies.split(",")), *seated])
    if not (resume or overwrite):
        _refuse_to_lose_answers(folder)
    _play(wanted, folder, where, resume=resume, as_json=as_json)


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


def _play(wanted: Suite, out: Path, executor: Executor, *, resume: bool, as_json: bool) -> None:
    """Play a suite, or what is missing of it, and say what came of it."""
    from benchmarks import compare as comparison
    from benchmarks.clients import check_served
    from benchmarks.progress import Progress

    playable = _without_missing_extras(wanted)
    if wanted.models is not None and not (resume and _is_complete(out)):
        check_served(wanted.models.models)  # before an earlier run gives way to this one
    try:
        with (
            comparison.open_folder(out, playable, resume=resume) as folder,
            executor,
            Progress(playable) as progress,
        ):
            done = comparison.compare(
                playable,
                folder=folder,
                executor=executor,
                report=progress.report,
                on_status=progress.show,
                command=sys.argv[1:],
            )
    except KeyboardInterrupt:
        say(
            "commonweal: interrupted; what was played is kept, and the same command with --resume "
            "plays what is missing"
        )
        raise typer.Exit(FAILED) from None
    _say_all(playable, out, done, as_json=as_json)


def _without_missing_extras(wanted: Suite) -> Suite:
    """Return the suite without the policies whose packages are not installed; say which.

    If there are no others this is the end, before an earlier run gives way to an empty one.
    """
    from benchmarks.extras import missing_policies

    missing = missing_policies(wanted)
    for hint, names in missing.items():
        say(f"commonweal: {', '.join(names)} left out; to play with them: {hint}")
    playable = wanted.without([name for names in missing.values() for name in names])
    if not playable.arenas:
        say("commonweal: nobody is left to play")
        raise typer.Exit(FAILED)
    return playable


def _refuse_to_lose_answers(out: Path) -> None:
    """Raise where a folder holds what models were asked for: it may have cost hours, or money."""
    from benchmarks.database import FILE
    from benchmarks.store import open_run

    if not (out / FILE).exists():
        return
    with open_run(out) as reader:
        has_models = any(arena.get("models") for arena in reader.about["suite"].get("arenas", ()))
        kept = len(reader) if has_models else 0
    if kept:
        allowed = (
            f"another folder: {kept} episodes are kept in this one, and models were asked for it; "
            "--resume goes on with them, --overwrite replaces them"
        )
        raise ConfigError("--out", str(out), allowed)


def _is_complete(out: Path) -> bool:
    from benchmarks.database import FILE
    from benchmarks.store import open_run

    if not (out / FILE).exists():
        return False
    with open_run(out) as reader:
        return reader.is_complete


def _models(
    file: Path | None, base_urls: list[str] | None, model: str | None, settings: dict[str, Any]
) -> ModelsConfig | None:
    """Return the models asked for: by a file, by the short way, or none."""
    from benchmarks.model_file import load_models, served_model

    given = [f"--{name.replace('_', '-')}" for name, value in settings.items() if value is not None]
    if file is not None:
        ways = ["--base-url"] * bool(base_urls) + ["--model"] * bool(model) + given
        if ways:
            raise typer.BadParameter(f"not together with {', '.join(ways)}", param_hint="--models")
        return load_models(file)
    if bool(base_urls) != bool(model):
        missing = "--model" if base_urls else "--base-url"
        raise typer.BadParameter("is needed too", param_hint=missing)
    if not base_urls or not model:
        if given:
            raise typer.BadParameter(
                "is for a served model: give --base-url and --model", param_hint=given[0]
            )
        return None
    return served_model(base_urls=base_urls, model=model, **settings)


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
    if done.is_complete:
        return
    for line in done.failures[:_FAILURES_SHOWN]:
        say(f"commonweal: no answer: {line}")
    why = f"stopped: {done.stopped}; " if done.stopped else ""
    say(
        f"commonweal: {why}{done.missing} episodes were not played to their end, all others are "
        "kept; the same command with --resume plays what is missing"
    )
    raise typer.Exit(FAILED)


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
