"""What p1 would get in many games without learning: the bounds of what talk can be worth."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from negotiation_games.baseline import SAMPLES, Prior, no_communication_deals
from negotiation_games.batch.lanes import Floats
from negotiation_games.scoring import passing, rewards, votes_on
from negotiation_games.sheets import Sheets


class Yardsticks(NamedTuple):
    """What p1 is paid, points, (G,) each."""

    planner: Floats  # for the best of all deals, as by who sees all sheets; bonus included
    no_communication: Floats  # for the deal of `negotiation_games.baseline`


def yardsticks(
    sheets: Sheets,
    *,
    no_deal: str = "threshold",
    prior: Prior | None = None,
    seed: int = 0,
    samples: int = SAMPLES,
) -> Yardsticks:
    """Measure games under the implicit vote.

    Args:
        sheets: the games.
        no_deal: what failure pays, see `negotiation_games.scoring.payoffs`.
        prior: of the baseline: what p1 believes of the others [``PRIORS["independent"]``].
        seed: of the sheets that the baseline samples.
        samples: how many it samples for each other party.
    """
    shape, p1 = sheets.shape, sheets.shape.proposer_index
    scores = np.moveaxis(sheets.score_tables(), 1, -1)  # (G, deals, N)
    thresholds = sheets.thresholds[:, None]
    votes = votes_on(scores, thresholds, proposer=p1)
    paid = rewards(
        scores,
        thresholds,
        passed=passing(votes, proposer=p1, veto=shape.veto_index),
        unanimous=np.asarray(votes.all(axis=-1)),
        saboteurs=sheets.saboteurs[:, None],
        proposer=p1,
        no_deal=no_deal,
    )[:, :, p1]
    alone = no_communication_deals(
        sheets.scores[:, p1],
        sheets.thresholds[:, p1],
        num_options=shape.num_options,
        num_parties=shape.num_parties,
        prior=prior,
        seed=seed,
        samples=samples,
    )
    return Yardsticks(paid.max(axis=1), paid[np.arange(len(paid)), alone])
