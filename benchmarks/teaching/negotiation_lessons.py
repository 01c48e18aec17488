"""Lessons of negotiation: one pupil that is a proposer and a responder, over drawn score sheets.

What is taught, on sheets of `benchmarks.negotiation.drawn`:

======  ==========================================================================================
sheets  4 parties, 4 issues of 3 options each, at most 3 to 6 feasible deals of 81; the scores of
        issues, the indifference and the shape of thresholds are those of `negotiation_games.draw`
course  3 blocks of turns, one fewer than published; the vote is the implicit one
tables  in turn, p1 and the others: amender and best-guess; best-guess on all seats; amender and
        linear; best-guess and linear; stubborn and best-guess; amender and whoever is drawn;
        best-guess and whoever is drawn; whoever is drawn on all seats
drawn   best-guess, linear, amender and stubborn, each with the same chance
======  ==========================================================================================

The answers are meant to be replaced by the teacher's (``dataset --relabel amender``). It is right
in every seat and short: the own best deal until the last turn, which a party that said it before
can repeat; then the last offer of p2 (to p1) or of p1 (to all others), with an issue or two changed
where the own sheet asks for it. That offer is among the last `RECORD_LINES` of the record. Most of
it is repeating a line, which a small model learns long before it adds up scores; best-guess agrees
somewhat more often.

Examinations, an episode on each drawn sheet, p1 opening with its best deal:

============  ====================================================================================
``taught``    the pupil is p1, beside best-guess or linear, on other sheets of the same kind
``held-out``  likewise, on sheets with 1 or 2 feasible deals at most, or 8 to 12
``partners``  the pupil is p1 on taught sheets, beside parties that nobody meets in lessons
``responder`` the pupil is p2 or Party 3, beside best-guess, p1 included, on taught sheets
============  ====================================================================================
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from benchmarks.model_config import Table
from benchmarks.negotiation.arena import NegotiationArena, Setting
from benchmarks.negotiation.drawn import drawn_name
from benchmarks.suite import Suite
from benchmarks.teaching.drawn_suites import HELD_OUT, PARTNERS, TAUGHT, Draw, DrawnSuites

TEACHER, GUESSING = "amender", "best-guess"
BASELINE, UNHEARING = "no-communication", "stubborn"
"""Policies that listen to nobody: a proposer and a responder to compare the pupil with."""

STRANGERS = ("boulware", "conceder", "greedy")
"""Partners that nobody meets in lessons."""

RESPONDER = "responder"
KINDS = (TAUGHT, HELD_OUT, PARTNERS, RESPONDER)
"""Kinds of examination."""

NUM_PARTIES, NUM_OPTIONS, NUM_TURNS = 4, (3, 3, 3, 3), 12
RECORD_LINES = 6
"""So many last lines of the record always have the offer that the teacher goes by."""

FEASIBLE = (3, 4, 5, 6)
HELD_OUT_FEASIBLE = (1, 2, 8, 9, 10, 11, 12)
"""Most feasible deals of taught sheets and of held-out ones."""

_TAUGHT_PARTNERS = (GUESSING, "linear")
_RESPONDERS = ("veto", "Party 3")
_ANY = "drawn"
_TABLES = (
    (TEACHER, GUESSING),
    (GUESSING, GUESSING),
    (TEACHER, "linear"),
    (GUESSING, "linear"),
    (UNHEARING, GUESSING),
    (TEACHER, _ANY),
    (GUESSING, _ANY),
    (_ANY, _ANY),
)
"""p1 and the others at the tables of lessons."""

_DRAWN = (GUESSING, "linear", TEACHER, UNHEARING)
_SUITES = DrawnSuites(KINDS)


@dataclass(frozen=True, kw_only=True)
class NegotiationLessons:
    """Lessons of negotiation; see `benchmarks.teaching.lessons.Lessons`."""

    name: str = "negotiation"
    teacher: str = TEACHER
    description: str = (
        "Proposer and responder: insists until the last turn, then changes as little as it can of "
        "the offer that counts."
    )
    kinds: tuple[str, ...] = KINDS

    def teaching_suite(self, *, episodes: int, seed: int) -> Suite:
        """Return what is played to teach from; an arena is one drawn sheet, played once.

        Raises:
            ConfigError: `episodes` is below 1, or `seed` below 0.
        """
        return _SUITES.teaching(self, self._lesson, episodes=episodes, seed=seed)

    def examination_suite(self, kind: str, *, episodes: int, seed: int) -> Suite:
        """Return `episodes` arenas, each of one drawn sheet that is played once.

        Policies play the pupil's seat. As p1 they are no-communication, the teacher, best-guess
        and the planner; as a responder the teacher, best-guess, stubborn and random.

        Raises:
            ConfigError: there is no such kind, `episodes` is below 1, or `seed` below 0.
        """
        draw = partial(self._examination, kind)
        return _SUITES.examination(self, kind, draw, episodes=episodes, seed=seed)

    def _lesson(self, draw: Draw) -> NegotiationArena:
        table = _table(draw.index, draw.rng)
        return NegotiationArena(
            name=draw.name,
            description=self.description,
            conditions=(_drawn_setting(draw.rng, FEASIBLE, seed=draw.seed),),
            policies=(table.name,),
            lineups=(table,),
            shown_policy=table.name,
            num_episodes=1,
            seed=draw.seed,
        )

    def _examination(self, kind: str, draw: Draw) -> NegotiationArena:
        index = draw.index
        feasible = HELD_OUT_FEASIBLE if kind == HELD_OUT else FEASIBLE
        policies = (BASELINE, self.teacher, GUESSING, "planner")
        seat, partners = "proposer", _TAUGHT_PARTNERS[index % len(_TAUGHT_PARTNERS)]
        if kind == PARTNERS:
            partners = STRANGERS[index % len(STRANGERS)]
        elif kind == RESPONDER:
            policies = (self.teacher, GUESSING, UNHEARING, "random")
            seat, partners = _RESPONDERS[index % len(_RESPONDERS)], GUESSING
        return NegotiationArena(
            name=draw.name,
            description=f"Examination of {self.name}: {kind}",
            conditions=(_drawn_setting(draw.rng, feasible, seed=draw.seed),),
            policies=policies,
            shown_policy=BASELINE if BASELINE in policies else UNHEARING,
            seat=seat,
            partners=partners,
            num_episodes=1,
            seed=draw.seed,
        )


def _drawn_setting(rng: np.random.Generator, feasible: tuple[int, ...], *, seed: int) -> Setting:
    """Draw how hard the sheets are; the sheets follow from the seed."""
    game = drawn_name(
        num_parties=NUM_PARTIES,
        num_options=NUM_OPTIONS,
        feasible=int(rng.choice(feasible)),
        seed=seed,
    )
    return Setting(game=game, incentives="cooperative", num_turns=NUM_TURNS)


def _table(index: int, rng: np.random.Generator) -> Table:
    """Return who sits where in a lesson."""
    p1, others = _TABLES[index % len(_TABLES)]
    players = [
        str(rng.choice(_DRAWN)) if player == _ANY else player
        for player in (p1, *(others,) * (NUM_PARTIES - 1))
    ]
    seats = {f"Party {number}": player for number, player in enumerate(players, start=1)}
    return Table(name=f"{p1}-and-{others}", everyone=players[-1], seats=seats)


NEGOTIATION = NegotiationLessons()
"""The lessons of negotiation."""
