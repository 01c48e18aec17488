"""Tables written as they are read: CSV, Parquet and JSON."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from importlib.util import find_spec
from itertools import islice
from typing import IO, Any

from benchmarks.export import CellType, Column, Row

INSTALL_HINT = 'pip install "commonweal[export]"'
ROW_GROUP = 10_000
"""Rows of a Parquet file that are in memory at a time."""


def has_parquet() -> bool:
    """Whether the package that writes Parquet is installed; does not import it."""
    return find_spec("pyarrow") is not None


def write_csv(file: IO[bytes], columns: Sequence[Column], rows: Iterable[Row]) -> None:
    """Write a table as RFC 4180 has it, in UTF-8 with a line of names; what is not there is empty.

    Values stay as they are, those included that a spreadsheet would take for a formula.
    """
    text = io.TextIOWrapper(file, encoding="utf-8", newline="")
    try:
        writer = csv.writer(text)
        writer.writerow([column.name for column in columns])
        writer.writerows(_cells(columns, row) for row in rows)
    finally:
        text.detach()  # flushes; whose file it is closes it


def write_json(file: IO[bytes], columns: Sequence[Column], rows: Iterable[Row]) -> None:
    """Write a table as a list of objects, a line each."""
    names = [column.name for column in columns]
    file.write(b"[")
    for number, row in enumerate(rows):
        told = json.dumps({name: row.get(name) for name in names})
        file.write((",\n" if number else "").encode() + told.encode())
    file.write(b"]\n")


def write_parquet(file: IO[bytes], columns: Sequence[Column], rows: Iterable[Row]) -> None:
    """Write a table in row groups of `ROW_GROUP`."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    types = {
        CellType.TEXT: pa.string(),
        CellType.INTEGER: pa.int64(),
        CellType.NUMBER: pa.float64(),
        CellType.TIME: pa.timestamp("ms", tz="UTC"),
    }
    schema = pa.schema([(column.name, types[column.type]) for column in columns])
    with pq.ParquetWriter(file, schema, compression="zstd") as writer:
        for group in _groups(rows):
            cells = [
                pa.array([_typed(column, row) for row in group], schema.field(column.name).type)
                for column in columns
            ]
            writer.write_table(pa.Table.from_arrays(cells, schema=schema))


def _groups(rows: Iterable[Row]) -> Iterator[list[Row]]:
    waiting = iter(rows)
    while group := list(islice(waiting, ROW_GROUP)):
        yield group


def _cells(columns: Sequence[Column], row: Row) -> list[Any]:
    return [_readable(row.get(column.name)) for column in columns]


def _typed(column: Column, row: Row) -> Any:
    value = _readable(row.get(column.name))
    return datetime.fromisoformat(value) if value and column.type is CellType.TIME else value


def _readable(value: Any) -> Any:
    """Return text that UTF-8 has room for: a model may answer with half a character."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode("utf-8")
    return value
