"""The page about taught students: prose by hand, every number filled in from what was measured.

Marks are those of `benchmarks.page_marks`, ``<!-- taught: QUERY -->...<!-- /taught -->``. A query
is one of

    PART NAME ... FIELD [pick=max|min|mean|count] [as=FORMAT]
    table NAME key=value ...
    figure reinforcement
    caption reinforcement
    transcript steps=FROM..TO [arena=] [policy=] [condition=] [episode=] [answers=no]
               [scratchpads=yes]

The first walks down the tree that `benchmarks.teaching.results_files` makes of the files, as in
``evaluation cleanup taught efficiency`` or ``teaching cleanup teaching.steps``. Names with blanks
stand in quotes, points lead into a field, bars separate several names, a star stands for any part
of one, and of several values ``pick`` takes one. The second is one of
`benchmarks.teaching.results_tables.TABLES`. What the page is filled in from is kept beside it, so
that it can be checked without the files.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.database import FILE
from benchmarks.page_marks import PICKS, Query, fill_marks, parse_query, written
from benchmarks.store import RunReader, open_run
from benchmarks.teaching.reinforcement_figure import save_reinforcement
from benchmarks.teaching.results_files import TRANSCRIPT, Results, gathered, keep_run
from benchmarks.teaching.results_tables import TABLES, matching_names
from benchmarks.whole_file import write_whole
from cleanup_icn import ConfigError

PAGE, TAG = "taught.md", "taught"
RESULTS, FIGURE = "results.json", "reinforcement.svg"
"""The page in the folder of the documentation; its results and figure in a folder beside it."""

_QUERY = "taught query"
_SPAN = re.compile(r"(\d+)\.\.(\d+)")
_EPISODE_OPTIONS = ("arena", "policy", "condition", "episode")


def write_results(results: Path, docs: Path) -> list[Path]:
    """Fill in the page of a documentation from a folder of results; return the files written.

    Args:
        results: see `benchmarks.teaching.results_files`.
        docs: a folder with the page. Nothing in it is changed unless every query is answered.

    Raises:
        ConfigError: no page, a file of results that cannot be used, or a query that cannot be
            answered from them.
    """
    page = docs / PAGE
    if not page.is_file():
        raise ConfigError("docs", str(docs), f"a folder with {PAGE}")
    kept, beside = gathered(results), docs / page.stem
    with TemporaryDirectory(prefix="commonweal-") as folder:
        run = Path(folder)
        if (results / TRANSCRIPT / FILE).is_file():
            keep_run(results / TRANSCRIPT, run)
        filled = filled_in(page.read_text(encoding="utf-8"), kept, run)
        files = [beside / RESULTS, page]
        beside.mkdir(exist_ok=True)
        if (run / FILE).is_file():
            files.append(beside / TRANSCRIPT / FILE)
            files[-1].parent.mkdir(exist_ok=True)
            shutil.copyfile(run / FILE, files[-1])
    write_whole(beside / RESULTS, [json.dumps(kept, separators=(",", ":")) + "\n"])
    write_whole(page, [filled])
    if "reinforcement" in kept:
        files.append(beside / FIGURE)
        draw_reinforcement(kept, files[-1])
    return files


def draw_reinforcement(results: Results, path: Path) -> None:
    """Draw the course of the reinforcement that is kept."""
    told = results["reinforcement"]
    save_reinforcement(told, [path], name=told["plan"]["lessons"])


def filled_in(page: str, results: Results, run: Path) -> str:
    """Return the page with everything marked written anew.

    Args:
        page: in Markdown.
        results: as they are kept.
        run: folder of the run with the episode that is shown.

    Raises:
        ConfigError: a query that cannot be answered; it names the query and what there is.
    """
    return fill_marks(page, TAG, lambda query: answer_to(query, results, run))


def answer_to(query: str, results: Results, run: Path) -> str:
    """Return what a query comes to: a value, a table, a figure, its caption or a transcript."""
    asked = parse_query(query)
    kind, *names = asked.names or ("",)
    try:
        if kind == "table":
            return f"\n{_table(names, results, asked.options)}\n"
        if kind == "transcript":
            return f"\n```text\n{_transcript(run, asked.options)}```\n"
        if kind in ("figure", "caption"):
            caption = _caption(names, results)
            alt = "Efficiency and divergence from the start, by iteration"
            shown = f"![{alt}]({TAG}/{FIGURE})"
            return f"\n{shown}\n" if kind == "figure" else caption
        return _value(asked, results)
    except ConfigError as error:
        raise ConfigError(_QUERY, query, error.allowed) from None


def _table(names: list[str], results: Results, options: Mapping[str, str]) -> str:
    if len(names) != 1 or names[0] not in TABLES:
        raise ConfigError("table", " ".join(names), "a table of " + ", ".join(TABLES))
    return TABLES[names[0]](results, options)


def _value(asked: Query, results: Results) -> str:
    options = dict(asked.options)
    form, pick = options.pop("as", None), options.pop("pick", None)
    if options or not asked.names:
        raise ConfigError("options", ", ".join(options), "PART NAME ... FIELD [pick=] [as=]")
    *path, field = asked.names
    found: list[Any] = [results]
    for step in (*(name.split("|") for name in path), *([name] for name in field.split("."))):
        found = [under for each in found for name in step for under in _under(each, name)]
    if pick is not None:
        if pick not in PICKS:
            raise ConfigError("pick", pick, "pick= one of " + ", ".join(PICKS))
        values = [each for each in found if each is not None]
        found = [PICKS[pick](values)] if values else [None]
    if len(found) != 1:
        raise ConfigError("values", len(found), "names that leave 1 value, or pick=")
    if isinstance(found[0], Mapping | list):
        raise ConfigError("field", field, "a field of one value, or further " + _names(found[0]))
    try:
        return written(found[0], form)
    except ValueError:
        raise ConfigError("as", form, f"a format for {found[0]!r}") from None


def _under(value: Any, name: str) -> list[Any]:
    """Return what stands under a name, or under all names of a pattern with a star."""
    known = value if isinstance(value, Mapping) else {}
    found = matching_names(known, name)
    if not found:
        raise ConfigError("name", name, f"in the place of {name!r} " + _names(value))
    return [known[each] for each in found]


def _names(value: Any) -> str:
    if isinstance(value, Mapping):
        return "one of " + ", ".join(value)
    return "nothing, for it is a value"


def _caption(names: list[str], results: Results) -> str:
    if names != ["reinforcement"] or "reinforcement" not in results:
        there = "reinforcement" if "reinforcement" in results else "none"
        raise ConfigError("figure", " ".join(names), f"a figure of {there}")
    told = results["reinforcement"]
    plan, curve = told["plan"], told["curve"]
    return (
        f"Above: efficiency in the settings of each of {len(curve)} iterations, "
        f"{plan['groups']} drawn settings of {plan['group_size']} episodes each, answers drawn; "
        "the band is the 95% interval over settings. Dots: likeliest answers before and after, "
        "squares: drawn ones, "
        f"in {told['before']['n']} settings that it did not learn from. Below: divergence from the "
        "start, nats an answer."
    )


def _transcript(run: Path, options: Mapping[str, str]) -> str:
    from benchmarks.report.games import transcript_of
    from benchmarks.report.text_acts import Told, numbers_in
    from benchmarks.report.text_transcript import render_transcript

    strange = set(options) - {*_EPISODE_OPTIONS, "steps", "answers", "scratchpads"}
    if strange:
        raise ConfigError("options", ", ".join(sorted(strange)), "steps=FROM..TO and an episode")
    with open_run(run) as reader:
        number = _number_of(reader, options)
        shown = transcript_of(reader, reader.episode(number), number=number)
    every = numbers_in(shown)
    told = None
    if "steps" in options:
        span = _SPAN.fullmatch(options["steps"])
        told = range(int(span[1]), int(span[2]) + 1) if span else None
        if not told or told[0] < every[0] or told[-1] > every[-1]:
            allowed = f"steps=FROM..TO within {every[0]}..{every[-1]}"
            raise ConfigError("steps", options["steps"], allowed)
    answers = options.get("answers", "yes") == "yes"
    scratchpads = options.get("scratchpads", "no") == "yes"
    return render_transcript(
        shown, told=Told(numbers=told, answers=answers, scratchpads=scratchpads)
    )


def _number_of(reader: RunReader, options: Mapping[str, str]) -> int:
    """Return the number of the one episode that the options leave."""
    wanted = {name: options[name] for name in _EPISODE_OPTIONS if name in options}
    rows = [
        {
            "arena": row.arena,
            "policy": row.policy,
            "condition": row.contract,
            "episode": str(row.episode),
        }
        for row in reader.rows()
    ]
    found = [number for number, row in enumerate(rows) if wanted.items() <= row.items()]
    if len(found) != 1:
        known = "; ".join(" ".join(row.values()) for row in rows)
        raise ConfigError("episode", str(wanted), f"options that leave 1 episode of: {known}")
    return found[0]
