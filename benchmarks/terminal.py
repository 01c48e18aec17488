"""What commands say: tables to people, JSON to programs on stdout, remarks on stderr."""

from __future__ import annotations

import json
from contextlib import AbstractContextManager
from typing import Annotated, Any

import typer
from rich.console import Console, RenderableType

DONE, FAILED, WRONG_USAGE = 0, 1, 2
"""Exit codes."""

_PIPED_COLUMNS = 140
"""Width of tables where no terminal says how wide it is."""

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, and nothing else, on stdout.")]


def answer(value: Any, table: RenderableType, *, as_json: bool) -> None:
    """Print the answer of a command, as a table or as JSON."""
    if as_json:
        typer.echo(json.dumps(value))
        return
    console().print(table)


def console() -> Console:
    """Return the console for stdout."""
    found = Console()
    return found if found.is_terminal else Console(width=_PIPED_COLUMNS)


def under_way(words: str) -> AbstractContextManager[object]:
    """Show on a terminal's stderr what a command is at, as long as a block runs."""
    return Console(stderr=True).status(words)


def say(line: str) -> None:
    """Print a line on stderr."""
    typer.echo(line, err=True)
