"""The tables of the page about taught students, each from what is kept of the results."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from benchmarks.page_marks import MISSING, markdown_table, written
from benchmarks.teaching.lessons import CLEANUP, LESSONS
from benchmarks.teaching.reading_table import PLANNER, render_markdown
from cleanup_icn import ConfigError
from cleanup_icn.wordings import OWN

Results = Mapping[str, Any]
Options = Mapping[str, str]
Table = Callable[[Results, Options], str]

_TAUGHT, _HELD_OUT = "taught", "held-out"
_MEASURES = ("own_return", "efficiency", "own_score", "final_success")
"""What a comparison's rows are shown by where nothing else is asked for, as far as they have it."""

_IN_POINTS = ("own_return", "own_score", "collective", "welfare", "transfers", "regret")
"""Measures that are no shares."""


def evaluations(results: Results, options: Options) -> str:
    """Return what students came to, a row a student and kind of settings.

    Options: ``students`` and ``kinds``, separated by commas; by default all. A star in a student's
    name stands for any part of it.
    """
    rows = []
    for student, kind, told in _evaluations(results, options):
        teacher = LESSONS[told["lessons"]].teacher
        rows.append(
            [
                f"{student}, {kind}",
                with_bounds(told, "efficiency"),
                f"{told['valid']:.2%}",
                str(told["n"]),
                _of_policy(told, teacher),
                _of_policy(told, PLANNER),
            ]
        )
    return markdown_table(
        ["student, settings", "efficiency", "valid", "n", "teacher", PLANNER], rows
    )


def negotiations(results: Results, options: Options) -> str:
    """Return how students of negotiation did beside their baselines, sheet by sheet.

    Options as those of `evaluations`.
    """
    rows = []
    for student, kind, told in _evaluations(results, options):
        if "success" in told:
            rows.append(
                [
                    f"{student}, {kind}",
                    f"{told['baseline']}",
                    f"{told['success']:.2f} and {told['baseline_success']:.2f}",
                    _difference(told, "difference", "+.2f"),
                    f"{told['own_score']:.1f} and {told['baseline_own_score']:.1f}",
                    _difference(told, "own_score_difference", "+.1f"),
                    f"{told['valid']:.2%}",
                    str(told["n"]),
                ]
            )
    head = ["student, settings", "baseline", "success, its and the baseline's", "difference"]
    return markdown_table([*head, "points, likewise", "difference", "valid", "n"], rows)


def personas(results: Results, _: Options) -> str:
    """Return who became what: a row for each persona of Cleanup that has been examined."""
    rows = []
    for name in CLEANUP:
        kinds = results.get("evaluation", {}).get(name, {})
        if kinds:
            teacher = LESSONS[name].teacher
            shown = [
                cell
                for told in (kinds.get(kind) for kind in (_TAUGHT, _HELD_OUT))
                for cell in _beside_teacher(told, teacher)
            ]
            rows.append([name, f"`{teacher}`", *shown, _agreement(results, name)])
    head = ["student", "teacher", "taught settings", "teacher there", "held-out settings"]
    return markdown_table([*head, "teacher there", "answers as the teacher"], rows)


def reading(results: Results, options: Options) -> str:
    """Return the table of `commonweal reading-table` for the student of the option ``student``."""
    known = results.get("reading", {})
    student = options.get("student", "")
    if student not in known:
        raise ConfigError("student", student, "one of " + ", ".join(known))
    return render_markdown(list(known[student].values())).rstrip("\n")


def reinforcement(results: Results, _: Options) -> str:
    """Return what a student came to before and after its reinforcement."""
    told = _part(results, "reinforcement")
    rows = []
    for when in ("before", "after"):
        for answers, found in (("likeliest", told[when]), ("drawn", told[when]["drawn"])):
            rows.append(
                [
                    f"{when}, {answers} answers",
                    with_bounds(found, "efficiency"),
                    f"{found['valid']:.2%}",
                    str(found["n"]),
                ]
            )
    for name, score in told["before"]["policies"].items():
        rows.append([f"`{name}`", with_bounds(score, "efficiency"), MISSING, str(score["n"])])
    return markdown_table(["who, how", "efficiency", "valid", "n"], rows)


def compare(results: Results, options: Options) -> str:
    """Return rows of comparisons: who came to what, under which condition.

    Options, several values separated by commas: ``name`` of the comparison, and to leave fewer
    rows and other columns ``arena``, ``policy``, ``condition`` and ``measures``. A star in a name
    stands for any part of it.
    """
    known = _part(results, "compare")
    names = _listed(options, "name", known)
    found = [row for name in names for row in _compared(name, known[name], options)]
    if not found:
        there = sorted(
            {policy for name in names for each in known[name].values() for policy in each}
        )
        raise ConfigError("rows", None, "options that leave one; policies: " + ", ".join(there))
    asked = options["measures"].split(",") if "measures" in options else _MEASURES
    shown = [each for each in asked if any(each in row["intervals"] for _, row in found)]
    if not shown:
        measures = sorted({each for _, row in found for each in row["intervals"]})
        raise ConfigError("measures", ",".join(asked), "some of " + ", ".join(measures))
    rows = [
        [
            (f"{name}, " if len(names) > 1 else "") + row["policy"],
            f"{row['arena']}, {row['contract']}",
            *(_measured(row, each) for each in shown),
            f"{row['n']} {row['unit']}" + "s" * (row["n"] != 1),
        ]
        for name, row in found
    ]
    return markdown_table(
        ["policy", "arena, condition", *(each.replace("_", " ") for each in shown), "n"], rows
    )


def serving(results: Results, options: Options) -> str:
    """Return what models did for comparisons, a row a comparison; option: ``names``."""
    known = _part(results, "serving")
    rows = []
    for name in _listed(options, "names", known):
        told = known[name]
        rows.append(
            [
                name,
                f"{told['tokens_per_s']:,.0f}",
                f"{told['completion_tokens_per_s']:,.0f}",
                f"{told['episodes_per_s']:.2f}",
                f"{told['prompt_tokens']:,}",
                f"{told['completion_tokens']:,}",
                _share(told["cached_share"], ".0%"),
                _share(told["malformed_share"], ".2%"),
                f"{told['episodes']:,}",
            ]
        )
    head = ["served", "tokens/s", "answered tokens/s", "episodes/s", "prompt tokens"]
    return markdown_table([*head, "answer tokens", "cached", "malformed", "episodes"], rows)


TABLES: Mapping[str, Table] = {
    "evaluations": evaluations,
    "negotiations": negotiations,
    "personas": personas,
    "reading": reading,
    "reinforcement": reinforcement,
    "compare": compare,
    "serving": serving,
}
"""The tables by name."""


def with_bounds(row: Mapping[str, Any], name: str) -> str:
    """Write a measure with the interval of its row, where that has one."""
    return _bounded(row[name], row["low"], row["high"])


def _bounded(
    mean: float | None, low: float | None, high: float | None, *, form: str = ".3f"
) -> str:
    if mean is None or low is None or high is None or low == high:
        return written(mean, form)
    return f"{mean:{form}} [{low:{form}}, {high:{form}}]"


def _evaluations(results: Results, options: Options) -> Iterator[tuple[str, str, Results]]:
    """Yield student, kind and evaluation; kinds in the order of the student's lessons."""
    known = _part(results, "evaluation")
    asked = options["kinds"].split(",") if "kinds" in options else None
    for student in _listed(options, "students", known):
        kinds = known[student]
        order = LESSONS[next(iter(kinds.values()))["lessons"]].kinds
        for kind in sorted(kinds, key=lambda kind: (*order, kind).index(kind)):
            if asked is None or kind in asked:
                yield student, kind, kinds[kind]


def _compared(name: str, arenas: Results, options: Options) -> Iterator[tuple[str, Results]]:
    for arena in _listed(options, "arena", arenas):
        for policy in _listed(options, "policy", arenas[arena], needs_all=False):
            conditions = arenas[arena][policy]
            for condition in _listed(options, "condition", conditions, needs_all=False):
                yield name, conditions[condition]


def _listed(
    options: Options, option: str, known: Mapping[str, Any], *, needs_all: bool = True
) -> list[str]:
    """Return the names that an option lists, in its order; all that there are without it.

    Raises:
        ConfigError: one is not there, if all of them have to be.
    """
    if option not in options:
        return list(known)
    listed: list[str] = []
    for name in options[option].split(","):
        found = matching_names(known, name)
        if needs_all and not found:
            raise ConfigError(option, name, f"in the place of {name!r} one of " + ", ".join(known))
        listed += found
    return listed


def matching_names(known: Mapping[str, Any], name: str) -> list[str]:
    """Return the known names that are this one or, with a star in it, that it stands for."""
    if "*" in name:
        return fnmatch.filter(known, name)
    return [name] if name in known else []


def _part(results: Results, name: str) -> Any:
    if name not in results:
        raise ConfigError(name, None, "a part of the results: " + ", ".join(results))
    return results[name]


def _of_policy(told: Results, name: str) -> str:
    score = told["policies"].get(name)
    return MISSING if score is None else f"{score['efficiency']:.3f}"


def _beside_teacher(told: Results | None, teacher: str) -> Sequence[str]:
    if told is None:
        return MISSING, MISSING
    return with_bounds(told, "efficiency"), _of_policy(told, teacher)


def _agreement(results: Results, student: str) -> str:
    """Return how often a student answers as its teacher, where it was taught."""
    for row in results.get("reading", {}).get(student, {}).values():
        if (row["kind"], row["wording"], row["temperature"]) == (_TAUGHT, OWN, 0.0):
            return _share(row["agreement"], ".1%")
    return MISSING


def _measured(row: Results, measure: str) -> str:
    if measure not in row["intervals"]:
        return MISSING
    form = ".1f" if measure in _IN_POINTS else ".3f"
    return _bounded(row[measure], *row["intervals"][measure], form=form)


def _difference(told: Results, name: str, form: str) -> str:
    value, low, high = (told[each] for each in (name, f"{name}_low", f"{name}_high"))
    return _bounded(value, low, high, form=form)


def _share(share: float | None, form: str) -> str:
    return written(None if share is None else float(share), form)
