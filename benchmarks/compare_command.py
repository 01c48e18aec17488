"""`commonweal compare`: its options, its progress, and what it says at the end."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console, Group, RenderableType

from benchmarks.terminal import FAILED, AsJson, answer, console, say
from cleanup_icn import ConfigError

if TYPE_CHECKING:
    from benchmarks.compare import Comparison
    from benchmarks.model_config import ModelsConfig
    from benchmarks.serving import Serving
    from benchmarks.suite import Suite

_NUM_WORKERS = 2
_FAILURES_SHOWN = 3


_Suite = Annotated[str, typer.Argument(help="Name of a suite, see `suites`.")]
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
    served = _models(models, base_url, model, short_way)
    folder = out or Path("runs") / suite
    wanted = _wanted(suite, served, episodes=episodes, seed=seed)
    if trained:
        wanted = _seat_trained(wanted, trained, folder)
    if policies is not None:
        seated = [each.name for each in wanted.trained]
        wanted = wanted.with_policies([*(name.strip() for name in policies.split(",")), *seated])
    _play(wanted, folder, resume=resume, as_json=as_json)


def _wanted(
    name: str,
    served: ModelsConfig | None,
    *,
    episodes: int | None,
    seed: int | None,
) -> Suite[Any]:
    """Return the suite that is asked for, with the models that are served."""
    from benchmarks.kinds import check_tables
    from benchmarks.suites import suite_named

    chosen = suite_named(name)
    wanted = replace(
        chosen,
        num_episodes=chosen.num_episodes if episodes is None else episodes,
        seed=chosen.seed if seed is None else seed,
    )
    if served is not None:
        wanted = wanted.with_models(served)
        check_tables(wanted, served)
    return wanted


def _seat_trained(suite: Suite[Any], folders: Sequence[Path], out: Path) -> Suite[Any]:
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
    return suite.with_trained([SeatedTraining.of(folder, suite) for folder in folders])


def _play(wanted: Suite[Any], out: Path, *, resume: bool, as_json: bool) -> None:
    """Play a suite, or what is missing of it, and say what came of it."""
    from benchmarks import compare as comparison
    from benchmarks.clients import check_served
    from benchmarks.store import RunFolder, is_complete
    from benchmarks.training import INSTALL_HINT

    playable = comparison.without_missing_extras(wanted)
    left_out = [policy for policy in wanted.policies if policy not in playable.policies]
    if left_out:
        say(f"commonweal: {', '.join(left_out)} is left out; to train it: {INSTALL_HINT}")
    if wanted.models is not None and not (resume and is_complete(out)):
        check_served(wanted.models.models)  # before an earlier run gives way to this one
    folder = RunFolder(out, playable.to_dict(), resume=resume)
    with _Progress(playable) as progress:
        done = comparison.compare(
            playable,
            folder=folder,
            num_workers=_NUM_WORKERS,
            report=progress.report,
            on_status=progress.show,
            command=sys.argv[1:],
        )
    _say_all(playable, folder.path, done, as_json=as_json)


def _models(
    file: Path | None, base_urls: list[str] | None, model: str | None, settings: dict[str, Any]
) -> ModelsConfig | None:
    """Return the models asked for: by a file, by the short way, or none."""
    from benchmarks.model_config import load_models, served_model

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


def _say_all(suite: Suite[Any], path: Path, done: Comparison, *, as_json: bool) -> None:
    """Print the rows; say where everything is, and what is missing."""
    from benchmarks.kinds import kind_of
    from benchmarks.store import FIGURES
    from benchmarks.table import render_serving

    rows: Any = [row.to_dict() for row in done.rows]
    tables: list[RenderableType] = []
    if done.rows:
        tables.append(
            kind_of(suite).render_tables(done.rows, title=suite.title, width=console().width)
        )
    if done.serving is not None:
        tables.append(render_serving(done.serving))
    answer(rows, Group(*tables), as_json=as_json)
    figure = path / FIGURES[0]
    drawn = f"  figure: {figure} and .png" if figure.exists() else ""
    say(f"records: {path}{drawn}")
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


class _Progress:
    """Progress bars on stderr, and under them how the models are doing."""

    def __init__(self, suite: Suite[Any]) -> None:
        from rich.live import Live
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        from benchmarks.suite import LEARNED, cells_of

        self._bars = Progress(
            "{task.description}",
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
        )
        self._models = ""
        self._console = Console(stderr=True)
        self._live = Live(
            get_renderable=lambda: Group(self._bars, self._models) if self._models else self._bars,
            console=self._console,
        )
        cells = cells_of(suite)
        trained = sum(cell.policy in LEARNED for cell in cells) * suite.training_agent_steps
        played = len(cells) * suite.num_episodes
        self._left = {"episodes": played, "agent_steps": trained}
        self._tasks = {"episodes": self._bars.add_task("episodes", total=played)}
        if trained:
            self._tasks["agent_steps"] = self._bars.add_task("training steps", total=trained)

    def __enter__(self) -> _Progress:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()
        if not self._console.is_interactive:
            self._console.print()  # else what is said next would stand on the same line

    def report(self, kind: str, amount: int) -> None:
        """Take note of so many more episodes or training steps."""
        amount = min(amount, self._left[kind])  # training ends with a whole rollout
        self._left[kind] -= amount
        self._bars.advance(self._tasks[kind], amount)

    def show(self, serving: Serving) -> None:
        """Say how the models are doing."""
        self._models = (
            f"models: {serving.in_flight} of {serving.limit} requests in flight, "
            f"{serving.requests} answered, {serving.tokens_per_s:.0f} tokens/s, "
            f"{serving.cached_share:.0%} of prompts cached, "
            f"{serving.malformed_share:.1%} of answers malformed"
        )
