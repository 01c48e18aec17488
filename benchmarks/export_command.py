"""`commonweal export`: a run's episodes or turns as one table."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO, Annotated

import typer

from benchmarks.out_file import refuse_own_files, writing
from benchmarks.terminal import FAILED, AsJson, say

CSV, PARQUET = "csv", "parquet"
_FORMATS = (CSV, PARQUET)


def export(
    run: Annotated[Path, typer.Argument(help="Folder of a run, as given to `compare --out`.")],
    what: Annotated[
        str, typer.Option(metavar="episodes|turns", help="What a row is.")
    ] = "episodes",
    file_format: Annotated[
        str, typer.Option("--format", metavar="csv|parquet", help="Of the file.")
    ] = CSV,
    out: Annotated[
        Path | None,
        typer.Option(help="File to write.", show_default="stdout; of Parquet RUN/WHAT.parquet"),
    ] = None,
    with_scratchpads: Annotated[
        bool, typer.Option("--with-scratchpads", help="Answers in full too, secrets included.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write a run's episodes or turns as one tidy table, also while it goes on.

    Exports of equal runs are equal but for started_at, ended_at, wall_s and latency_s.
    """
    from benchmarks.export import WHATS, RunRows, columns_of
    from benchmarks.export_files import write_csv, write_json, write_parquet
    from benchmarks.store import open_run
    from benchmarks.suite import Suite

    _require("--what", what, WHATS)
    _require("--format", file_format, _FORMATS)
    if file_format == PARQUET:
        _require_parquet()
        if out is None and not as_json:
            out = run / f"{what}.parquet"
    with open_run(run) as reader:
        refuse_own_files(reader.path, out)
        suite = Suite.from_dict(reader.about["suite"])
        columns = columns_of(suite, what, with_scratchpads=with_scratchpads)
        table = RunRows(reader, suite)
        write = write_parquet if file_format == PARQUET else write_csv
        if out is not None:
            _write_file(out, lambda file: write(file, columns, table.of(what)))
        if as_json:
            write_json(sys.stdout.buffer, columns, table.of(what))
        elif out is None:
            write_csv(sys.stdout.buffer, columns, table.of(what))


def _write_file(out: Path, write: Callable[[IO[bytes]], None]) -> None:
    from benchmarks.whole_file import whole_file

    with writing(out), whole_file(out) as file:
        write(file)


def _require(option: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise typer.BadParameter(f"{value!r}: expected {' or '.join(allowed)}", param_hint=option)


def _require_parquet() -> None:
    from benchmarks.export_files import INSTALL_HINT, has_parquet

    if not has_parquet():
        say(f"commonweal: Parquet needs one more package: {INSTALL_HINT}")
        raise typer.Exit(FAILED)
