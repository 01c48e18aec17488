"""The study's page: prose by hand, every number in it filled in from what runs measured.

What is filled in stands in marks of `benchmarks.page_marks`, ``<!-- study: QUERY -->...``. A query
is one of

    LIST.FIELD key=value ... [pick=max|min|mean|count] [as=FORMAT]
    table NAME key=value ...
    caption FIGURE

The first names a list of the study's summary (``critical_magnitudes.magnitude``), filters that
leave one entry (or, with ``pick``, several), and how the value is written (``.2f``, ``+d``); ``n``
alone is a number of the summary itself. The second is one of `benchmarks.study.page_tables.TABLES`.
What a page is filled in from is kept beside it, so that it can be checked without the runs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.page_marks import PICKS, fill_marks, parse_query, rounded, written
from benchmarks.study.figures import captions, save_figures
from benchmarks.study.page_tables import TABLES, matching
from benchmarks.study.suite import EXACT
from benchmarks.study.summary import STUDY
from benchmarks.whole_file import write_whole
from cleanup_icn import ConfigError

Study = Mapping[str, Any]

PAGE = "study.md"
RESULTS = "results.json"
"""The page in the folder of the documentation; its results and figures in a folder beside it."""

TAG = "study"
"""Of the page's marks."""

_OF_ROWS = "learned"
"""The group whose rows a page shows as they are; those of the others are summed up in lists."""

_SIZE = "full"


def write_page(runs: Sequence[Path], docs: Path) -> list[Path]:
    """Fill in the page of a documentation from runs of the study; return the files written.

    Raises:
        ConfigError: a folder without a summary, no page, or a query that cannot be answered.
    """
    page = docs / PAGE
    if not page.is_file():
        raise ConfigError("docs", str(docs), f"a folder with {PAGE}")
    whole = joined([_summary_in(run) for run in runs])
    if whole["size"] != _SIZE:
        raise ConfigError("size", whole["size"], f"{_SIZE}: the page is about all of the grid")
    results = docs / page.stem / RESULTS
    results.parent.mkdir(exist_ok=True)
    kept = kept_of(whole)  # the page says what can be checked from what is kept
    write_whole(page, [filled_in(page.read_text(encoding="utf-8"), kept)])
    write_whole(results, [json.dumps(kept, separators=(",", ":")) + "\n"])
    drawn = save_figures(whole, results.parent)
    for path in drawn:
        if path.suffix != ".svg":
            path.unlink()
    return [page, results, *(path for path in drawn if path.suffix == ".svg")]


def joined(studies: Sequence[Study]) -> Study:
    """Return several summaries as one: the lists one after the other, no entry twice."""
    whole = dict(studies[0])
    for other in studies[1:]:
        for name, value in other.items():
            if isinstance(value, list) and name != "command":
                whole[name] = whole[name] + [entry for entry in value if entry not in whole[name]]
        whole["n"] += other["n"]
        whole["seconds"] += other["seconds"]
    return whole


def kept_of(study: Study) -> dict[str, Any]:
    """Return what a page needs of a summary, numbers to four decimals."""
    kept = {name: value for name, value in study.items() if name != "courses"}
    kept["rows"] = [row for row in study["rows"] if row["group"] == _OF_ROWS]
    for name in ("stale", "gains"):  # an entry for each world and family: most of the summary
        kept[name] = [entry for entry in study[name] if entry["policy"] == EXACT]
    kept["captions"], kept["command"] = captions(study), []  # it names folders of a machine
    short: dict[str, Any] = rounded(kept)
    return short


def filled_in(page: str, study: Study) -> str:
    """Return the page with everything marked written anew from a summary, whole or as it is kept.

    Raises:
        ConfigError: a query that cannot be answered; it names the query and what there is.
    """
    return fill_marks(page, TAG, lambda query: answer_to(query, study))


def answer_to(query: str, study: Study) -> str:
    """Return what a query comes to: a value, a table in Markdown or a figure's caption."""
    _, names, options = parse_query(query)
    if names[:1] == ("table",):
        if len(names) != 2 or names[1] not in TABLES:
            raise ConfigError("study query", query, "a table of " + ", ".join(TABLES))
        return f"\n{TABLES[names[1]](study, options)}\n"
    if names[:1] == ("caption",):
        told = study.get("captions") or captions(study)
        if len(names) != 2 or names[1] not in told:
            raise ConfigError("study query", query, "a figure of " + ", ".join(told))
        return str(told[names[1]])
    if len(names) != 1:
        raise ConfigError("study query", query, "LIST.FIELD, table NAME or caption FIGURE")
    form, pick = options.pop("as", None), options.pop("pick", None)
    return written(_value(names[0], options, pick, study, query), form)


def _value(
    name: str, options: Mapping[str, str], pick: str | None, study: Study, query: str
) -> Any:
    of, _, field = name.partition(".")
    if of not in study:
        raise ConfigError("study query", query, "a name among " + ", ".join(study))
    if not field:
        return study[of]
    found = matching(study[of], options)
    if not found or field not in found[0]:
        fields = ", ".join(study[of][0]) if study[of] else "none"
        raise ConfigError("study query", query, f"an entry that there is, with fields {fields}")
    if pick is not None:
        if pick not in PICKS:
            raise ConfigError("study query", query, "pick= one of " + ", ".join(PICKS))
        return PICKS[pick]([entry[field] for entry in found if entry[field] is not None])
    if len(found) > 1:
        raise ConfigError("study query", query, f"filters that leave 1 entry, not {len(found)}")
    return found[0][field]


def _summary_in(run: Path) -> Study:
    path = run / STUDY
    if not path.is_file():
        raise ConfigError("run", str(run), f"a folder of `commonweal study`, with {STUDY}")
    study: Study = json.loads(path.read_text(encoding="utf-8"))
    return study
