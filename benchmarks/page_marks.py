"""Marks on a page of the documentation: prose by hand, what was measured filled in.

A page is Markdown in which ``<!-- TAG: QUERY -->...<!-- /TAG -->`` marks what is filled in, each
page with a tag of its own. Rendered Markdown does not show the marks. What a query means is the
page's affair; how one is taken apart, and how what it comes to is written, is the same on all.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

MISSING = "-"
"""What stands where there is no value."""

PICKS: Mapping[str, Callable[[Sequence[float]], float]] = {
    "max": max,
    "min": min,
    "mean": lambda values: sum(values) / len(values),
    "count": len,
}
"""What can be made of several values, by the name that queries give it."""

_DIGITS = 4


class Query(NamedTuple):
    """A query taken apart."""

    text: str  # as it stands on the page
    names: tuple[str, ...]  # words alone, in order
    options: dict[str, str]  # words of the form ``key=value``


def parse_query(text: str) -> Query:
    """Take a query apart as a shell would: words with blanks in them stand in quotes."""
    words = shlex.split(text)
    options = dict(each.split("=", 1) for each in words if "=" in each)
    return Query(text, tuple(each for each in words if "=" not in each), options)


def fill_marks(page: str, tag: str, answer: Callable[[str], str]) -> str:
    """Return the page with what stands in every mark of a tag written anew.

    Args:
        page: in Markdown.
        tag: of the marks.
        answer: what a query comes to.
    """

    def filled(mark: re.Match[str]) -> str:
        return f"{mark[1]}{answer(mark['query'])}{mark[4]}"

    return _marks(tag).sub(filled, page)


def queries_on(page: str, tag: str) -> list[str]:
    """Return the queries on a page, in order."""
    return [mark["query"] for mark in _marks(tag).finditer(page)]


def _marks(tag: str) -> re.Pattern[str]:
    name = re.escape(tag)
    return re.compile(
        rf"(<!-- {name}: (?P<query>.+?) -->)(?P<shown>.*?)(<!-- /{name} -->)", re.DOTALL
    )


def written(value: Any, form: str | None) -> str:
    """Write a value in a format (``.2f``, ``+d``, ``,``); None: as `word` does.

    Raises:
        ValueError: the value has no such format.
    """
    if value is None:
        return MISSING
    if isinstance(value, float) and value.is_integer() and (form is None or form.endswith("d")):
        value = int(value)
    return word(value) if form is None else format(value, form)


def word(value: Any) -> str:
    """Return a value as queries and tables write it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown; columns after the first are set to the right."""
    lines = ["| " + " | ".join(head) + " |", "|---|" + "---:|" * (len(head) - 1)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def rounded(value: Any) -> Any:
    """Return JSON values with all numbers rounded to four decimals, as a page keeps them."""
    if isinstance(value, float):
        return round(value, _DIGITS)
    if isinstance(value, Mapping):
        return {name: rounded(inner) for name, inner in value.items()}
    return [rounded(inner) for inner in value] if isinstance(value, list) else value
