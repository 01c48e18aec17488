"""`commonweal evaluate-lm`: how well a taught model plays, without a server."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from benchmarks.terminal import FAILED, AsJson, answer, say, under_way

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.teaching.examination import Questioning
    from benchmarks.teaching.lessons import Lessons

Folder = Annotated[
    Path, typer.Argument(metavar="DIR", help="Folder of a model, as train-lm writes it.")
]
_HeldOut = Annotated[
    bool, typer.Option("--held-out", help="In settings outside the taught range: a kind.")
]
_Kind = Annotated[
    str | None,
    typer.Option(
        metavar="taught|held-out|more-agents|partners|icn",
        help="Settings that are played.",
        show_default="taught",
    ),
]
LessonsName = Annotated[
    str | None, typer.Option(help="What it was taught.", show_default="as its folder says")
]
_Episodes = Annotated[int, typer.Option(min=1, help="Settings, each played once.")]
Seed = Annotated[int, typer.Option(min=0, help="From which settings are drawn.")]
_Wording = Annotated[str, typer.Option(help="Words in which Cleanup is told, see docs/models.md.")]
_Style = Annotated[
    str | None,
    typer.Option(
        help="Thoughts that are asked for, see docs/models.md.", show_default="as it was taught"
    ),
]
_Temperature = Annotated[float, typer.Option(min=0.0, max=2.0, help="0: the likeliest answer.")]
_Structured = Annotated[
    str, typer.Option(metavar="auto|off", help="Whether answers are held to their form.")
]
_Out = Annotated[
    Path | None, typer.Option(help="Folder in which the run is kept.", show_default="none")
]


def evaluate_lm(
    folder: Folder,
    held_out: _HeldOut = False,
    kind: _Kind = None,
    lessons: LessonsName = None,
    episodes: _Episodes = 20,
    seed: Seed = 0,
    wording: _Wording = "own",
    style: _Style = None,
    temperature: _Temperature = 0.0,
    structured: _Structured = "off",
    out: _Out = None,
    as_json: AsJson = False,
) -> None:
    """Let a taught model play settings drawn anew, beside the policies to compare it with.

    The model is loaded into this process. Its answers are free text that must be right by itself,
    unless --structured auto holds them to their form.
    """
    from dataclasses import replace

    from benchmarks.teaching.examination import as_taught, check_folder
    from benchmarks.teaching.taught_models import most_tokens

    if held_out and kind not in (None, "held-out"):
        raise typer.BadParameter(f"is not the kind {kind}", param_hint="--held-out")
    model = check_folder(folder)
    taught, asked = as_taught(model, lessons)
    chosen = "held-out" if held_out else kind or taught.kinds[0]
    if style is not None:
        asked = replace(asked, style=style, max_tokens=most_tokens(style))
    asked = replace(
        asked,
        wording=wording,
        temperature=temperature,
        structured=structured,
    )
    require_packages()
    told = {
        **_examined(model, taught, chosen, asked, episodes=episodes, seed=seed, out=out),
        "kind": chosen,
        "lessons": taught.name,
        "wording": wording,
        "style": asked.style,
        "temperature": temperature,
        "structured": structured,
        "seed": seed,
    }
    answer(told, _table(told), as_json=as_json)
    if out is not None:
        say(f"records: {out}")


def require_packages() -> None:
    """End the command where a model cannot be loaded for want of packages."""
    from benchmarks.teaching.schooling import INSTALL_HINT, is_available

    if not is_available():
        say(f"commonweal: a model in this process needs more packages: {INSTALL_HINT}")
        raise typer.Exit(FAILED)


def _examined(
    model: Path,
    lessons: Lessons,
    kind: str,
    asked: Questioning,
    *,
    episodes: int,
    seed: int,
    out: Path | None,
) -> dict[str, Any]:
    from benchmarks.cleanup.arena import CleanupArena
    from benchmarks.teaching.examination import examine
    from benchmarks.teaching.negotiation_examination import examine_negotiator

    suite = lessons.examination_suite(kind, episodes=episodes, seed=seed)
    is_cleanup = all(isinstance(arena, CleanupArena) for arena in suite.arenas)
    with under_way(f"playing {episodes} settings: {kind}"):
        if is_cleanup:
            return examine(model, suite, asked=asked, out=out, seed=seed).to_dict()
        return examine_negotiator(model, suite, asked=asked, out=out, seed=seed).to_dict()


def _table(told: Mapping[str, Any]) -> Table:
    """Return the table of who came to what."""
    title = f"{told['lessons']}, {told['kind']}: {told['n']} settings"
    also = [name for name in ("own_return", "success", "own_score") if name in told]
    table = Table(title=title, title_justify="left", caption_justify="left")
    table.add_column("player")
    for column in ("efficiency", "95% interval", *also, "n"):
        table.add_column(column.replace("_", " "), justify="right")
    for name, score in {"taught": told, **told["policies"]}.items():
        others = (f"{score[each]:.3g}" for each in also)
        table.add_row(
            name, f"{score['efficiency']:.3f}", _interval(score), *others, str(score["n"])
        )
    table.caption = f"{told['answers']} answers, {told['valid']:.2%} of them valid"
    return table


def _interval(score: Mapping[str, Any]) -> str:
    """Write the interval of a score; a single setting has none."""
    return f"{score['low']:.3f} to {score['high']:.3f}" if score["low"] is not None else "-"
