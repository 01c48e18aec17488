"""`commonweal replay`: whether the records of a run tell what happened."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from benchmarks.terminal import FAILED, AsJson, answer, say

_SHOWN = 5


def replay(
    run: Annotated[Path, typer.Argument(help="Folder of a run, as given to `compare --out`.")],
    episode: Annotated[
        int | None,
        typer.Argument(min=0, help="One episode: its number in the order of tables, from 0."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Play episodes again from their records, without any model, and compare all of it."""
    from rich.table import Table

    from benchmarks.replay import replay_run
    from benchmarks.store import open_run

    with open_run(run) as reader:
        replayed = list(replay_run(reader, number=episode))
    changed = [one for one in replayed if one.difference is not None]
    table = Table("episodes replayed", "the same in everything", "different")
    table.add_row(str(len(replayed)), str(len(replayed) - len(changed)), str(len(changed)))
    answer([one.to_dict() for one in replayed], table, as_json=as_json)
    for one in changed[:_SHOWN]:
        where = f"{one.arena}, {one.policy}, {one.contract}, episode {one.episode}"
        say(f"commonweal: {where} (number {one.number}) is not what was recorded: {one.difference}")
    if changed:
        raise typer.Exit(FAILED)
