"""`commonweal train-lm`: lessons, their data set, and a student taught from it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from benchmarks.terminal import FAILED, AsJson, answer, say

if TYPE_CHECKING:
    from benchmarks.teaching.recipe import Recipe
    from benchmarks.teaching.schooling import School

_Preset = Annotated[
    str | None, typer.Option(help="A bundled recipe, see --list.", show_default="cleanup")
]
_Config = Annotated[Path | None, typer.Option(help="TOML file of a recipe, instead.")]
_Data = Annotated[
    Path | None,
    typer.Option(help="JSONL file of pairs, as `dataset` writes it, in the lessons' place."),
]
_Base = Annotated[
    Path | None,
    typer.Option(help="Hugging Face folder to go on from.", show_default="the recipe's"),
]
_Out = Annotated[
    Path | None, typer.Option(help="Folder of the model.", show_default="runs/lm/RECIPE")
]
_Seed = Annotated[int, typer.Option(min=0, help="Of lessons, data and teaching.")]
_Steps = Annotated[
    int | None, typer.Option(min=1, help="Of teaching.", show_default="the recipe's")
]
_Resume = Annotated[bool, typer.Option("--resume", help="Go on with what was interrupted.")]
_Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace a model.")]
_List = Annotated[bool, typer.Option("--list", help="List the bundled recipes.")]


def train_lm(
    preset: _Preset = None,
    config: _Config = None,
    data: _Data = None,
    base: _Base = None,
    out: _Out = None,
    seed: _Seed = 0,
    steps: _Steps = None,
    resume: _Resume = False,
    overwrite: _Overwrite = False,
    list_them: _List = False,
    as_json: AsJson = False,
) -> None:
    """Teach a small language model to play, and write an ordinary Hugging Face folder.

    Without --data the recipe's lessons are played first, and all they need is removed at the end.
    """
    from benchmarks.teaching.recipe import load_recipe, preset_names

    if list_them:
        _list(preset_names(), as_json=as_json)
        return
    if preset is not None and config is not None:
        raise typer.BadParameter("expected --preset or --config, not both", param_hint="--config")
    chosen = str(config) if config is not None else preset or "cleanup"
    recipe = load_recipe(chosen, is_preset=config is None)
    _require_packages()
    school = _school(recipe, out, data=data, base=base, seed=seed, steps=steps)
    school.open(resume=resume, overwrite=overwrite)
    _say_all(school, _taught(school, resume=resume), as_json=as_json)


def _school(
    recipe: Recipe,
    out: Path | None,
    *,
    data: Path | None,
    base: Path | None,
    seed: int,
    steps: int | None,
) -> School:
    from dataclasses import replace

    from benchmarks.teaching.schooling import School

    student, teaching = recipe.student, replace(recipe.teaching, seed=seed)
    try:
        if base is not None:
            student = replace(student, base=str(base))
        if steps is not None:
            teaching = replace(teaching, steps=steps)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    chosen = replace(recipe, student=student, teaching=teaching)
    folder = out or Path("runs") / "lm" / recipe.name
    return School(recipe=chosen, out=folder, data=data, seed=seed)


def _taught(school: School, *, resume: bool) -> dict[str, Any]:
    """Teach with a bar on stderr; Ctrl-C ends the command with a word of advice."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    bars = Progress(
        "{task.description}",
        BarColumn(),
        MofNCompleteColumn(),
        "{task.fields[told]}",
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )
    try:
        with bars:
            bar = bars.add_task("playing the lessons", total=None, told="")

            def on_stage(words: str) -> None:
                bars.update(bar, description=words)

            def on_step(step: int, total: int, loss: float) -> None:
                bars.update(bar, completed=step, total=total, told=f"loss {loss:.4f}")

            return school.teach(resume=resume, on_stage=on_stage, on_step=on_step)
    except KeyboardInterrupt:
        say("commonweal: interrupted; the same command with --resume goes on")
        raise typer.Exit(FAILED) from None


def _list(names: list[str], *, as_json: bool) -> None:
    from benchmarks.teaching.recipe import load_recipe

    table = Table("recipe", "what it teaches")
    for name in names:
        table.add_row(name, load_recipe(name, is_preset=True).description)
    answer(names, table, as_json=as_json)


def _require_packages() -> None:
    from benchmarks.teaching.schooling import INSTALL_HINT, is_available

    if not is_available():
        say(f"commonweal: teaching needs more packages: {INSTALL_HINT}")
        raise typer.Exit(FAILED)


def _say_all(school: School, taught: dict[str, Any], *, as_json: bool) -> None:
    table = Table("", "")
    for name, value in taught.items():
        table.add_row(name, f"{value:.4g}" if isinstance(value, float) else str(value))
    answer(taught, table, as_json=as_json)
    say(f"model: {school.out}  curve: {school.out / 'curve.svg'} and .png")
    say(f"measure it:  commonweal evaluate-lm {school.out} --episodes 20")
    say(f"compare it:  commonweal compare llm-vs-ppo --models {school.out / 'models.toml'}")
    say(f"serve it:    commonweal serve {school.out}")
