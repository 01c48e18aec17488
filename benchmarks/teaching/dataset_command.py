"""`commonweal dataset`: from records of play to pairs that a language model is taught from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from benchmarks.terminal import AsJson, answer, say, under_way

if TYPE_CHECKING:
    from benchmarks.teaching.dataset import Written

ALL = "all"


Runs = Annotated[list[Path], typer.Argument(help="Folders of runs.", metavar="RUN...")]
Out = Annotated[
    Path,
    typer.Option(help="File to write, NAME.jsonl; NAME.held-out.jsonl and NAME.md come beside it."),
]
Format = Annotated[
    str,
    typer.Option("--format", metavar="chat|prompt-completion", help="Of a line, for trainers."),
]
Filters = Annotated[
    list[str] | None,
    typer.Option(
        "--filter",
        metavar="KEY=VALUE",
        help="Take only these; all must hold. agent, player, persona, policy, condition, arena, "
        "phase, status; with >= and <= return and efficiency.",
    ),
]
Relabel = Annotated[
    str | None,
    typer.Option(
        metavar="POLICY",
        help="Answer as this scripted policy in every place, whoever played there.",
        show_default="as on record",
    ),
]
RecordLines = Annotated[
    str, typer.Option(metavar="N|all", help="Last lines of the public record in a prompt.")
]
Wording = Annotated[str, typer.Option(help="Words in which Cleanup is told, see docs/models.md.")]
Style = Annotated[
    str,
    typer.Option(
        help="Thoughts that are asked for, see docs/models.md. With --relabel: direct, or "
        "chain-of-thought of a policy that thinks aloud.",
    ),
]
HeldOut = Annotated[float, typer.Option(help="Share of the seeds that are held out.")]
PerEpisode = Annotated[
    int | None,
    typer.Option(
        help="Questions drawn from an episode, first where an agent's answer changes.",
        show_default="all",
    ),
]
WithoutScratchpads = Annotated[
    bool, typer.Option("--without-scratchpads", help="Answers without their secret thoughts.")
]
Seed = Annotated[int, typer.Option(help="Of the split and of what is drawn.")]


def dataset(
    runs: Runs,
    out: Out,
    file_format: Format = "chat",
    filters: Filters = None,
    relabel: Relabel = None,
    record_lines: RecordLines = "0",
    wording: Wording = "own",
    style: Style = "direct",
    held_out: HeldOut = 0.1,
    per_episode: PerEpisode = None,
    without_scratchpads: WithoutScratchpads = False,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Write questions and answers from runs' records, for a language model to be taught from.

    No seed of an episode stands on both sides of the split.
    """
    from benchmarks.teaching.dataset import DatasetSettings, write_dataset

    settings = DatasetSettings(
        format=file_format,
        filters=tuple(filters or ()),
        relabel=relabel,
        record_lines=_lines(record_lines),
        wording=wording,
        style=style,
        held_out=held_out,
        per_episode=per_episode,
        scratchpads=not without_scratchpads,
        seed=seed,
    )
    with under_way("reading the records"):
        written = write_dataset(runs, out, settings=settings)
    answer(written.to_dict(), _table(written), as_json=as_json)
    if held_out and not written.held_out:
        say("commonweal: nothing is held out: of so few seeds none was drawn; try another --seed")
    say(f"written: {written.out}  card: {written.card}")


def _lines(given: str) -> int | None:
    if given == ALL:
        return None
    if not given.isdecimal():
        raise typer.BadParameter(
            f"{given!r}: expected a number from 0, or {ALL}", param_hint="--record-lines"
        )
    return int(given)


def _table(written: Written) -> Table:
    table = Table("", "number")
    table.add_row("pairs to teach from", str(written.train))
    table.add_row("pairs held out", str(written.held_out))
    table.add_row("questions read", str(written.questions))
    table.add_row("episodes read", str(written.episodes))
    return table
