"""What a party can infer of the others' preferences from the deals they propose.

The frequency model of van Krimpen, Looije and Hajizadeh, *HardHeaded* (2013, winner of ANAC 2011):
an option is worth what its proposer's other options are worth by how often each was proposed, and
an issue weighs more the more often its proposer stayed with an option there. The counts start at
`PRIOR_COUNT` instead of nothing, so that whoever has proposed nothing is taken to be indifferent.
How likely a party is to accept what is worth so much to it is our own rule, its constants chosen
among a few by how often tables of best-guess bots agree in the bundled games.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from negotiation_games.deal_values import Floats, deal_values
from negotiation_games.game import Deal
from negotiation_games.reading import View

STEADINESS = 0.1
"""Weight added to an issue, before all are scaled to 1, each time its proposer stays there."""

PRIOR_COUNT = 0.2
"""How often an option counts as proposed before anything is."""

ACCEPTED_VALUE, DECISIVENESS = 0.6, 20.0
"""At which share of its best deal's value a party is taken to accept every other time, and how
steeply that chance rises there (the slope of the log odds)."""

Estimate = tuple[tuple[float, ...], ...]
"""Estimated value of every option of every issue; the values of a best deal add up to 1."""


def estimate(proposals: Sequence[Deal], num_options: Sequence[int]) -> Estimate:
    """Return what a party seems to prefer, given the deals it proposed in order."""
    weights = [1.0 / len(num_options)] * len(num_options)
    for before, after in pairwise(proposals):
        for issue in range(len(num_options)):
            weights[issue] += STEADINESS * (before[issue] == after[issue])
    total = sum(weights)
    return tuple(
        _option_values([deal[issue] for deal in proposals], options, weights[issue] / total)
        for issue, options in enumerate(num_options)
    )


def estimate_others(seen: View) -> dict[str, Estimate]:
    """Return what each other party seems to prefer."""
    return {name: estimate(seen.proposals(name), seen.num_options) for name in seen.others}


def chance_of_passing(seen: View) -> Floats:
    """Return how likely every deal seems to pass with the own vote, (num_deals,).

    All other parties have to accept, or all but one that is neither p1 nor p2; each does so on its
    own, with the logistic of what the deal seems to be worth to it.
    """
    likely = {
        name: 1.0 / (1.0 + np.exp(DECISIVENESS * (ACCEPTED_VALUE - deal_values(values))))
        for name, values in estimate_others(seen).items()
    }
    by_all: Floats = np.prod(list(likely.values()), axis=0)
    may_refuse = [name for name in likely if name not in (seen.proposer, seen.veto)]
    by_most = [by_all / likely[name] * (1.0 - likely[name]) for name in may_refuse]
    passing: Floats = by_all + np.sum(by_most, axis=0)
    return passing


def _option_values(proposed: Sequence[int], options: int, weight: float) -> tuple[float, ...]:
    counts = [PRIOR_COUNT + proposed.count(option) for option in range(options)]
    return tuple(weight * count / max(counts) for count in counts)
