"""Exact answers about a negotiation game, over all its deals at once.

Sources: which deals pass, Abdelnabi et al. (NeurIPS 2024 D&B), section 3; the Nash deal, Nash, *The
Bargaining Problem* (1950), with the convention for zero surpluses of Caragiannis et al., *The
Unreasonable Fairness of Maximum Nash Welfare* (2016); the egalitarian deal with ties broken by
leximin, Sen, *Collective Choice and Social Welfare* (1970). The disagreement point is the
thresholds, which is what no deal pays. p1's bonus enters `Solution.passable` and `regret` alone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache, reduce
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from negotiation_games.game import Deal, Game, GameError, deal_name
from negotiation_games.scoring import BONUS, judge
from negotiation_games.sheets import check_magnitudes

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]
Scores = npt.NDArray[np.int32]

PARETO_LIMIT = 100_000
"""Up to so many deals `solve` finds the Pareto front unasked."""

TABLE_LIMIT = 100_000_000
"""Most scores (deals x parties) tabulated, four bytes each."""

_FRONT_CHUNK = 4096  # deals compared at a time as possible dominators
_ROW_CHUNK = 8192  # deals tested against them at a time: a few MB of bits


@dataclass(frozen=True)
class Solution:
    """What there is to know about a game with all sheets in sight; no score includes the bonus.

    A deal is *feasible* if at least N - 1 parties, p1 and p2 among them, are at or above their
    thresholds; *unanimous* if all are; *passable* if it passes the published vote, in which p1 is
    tested with its bonus where all others accept.
    """

    deals: int
    feasible: int
    unanimous: int
    passable: int
    per_party: Mapping[str, int]  # feasible deals in which the party is at or above its threshold
    pareto: tuple[Deal, ...] | None  # of all deals, in the order of their numbers; None if not done
    nash_deal: Deal | None  # of the unanimous deals; None if there are none
    egalitarian_deal: Deal | None  # of the feasible deals; None if there are none
    best_welfare: int  # largest sum of scores of any deal, feasible or not
    best_welfare_deal: Deal

    def to_dict(self) -> dict[str, Any]:
        """Return the solution as JSON takes it, deals by their short names."""
        return {
            "deals": self.deals,
            "feasible": self.feasible,
            "unanimous": self.unanimous,
            "passable": self.passable,
            "per_party": dict(self.per_party),
            "pareto": None if self.pareto is None else [deal_name(deal) for deal in self.pareto],
            "nash_deal": self.nash_deal and deal_name(self.nash_deal),
            "egalitarian_deal": self.egalitarian_deal and deal_name(self.egalitarian_deal),
            "best_welfare": self.best_welfare,
            "best_welfare_deal": deal_name(self.best_welfare_deal),
        }


class Acceptance(NamedTuple):
    """Masks over the deals, each (num_deals,), as `Solution` defines them."""

    feasible: Bools
    unanimous: Bools
    passable: Bools


def score_table(game: Game) -> Scores:
    """Return every party's score of every deal, (num_deals, N), without bonus.

    A party's column is contiguous. Raises `GameError` for a game too large to tabulate.
    """
    _check_size(game)
    table = np.zeros((game.num_parties, game.num_deals), np.int32)
    for row, party in zip(table, game.parties, strict=True):
        issues = (np.array(points, np.int32) for points in party.scores)
        row[:] = reduce(lambda total, points: np.add.outer(total, points).ravel(), issues)
    return table.T


def acceptance(game: Game, table: Scores) -> Acceptance:
    """Return which deals are feasible, unanimous and passable, ``table`` as of `score_table`."""
    p1, p2 = game.proposer_index, game.veto_index
    content = table >= _thresholds(game)
    num_content = np.zeros(len(table), np.int16)
    for column in content.T:
        num_content += column
    unanimous = num_content == game.num_parties
    feasible = (num_content >= game.num_parties - 1) & content[:, p1] & content[:, p2]
    with_bonus = table[:, p1] + BONUS >= game.parties[p1].threshold
    others_all = num_content - content[:, p1] == game.num_parties - 1
    return Acceptance(feasible, unanimous, feasible | (others_all & with_bonus))


def is_pareto(table: npt.NDArray[np.integer[Any]]) -> Bools:
    """Return which rows no other row dominates, (num_deals,); equal rows stand or fall together.

    A row dominates another if no score of it is smaller and one is larger. Exact for any scores:
    the rows go by falling sum, so that only rows already found undominated need be compared.
    """
    rows = np.asarray(table, np.int64)
    sums = rows.sum(axis=1)
    undominated = np.zeros(len(rows), np.bool_)
    left = np.argsort(-sums, kind="stable")
    while left.size:
        chunk, left = left[:_FRONT_CHUNK], left[_FRONT_CHUNK:]
        chunk = chunk[~_dominated(rows, sums, chunk, by=chunk)]
        undominated[chunk] = True
        left = left[~_dominated(rows, sums, left, by=chunk)]
    return undominated


def solve(game: Game, *, pareto: bool | None = None) -> Solution:
    """Solve a game exactly.

    The Nash deal has, of the unanimous deals, the most parties strictly above their thresholds and
    then the largest product of their surpluses. The egalitarian deal has, of the feasible deals,
    the largest smallest surplus, then the largest second smallest, and so on. Of equal deals the
    one with the lowest number counts. The Pareto front is that of all deals.

    Args:
        game: the game; raises `GameError` if it is too large to tabulate.
        pareto: whether to find the Pareto front; None does up to `PARETO_LIMIT` deals.
    """
    table = score_table(game)
    masks = acceptance(game, table)
    welfare = _row_sums(table)
    best = int(np.argmax(welfare))
    accepted = table[masks.feasible] >= game.thresholds
    nash, egalitarian = _nash_number(game, table, masks), _egalitarian_number(game, table, masks)
    front = pareto if pareto is not None else game.num_deals <= PARETO_LIMIT
    return Solution(
        deals=game.num_deals,
        feasible=len(accepted),
        unanimous=int(masks.unanimous.sum()),
        passable=int(masks.passable.sum()),
        per_party=dict(zip(game.party_names, accepted.sum(axis=0).tolist(), strict=True)),
        pareto=_deals_at(game, np.flatnonzero(is_pareto(table))) if front else None,
        nash_deal=None if nash is None else game.deal_at(nash),
        egalitarian_deal=None if egalitarian is None else game.deal_at(egalitarian),
        best_welfare=int(welfare[best]),
        best_welfare_deal=game.deal_at(best),
    )


def regret(game: Game, deal: Deal | None, party: str) -> int:
    """Return how many points the best passable deal would have paid a party on top of this one.

    A deal that passes the published vote pays its score, to p1 also the bonus if all accept; one
    that does not, or None, pays the threshold. So regret is never negative for a deal that passes.
    Where no deal is passable it is zero. Raises `GameError` for an unknown party.
    """
    index = game.party_names.index(game.party(party).name)
    verdict = judge(game, deal)
    bonus = BONUS if verdict.unanimous and index == game.proposer_index else 0
    earned = verdict.scores[index] + bonus if verdict.passed else game.parties[index].threshold
    return _best_passable(game)[index] - earned


def nash_distance(game: Game, deal: Deal) -> float | None:
    """Return the Euclidean distance, in points, of a deal's scores from those of the Nash deal.

    None if no deal is unanimous. Source: Baarslag et al., *Evaluating Practical Negotiating
    Agents* (2013), there on normalised utilities.
    """
    nash = _nash_scores(game)
    return None if nash is None else math.dist(nash, game.scores(deal))


def pareto_distance(game: Game, deal: Deal) -> float:
    """Return the Euclidean distance, in points, of a deal's scores from the Pareto front's nearest.

    Zero exactly on the front. Source: as of `nash_distance`.
    """
    gaps = _front_scores(game) - np.array(game.scores(deal), np.int64)
    return math.sqrt(int((gaps**2).sum(axis=1).min()))


def _check_size(game: Game) -> None:
    if game.num_deals * game.num_parties > TABLE_LIMIT:
        allowed = f"at most {TABLE_LIMIT // game.num_parties} to tabulate all"
        raise GameError(f"{game.name}: deals", game.num_deals, allowed)
    check_magnitudes(game)


def _thresholds(game: Game) -> Scores:
    return game.thresholds.astype(np.int32)


def _row_sums(table: Scores) -> Ints:
    sums = np.zeros(len(table), np.int64)
    for column in table.T:
        sums += column
    return sums


def _deals_at(game: Game, numbers: Ints) -> tuple[Deal, ...]:
    options = np.unravel_index(numbers, game.num_options)
    return tuple(zip(*(column.tolist() for column in options), strict=True))


def _nash_number(game: Game, table: Scores, masks: Acceptance) -> int | None:
    numbers = np.flatnonzero(masks.unanimous)
    if not numbers.size:
        return None
    surplus = table[numbers] - _thresholds(game)
    positive = (surplus > 0).sum(axis=1)
    keep = positive == positive.max()
    numbers, surplus = numbers[keep], np.maximum(surplus[keep], 1)
    logs = np.log(surplus).sum(axis=1)
    # Floats choose the candidates, whole numbers of any length the winner.
    near = logs >= logs.max() - 1e-9
    products = np.multiply.reduce(surplus[near].astype(object), axis=1)
    return int(numbers[near][np.argmax(products)])


def _egalitarian_number(game: Game, table: Scores, masks: Acceptance) -> int | None:
    numbers = np.flatnonzero(masks.feasible)
    if not numbers.size:
        return None
    surplus = table[numbers] - _thresholds(game)
    least = surplus.min(axis=1)
    numbers, surplus = numbers[least == least.max()], surplus[least == least.max()]
    surplus.sort(axis=1)
    last_key_first = surplus.T[::-1]
    return int(numbers[np.lexsort((-numbers, *last_key_first))[-1]])


def _dominated(rows: Ints, sums: Ints, tested: Ints, *, by: Ints) -> Bools:
    """Which of the ``tested`` rows one ``by`` row dominates; both are indices.

    For every score the set of ``by`` rows that reach it is a row of bits; the rows that reach all
    of a deal's scores, and a larger sum, dominate it.
    """
    if not by.size:
        return np.zeros(len(tested), np.bool_)
    columns = [(rows[by, i], rows[tested, i]) for i in range(rows.shape[1])]
    columns.append((sums[by], sums[tested] + 1))
    reached = [_reaching(have, need) for have, need in columns]
    dominated = np.empty(len(tested), np.bool_)
    for start in range(0, len(tested), _ROW_CHUNK):
        chunk = slice(start, start + _ROW_CHUNK)
        bits = reached[0][0][reached[0][1][chunk]]
        for sets, index in reached[1:]:
            bits &= sets[index[chunk]]
        dominated[chunk] = bits.any(axis=1)
    return dominated


def _reaching(have: Ints, need: Ints) -> tuple[npt.NDArray[np.uint64], Ints]:
    """Bits of the rows at or above each distinct score they have, and which of these sets is whose.

    The sets go by rising score, the last being empty; the index is of the set of those that reach
    each score needed.
    """
    ranked = np.sort(have)
    # Not numpy's unique: its first call imports masked arrays, which costs more than a solution.
    values = ranked[np.concatenate(([True], ranked[1:] != ranked[:-1]))]
    packed = np.packbits(have >= values[:, None], axis=1)
    bits = np.zeros((len(values) + 1, -(-packed.shape[1] // 8) * 8), np.uint8)
    bits[:-1, : packed.shape[1]] = packed
    return bits.view(np.uint64), np.searchsorted(values, need)


@lru_cache(maxsize=32)
def _best_passable(game: Game) -> tuple[int, ...]:
    """Most that each party gets from a passable deal; its threshold if there is none."""
    table = score_table(game)
    masks = acceptance(game, table)
    if not masks.passable.any():
        return tuple(game.thresholds.tolist())
    best: list[int] = table[masks.passable].max(axis=0).tolist()
    p1 = game.proposer_index
    others = np.delete(table >= game.thresholds, p1, axis=1).all(axis=1)
    with_bonus = table[masks.passable & others, p1] + BONUS
    if with_bonus.size:
        best[p1] = max(best[p1], int(with_bonus.max()))
    return tuple(best)


@lru_cache(maxsize=32)
def _nash_scores(game: Game) -> tuple[int, ...] | None:
    table = score_table(game)
    number = _nash_number(game, table, acceptance(game, table))
    return None if number is None else tuple(table[number].tolist())


@lru_cache(maxsize=32)
def _front_scores(game: Game) -> Ints:
    table = score_table(game)
    return np.unique(table[is_pareto(table)], axis=0).astype(np.int64)
