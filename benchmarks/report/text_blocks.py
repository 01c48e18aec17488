"""What a text is made of: facts, tables, notes between their rows, and words quoted verbatim.

The same blocks become plain text, aligned for a terminal, or Markdown. Whatever agents wrote is
data: it can neither steer a terminal nor be read as markup.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from benchmarks.play_screen import legible

TEXT, MARKDOWN = "text", "markdown"
FORMATS = (TEXT, MARKDOWN)

_COLUMNS = 110  # at most, in a line of prose
_INDENT = 6
_GAP = "  "
_GROUP_GAP = "    "


@dataclass(frozen=True, kw_only=True)
class Quote:
    """What somebody wrote, line breaks included."""

    who: str
    words: str


@dataclass(frozen=True, kw_only=True)
class Point:
    """One sentence of a note, and what was said with it."""

    text: str
    quotes: tuple[Quote, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Note:
    """What stands between two rows of a table."""

    title: str
    points: tuple[Point, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column of a table; neighbours of the same group stand under its name."""

    name: str
    is_number: bool = False
    group: str = ""


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row of a table, and what was said in it."""

    cells: tuple[str, ...]
    quotes: tuple[Quote, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Table:
    """Rows under columns, with notes between them."""

    columns: tuple[Column, ...]
    entries: tuple[Row | Note, ...]


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Labels and their values; a value may have several lines."""

    facts: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, kw_only=True)
class Prose:
    """Sentences, one a line."""

    lines: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Section:
    """Blocks under a heading."""

    title: str
    blocks: tuple[Table | Facts | Prose, ...]


def render_sections(sections: Sequence[Section], *, file_format: str) -> str:
    """Return sections as a text; the first is the title of all.

    Args:
        sections: in their order.
        file_format: one of `FORMATS`.
    """
    lines = _markdown(sections) if file_format == MARKDOWN else _text(sections)
    text = "\n".join(line.rstrip() for line in lines).strip("\n")
    return re.sub(r"\n{3,}", "\n\n", text) + "\n"


def _text(sections: Sequence[Section]) -> Iterator[str]:
    for section in sections:
        title = _in_a_line(section.title)
        yield from (title, "-" * len(title))
        for block in section.blocks:
            if isinstance(block, Facts):
                yield from _text_facts(block)
            elif isinstance(block, Prose):
                for line in block.lines:
                    yield from _wrapped(line)
            else:
                yield from _text_table(block)
            yield ""


def _text_facts(block: Facts) -> Iterator[str]:
    width = max((len(_in_a_line(label)) for label, _ in block.facts), default=0)
    for label, values in block.facts:
        shown = _in_a_line(label)
        for value in values:
            indent = " " * (width + len(_GAP))
            yield from _wrapped(value, first=f"{shown:<{width}}{_GAP}", rest=indent)
            shown = ""


def _text_table(table: Table) -> Iterator[str]:
    rows = [
        [_in_a_line(cell) for cell in entry.cells]
        for entry in table.entries
        if isinstance(entry, Row)
    ]
    names = [_in_a_line(column.name) for column in table.columns]
    widths = [max(len(cells[i]) for cells in (names, *rows)) for i in range(len(table.columns))]
    if any(column.group for column in table.columns):
        yield _group_line(table.columns, widths)
    yield _aligned(names, table.columns, widths)
    shown = iter(rows)
    for entry in table.entries:
        if isinstance(entry, Row):
            yield _aligned(next(shown), table.columns, widths)
            yield from _text_quotes(entry.quotes)
        else:
            yield from _text_note(entry)


def _gaps(columns: Sequence[Column]) -> list[str]:
    """Return what stands before each column."""
    gaps = [
        _GAP if column.group == before.group else _GROUP_GAP for before, column in pairwise(columns)
    ]
    return ["", *gaps]


def _aligned(cells: Sequence[str], columns: Sequence[Column], widths: Sequence[int]) -> str:
    return "".join(
        gap + (cell.rjust(width) if column.is_number else cell.ljust(width))
        for gap, cell, column, width in zip(_gaps(columns), cells, columns, widths, strict=True)
    )


def _group_line(columns: Sequence[Column], widths: Sequence[int]) -> str:
    """Return the names of groups, each where its first column begins."""
    line, at, told = "", 0, ""
    for gap, column, width in zip(_gaps(columns), columns, widths, strict=True):
        at += len(gap)
        if column.group and column.group != told:
            line = line.ljust(at) + _in_a_line(column.group)
        told, at = column.group, at + width
    return line


def _text_note(note: Note) -> Iterator[str]:
    indent = " " * _INDENT
    yield from _wrapped(note.title, first=f"{indent}* ", rest=f"{indent}  ")
    for point in note.points:
        yield from _wrapped(point.text, first=f"{indent}    ", rest=f"{indent}      ")
        yield from _text_quotes(point.quotes, indent=_INDENT + 6)


def _text_quotes(quotes: Sequence[Quote], *, indent: int = _INDENT) -> Iterator[str]:
    width = max((len(_in_a_line(quote.who)) for quote in quotes), default=0)
    for quote in quotes:
        who = _in_a_line(quote.who)
        for line in _lines(quote.words):
            yield f"{' ' * indent}{who:<{width}} | {line}"
            who = ""


def _wrapped(words: str, *, first: str = "", rest: str = "") -> list[str]:
    return textwrap.wrap(
        _in_a_line(words),
        width=_COLUMNS,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    ) or [first]


def _markdown(sections: Sequence[Section]) -> Iterator[str]:
    level = "#"
    for section in sections:
        yield from (f"{level} {_escaped(section.title)}", "")
        level = "##"
        for block in section.blocks:
            if isinstance(block, Facts):
                yield from _markdown_facts(block)
            elif isinstance(block, Prose):
                for line in block.lines:
                    yield from (_escaped(line), "")
            else:
                yield from _markdown_table(block)
            yield ""


def _markdown_facts(block: Facts) -> Iterator[str]:
    for label, values in block.facts:
        head, *more = values or ("",)
        yield f"- **{_escaped(label)}**: {_escaped(head)}"
        yield from (f"  - {_escaped(value)}" for value in more)


def _markdown_table(table: Table) -> Iterator[str]:
    """Write the rows between two notes as a table of its own: notes cannot stand within one."""
    speaks = any(entry.quotes for entry in table.entries if isinstance(entry, Row))
    is_open = False
    for entry in table.entries:
        if isinstance(entry, Note):
            yield from ("", *_markdown_note(entry), "")
            is_open = False
            continue
        if not is_open:
            yield from _markdown_head(table.columns, speaks=speaks)
            is_open = True
        cells = [_escaped(cell) for cell in entry.cells]
        yield _markdown_row([*cells, *([_quoted_in_cell(entry.quotes)] if speaks else [])])


def _markdown_head(columns: Sequence[Column], *, speaks: bool) -> Iterator[str]:
    names = [
        f"{column.group}: {column.name}" if column.group else column.name for column in columns
    ]
    rules = ["---:" if column.is_number else "---" for column in columns]
    yield _markdown_row([*map(_escaped, names), *(["said"] if speaks else [])])
    yield _markdown_row([*rules, *(["---"] if speaks else [])])


def _markdown_row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _quoted_in_cell(quotes: Sequence[Quote]) -> str:
    return "<br>".join(
        f"**{_escaped(quote.who)}**: " + "<br>".join(map(_escaped, _lines(quote.words)))
        for quote in quotes
    )


def _markdown_note(note: Note) -> Iterator[str]:
    if not note.points:
        yield f"**{_escaped(note.title)}**"
        return
    yield from (f"### {_escaped(note.title)}", "")
    for point in note.points:
        yield f"- {_escaped(point.text)}"
        for quote in point.quotes:
            yield from ("", f"  > **{_escaped(quote.who)}**:", "  >")
            lines = [_escaped(line) for line in _lines(quote.words)]
            for line, after in zip(lines, [*lines[1:], ""], strict=True):
                yield f"  > {line}" + ("\\" if line and after else "")  # a line break
            yield ""


def _in_a_line(words: str) -> str:
    return " ".join(legible(words).split())


def _lines(words: str) -> list[str]:
    """Return the lines of what somebody wrote, without empty ones around them."""
    return [line.rstrip() for line in legible(words).strip().split("\n")]


_MARKUP = re.compile(
    r"[\\`*<>\[\]|~&#]|(?<![^\W_])_|_(?![^\W_])|^[-+=](?=\s|-|=|$)|^\d+(?=[.)](?:\s|$))"
)


def _escaped(words: str) -> str:
    """Return one line in which Markdown finds nothing to read as its own."""
    return _MARKUP.sub(_escape, _in_a_line(words))


def _escape(found: re.Match[str]) -> str:
    """Put a backslash before what would be markup; of a number, behind it."""
    return f"{found[0]}\\" if found[0].isdigit() else f"\\{found[0]}"
