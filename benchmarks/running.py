"""What commands that play a run have in common: options, and how a run begins and is given up."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, Protocol, TypeVar

import typer

from benchmarks.terminal import FAILED, say
from cleanup_icn import ConfigError

if TYPE_CHECKING:
    from benchmarks.model_config import ModelsConfig
    from benchmarks.progress import Progress
    from benchmarks.store import RunFolder
    from benchmarks.suite import Suite
    from benchmarks.work import Executor

CameT = TypeVar("CameT")

_FAILURES_SHOWN = 3

Resume = Annotated[
    bool, typer.Option("--resume", help="Play only what the folder does not have yet.")
]
Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="Replace a run in which models were asked.")
]
ExecutorName = Annotated[
    str, typer.Option(metavar="processes|ray", help="Where episodes are played.")
]
Workers = Annotated[
    int | None,
    typer.Option(
        min=0, help="Processes, or tasks on a cluster; 0: here.", show_default="2; all of a cluster"
    ),
]
RayAddress = Annotated[
    str | None,
    typer.Option(metavar="ADDRESS", help="Cluster to join.", show_default="one of this machine"),
]
BaseUrl = Annotated[
    list[str] | None,
    typer.Option(
        metavar="URL", help="A model's server, as http://HOST:PORT/v1; more than one: balanced."
    ),
]
Model = Annotated[
    str | None, typer.Option(help="Name of the served model, played in the stubs' place.")
]
Models = Annotated[
    Path | None, typer.Option(help="TOML file of models and who sits where, instead.")
]


class RunUnderWay(NamedTuple):
    """A run that has begun."""

    suite: Suite  # what can be played here
    folder: RunFolder
    progress: Progress


def play_in_folder(
    wanted: Suite,
    out: Path,
    executor: Executor,
    *,
    play: Callable[[RunUnderWay], CameT],
    resume: bool,
) -> tuple[Suite, CameT]:
    """Open the folder of a run and play there; Ctrl-C ends the command with a word of advice.

    Returns:
        What could be played of the suite, and what came of `play`.
    """
    from benchmarks import compare as comparison
    from benchmarks.clients import check_served
    from benchmarks.progress import Progress

    playable = without_missing_extras(wanted)
    if wanted.models is not None and not (resume and _is_complete(out)):
        check_served(wanted.models.models)  # before an earlier run gives way to this one
    try:
        with (
            comparison.open_folder(out, playable, resume=resume) as folder,
            executor,
            Progress(playable) as progress,
        ):
            return playable, play(RunUnderWay(playable, folder, progress))
    except KeyboardInterrupt:
        say(
            "commonweal: interrupted; what was played is kept, and the same command with --resume "
            "plays what is missing"
        )
        raise typer.Exit(FAILED) from None


class Ended(Protocol):
    """How a run ended; see `benchmarks.compare.Outcome`."""

    @property
    def missing(self) -> int:
        """Episodes that were not played to their end."""
        ...

    @property
    def failures(self) -> tuple[str, ...]:
        """Of episodes, a line each."""
        ...

    @property
    def stopped(self) -> str | None:
        """Why the run ended before its episodes did."""
        ...


def say_what_is_missing(done: Ended) -> None:
    """End the command as failed, and say why, where not every episode was played."""
    if not done.missing:
        return
    for line in done.failures[:_FAILURES_SHOWN]:
        say(f"commonweal: no answer: {line}")
    why = f"stopped: {done.stopped}; " if done.stopped else ""
    say(
        f"commonweal: {why}{done.missing} episodes were not played to their end, all others are "
        "kept; the same command with --resume plays what is missing"
    )
    raise typer.Exit(FAILED)


def without_missing_extras(wanted: Suite) -> Suite:
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


def refuse_to_lose_answers(out: Path) -> None:
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


def models_asked_for(
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
