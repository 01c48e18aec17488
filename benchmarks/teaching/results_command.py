"""`commonweal taught-page`: fill in the page about taught students."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from benchmarks.terminal import say

_Results = Annotated[Path, typer.Argument(metavar="DIR", help="Folder of results, by file names.")]
_Docs = Annotated[Path, typer.Option(help="Folder of the documentation.")]


def taught_page(results: _Results, docs: _Docs = Path("docs")) -> None:
    """Fill in docs/taught.md from results: every number, table and figure of it.

    Which files there are, and what writes each, is told in benchmarks.teaching.results_files.
    """
    from benchmarks.teaching.results_page import write_results

    for path in write_results(results, docs):
        say(f"written: {path}")
