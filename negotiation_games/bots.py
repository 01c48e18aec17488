"""Scripted negotiators: rules of thumb from what a party knows to what it proposes.

A bot is a pure function from a `View` to the number of the deal it proposes, or to ``num_deals``
for none. Whatever a bot proposes, it votes by `accepts` unless it sabotages.

Concession over time: Faratin, Sierra and Jennings, *Negotiation Decision Functions for Autonomous
Agents* (1998), section 4.2.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from negotiation_games.deal_values import Floats, deal_values
from negotiation_games.game import Game
from negotiation_games.inference import chance_of_passing, estimate_others
from negotiation_games.reading import View
from negotiation_games.scoring import BONUS
from negotiation_games.solve import acceptance, score_table

Bot = Callable[[View], int]

BOULWARE, LINEAR, CONCEDER = 0.2, 1.0, 5.0
"""Exponents of concession, the beta of the source: below 1 late, above 1 early."""


def accepts(seen: View) -> bool:
    """Whether a party is in favour of what is voted on: it reaches its threshold.

    Refusing such a deal cannot pay for a party that is cooperative or greedy: no deal pays the
    threshold at most.
    """
    if seen.final_deal is None:
        return False
    chosen = zip(seen.scores, seen.final_deal, strict=True)
    return sum(points[option] for points, option in chosen) >= seen.threshold


def aspiration(seen: View, exponent: float) -> float:
    """Return the least own score to ask for now, falling from the best one to the threshold.

    ``best - (best - threshold) * progress ** (1 / exponent)``, in points.
    """
    best = sum(max(points) for points in seen.scores)
    return best - (best - seen.threshold) * conceded(seen.progress, exponent)


def conceded(progress: float, exponent: float) -> float:
    """Return the share of the way from the best score to the threshold that is conceded by now."""
    share: float = progress ** (1.0 / exponent)
    return share


def stay_stubborn(seen: View) -> int:
    """Propose the own best deal, always."""
    return int(np.argmax(_own(seen.scores)))


def concede(exponent: float) -> Bot:
    """Return the bot that asks for less and less, by its own scores alone.

    Of the deals that reach its aspiration it proposes the one with most of what the others proposed
    last (the similarity criterion of Faratin et al., without weights), then the best for itself.
    """

    def propose(seen: View) -> int:
        own = _own(seen.scores)
        return _first_best(own >= aspiration(seen, exponent), _resemblance(seen), own)

    return propose


def guess_best(seen: View) -> int:
    """Concede linearly, to what seems most likely to pass.

    Of the deals that reach its aspiration it proposes the one with the largest
    `negotiation_games.inference.chance_of_passing`, then the best for itself.
    """
    own = _own(seen.scores)
    likely = np.round(np.log(chance_of_passing(seen)), 9)
    return _first_best(own >= aspiration(seen, LINEAR), likely, own)


def grab(seen: View) -> int:
    """Insist on the own best deal, and in the last turn take the best of what others proposed.

    If nothing that others proposed reaches the own threshold, insist to the end.
    """
    own = _own(seen.scores)
    offered = np.zeros(len(own), np.bool_)
    for name in seen.others:
        for deal in seen.proposals(name):
            offered[np.ravel_multi_index(deal, seen.num_options)] = True
    acceptable = offered & (own >= seen.threshold)
    return _first_best(acceptable, own) if seen.progress >= 1.0 else stay_stubborn(seen)


def amend(seen: View) -> int:
    """Insist on the own best deal, and in the last turn change little of what was last offered.

    p1 then takes what p2 proposed last and everybody else what p1 did; without such an offer, the
    own best deal. While it does not reach the own threshold, the issue where most is missing gets
    its best option.
    """
    counterpart = seen.veto if seen.party == seen.proposer else seen.proposer
    offers = seen.proposals(counterpart)
    if seen.progress < 1.0 or not offers:
        return stay_stubborn(seen)
    best, deal = [points.index(max(points)) for points in seen.scores], [*offers[-1]]
    missing = [max(points) - points[k] for points, k in zip(seen.scores, deal, strict=True)]
    for issue in sorted(range(len(deal)), key=lambda issue: -missing[issue]):
        if sum(points[k] for points, k in zip(seen.scores, deal, strict=True)) >= seen.threshold:
            break
        deal[issue] = best[issue]
    return int(np.ravel_multi_index(deal, seen.num_options))


def sabotage(seen: View) -> int:
    """Propose what all others together seem to like least, then what looks selfish."""
    liked = sum(deal_values(values) for values in estimate_others(seen).values())
    own = _own(seen.scores)
    return _first_best(np.ones(len(own), np.bool_), -np.round(liked, 12), own)


def sabotage_target(seen: View) -> int:
    """Propose what the target seems to like least and, of that, what the others like most.

    Whoever is not told a target works against p2, or p1 if it is p2 itself.
    """
    target = seen.target or (seen.veto if seen.party != seen.veto else seen.proposer)
    estimates = estimate_others(seen)
    hurt = -deal_values(estimates.pop(target))
    liked: Floats = sum((deal_values(values) for values in estimates.values()), np.zeros(len(hurt)))
    everything = np.ones(len(hurt), np.bool_)
    return _first_best(everything, np.round(hurt, 12), np.round(liked, 12))


def planner(game: Game) -> Bot:
    """Return the bot that sees all sheets and proposes p1's best passable deal, an upper bound.

    Passable by the implicit vote: it expects every party to accept what reaches its threshold. Of
    deals that pay p1 the same, bonus included, it proposes the one with the largest welfare; if
    nothing is passable, p1's best.
    """
    table = score_table(game)
    masks = acceptance(game, table)
    content = table >= game.thresholds
    content[:, game.proposer_index] = True
    paid = table[:, game.proposer_index] + np.where(content.all(axis=1), BONUS, 0)
    chosen = _first_best(masks.passable, paid, table.sum(axis=1))

    def propose(seen: View) -> int:
        del seen
        return chosen

    return propose


BOTS: Mapping[str, Bot] = {
    "stubborn": stay_stubborn,
    "boulware": concede(BOULWARE),
    "linear": concede(LINEAR),
    "conceder": concede(CONCEDER),
    "best-guess": guess_best,
    "greedy": grab,
    "amender": amend,
    "saboteur": sabotage,
    "target-saboteur": sabotage_target,
}
"""Bots that need nothing but what they see, by name."""

SABOTEURS = ("saboteur", "target-saboteur")
"""Names of those who vote against everything."""


@lru_cache(maxsize=64)
def _own(scores: tuple[tuple[int, ...], ...]) -> Floats:
    """Return the own score of every deal, (num_deals,), not to be written to."""
    own = deal_values(scores)
    own.setflags(write=False)
    return own


def _resemblance(seen: View) -> Floats:
    """Return how many options every deal shares with the others' latest proposals."""
    shared = [np.zeros(options) for options in seen.num_options]
    for name in seen.others:
        for deal in seen.proposals(name)[-1:]:
            for issue, option in enumerate(deal):
                shared[issue][option] += 1
    return deal_values(shared)


def _first_best(allowed: npt.NDArray[np.bool_], *criteria: npt.NDArray[np.generic]) -> int:
    """Return the lowest number of the allowed deals that are best by one criterion, then the next.

    All are allowed if none is.
    """
    numbers = np.flatnonzero(allowed)
    if not numbers.size:
        numbers = np.arange(len(allowed))
    for criterion in criteria:
        values = criterion[numbers]
        numbers = numbers[values == values.max()]
    return int(numbers[0])
