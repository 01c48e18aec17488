"""`commonweal reinforce-lm`: a taught model plays, and answers more often what went well."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from benchmarks.terminal import FAILED, AsJson, answer, say

if TYPE_CHECKING:
    from benchmarks.teaching.reinforcement import Reinforcement

_Dir = Annotated[Path, typer.Argument(metavar="DIR", help="Folder of the model to start from.")]
_Out = Annotated[Path, typer.Option(help="Folder of the model it becomes.")]
_Lessons = Annotated[str, typer.Option(help="Whose settings are played.")]
_Iterations = Annotated[int, typer.Option(help="Times that it plays and learns.")]
_Groups = Annotated[int, typer.Option(help="Drawn settings in an iteration.")]
_GroupSize = Annotated[int, typer.Option(help="Episodes in a setting, all from one start.")]
_Horizon = Annotated[
    int | None, typer.Option(help="Steps in an episode.", show_default="the lessons'")
]
_Answers = Annotated[int, typer.Option(help="Most answers that an iteration is learned from.")]
_Rate = Annotated[float, typer.Option(help="Of AdamW.")]
_Kl = Annotated[float, typer.Option(help="Price of diverging from the start.")]
_Credit = Annotated[
    str, typer.Option(metavar="step|episode", help="What came of an answer, or of its episode.")
]
_Reward = Annotated[
    str, typer.Option(metavar="return|welfare", help="Its own, after transfers, or all agents'.")
]
_Discount = Annotated[
    float, typer.Option(help="By which a reward counts less a step later, for --credit step.")
]
_Examined = Annotated[int, typer.Option(help="Settings it is examined in, before and after.")]
_Seed = Annotated[int, typer.Option(help="Of settings, answers and their order.")]
_Resume = Annotated[bool, typer.Option("--resume", help="Go on with what was interrupted.")]
_Keep = Annotated[
    bool, typer.Option("--keep-records", help="Keep the run of every iteration, in iterations/.")
]

_SHOWN = {
    "efficiency": "{:.3f}",
    "low": "{:.3f}",
    "high": "{:.3f}",
    "mean_return": "{:.1f}",
    "valid": "{:.2%}",
    "kl": "{:.3f}",
    "entropy": "{:.3f}",
    "learned": "{}",
    "seconds": "{:.1f}",
}


def reinforce_lm(
    folder: _Dir,
    out: _Out,
    lessons: _Lessons = "cleanup",
    iterations: _Iterations = 12,
    groups: _Groups = 6,
    group_size: _GroupSize = 8,
    horizon_steps: _Horizon = None,
    answers: _Answers = 1200,
    learning_rate: _Rate = 3e-4,
    kl: _Kl = 0.05,
    credit: _Credit = "step",
    reward: _Reward = "return",
    discount: _Discount = 1.0,
    examined: _Examined = 24,
    seed: _Seed = 0,
    resume: _Resume = False,
    keep_records: _Keep = False,
    as_json: AsJson = False,
) -> None:
    """Reinforce a taught model on the game itself, and write another folder of the same kind.

    It plays drawn settings, each several times from one start, and learns by how much better an
    answer did than those of its group (as in GRPO). It is examined before and after in settings
    that it does not learn from.
    """
    from agents.lm.reinforcement_settings import ReinforcementSettings
    from benchmarks.teaching.reinforcement import Plan, Reinforcement

    plan = Plan(
        lessons=lessons,
        iterations=iterations,
        groups=groups,
        group_size=group_size,
        horizon_steps=horizon_steps,
        answers=answers,
        credit=credit,
        reward=reward,
        discount=discount,
        examined=examined,
        seed=seed,
    )
    plan = plan.asking_as_taught(folder)
    try:
        settings = ReinforcementSettings(learning_rate=learning_rate, kl=kl)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    _require_packages()
    wanted = Reinforcement(
        folder=folder, out=out, plan=plan, settings=settings, keep_records=keep_records
    )
    wanted.open(resume=resume)
    _say_all(wanted, _done(wanted), as_json=as_json)


def _done(wanted: Reinforcement) -> dict[str, Any]:
    """Reinforce with a bar on stderr; Ctrl-C ends the command with a word of advice."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    bars = Progress(
        "{task.description}",
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )
    try:
        with bars:
            bar = bars.add_task("", total=wanted.plan.iterations)

            def on_iteration(done: int, total: int) -> None:
                bars.update(bar, completed=done, total=total)

            return wanted.run(
                on_stage=lambda words: bars.update(bar, description=words),
                on_iteration=on_iteration,
            )
    except KeyboardInterrupt:
        say("commonweal: interrupted; the same command with --resume goes on")
        raise typer.Exit(FAILED) from None


def _require_packages() -> None:
    from importlib.util import find_spec

    from benchmarks.teaching.schooling import INSTALL_HINT

    if any(find_spec(package) is None for package in ("torch", "transformers")):
        say(f"commonweal: reinforcement needs more packages: {INSTALL_HINT}")
        raise typer.Exit(FAILED)


def _say_all(wanted: Reinforcement, told: dict[str, Any], *, as_json: bool) -> None:
    names = ("before", "after", "curve", "seconds")
    table = Table("", *(name.replace("_", " ") for name in _SHOWN))
    for when in ("before", "after"):
        table.add_row(f"{when}, likeliest answers", *_row(told[when]))
        table.add_row(f"{when}, drawn answers", *_row(told[when]["drawn"]))
    for point in told["curve"]:
        table.add_row(f"iteration {point['iteration']}", *_row(point))
    answer({name: told[name] for name in names}, table, as_json=as_json)
    say("before and after: in settings that it did not learn from")
    say(f"model: {wanted.out}  curve: {wanted.out / 'curve.svg'} and .png")


def _row(values: dict[str, Any]) -> list[str]:
    found = {name: values.get(name) for name in _SHOWN}
    return [
        "" if found[name] is None else form.format(found[name]) for name, form in _SHOWN.items()
    ]
