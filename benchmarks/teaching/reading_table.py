"""Does a taught model read, or does it remember? One model in settings ever farther from taught.

Rows are kinds of settings, other words for the same text (`cleanup_icn.wordings`) and answers that
are drawn, not the likeliest. Beside what it came to stands how often the model answered as its
teacher would have in the same place, whoever played before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NamedTuple

from agents.llm.styles import DIRECT
from benchmarks.cleanup.arena import CleanupArena
from benchmarks.store import RunReader, open_run
from benchmarks.teaching.examination import (
    OWN_SEAT,
    STUDENT,
    Examination,
    Questioning,
    Score,
    play_examination,
)
from benchmarks.teaching.questions import Asked, questions_of
from cleanup_icn.wordings import EXAMINED_WORDINGS, OWN

if TYPE_CHECKING:
    from agents.llm import ChatClient
    from benchmarks.teaching.lessons import Lessons

PLANNER = "planner"

Row = Mapping[str, Any]
"""A `Reading` as JSON values: what tables are written from, just played or read from a file."""

_SETTINGS: Mapping[str, str] = {
    "taught": "taught settings",
    "held-out": "held-out settings",
    "more-agents": "more agents than taught",
    "partners": "partners never met",
    "icn": "a change in every episode",
}
_WORDS: Mapping[str, str] = {
    "synonyms": "a few other words",
    "reordered": "lines in another order",
    "paraphrased": "all sentences written anew",
    "distracted": "idle sentences in between",
    "contract": "contracts say who is paid",
}


class Trial(NamedTuple):
    """What one row of the table is measured in."""

    name: str
    kind: str  # of examination
    wording: str = OWN
    temperature: float = 0.0
    style: str | None = None  # of the thoughts asked for; None: as it was taught


@dataclass(frozen=True, kw_only=True)
class Reading:
    """One row of the table."""

    trial: Trial
    teacher: str  # name of the policy that it was taught from
    student: Score
    valid: float  # share of its answers that could be read
    answers: int
    agreement: float | None  # share of them equal to the teacher's; None where it has none
    policies: Mapping[str, Score]  # on the same settings

    @property
    def own_by_teachers(self) -> float | None:
        """What the student's seat came to, by what the teacher's did in it; None without a seat."""
        taught = self.policies.get(self.teacher)
        if taught is None or not taught.own or self.student.own is None:
            return None
        return self.student.own / taught.own

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        policies = {name: score.to_dict() for name, score in self.policies.items()}
        return {
            **self.trial._asdict(),
            **self.student.to_dict(),
            "valid": self.valid,
            "answers": self.answers,
            "agreement": self.agreement,
            "own_by_teachers": self.own_by_teachers,
            "teacher": self.teacher,
            "policies": policies,
        }


def trials_of(lessons: Lessons, *, style: str = DIRECT) -> list[Trial]:
    """Return the rows of a table: kinds of settings, other wordings, answers that are drawn.

    The wordings are those that nobody was taught in. Negotiation has none. A student whose `style`
    is to think before it answers is asked to answer at once, too.
    """
    first = lessons.kinds[0]
    kinds = [Trial(_SETTINGS.get(kind, kind), kind) for kind in lessons.kinds]
    drawn = Trial("answers drawn at temperature 1", first, temperature=1.0)
    (arena,) = lessons.examination_suite(first, episodes=1, seed=0).arenas
    others = EXAMINED_WORDINGS if isinstance(arena, CleanupArena) else ()
    words = [Trial(_WORDS[name], first, wording=name) for name in others]
    at_once = [Trial("asked to answer at once", first, style=DIRECT)] if style != DIRECT else []
    return [*kinds, *words, *at_once, drawn]


@dataclass(frozen=True, kw_only=True)
class ReadingTest:
    """One model and how it is tested.

    `clients` gives what answers for it in a row, by model; None for the model itself.
    """

    folder: str | Path  # of the model
    lessons: Lessons  # what it was taught
    asked: Questioning  # how it was taught to be asked; each row asks otherwise in one thing
    episodes: int  # settings a row, each played once
    seed: int = 0  # from which they are drawn: rows of one kind have the same
    clients: Callable[[Trial], Mapping[str, ChatClient] | None] = lambda _trial: None

    def readings(self) -> Iterator[Reading]:
        """Measure row after row, and yield each.

        The policies to compare with are played once for each kind of settings.

        Raises:
            ConfigError: the model cannot be asked.
            StoreError: an episode was not played to its end.
        """
        policies: dict[str, Mapping[str, Score]] = {}
        for trial in trials_of(self.lessons, style=self.asked.style):
            with TemporaryDirectory(prefix="commonweal-") as folder:
                done = self._examined(trial, Path(folder), is_alone=trial.kind in policies)
                with open_run(Path(folder)) as reader:
                    agreement = agreement_with(self.lessons.teacher, reader)
            compared = policies.setdefault(trial.kind, done.policies)
            yield Reading(
                trial=trial,
                teacher=self.lessons.teacher,
                student=done.student,
                valid=done.valid,
                answers=done.answers,
                agreement=agreement,
                policies=compared,
            )

    def _examined(self, trial: Trial, run: Path, *, is_alone: bool) -> Examination:
        return play_examination(
            self.folder,
            self.lessons.examination_suite(trial.kind, episodes=self.episodes, seed=self.seed),
            run,
            asked=replace(
                self.asked,
                wording=trial.wording,
                temperature=trial.temperature,
                style=trial.style or self.asked.style,
            ),
            seed=self.seed,
            clients=self.clients(trial),
            is_alone=is_alone,
        )


def agreement_with(teacher: str, reader: RunReader) -> float | None:
    """Return the share of a model's answers equal to what a policy would have said there.

    Of the answers in the episodes of an examination, those that could not be read included; None
    where there is none that the policy could have given.

    Raises:
        ConfigError: there is no such policy, or a record cannot be played again.
    """
    taught = {_place(each): each.choice for each in _answers(reader, relabel=teacher)}
    given = [(_place(each), each.choice) for each in _answers(reader)]
    equal = [taught[place] == choice for place, choice in given if place in taught]
    return sum(equal) / len(equal) if equal else None


def _answers(reader: RunReader, *, relabel: str | None = None) -> Iterator[Asked]:
    asked = questions_of(reader, relabel=relabel, wanted=lambda row: row.policy == STUDENT)
    return (each for each in asked if each.player == STUDENT)


def _place(asked: Asked) -> tuple[Any, ...]:
    """Return what tells a question from all others; talks have several in a step."""
    return (
        asked.arena,
        asked.condition,
        asked.episode,
        asked.agent,
        asked.step,
        asked.pair.messages,
    )


def shown_values(row: Row) -> list[str]:
    """Return the cells of a row, as words; `columns_of` says what they are of."""
    measure = _measure_of(row)
    compared = (row["policies"].get(name) for name in (row["teacher"], PLANNER))
    return [
        row["name"],
        f"{row[measure]:.3f}",
        f"{row['low']:.3f} to {row['high']:.3f}" if row["low"] is not None else NOTHING,
        f"{row['valid']:.2%}",
        _percent(row["agreement"]),
        *(f"{score[measure]:.3f}" if score is not None else NOTHING for score in compared),
        _percent(row["own_by_teachers"]),
        str(row["n"]),
    ]


def _percent(share: float | None) -> str:
    return f"{share:.1%}" if share is not None else NOTHING


def _measure_of(row: Row) -> str:
    return next(measure for measure in OWN_SEAT if measure in row)


NOTHING = "-"
"""Stands where there is nothing to say."""

_COLUMNS = (
    "95% interval",
    "valid",
    "as the teacher",
    "teacher",
    "planner",
    "own seat by the teacher's",
    "n",
)


def columns_of(rows: Sequence[Row]) -> tuple[str, ...]:
    """Return what the cells of these rows are of."""
    return ("what is asked", _measure_of(rows[0]).replace("_", " "), *_COLUMNS)


def render_markdown(rows: Sequence[Row]) -> str:
    """Write the table as Markdown."""
    columns = columns_of(rows)
    lines = [columns, ("---", *("---:",) * (len(columns) - 1))]
    lines += [tuple(shown_values(row)) for row in rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
