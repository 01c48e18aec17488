"""The study's page: prose by hand, every number in it filled in from what a run measured.

A page is Markdown in which ``<!-- study: QUERY -->...<!-- /study -->`` marks what is filled in.
Rendered Markdown does not show the marks. A query is one of

    LIST.FIELD key=value ... [pick=max|min|mean|count] [as=FORMAT]
    table NAME key=value ...

The first names a list of the study's summary (``critical_magnitudes.magnitude``), filters that
leave one entry (or, with ``pick``, several), and how the value is written (``.2f``, ``+d``). The
second is one of `benchmarks.study.page_tables.TABLES`. A field of the summary itself has no list:
``n``.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from typing import Any

from benchmarks.study.page_tables import TABLES
from cleanup_icn import ConfigError

Study = Mapping[str, Any]

_MARK = re.compile(r"(<!-- study: (?P<query>.+?) -->)(?P<shown>.*?)(<!-- /study -->)", re.DOTALL)
_PICKS = {"max": max, "min": min, "mean": lambda xs: sum(xs) / len(xs), "count": len}


def filled_in(page: str, study: Study) -> str:
    """Return the page with everything marked written anew from the study.

    Raises:
        ConfigError: a query that cannot be answered; it names the query and what there is.
    """

    def answer(mark: re.Match[str]) -> str:
        shown = answer_to(mark["query"], study)
        return f"{mark[1]}{shown}{mark[4]}"

    return _MARK.sub(answer, page)


def answer_to(query: str, study: Study) -> str:
    """Return what a query comes to, a value or a table in Markdown."""
    words = shlex.split(query)
    options = dict(word.split("=", 1) for word in words if "=" in word)
    names = [word for word in words if "=" not in word]
    if names[0] == "table":
        if len(names) != 2 or names[1] not in TABLES:
            raise ConfigError("study query", query, "a table of " + ", ".join(TABLES))
        return f"\n{TABLES[names[1]](study, options)}\n"
    if len(names) != 1:
        raise ConfigError("study query", query, "LIST.FIELD key=value ... or table NAME")
    form, pick = options.pop("as", None), options.pop("pick", None)
    return written(_value(names[0], options, pick, study, query), form)


def written(value: Any, form: str | None = None) -> str:
    """Return a value as it stands on the page; a missing one is a dash."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer() and (form is None or form.endswith("d")):
        value = int(value)
    return str(value) if form is None else format(value, form)


def chosen(entries: Any, options: Mapping[str, str]) -> list[Mapping[str, Any]]:
    """Return the entries of a list whose fields have these values, as they are written."""
    return [
        entry
        for entry in entries
        if all(written(entry.get(name)) == value for name, value in options.items())
    ]


def _value(
    name: str, options: Mapping[str, str], pick: str | None, study: Study, query: str
) -> Any:
    of, _, field = name.partition(".")
    if of not in study:
        raise ConfigError("study query", query, "a name among " + ", ".join(study))
    if not field:
        return study[of]
    found = chosen(study[of], options)
    if not found or field not in found[0]:
        fields = ", ".join(study[of][0]) if study[of] else "none"
        raise ConfigError("study query", query, f"an entry that there is, with fields {fields}")
    if pick is not None:
        if pick not in _PICKS:
            raise ConfigError("study query", query, "pick= one of " + ", ".join(_PICKS))
        values = [entry[field] for entry in found if entry[field] is not None]
        picked: Any = _PICKS[pick]
        return picked(values)
    if len(found) > 1:
        raise ConfigError("study query", query, f"filters that leave 1 entry, not {len(found)}")
    return found[0][field]
