"""The comparisons of a study as tables for people."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from benchmarks.arena import Arena
from benchmarks.comparisons import Comparison, Question, compared_measures
from benchmarks.statistics import TRAINING_SEED
from benchmarks.table import ONE_TABLE_COLUMNS, table_of_answers

MOST_CONDITIONS = 3
"""With more, policies are shown over all conditions, and under each in ``comparisons.json``."""

Columns = Mapping[str, Callable[[Comparison], str]]
"""How a comparison is written, by heading."""

CAPTION = (
    "difference: mean less the other row's, over the n episodes that both played from the same "
    "start and seed; [low, high]: 95% bootstrap interval, of two or three no more than their "
    "range. p: permutation test, after Holm's "
    "correction for the rows of this table. effect: the difference in standard deviations. "
    "P(better): how probably an episode of the row is the better one, ties counting half. further: "
    "episodes to be added to tell the two apart with 80% power at 5%, before any correction."
)
_SEEDS_CAPTION = (
    " Where n counts training seeds, read these for episodes; n + m: two trainings, whose seeds do "
    "not pair."
)
_ONE_TRAINING_CAPTION = " *: a policy that was trained once, and speaks for that training alone."


def render_comparisons(
    drawn: Sequence[Comparison],
    arena: Arena[Any],
    *,
    width: int = ONE_TABLE_COLUMNS,
    questions: Sequence[Question] = (),
) -> Group:
    """Lay out the comparisons of one arena by its main measure; ``comparisons.json`` has all.

    Without `questions`, those are shown that an arena of so many conditions has room for. In fewer
    than `width` characters, names stand below one another.
    """
    measure = compared_measures(arena)[0]
    parts: list[Table | Text] = []
    for question in questions or shown_questions(arena):
        rows = chosen(drawn, arena=arena.name, question=question, measure=measure)
        if rows:
            title = title_of(question, measure, arena)
            parts += [Text(), _table(rows, title, width=width)]
    if parts:
        own = [each for each in drawn if each.arena == arena.name]
        parts += [Text(), Text(caption_of(own), style="italic")]
    return Group(*parts)


def shown_questions(arena: Arena[Any]) -> tuple[Question, ...]:
    """Return the questions whose answers are few enough to be read."""
    is_small = len(arena.conditions) <= MOST_CONDITIONS
    policies = Question.POLICY if is_small else Question.OVERALL
    return Question.CONTRACT, policies, Question.TRAINING


def chosen(
    drawn: Sequence[Comparison], *, arena: str, question: Question, measure: str
) -> list[Comparison]:
    """Return the comparisons of one family, in order."""
    return [
        each
        for each in drawn
        if (each.arena, each.question, each.measure) == (arena, question, measure)
    ]


def title_of(question: Question, measure: str, arena: Arena[Any]) -> str:
    """Return what stands above the answers to a question."""
    shown = arena.shown_policy
    return {
        Question.CONTRACT: f"{measure}: each condition against the first, for each policy",
        Question.POLICY: f"{measure}: each policy against {shown}",
        Question.OVERALL: f"{measure}: each policy against {shown}, over all conditions",
        Question.TRAINING: f"{measure}: trainings against each other",
    }[question]


def caption_of(drawn: Sequence[Comparison]) -> str:
    """Return what was done, in words."""
    has_seeds = any(each.unit == TRAINING_SEED for each in drawn)
    is_once = any(each.one_training for each in drawn)
    return CAPTION + _SEEDS_CAPTION * has_seeds + _ONE_TRAINING_CAPTION * is_once


def columns_of(question: Question) -> Columns:
    """Return the columns of a table that answers a question."""
    named: Columns = {
        Question.CONTRACT: {
            "policy": _policy,
            "compared": lambda each: f"{each.contract} - {each.base_contract}",
        },
        Question.POLICY: {"policy": _policy, "condition": lambda each: each.contract},
        Question.OVERALL: {"policy": _policy},
        Question.TRAINING: {
            "compared": lambda each: f"{each.policy} - {each.base_policy}",
        },
    }[question]
    return {**named, **_ANSWER}


def _table(rows: Sequence[Comparison], title: str, *, width: int) -> Table:
    columns = columns_of(rows[0].question)
    names = len(columns) - len(_ANSWER)
    written = [[write(row) for write in columns.values()] for row in rows]
    return table_of_answers(list(columns), written, names=names, title=title, width=width)


def _policy(each: Comparison) -> str:
    return each.policy + "*" * each.one_training


def _n(each: Comparison) -> str:
    if not each.n:
        return "0"
    count = str(each.n) if each.is_paired else f"{each.n} + {each.base_n}"
    return f"{count} seeds" if each.unit == TRAINING_SEED else count


def _difference(each: Comparison) -> str:
    if each.difference is None:
        return "nothing in common"
    if each.low is None or each.high is None:
        return f"{each.difference:+.2f} one {each.unit}" + " of each" * (each.n > 1)
    if each.low == each.high:
        return f"{each.difference:+.2f} in all {each.n}"
    decimals = next((d for d in (2, 3) if round(each.low, d) < round(each.high, d)), 4)
    numbers = (f"{value:+.{decimals}f}" for value in (each.difference, each.low, each.high))
    return "{} [{}, {}]".format(*numbers)


def _p(each: Comparison) -> str:
    if each.p_holm is None:
        return "-"
    return "<0.001" if each.p_holm < 0.001 else f"{each.p_holm:.3f}"


def _number(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


_ANSWER: Columns = {
    "n": _n,
    "difference": _difference,
    "p (Holm)": _p,
    "effect": lambda each: _number(each.effect, "+.2f"),
    "P(better)": lambda each: _number(each.improvement if each.n > 1 else None, ".2f"),
    "further": lambda each: _number(each.further, ",d"),
}
