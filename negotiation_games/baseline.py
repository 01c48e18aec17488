"""The no-communication baseline: p1 alone proposes, from a prior over the others' score sheets.

What talk is worth is the difference to what p1 gets here. The prior knows nothing of the actual
sheets: it is stated in `Prior` and samples sheets of the shape of the published ones (each issue
from 0 to its best option, the best deal worth 100, thresholds about half of that).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from negotiation_games.deal_values import Floats, deal_values
from negotiation_games.game import Deal, Game, GameError, Party
from negotiation_games.scoring import BONUS

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
    if samples < 1:
        raise GameError("samples", samples, "at least 1")
    p1 = game.parties[game.proposer_index]
    own = deal_values(p1.scores)
    chances = _chances(game, prior or Prior(), seed=seed, samples=samples)
    from_all = (own + BONUS >= p1.threshold) * chances[0]
    from_most = (own >= p1.threshold) * chances[1]
    expected = (
        from_all * (own + BONUS)
        + from_most * own
        + (1.0 - from_all - from_most) * float(p1.threshold)
    )
    return game.deal_at(int(np.argmax(np.round(expected, 9))))


def _chances(game: Game, prior: Prior, *, seed: int, samples: int) -> tuple[Floats, Floats]:
    """Chances that all others accept, and that all but one other than p2 do, (num_deals,) each.

    The others are alike in the prior, so one party's acceptances stand for everyone's chances.
    """
    rng = np.random.default_rng(seed)
    p1 = game.parties[game.proposer_index]
    accepted = np.zeros(game.num_deals)
    for _ in range(samples):
        accepted += _accepts(p1, prior, rng)
    accepted /= samples
    others = game.num_parties - 1
    from_all = accepted**others
    from_most = (others - 1) * accepted ** (others - 1) * (1.0 - accepted)
    return from_all, from_most


def _accepts(p1: Party, prior: Prior, rng: np.random.Generator) -> npt.NDArray[np.bool_]:
    """Which deals one sampled party accepts, (num_deals,)."""
    cares = rng.random(len(p1.scores)) >= prior.prob_indifferent
    weights = np.where(cares, rng.exponential(size=len(p1.scores)), 0.0)
    weights = 100.0 * weights / max(weights.sum(), np.finfo(float).tiny)
    values = [
        weight * _option_values(points, rng, is_opposed=rng.random() < prior.prob_opposed)
        for weight, points in zip(weights, p1.scores, strict=True)
    ]
    best = sum(each.max() for each in values)
    threshold = best * rng.uniform(prior.threshold_low, prior.threshold_high)
    accepted: npt.NDArray[np.bool_] = deal_values(values) >= threshold
    return accepted


def _option_values(
    points: tuple[int, ...], rng: np.random.Generator, *, is_opposed: bool
) -> Floats:
    """Values of an issue's options between 0 and 1, (options,), along or against p1's order."""
    levels = np.sort(rng.random(len(points)))
    levels[0], levels[-1] = 0.0, 1.0
    order = np.argsort(points, kind="stable")
    values = np.empty(len(points))
    values[order[::-1] if is_opposed else order] = levels
    return values
