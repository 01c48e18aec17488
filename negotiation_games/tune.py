"""Thresholds that give a game a wanted number of feasible and unanimous deals.

The game's difficulty is set this way in Abdelnabi et al. (NeurIPS 2024 D&B), there by hand. The
counts are those of `negotiation_games.solve.Solution`: p1's bonus does not enter.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from itertools import combinations
from math import prod
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from negotiation_games.game import Game, GameError
from negotiation_games.solve import acceptance, score_table

Ints = npt.NDArray[np.int64]

SEARCH_LIMIT = 2_000_000_000
"""Deals and combinations of thresholds looked at before `tune` gives up: some ten seconds."""

_TABLE_CELLS = 20_000  # combinations of thresholds counted in one go: more than numpy's overhead


@dataclass(frozen=True)
class Tuning:
    """The thresholds found: those that give the wanted counts, or else the nearest seen.

    If ``found`` is false and ``searched_all`` true, no thresholds at all give the wanted counts.
    """

    game: Game  # with the thresholds in place
    thresholds: Mapping[str, int]
    feasible: int
    unanimous: int
    changed: tuple[str, ...]  # parties whose thresholds differ from those given
    total_change: int  # sum over the parties of how far their thresholds moved, in points
    found: bool
    searched_all: bool  # whether the search ended by itself and not at its limit

    def to_dict(self) -> dict[str, Any]:
        """Return the tuning as JSON takes it."""
        return {
            "thresholds": dict(self.thresholds),
            "feasible": self.feasible,
            "unanimous": self.unanimous,
            "changed": list(self.changed),
            "total_change": self.total_change,
            "found": self.found,
            "searched_all": self.searched_all,
        }


def tune(game: Game, *, feasible: int, unanimous: int, limit: int = SEARCH_LIMIT) -> Tuning:
    """Find thresholds that give exactly these counts.

    Of all that do, the result changes the fewest parties; of those, the thresholds by the smallest
    total; of those, the parties that come first in the game; of those, it has the lowest thresholds
    from the first party on. This is guaranteed unless the search reached ``limit``
    (``searched_all`` false): then fewest parties is guaranteed if ``found``, and nothing more.
    If not ``found``, the thresholds are those seen whose counts differ least in sum, not
    necessarily the nearest there are.

    Args:
        game: the game whose thresholds are the starting point.
        feasible: wanted number of deals that at least N - 1 parties, p1 and p2 among them, accept.
        unanimous: wanted number of deals that all accept, at most ``feasible``.
        limit: how many deals and combinations of thresholds to look at before giving up.

    Raises:
        GameError: for counts that contradict each other, or a game too large to tabulate.
    """
    if not 0 <= feasible <= game.num_deals:
        raise GameError(f"{game.name}: feasible", feasible, f"0 to {game.num_deals} deals")
    if not 0 <= unanimous <= feasible:
        raise GameError(f"{game.name}: unanimous", unanimous, f"0 to {feasible}, the feasible")
    search = _Search(game, _Counts(feasible, unanimous), limit)
    search.run()
    return _tuning(game, search)


class _Counts(NamedTuple):
    feasible: int
    unanimous: int


class _Choices(NamedTuple):
    """What a party's threshold can be, as far as the deals tell them apart, in rising order."""

    thresholds: Ints  # of those that accept the same deals, the one nearest to the given
    costs: Ints  # how far each is from the given threshold
    last: Ints  # of every deal: the highest choice under which the party accepts it, (num_deals,)


class _Open(NamedTuple):
    """Deals that can still be feasible, by number, given the thresholds already set."""

    accepted: Ints  # by all parties set
    one_against: Ints  # by all parties set but one, neither p1 nor p2


class _Found(NamedTuple):
    """A setting of some thresholds; the smaller the better."""

    miss: int  # by how much the two counts differ from the wanted, in sum
    cost: int
    parties: tuple[int, ...]
    thresholds: tuple[int, ...]
    counts: _Counts


class _Search:
    """Depth first over the parties changed, the last of them by one table of counts.

    A deal that two of the parties already set reject, or p1 or p2, is out. When the parties left
    accept all, the deals left bound both counts from above; too few, and the branch ends.
    """

    def __init__(self, game: Game, wanted: _Counts, limit: int) -> None:
        self.game = game
        self.table = score_table(game)
        self.wanted = wanted
        self.limit = limit
        self.work = 0  # deals and table cells looked at
        self.required = {game.proposer_index, game.veto_index}
        self.choices = [
            _choices(self.table[:, i], party.threshold) for i, party in enumerate(game.parties)
        ]
        masks = acceptance(game, self.table)
        counts = _Counts(int(masks.feasible.sum()), int(masks.unanimous.sum()))
        self.best = _Found(self._miss(counts), 0, (), (), counts)

    @property
    def exhausted(self) -> bool:
        """Whether the search has reached its limit."""
        return self.work > self.limit

    def run(self) -> None:
        """Search ever larger sets of parties until one holds an answer."""
        parties = range(self.game.num_parties)
        for size in range(1, self.game.num_parties + 1):
            if self.best.miss == 0 or self.exhausted:
                return
            for changed in combinations(parties, size):
                kept = [i for i in parties if i not in changed]
                self._descend(self._keep(kept), changed, ())

    def _keep(self, parties: Sequence[int]) -> _Open:
        """Set the parties that are not changed to their given thresholds."""
        everything = np.arange(len(self.table))
        left = _Open(everything, everything[:0])
        for i in parties:
            accepts = self.table[:, i] >= self.game.parties[i].threshold
            left = self._set(left, i, accepts)
        return left

    def _set(self, left: _Open, party: int, accepts: npt.NDArray[np.bool_]) -> _Open:
        agreed = accepts[left.accepted]
        against = left.one_against[accepts[left.one_against]]
        if party not in self.required:
            against = np.concatenate((against, left.accepted[~agreed]))
        return _Open(left.accepted[agreed], against)

    def _descend(self, left: _Open, changed: tuple[int, ...], chosen: tuple[int, ...]) -> None:
        size = left.accepted.size + left.one_against.size
        self.work += size
        if self.exhausted or not self._reachable(left, size):
            return
        last = changed[len(chosen) :]
        if len(last) == 1 or prod(len(self.choices[i].costs) for i in last) <= _TABLE_CELLS:
            self._tabulate(left, changed, chosen)
            return
        party = changed[len(chosen)]
        choices = self.choices[party]
        spent = self._cost(changed, chosen)
        for choice in np.argsort(choices.costs, kind="stable").tolist():
            if self.best.miss == 0 and spent + choices.costs[choice] >= self.best.cost:
                return
            after = self._set(left, party, choices.last >= choice)
            self._descend(after, changed, (*chosen, choice))

    def _reachable(self, left: _Open, size: int) -> bool:
        return left.accepted.size >= self.wanted.unanimous and size >= self.wanted.feasible

    def _cost(self, changed: tuple[int, ...], chosen: tuple[int, ...]) -> int:
        pairs = zip(changed, chosen, strict=False)
        return sum(int(self.choices[party].costs[choice]) for party, choice in pairs)

    def _tabulate(self, left: _Open, changed: tuple[int, ...], chosen: tuple[int, ...]) -> None:
        """Count for every combination of the last parties' choices, and keep the best."""
        last = changed[len(chosen) :]
        choices = [self.choices[party] for party in last]
        unanimous = _at_or_above(left.accepted, choices)
        self.work += 4 * unanimous.size
        feasible = _at_or_above(left.one_against, choices) + unanimous
        for axis, party in enumerate(last):
            if party not in self.required:
                # Deals that all accept if this party accepts anything, less those it accepts.
                feasible += unanimous.take([0], axis=axis) - unanimous
        miss = abs(feasible - self.wanted.feasible) + abs(unanimous - self.wanted.unanimous)
        least = int(miss.min())
        if least > self.best.miss:
            return
        costs: Ints = reduce(np.add.outer, [choice.costs for choice in choices])
        cheapest = int(costs[miss == least].min())
        # The axes go by rising threshold, so the first such cell has the lowest thresholds.
        cell = tuple(np.argwhere((miss == least) & (costs == cheapest))[0].tolist())
        counts = _Counts(int(feasible[cell]), int(unanimous[cell]))
        self._offer(least, counts, changed, (*chosen, *cell))

    def _offer(
        self, miss: int, counts: _Counts, changed: tuple[int, ...], chosen: tuple[int, ...]
    ) -> None:
        pairs = list(zip(changed, chosen, strict=True))
        thresholds = tuple(int(self.choices[party].thresholds[choice]) for party, choice in pairs)
        offer = _Found(miss, self._cost(changed, chosen), changed, thresholds, counts)
        # A near miss that changes fewer parties was seen first, and stands.
        if miss < self.best.miss or (len(changed) == len(self.best.parties) and offer < self.best):
            self.best = offer

    def _miss(self, counts: _Counts) -> int:
        return sum(abs(have - want) for have, want in zip(counts, self.wanted, strict=True))


def _choices(scores: npt.NDArray[np.int32], given: int) -> _Choices:
    """Thresholds from one score to the next accept the same deals; take the nearest of each."""
    values, index = np.unique(scores.astype(np.int64), return_inverse=True)
    lowest = np.concatenate(([min(given, values[0])], values[:-1] + 1))
    thresholds = np.clip(given, lowest, values)
    return _Choices(thresholds, abs(thresholds - given), index.ravel())


def _at_or_above(deals: Ints, choices: Sequence[_Choices]) -> Ints:
    """Count the deals that the parties accept, for every combination of their choices."""
    shape = tuple(len(choice.thresholds) for choice in choices)
    cells = np.ravel_multi_index(tuple(choice.last[deals] for choice in choices), shape)
    counts = np.bincount(cells, minlength=prod(shape)).reshape(shape)
    for axis in range(len(shape)):
        counts = np.flip(np.flip(counts, axis).cumsum(axis), axis)
    return counts


def _tuning(game: Game, search: _Search) -> Tuning:
    thresholds = dict(_set_thresholds(game, search.best))
    parties = tuple(replace(party, threshold=thresholds[party.name]) for party in game.parties)
    return Tuning(
        game=replace(game, parties=parties),
        thresholds=thresholds,
        feasible=search.best.counts.feasible,
        unanimous=search.best.counts.unanimous,
        changed=tuple(p.name for p in game.parties if p.threshold != thresholds[p.name]),
        total_change=search.best.cost,
        found=search.best.miss == 0,
        searched_all=not search.exhausted,
    )


def _set_thresholds(game: Game, best: _Found) -> Iterator[tuple[str, int]]:
    chosen = dict(zip(best.parties, best.thresholds, strict=True))
    for i, party in enumerate(game.parties):
        yield party.name, chosen.get(i, party.threshold)
