"""What p1 would get in many games without learning: the bounds of what talk can be worth."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from negotiation_games.baseline import SAMPLES, Prior, no_communication_deals
from negotiation_games.batch.lanes import Floats
from negotiation_games.scoring import BONUS, passing, votes_on
from negotiation_games.sheets import Sheets


class Yardsticks(NamedTuple):
    """What p1 is paid, points, (G,) each: its threshold where nothing passes."""

    planner: Floats  # for the best deal that passes, bonus included
    no_communication: Floats  # for the deal of `negotiation_games.baseline`


def yardsticks(
    sheets: Sheets, *, prior: Prior | None = None, seed: int = 0, samples: int = SAMPLES
) -> Yardsticks:
    """Measure games under the implicit vote where failure pays the threshold.

    Args:
        sheets: the games.
        prior: of the baseline: what p1 believes of the others [``PRIORS["independent"]``].
        seed: of the sheets that the baseline samples.
        samples: how many it samples for each other party.
    """
    shape, p1 = sheets.shape, sheets.shape.proposer_index
    by_deal = np.moveaxis(sheets.score_tables(), 1, -1)
    votes = votes_on(by_deal, sheets.thresholds[:, None, :], proposer=p1)
    passed = passing(votes, proposer=p1, veto=shape.veto_index)
    earned = by_deal[..., p1] + np.where(votes.all(axis=-1), BONUS, 0)
    # No deal passes that pays p1 less than its threshold, so the best of all is the best of those.
    paid = np.where(passed, earned, sheets.thresholds[:, p1, None]).astype(np.float64)
    alone = no_communication_deals(
        sheets.scores[:, p1],
        sheets.thresholds[:, p1],
        num_options=shape.num_options,
        num_parties=shape.num_parties,
        prior=prior,
        seed=seed,
        samples=samples,
    )
    return Yardsticks(paid.max(axis=-1), paid[np.arange(len(paid)), alone])
