"""The no-communication baseline: p1 alone proposes, from a prior over the others' score sheets.

What talk is worth is the difference to what p1 gets here. The prior knows nothing of the actual
sheets: it is stated in `Prior` and samples sheets of the shape of the published ones (each issue
from 0 to its best option, the best deal worth 100, thresholds about half of that).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import prod

import numpy as np
import numpy.typing as npt

from negotiation_games.deal_values import Floats, deal_values
from negotiation_games.game import Deal, Game, GameError
from negotiation_games.scoring import BONUS
from negotiation_games.sheets import Values, deal_sums

SAMPLES = 500
"""Sheets sampled for each other party unless told otherwise."""


@dataclass(frozen=True, kw_only=True)
class Prior:
    """What p1 believes of each other party's sheet, all draws independent.

    Each issue weighs what a uniform draw from the simplex gives it, of 100 points in all. Its
    options are worth sorted uniform draws between 0, the worst, and that weight, the best, in
    p1's own order of preference or in the opposite one.
    """

    prob_opposed: float = 0.5  # that an issue's options are ordered against p1's preference
    prob_indifferent: float = 0.2  # that an issue is worth nothing to the party
    threshold_low: float = 0.3  # thresholds are uniform between these shares of the best deal
    threshold_high: float = 0.7

    def __post_init__(self) -> None:
        """Refuse what is no share; `GameError` names the field."""
        for name in ("prob_opposed", "prob_indifferent", "threshold_low", "threshold_high"):
            value = getattr(self, name)
            if not 0.0 <= value <= 1.0:
                raise GameError(name, value, "a share from 0 to 1")
        if self.threshold_low > self.threshold_high:
            raise GameError("threshold_low", self.threshold_low, "at most threshold_high")


PRIORS: Mapping[str, Prior] = {
    "aligned": Prior(prob_opposed=0.25),
    "independent": Prior(),
    "opposed": Prior(prob_opposed=0.75),
}
"""Priors by name."""


def no_communication_deal(
    game: Game, prior: Prior | None = None, *, seed: int = 0, samples: int = SAMPLES
) -> Deal:
    """Return the deal that pays p1 most in expectation if nobody ever speaks.

    Each other party accepts what reaches its threshold; a deal passes with all of them, or with all
    but one that is not p2 if p1 itself reaches its threshold; if it does not pass p1 gets its
    threshold. The bonus counts where all accept. Only p1's sheet and who is p2 are read from the
    game. The same seed gives the same deal; of equal deals the one with the lowest number counts.

    Args:
        game: the game.
        prior: what p1 believes of the others [``PRIORS["independent"]``].
        seed: of the sampled sheets.
        samples: how many sheets are sampled for each other party.
    """
    p1 = game.parties[game.proposer_index]
    (number,) = no_communication_deals(
        np.array([[point for points in p1.scores for point in points]]),
        np.array([p1.threshold]),
        num_options=game.num_options,
        num_parties=game.num_parties,
        prior=prior,
        seed=seed,
        samples=samples,
    )
    return game.deal_at(int(number))


def no_communication_deals(
    scores: Values,
    thresholds: Values,
    *,
    num_options: Sequence[int],
    num_parties: int,
    prior: Prior | None = None,
    seed: int = 0,
    samples: int = SAMPLES,
) -> npt.NDArray[np.int64]:
    """Return the numbers of the deals of `no_communication_deal` for G sheets of p1, (G,).

    Args:
        scores: p1's points of all options, issue by issue, (G, O).
        thresholds: p1's, (G,).
        num_options: how many options each issue has.
        num_parties: N, p1 included.
        prior: what p1 believes of the others [``PRIORS["independent"]``].
        seed: of the sampled sheets, the same for all.
        samples: how many sheets are sampled for each other party.
    """
    if samples < 1:
        raise GameError("samples", samples, "at least 1")
    own = deal_sums(scores, num_options).astype(np.float64)
    least = thresholds[:, None].astype(np.float64)
    chances = _chances(tuple(num_options), prior or Prior(), seed, samples)
    accepted = chances[_ranked_deals(scores, num_options)]
    # The others are alike in the prior, so one party's acceptances stand for everyone's chances.
    others = num_parties - 1
    by_all = accepted**others
    by_most = (others - 1) * accepted ** (others - 1) * (1.0 - accepted)
    from_all = (own + BONUS >= least) * by_all
    from_most = (own >= least) * by_most
    expected = from_all * (own + BONUS) + from_most * own + (1.0 - from_all - from_most) * least
    chosen: npt.NDArray[np.int64] = np.round(expected, 9).argmax(axis=-1)
    return chosen


def _ranked_deals(scores: Values, num_options: Sequence[int]) -> Values:
    """Return every deal's number if the options were in p1's rising order, (G, num_deals)."""
    ranks, stride = [], prod(num_options)
    for points in np.split(scores, np.cumsum(num_options)[:-1], axis=-1):
        stride //= points.shape[-1]
        places = points.argsort(axis=-1, kind="stable").argsort(axis=-1)
        ranks.append(places * stride)
    return deal_sums(np.concatenate(ranks, axis=-1), num_options)


@lru_cache(maxsize=16)
def _chances(
    num_options: tuple[int, ...], prior: Prior, seed: int, samples: int
) -> npt.NDArray[np.float64]:
    """Chance that a sampled party accepts a deal, (num_deals,), read-only.

    Deals are numbered as if every issue's options were in p1's rising order: all that the prior
    knows of p1.
    """
    rng = np.random.default_rng(seed)
    accepted = np.zeros(prod(num_options))
    for _ in range(samples):
        accepted += _accepts(num_options, prior, rng)
    accepted /= samples
    accepted.setflags(write=False)
    return accepted


def _accepts(
    num_options: tuple[int, ...], prior: Prior, rng: np.random.Generator
) -> npt.NDArray[np.bool_]:
    """Which deals one sampled party accepts, (num_deals,)."""
    cares = rng.random(len(num_options)) >= prior.prob_indifferent
    weights = np.where(cares, rng.exponential(size=len(num_options)), 0.0)
    weights = 100.0 * weights / max(weights.sum(), np.finfo(float).tiny)
    values = [
        weight * _option_values(count, rng, is_opposed=rng.random() < prior.prob_opposed)
        for weight, count in zip(weights, num_options, strict=True)
    ]
    best = sum(each.max() for each in values)
    threshold = best * rng.uniform(prior.threshold_low, prior.threshold_high)
    accepted: npt.NDArray[np.bool_] = deal_values(values) >= threshold
    return accepted


def _option_values(count: int, rng: np.random.Generator, *, is_opposed: bool) -> Floats:
    """Values of an issue's options between 0 and 1, (count,), along or against p1's order."""
    levels = np.sort(rng.random(count))
    levels[0], levels[-1] = 0.0, 1.0
    return levels[::-1] if is_opposed else levels
