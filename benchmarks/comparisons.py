"""The comparisons that a study draws from its episodes: contracts, policies and trainings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

from benchmarks.arena import LEARNED, Arena
from benchmarks.cleanup.arena import GAME as CLEANUP
from benchmarks.cleanup.metrics import COMPARED as COMPARED_IN_CLEANUP
from benchmarks.episode_row import EpisodeRow
from benchmarks.lineups import players_of
from benchmarks.negotiation.arena import Setting
from benchmarks.negotiation.metrics import COMPARED as COMPARED_IN_NEGOTIATION
from benchmarks.report.measures import shown_measures
from benchmarks.statistics import (
    EPISODE,
    Contrast,
    Side,
    contrast,
    contrast_over_strata,
    holm,
    measure_difference,
)

ALL_CONDITIONS = "all"
"""The contract of a comparison over all conditions."""


class Question(StrEnum):
    """What a comparison asks; the comparisons of a question in an arena are one family."""

    CONTRACT = "contract"  # each condition against the first, for each policy
    POLICY = "policy"  # each policy against the arena's shown one, under each condition
    OVERALL = "overall"  # the same over all conditions
    TRAINING = "training"  # each training against the first, each under its own contract


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """A row against another, its base.

    `n` counts `unit`s of the row, or pairs; 0 says that the two have no episode in common, and then
    all else is None. What a sample is too small to say is None too, see
    `benchmarks.statistics.Difference`.
    """

    arena: str
    question: Question
    measure: str
    policy: str
    contract: str
    base_policy: str
    base_contract: str
    n: int = 0
    base_n: int = 0
    unit: str = EPISODE
    is_paired: bool = True
    mean: float | None = None  # of the row
    base_mean: float | None = None
    difference: float | None = None  # mean less base_mean
    low: float | None = None  # of the 95% bootstrap interval of the difference
    high: float | None = None
    p: float | None = None  # of the permutation test, two-sided
    p_holm: float | None = None  # after Holm's correction over the family
    effect: float | None = None  # in standard deviations: d_z if paired, else g; Hedges' correction
    improvement: float | None = None  # probability that a unit of the row is the better one, where
    # more or less of the measure is better
    further: int | None = None  # units to be added for 80% power at 5%; None: cannot be said
    one_training: bool = False  # a learned policy was trained once: it speaks for that time alone

    def to_dict(self) -> dict[str, Any]:
        """Return the comparison as JSON values."""
        return asdict(self) | {"question": str(self.question)}


def comparisons(rows: Iterable[EpisodeRow], arenas: Sequence[Arena[Any]]) -> list[Comparison]:
    """Draw all comparisons of a run, in the order of its tables.

    Rows pair by number and seed of their episodes: the same start and dice, the same partners,
    for these are the arena's. In negotiation a setting is compared with the first one of its own
    game. Resamples are drawn from the arena's seed, for every comparison anew.
    """
    by_arena: dict[str, list[EpisodeRow]] = {}
    for row in rows:
        by_arena.setdefault(row.arena, []).append(row)
    drawn = []
    for arena in arenas:
        found = _Arena(arena, by_arena.get(arena.name, ()))
        for question in Question:
            for measure in compared_measures(arena):
                drawn.extend(_corrected(found.compare(question, measure)))
    return drawn


def compared_measures(arena: Arena[Any]) -> tuple[str, ...]:
    """Return the measures that are compared, the main one first: the arena's, else its game's."""
    if arena.measures:
        return arena.measures[:2]
    return COMPARED_IN_CLEANUP if arena.game == CLEANUP else COMPARED_IN_NEGOTIATION


def comparisons_to_json(drawn: Sequence[Comparison]) -> list[dict[str, Any]]:
    """Return comparisons as JSON values."""
    return [each.to_dict() for each in drawn]


def _corrected(family: Sequence[Comparison]) -> list[Comparison]:
    tested = [each.p for each in family if each.p is not None]
    corrected = iter(holm(tested))
    return [each if each.p is None else replace(each, p_holm=next(corrected)) for each in family]


_Row = tuple[str, str]
"""Policy and condition."""


class _Arena:
    """An arena and its episodes."""

    def __init__(self, arena: Arena[Any], rows: Iterable[EpisodeRow]) -> None:
        self._arena = arena
        self._rows: dict[_Row, list[EpisodeRow]] = {}  # by player and condition
        for row in rows:
            self._rows.setdefault((row.policy, row.contract), []).append(row)
        self._trained = {each.name: each.contract for each in arena.trained}

    def compare(self, question: Question, measure: str) -> list[Comparison]:
        """Return the comparisons that answer a question."""
        pairs = {
            Question.CONTRACT: self._contracts,
            Question.POLICY: self._policies,
            Question.OVERALL: self._overall,
            Question.TRAINING: self._trainings,
        }[question]()
        return [self._compare(question, measure, row, base) for row, base in pairs]

    def _contracts(self) -> Iterator[tuple[_Row, _Row]]:
        for policy in self._arena.policies:
            for group in self._groups().values():
                first, *others = [name for name in group if self._plays(policy, name)] or [""]
                yield from (((policy, name), (policy, first)) for name in others)

    def _policies(self) -> Iterator[tuple[_Row, _Row]]:
        shown = self._arena.shown_policy
        for policy in self._arena.policies:
            if policy != shown:
                for name in self._shared_with_shown(policy):
                    yield (policy, name), (shown, name)

    def _overall(self) -> Iterator[tuple[_Row, _Row]]:
        shown = self._arena.shown_policy
        for policy in self._arena.policies:
            is_learned = policy in self._trained or shown in self._trained
            if policy != shown and not is_learned and len(self._shared_with_shown(policy)) > 1:
                yield (policy, ALL_CONDITIONS), (shown, ALL_CONDITIONS)

    def _trainings(self) -> Iterator[tuple[_Row, _Row]]:
        first, *others = [*self._trained.items()] or [("", "")]
        yield from ((other, first) for other in others)

    def _groups(self) -> dict[str, list[str]]:
        """Return the names of the conditions that are compared with each other, by their game."""
        groups: dict[str, list[str]] = {}
        for condition in self._arena.conditions:
            game = condition.game if isinstance(condition, Setting) else ""
            groups.setdefault(game, []).append(condition.name)
        return groups

    def _plays(self, policy: str, name: str) -> bool:
        return self._arena.plays(policy, self._arena.condition(name))

    def _shared_with_shown(self, policy: str) -> list[str]:
        names = [condition.name for condition in self._arena.conditions]
        shown = self._arena.shown_policy
        return [name for name in names if self._plays(policy, name) and self._plays(shown, name)]

    def _compare(self, question: Question, measure: str, row: _Row, base: _Row) -> Comparison:
        named = Comparison(
            arena=self._arena.name,
            question=question,
            measure=measure,
            policy=row[0],
            contract=row[1],
            base_policy=base[0],
            base_contract=base[1],
            one_training=self._is_learned(row[0]) or self._is_learned(base[0]),
        )
        if question is Question.OVERALL:
            found = self._contrast_over_all(measure, row[0], base[0])
        else:
            found = contrast(self._side(*row, measure), self._side(*base, measure))
        if found is None:
            return named
        measured = measure_difference(found, seed=self._arena.seed)
        improvement = self._improvement(measure, exceeds=measured.improvement)
        return replace(named, **{**vars(measured), "improvement": improvement})

    def _improvement(self, measure: str, *, exceeds: float) -> float | None:
        """Return how probably a unit is the better one that so probably has more of a measure."""
        (shown,) = shown_measures(self._arena.game, [measure])
        return {"high": exceeds, "low": 1.0 - exceeds, None: None}[shown.better]

    def _is_learned(self, policy: str) -> bool:
        """Whether somebody at the table was trained, once, for this arena."""
        return not set(LEARNED).isdisjoint(players_of(self._arena, policy))

    def _side(self, policy: str, name: str, measure: str) -> Side:
        players = self._arena.players(policy)
        values = {player: self._values(player, name, measure) for player in players}
        return Side(values=values, is_learned=policy in self._trained)

    def _values(self, player: str, name: str, measure: str) -> Mapping[tuple[int, int], float]:
        found = self._rows.get((player, name), ())
        measured = ((row, row.measures.get(measure)) for row in found)
        return {(row.episode, row.seed): value for row, value in measured if value is not None}

    def _contrast_over_all(self, measure: str, policy: str, base: str) -> Contrast | None:
        shared = self._shared_with_shown(policy)
        return contrast_over_strata(
            {
                game: [
                    (self._side(policy, name, measure), self._side(base, name, measure))
                    for name in group
                    if name in shared
                ]
                for game, group in self._groups().items()
            }
        )
