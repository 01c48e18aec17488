"""How a policy sees the deals of a negotiation: by features instead of a free logit each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from negotiation_games.observe import PHASES, one_hot
from negotiation_games.sheets import Shape

if TYPE_CHECKING:
    from agents.ppo import ScoredActions

_NUM_WORDS = 8  # one-hot entries of a vector for role and incentive


def deal_scoring(shape: Shape, *, num_actions: int) -> ScoredActions:
    """Return where the vectors of `negotiation_games.observe.VectorObserver` speak of options.

    A deal's features are the own score of its options and how they stand in the proposals: those
    made last and those made so far, by the party itself, by p2, and by the other parties, who are
    alike. What proposes nothing has a free logit.
    """
    from agents.ppo import ScoredActions

    num_options, n = sum(shape.num_options), shape.num_parties
    own_scores = n + _NUM_WORDS
    threshold = own_scores + num_options
    share_made = threshold + 1 + len(PHASES)
    proposals = [share_made + 1 + party * (1 + 2 * num_options) for party in range(n)]
    latest = [start + 1 for start in proposals]
    shares = [start + 1 + num_options for start in proposals]
    named = (shape.proposer_index, shape.veto_index)
    others = [party for party in range(n) if party not in named]
    deals = shape.options_of(np.arange(shape.num_deals))
    options = np.zeros((num_actions, num_options), np.float32)
    options[: shape.num_deals] = one_hot(deals, shape.num_options)
    return ScoredActions(
        options=options,
        observation_size=proposals[-1] + 1 + 2 * num_options + num_options,
        sums=(own_scores,),
        groups=tuple(
            tuple(starts[party] for party in group)
            for group in ([named[0]], [named[1]], others)
            for starts in (latest, shares)
        ),
        scalars=(*range(threshold, share_made + 1), *proposals),
        special=tuple(range(shape.num_deals, num_actions)),
    )
