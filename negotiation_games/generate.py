"""New games: score sheets sampled to a wanted sparsity and conflict, thresholds to wanted counts.

The sheets have the shape of the published ones (Abdelnabi et al., NeurIPS 2024 D&B): whole numbers
from 0, a party's best deal worth `BEST_SCORE`, some issues of no interest to some parties. A game
made here is figures alone; its parties and issues have no words but the parties' names.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from negotiation_games.game import MIN_PARTIES, Game, GameError, Incentive, Issue, Party, Role
from negotiation_games.solve import acceptance, score_table
from negotiation_games.tune import tune

BEST_SCORE = 100
"""What a party's best deal is worth to it, without bonus: as in most of the published sheets."""

BASE_OPTIONS = (3, 3, 4, 4, 5)
"""Options of each issue of the published base game."""

CONFLICT_TOLERANCE = 0.02
"""How far a generated game's conflict may be from the wanted."""

TRIES = 40
"""How many samples of sheets `generate` makes before it gives up."""

_SWAPS = 1500  # of two options on one sheet, tried on the way to the wanted conflict
_TUNE_LIMIT = 20_000_000  # a sample whose thresholds are hard to find is dropped

Floats = npt.NDArray[np.float64]
Sheet = list[list[int]]  # points by issue and option


def sparsity(game: Game) -> float:
    """Return the share of (party, issue) pairs in which the party scores all options alike."""
    rows = [points for party in game.parties for points in party.scores]
    return sum(len(set(points)) == 1 for points in rows) / len(rows)


def conflict(game: Game) -> float:
    """Return how opposed the parties' interests are: (1 - r) / 2 with r their mean correlation.

    r is the mean over all pairs of parties of the correlation of their scores over all deals; a
    party to whom all deals are alike correlates with nobody. Zero: all rank the deals alike; 0.5:
    unrelated; at most N / (2 (N - 1)), where the scores of the N parties sum to a constant.
    """
    sheets = [[list(points) for points in party.scores] for party in game.parties]
    return _conflict(np.sum([_covariance(sheets, i) for i in range(len(game.issues))], axis=0))


def generate(
    *,
    feasible: int,
    unanimous: int,
    seed: int,
    parties: int | Sequence[str] = 6,
    options: Sequence[int] = BASE_OPTIONS,
    sparsity: float = 1 / 6,
    conflict: float | None = None,
    name: str = "generated",
) -> Game:
    """Return a game with exactly these counts of deals; the same arguments give the same game.

    The first party is p1 and the second p2; all are cooperative. p1 opens with its best deal. Every
    party's threshold refuses some deals and every party cares about some issue.
    The defaults are the shape and the sparsity of the published base game.

    Args:
        feasible: wanted number of deals, as of `negotiation_games.solve.Solution`.
        unanimous: likewise.
        seed: of the random numbers.
        parties: how many, or their names, p1 first and p2 second.
        options: how many options each issue has.
        sparsity: wanted value of `sparsity`, met to the nearest whole number of rows.
        conflict: wanted value of `conflict`, met to `CONFLICT_TOLERANCE`; None takes what comes.
        name: of the game.

    Raises:
        GameError: for arguments that cannot be, or when `TRIES` samples gave no such game.
    """
    names = tuple(f"Party {i + 1}" for i in range(parties)) if isinstance(parties, int) else parties
    plan = _Plan(name, tuple(names), tuple(options), sparsity, conflict)
    rng = np.random.default_rng(seed)
    last = "no sheets of this conflict"
    for _ in range(TRIES):
        sheets = _sample_sheets(plan, rng)
        if not _reach_conflict(sheets, plan, rng):
            continue
        game = _with_even_thresholds(_game(plan, sheets), feasible)
        tuning = tune(game, feasible=feasible, unanimous=unanimous, limit=_TUNE_LIMIT)
        if tuning.found and _all_refuse_something(tuning.game):
            return tuning.game
        last = f"sheets with {tuning.feasible} feasible and {tuning.unanimous} unanimous deals"
    wanted = f"{feasible} feasible and {unanimous} unanimous deals, sparsity {sparsity}"
    if conflict is not None:
        wanted += f", conflict {conflict}"
    raise GameError(f"{name}: {TRIES} samples, the last", last, wanted)


@dataclass(frozen=True)
class _Plan:
    """What sheets to sample; made only if there can be such."""

    name: str
    parties: tuple[str, ...]
    options: tuple[int, ...]
    sparsity: float
    conflict: float | None

    def __post_init__(self) -> None:
        if len(self.parties) < MIN_PARTIES:
            where = f"{self.name}: parties"
            raise GameError(where, len(self.parties), f"at least {MIN_PARTIES}")
        if not self.options or min(self.options) < 2:
            raise GameError(f"{self.name}: options", self.options, "at least 2 for every issue")
        most = 1 - 1 / len(self.options)
        if not 0 <= self.sparsity <= most:
            allowed = f"0 to {most:.4g}: every party cares about some issue"
            raise GameError(f"{self.name}: sparsity", self.sparsity, allowed)
        highest = len(self.parties) / (2 * (len(self.parties) - 1))
        if self.conflict is not None and not 0 <= self.conflict <= highest:
            raise GameError(f"{self.name}: conflict", self.conflict, f"0 to {highest:.4g}")


def _sample_sheets(plan: _Plan, rng: np.random.Generator) -> list[Sheet]:
    """Sample every party's sheet, its options in random order or, for low conflict, in rising."""
    cares = _sample_interests(plan, rng)
    sheets = []
    for row in cares:
        weights = _sample_weights(int(row.sum()), rng)
        points = iter(weights)
        sheets.append(
            [
                _sample_points(next(points), count, rng) if interested else [0] * count
                for interested, count in zip(row.tolist(), plan.options, strict=True)
            ]
        )
    if plan.conflict is None or plan.conflict >= 0.5:
        for row_points in (points for sheet in sheets for points in sheet):
            rng.shuffle(row_points)
    return sheets


def _sample_interests(plan: _Plan, rng: np.random.Generator) -> npt.NDArray[np.bool_]:
    """Which party cares about which issue, (N, issues): every party about one at least."""
    num_parties, num_issues = len(plan.parties), len(plan.options)
    cares = np.ones((num_parties, num_issues), np.bool_)
    must = rng.integers(num_issues, size=num_parties)
    free = [(i, j) for i in range(num_parties) for j in range(num_issues) if j != must[i]]
    for k in rng.permutation(len(free))[: round(plan.sparsity * num_parties * num_issues)]:
        cares[free[k]] = False
    return cares


def _sample_weights(num_issues: int, rng: np.random.Generator) -> list[int]:
    """Sample what the best option of each issue is worth: at least 1, in sum `BEST_SCORE`."""
    shares = rng.dirichlet(np.full(num_issues, 2.0)) * (BEST_SCORE - num_issues)
    weights = np.floor(shares).astype(int) + 1
    weights[np.argmax(shares)] += BEST_SCORE - weights.sum()
    return [int(weight) for weight in weights]


def _sample_points(best: int, count: int, rng: np.random.Generator) -> list[int]:
    """Sample the points of an issue's options in rising order, from 0 to ``best``."""
    between = rng.integers(0, best, size=count - 2, endpoint=True)
    return [0, *sorted(between.tolist()), best]


def _covariance(sheets: Sequence[Sheet], issue: int) -> Floats:
    """Return what an issue adds to the covariances of the parties' scores over deals, (N, N).

    A deal's options are independent, all equally frequent, so the issues' covariances add up.
    """
    points = np.array([sheet[issue] for sheet in sheets], np.float64)
    centred = points - points.mean(axis=1, keepdims=True)
    product: Floats = centred @ centred.T / points.shape[1]
    return product


def _conflict(covariance: Floats) -> float:
    spread = np.sqrt(np.diag(covariance))
    weights = np.divide(1.0, spread, out=np.zeros_like(spread), where=spread > 0)
    correlation = covariance * np.outer(weights, weights)
    num_pairs = len(spread) * (len(spread) - 1)
    return float(1 - (correlation.sum() - np.trace(correlation)) / num_pairs) / 2


def _reach_conflict(sheets: list[Sheet], plan: _Plan, rng: np.random.Generator) -> bool:
    """Swap options on single sheets, in place, for as long as it brings the conflict nearer."""
    if plan.conflict is None:
        return True
    by_issue = [_covariance(sheets, i) for i in range(len(plan.options))]
    total: Floats = np.sum(by_issue, axis=0)
    miss = abs(_conflict(total) - plan.conflict)
    for _ in range(_SWAPS):
        if miss <= CONFLICT_TOLERANCE:
            return True
        issue = int(rng.integers(len(plan.options)))
        points = sheets[int(rng.integers(len(sheets)))][issue]
        a, b = rng.choice(len(points), 2, replace=False).tolist()
        points[a], points[b] = points[b], points[a]
        covariance = _covariance(sheets, issue)
        changed = total - by_issue[issue] + covariance
        if abs(_conflict(changed) - plan.conflict) < miss:
            by_issue[issue], total = covariance, changed
            miss = abs(_conflict(total) - plan.conflict)
        else:
            points[a], points[b] = points[b], points[a]
    return miss <= CONFLICT_TOLERANCE


def _game(plan: _Plan, sheets: Sequence[Sheet]) -> Game:
    roles = [Role.PROPOSER, Role.VETO, *[Role.PLAYER] * (len(sheets) - 2)]
    parties = tuple(
        Party(name, role, Incentive.COOPERATIVE, tuple(tuple(points) for points in sheet), 0)
        for name, role, sheet in zip(plan.parties, roles, sheets, strict=True)
    )
    issues = tuple(Issue("", ("",) * count) for count in plan.options)
    opening = tuple(points.index(max(points)) for points in sheets[0])
    return Game(plan.name, issues, parties, opening)


def _with_even_thresholds(game: Game, feasible: int) -> Game:
    """Set all thresholds at one quantile, the lowest with at most so many feasible deals."""
    table = score_table(game)
    ranked = np.sort(table, axis=0)

    def at_rank(rank: int) -> Game:
        pairs = zip(game.parties, ranked[rank].tolist(), strict=True)
        return replace(game, parties=tuple(replace(party, threshold=t) for party, t in pairs))

    def fewness(rank: int) -> int:
        return -int(acceptance(at_rank(rank), table).feasible.sum())

    ranks = range(game.num_deals)
    return at_rank(min(bisect_left(ranks, -feasible, key=fewness), ranks[-1]))


def _all_refuse_something(game: Game) -> bool:
    worst = score_table(game).min(axis=0)
    return bool((game.thresholds > worst).all())
