"""The figures of many games of one shape as arrays: score sheets, thresholds, opening deals.

Array axes are G (games), N (parties), O (the options of all issues, issue by issue), and deals by
their numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from negotiation_games.game import Game, GameError, Incentive, Issue, Party, Role

Ints = npt.NDArray[np.int64]
Scores = npt.NDArray[np.int32]

Values = npt.NDArray[np.signedinteger[Any]]

INCENTIVES = tuple(Incentive)
"""The incentives in the order of their numbers in `Sheets`."""

SCORE_LIMIT = 2**30
"""Sums of scores and differences from thresholds stay within 32 bits."""

_INNER_DEALS = 64  # sums run along so many deals at least: shorter loops cost more than they do


class Shape(NamedTuple):
    """What games have in common that can be played beside each other."""

    num_options: tuple[int, ...]  # of each issue
    roles: tuple[Role, ...]  # of each party

    @property
    def num_parties(self) -> int:
        """N."""
        return len(self.roles)

    @property
    def num_deals(self) -> int:
        """How many deals there are."""
        return prod(self.num_options)

    @property
    def proposer_index(self) -> int:
        """Index of p1."""
        return self.roles.index(Role.PROPOSER)

    @property
    def veto_index(self) -> int:
        """Index of p2."""
        return self.roles.index(Role.VETO)

    def options_of(self, deals: npt.ArrayLike) -> Ints:
        """Return the option of every issue, (b, issues), of deals by number, (b,)."""
        return np.stack(np.unravel_index(np.asarray(deals), self.num_options), axis=-1)


@dataclass(frozen=True, eq=False)
class Sheets:
    """G games of one shape; the arrays are not to be written to.

    Attributes:
        shape: what they have in common.
        scores: points of every option, (G, N, O).
        thresholds: (G, N).
        openings: number of the deal with which p1 opens, (G,).
        incentives: indices in `INCENTIVES`, (G, N).
    """

    shape: Shape
    scores: Ints
    thresholds: Ints
    openings: Ints
    incentives: Ints

    def __len__(self) -> int:
        """G."""
        return len(self.scores)

    def take(self, games: Ints) -> Sheets:
        """Return these games, by their indices."""
        return Sheets(
            self.shape,
            self.scores[games],
            self.thresholds[games],
            self.openings[games],
            self.incentives[games],
        )

    @property
    def saboteurs(self) -> npt.NDArray[np.bool_]:
        """Who prefers that nothing passes, (G, N)."""
        return np.array([incentive.is_sabotage for incentive in INCENTIVES])[self.incentives]

    def extremes(self) -> tuple[Ints, Ints]:
        """Return the scores of every party's worst and best deal, (G, N) each."""
        starts = np.cumsum([0, *self.shape.num_options[:-1]])
        worst: Ints = np.minimum.reduceat(self.scores, starts, axis=-1).sum(axis=-1)
        best: Ints = np.maximum.reduceat(self.scores, starts, axis=-1).sum(axis=-1)
        return worst, best

    def score_tables(self) -> Scores:
        """Return every party's score of every deal, (G, N, num_deals), without bonus."""
        return deal_sums(self.scores.astype(np.int32), self.shape.num_options)

    def game(self, index: int, *, name: str = "sheet") -> Game:
        """Return one of them as a `Game` without words, for the single environment."""
        splits = np.cumsum(self.shape.num_options)[:-1]
        parties = tuple(
            Party(
                f"Party {i + 1}",
                role,
                INCENTIVES[self.incentives[index, i]],
                tuple(tuple(row.tolist()) for row in np.split(self.scores[index, i], splits)),
                int(self.thresholds[index, i]),
            )
            for i, role in enumerate(self.shape.roles)
        )
        issues = tuple(Issue("", ("",) * count) for count in self.shape.num_options)
        opening = self.shape.options_of([self.openings[index]])[0]
        return Game(name, issues, parties, tuple(opening.tolist()))


def deal_sums(options: Values, num_options: Sequence[int]) -> Values:
    """Return what every deal's options add up to, (..., num_deals), given by option, (..., O).

    Whole numbers of one kind: the order of summation is not that of `deal_values`.
    """
    issues = np.split(options, np.cumsum(num_options)[:-1], axis=-1)
    last = len(issues) - 1
    while last and prod(num_options[last:]) < _INNER_DEALS:
        last -= 1
    heads, tail = issues[:last], _sums(issues[last:])
    return _sums([_sums(heads), tail]) if heads else tail


def sheets_of(games: Sequence[Game]) -> Sheets:
    """Lay games out as arrays.

    Raises:
        GameError: there is none, their shapes differ, a score is too large, or a game has no deal
            to open with.
    """
    if not games:
        raise GameError("games", 0, "at least one")
    shape = _shape(games[0])
    for game in games:
        if _shape(game) != shape:
            raise GameError(f"{game.name}: options and roles", _shape(game), f"{shape}, as others")
        if game.initial_deal is None:
            raise GameError(f"{game.name}: initial deal", None, "a deal to open with")
        check_magnitudes(game)
    rows = [[[p for points in party.scores for p in points] for party in g.parties] for g in games]
    return Sheets(
        shape,
        np.array(rows, np.int64),
        np.stack([game.thresholds for game in games]),
        np.array([game.deal_number(game.initial_deal or ()) for game in games]),
        np.array([[INCENTIVES.index(party.incentive) for party in g.parties] for g in games]),
    )


def check_magnitudes(game: Game) -> None:
    """Raise `GameError` for scores or thresholds whose sums are above `SCORE_LIMIT`."""
    for party in game.parties:
        largest = max(sum(max(map(abs, points)) for points in party.scores), abs(party.threshold))
        if largest > SCORE_LIMIT:
            where = f"{game.name}: scores and threshold of {party.name}"
            raise GameError(where, largest, f"sums of at most {SCORE_LIMIT}")


def _shape(game: Game) -> Shape:
    return Shape(game.num_options, tuple(party.role for party in game.parties))


def _sums(issues: Sequence[Values]) -> Values:
    """Return the sums of one entry of every issue, (..., combinations), the last going fastest."""
    total = issues[0]
    for points in issues[1:]:
        size = total.shape[-1] * points.shape[-1]
        total = (total[..., :, None] + points[..., None, :]).reshape(*total.shape[:-1], size)
    return total
