"""New games: score sheets sampled to a wanted sparsity and conflict, thresholds to wanted counts.

The sheets are those of `negotiation_games.draw`. A game made here is figures alone; its parties and
issues have no words but the parties' names.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from negotiation_games import noise
from negotiation_games.draw import (
    BASE_OPTIONS,
    BASE_SPARSITY,
    SheetPlan,
    draw_scores,
    even_thresholds,
)
from negotiation_games.game import Game, GameError, Incentive, Issue, Party
from negotiation_games.solve import score_table
from negotiation_games.tune import tune

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
    sparsity: float = BASE_SPARSITY,
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
    plan = SheetPlan(
        num_parties=len(names),
        num_options=tuple(options),
        sparsity=sparsity,
        feasible=feasible,
        # Sheets that rise together are near a low conflict, shuffled ones near a high one.
        is_sorted=conflict is not None and conflict < 0.5,
        name=name,
    )
    _check_conflict(plan, conflict)
    rng = np.random.default_rng(seed)
    seeds = noise.episode_seeds(noise.as_words([seed]), np.arange(TRIES))
    last = "no sheets of this conflict"
    for number in range(TRIES):
        sheets = _sample_sheets(plan, seeds[[number]])
        if not _reach_conflict(sheets, conflict, rng):
            continue
        game = _with_even_thresholds(_game(plan, names, sheets), plan)
        tuning = tune(game, feasible=feasible, unanimous=unanimous, limit=_TUNE_LIMIT)
        if tuning.found and _all_refuse_something(tuning.game):
            return tuning.game
        last = f"sheets with {tuning.feasible} feasible and {tuning.unanimous} unanimous deals"
    wanted = f"{feasible} feasible and {unanimous} unanimous deals, sparsity {sparsity}"
    if conflict is not None:
        wanted += f", conflict {conflict}"
    raise GameError(f"{name}: {TRIES} samples, the last", last, wanted)


def _check_conflict(plan: SheetPlan, conflict: float | None) -> None:
    highest = plan.num_parties / (2 * (plan.num_parties - 1))
    if conflict is not None and not 0 <= conflict <= highest:
        raise GameError(f"{plan.name}: conflict", conflict, f"0 to {highest:.4g}")


def _sample_sheets(plan: SheetPlan, seed: noise.Words) -> list[Sheet]:
    """Return every party's sheet, of one seed, (1,)."""
    (scores,) = draw_scores(plan, seed)
    splits = np.cumsum(plan.num_options)[:-1]
    return [[points.tolist() for points in np.split(row, splits)] for row in scores]


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


def _reach_conflict(sheets: list[Sheet], wanted: float | None, rng: np.random.Generator) -> bool:
    """Swap options on single sheets, in place, for as long as it brings the conflict nearer."""
    if wanted is None:
        return True
    by_issue = [_covariance(sheets, i) for i in range(len(sheets[0]))]
    total: Floats = np.sum(by_issue, axis=0)
    miss = abs(_conflict(total) - wanted)
    for _ in range(_SWAPS):
        if miss <= CONFLICT_TOLERANCE:
            return True
        issue = int(rng.integers(len(by_issue)))
        points = sheets[int(rng.integers(len(sheets)))][issue]
        a, b = rng.choice(len(points), 2, replace=False).tolist()
        points[a], points[b] = points[b], points[a]
        covariance = _covariance(sheets, issue)
        changed = total - by_issue[issue] + covariance
        if abs(_conflict(changed) - wanted) < miss:
            by_issue[issue], total = covariance, changed
            miss = abs(_conflict(total) - wanted)
        else:
            points[a], points[b] = points[b], points[a]
    return miss <= CONFLICT_TOLERANCE


def _game(plan: SheetPlan, names: Sequence[str], sheets: Sequence[Sheet]) -> Game:
    parties = tuple(
        Party(name, role, Incentive.COOPERATIVE, tuple(tuple(points) for points in sheet), 0)
        for name, role, sheet in zip(names, plan.shape.roles, sheets, strict=True)
    )
    issues = tuple(Issue("", ("",) * count) for count in plan.num_options)
    opening = tuple(points.index(max(points)) for points in sheets[0])
    return Game(plan.name, issues, parties, opening)


def _with_even_thresholds(game: Game, plan: SheetPlan) -> Game:
    """Set all thresholds at one rank, the lowest with at most so many feasible deals."""
    tables = score_table(game).T[None]
    even = even_thresholds(tables, feasible=plan.feasible, shape=plan.shape)
    pairs = zip(game.parties, even.thresholds[0].tolist(), strict=True)
    return replace(game, parties=tuple(replace(party, threshold=t) for party, t in pairs))


def _all_refuse_something(game: Game) -> bool:
    worst = score_table(game).min(axis=0)
    return bool((game.thresholds > worst).all())
