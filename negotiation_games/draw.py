"""New score sheets, drawn for many games at once: a game's sheets follow from its seed alone.

The sheets have the shape of the published ones (Abdelnabi et al., NeurIPS 2024 D&B): whole numbers
from 0, a party's best deal worth `BEST_SCORE`, some issues of no interest to some parties. The
first party is p1 and the second p2; all are cooperative; p1 opens with its best deal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from negotiation_games import noise
from negotiation_games.game import MIN_PARTIES, GameError, Incentive, Role
from negotiation_games.sheets import INCENTIVES, Ints, Scores, Shape, Sheets

BEST_SCORE = 100
"""What a party's best deal is worth to it, without bonus: as in most of the published sheets."""

BASE_OPTIONS = (3, 3, 4, 4, 5)
"""Options of each issue of the published base game."""

BASE_FEASIBLE = 55
"""How many deals of the published base game are feasible."""

BASE_SPARSITY = 1 / 6
"""Share of (party, issue) pairs of no interest in the published base game."""

_INTERESTS, _WEIGHTS, _POINTS, _PLACES = range(4)  # what is drawn, each from a stream of its own


@dataclass(frozen=True, kw_only=True)
class SheetPlan:
    """What sheets to draw; made only if there can be such. The defaults are the base game's shape.

    Attributes:
        num_parties: N.
        num_options: how many options each issue has.
        sparsity: share of (party, issue) pairs of no interest, met to the nearest whole number.
        feasible: most feasible deals (see `negotiation_games.solve.Solution`): thresholds are the
            lowest at one rank for all parties with at most so many.
        is_sorted: whether all parties' points rise with the number of the option.
        name: of the games, for errors.
    """

    num_parties: int = 6
    num_options: tuple[int, ...] = BASE_OPTIONS
    sparsity: float = BASE_SPARSITY
    feasible: int = BASE_FEASIBLE
    is_sorted: bool = False
    name: str = "generated"

    def __post_init__(self) -> None:
        """Check the values; `GameError` names the one that cannot be."""
        self._check_whole_numbers()
        if self.num_parties < MIN_PARTIES:
            raise GameError(f"{self.name}: parties", self.num_parties, f"at least {MIN_PARTIES}")
        if not self.num_options or min(self.num_options) < 2:
            where = f"{self.name}: options"
            raise GameError(where, self.num_options, "at least 2 for every issue")
        most = 1 - 1 / len(self.num_options)
        if not 0 <= self.sparsity <= most:
            allowed = f"0 to {most:.4g}: every party cares about some issue"
            raise GameError(f"{self.name}: sparsity", self.sparsity, allowed)
        if not 0 <= self.feasible <= self.shape.num_deals:
            allowed = f"0 to {self.shape.num_deals}"
            raise GameError(f"{self.name}: feasible", self.feasible, allowed)

    def _check_whole_numbers(self) -> None:
        options: object = self.num_options
        if not isinstance(options, tuple):
            allowed = "a tuple, how many options each issue has"
            raise GameError(f"{self.name}: options", options, allowed)
        counts = {"parties": (self.num_parties,), "feasible": (self.feasible,)}
        for name, values in {**counts, "options": options}.items():
            for value in values:
                if isinstance(value, bool) or not isinstance(value, int | np.integer):
                    raise GameError(f"{self.name}: {name}", value, "a whole number")

    @property
    def shape(self) -> Shape:
        """The shape of the games."""
        others = (Role.PLAYER,) * (self.num_parties - 2)
        return Shape(self.num_options, (Role.PROPOSER, Role.VETO, *others))


def draw_sheets(plan: SheetPlan, seeds: noise.Words) -> Sheets:
    """Draw a game for each seed: some deal is feasible, and every party refuses some.

    Args:
        plan: what sheets to draw.
        seeds: 64-bit words, (G,); a game follows from its seed alone, whatever G.

    Raises:
        GameError: `MAX_TRIES` draws of one seed gave no such game.
    """
    shape = plan.shape
    scores = np.empty((len(seeds), plan.num_parties, sum(plan.num_options)), np.int64)
    thresholds = np.empty((len(seeds), plan.num_parties), np.int64)
    left = np.arange(len(seeds))
    for number in range(MAX_TRIES):
        drawn = draw_scores(plan, noise.stream(seeds[left], number))
        even = even_thresholds(
            _with_scores(shape, drawn).score_tables(), feasible=plan.feasible, shape=shape
        )
        scores[left], thresholds[left] = drawn, even.thresholds
        # The worst deal is worth nothing to anybody. Deals that are best for all parties can be
        # too many: no thresholds tell them apart.
        is_few = even.num_feasible <= max(plan.feasible, 1)
        is_playable = is_few & (even.num_feasible > 0) & (even.thresholds > 0).all(axis=-1)
        left = left[~is_playable]
        if not left.size:
            return _with_scores(shape, scores, thresholds)
    allowed = "a plan under which some deal is feasible and every party refuses some"
    raise GameError(f"{plan.name}: sheets after {MAX_TRIES} draws", plan, allowed)


MAX_TRIES = 100
"""How often `draw_sheets` draws a game anew before it gives up."""


def draw_scores(plan: SheetPlan, seeds: noise.Words) -> Ints:
    """Draw every party's points of every option, (G, N, O), without thresholds."""
    cares = _draw_interests(plan, noise.stream(seeds, _INTERESTS))
    weights = _draw_weights(cares, noise.stream(seeds, _WEIGHTS))
    points_seeds, places_seeds = noise.stream(seeds, _POINTS), noise.stream(seeds, _PLACES)
    rows = []
    for issue, count in enumerate(plan.num_options):
        shape = (len(seeds), plan.num_parties, count)
        size = plan.num_parties * count
        best = weights[:, :, issue, None]
        between = noise.uniforms(noise.stream(points_seeds, issue), size).reshape(shape)
        points = (between * (best + 1)).astype(np.int64)
        points[..., :1], points[..., -1:] = 0, best
        points.sort(axis=-1)
        if not plan.is_sorted:
            keys = noise.words(noise.stream(places_seeds, issue), size).reshape(shape)
            points = np.take_along_axis(points, keys.argsort(axis=-1, kind="stable"), axis=-1)
        rows.append(points)
    return np.concatenate(rows, axis=-1)


class EvenThresholds(NamedTuple):
    """Thresholds at one rank for all parties of a game."""

    thresholds: Ints  # (G, N)
    num_feasible: Ints  # deals, (G,)


def even_thresholds(tables: Scores, *, feasible: int, shape: Shape) -> EvenThresholds:
    """Find the lowest rank with at most so many feasible deals, the same for all parties.

    The rank is a deal's place, from 0, when a party's scores are sorted; the threshold of a rank is
    the score there.

    Args:
        tables: (G, N, num_deals), as of `Sheets.score_tables`.
        feasible: most feasible deals, as of `negotiation_games.solve.acceptance`.
        shape: of the games.
    """
    num_games, n, num_deals = tables.shape
    least = int(tables.min())
    num_values = int(tables.max()) - least + 1
    starts = np.arange(num_games * n).reshape(num_games, n, 1) * num_values - least
    places = (starts + tables).ravel()
    counts = np.bincount(places, minlength=num_games * n * num_values)
    # How many deals a party scores no higher than each value: one more than the highest such rank.
    reached = counts.reshape(num_games, n, num_values).cumsum(axis=-1, dtype=np.int32)
    highest = reached.ravel()[places].reshape(tables.shape) - 1
    # A party accepts a deal up to the highest rank of its score, and all but one have to, p1 and p2
    # among them: so a deal is feasible up to the second least of its ranks, or p1's, or p2's.
    up_to = _second_least(highest)
    for required in (shape.proposer_index, shape.veto_index):
        np.minimum(up_to, highest[:, required], out=up_to)
    rank = np.zeros(num_games, np.int64)
    if feasible < num_deals:
        place = num_deals - 1 - feasible
        rank = np.minimum(np.partition(up_to, place, axis=-1)[:, place] + 1, num_deals - 1)
    thresholds = least + (reached <= rank[:, None, None]).sum(axis=-1)
    return EvenThresholds(thresholds, (up_to >= rank[:, None]).sum(axis=-1))


def _second_least(ranks: Scores) -> Scores:
    """Return the second smallest over the parties, (G, num_deals) of (G, N, num_deals)."""
    least = np.minimum(ranks[:, 0], ranks[:, 1])
    second = np.maximum(ranks[:, 0], ranks[:, 1])
    for party in range(2, ranks.shape[1]):
        np.minimum(second, np.maximum(least, ranks[:, party]), out=second)
        np.minimum(least, ranks[:, party], out=least)
    return second


def _draw_interests(plan: SheetPlan, seeds: noise.Words) -> npt.NDArray[np.bool_]:
    """Which party cares about which issue, (G, N, issues): every party about one at least."""
    n, num_issues = plan.num_parties, len(plan.num_options)
    keys = noise.words(noise.stream(seeds, 0), n * num_issues)
    must = (noise.uniforms(noise.stream(seeds, 1), n) * num_issues).astype(np.int64)
    np.put_along_axis(keys, np.arange(n) * num_issues + must, np.uint64(2**64 - 1), axis=-1)
    neutral = keys.argsort(axis=-1, kind="stable")[:, : round(plan.sparsity * n * num_issues)]
    cares = np.ones(keys.shape, np.bool_)
    np.put_along_axis(cares, neutral, False, axis=-1)
    return cares.reshape(-1, n, num_issues)


def _draw_weights(cares: npt.NDArray[np.bool_], seeds: noise.Words) -> Ints:
    """Draw what the best option of each issue is worth, (G, N, issues): in sum `BEST_SCORE`.

    At least 1 where the party cares, the rest shared out by Dirichlet(2, ..., 2); 0 elsewhere.
    """
    num_draws = 2 * cares.shape[1] * cares.shape[2]
    draws = noise.uniforms(seeds, num_draws).reshape(*cares.shape, 2)
    gammas = -np.log1p(-draws).sum(axis=-1) * cares  # Gamma(2), as the sum of two exponentials
    spare = BEST_SCORE - cares.sum(axis=-1, keepdims=True)
    shares = gammas / gammas.sum(axis=-1, keepdims=True) * spare
    weights = np.where(cares, np.floor(shares).astype(np.int64) + 1, 0)
    rest = BEST_SCORE - weights.sum(axis=-1, keepdims=True)
    largest = shares.argmax(axis=-1, keepdims=True)
    given = np.take_along_axis(weights, largest, axis=-1)
    np.put_along_axis(weights, largest, given + rest, axis=-1)
    return weights


def _with_scores(shape: Shape, scores: Ints, thresholds: Ints | None = None) -> Sheets:
    """Return sheets of cooperative parties; p1 opens with its best deal."""
    splits = np.cumsum(shape.num_options)[:-1]
    best = [p.argmax(axis=-1) for p in np.split(scores[:, shape.proposer_index], splits, axis=-1)]
    openings = np.asarray(np.ravel_multi_index(tuple(best), shape.num_options), np.int64)
    incentives = np.full(scores.shape[:2], INCENTIVES.index(Incentive.COOPERATIVE))
    if thresholds is None:
        thresholds = np.zeros(scores.shape[:2], np.int64)
    return Sheets(shape, scores, thresholds, openings, incentives)
