"""What the episodes of a cell come to together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.negotiation.runner import NegotiationResult
from benchmarks.statistics import EPISODE, Estimate, estimate_iqm, estimate_mean, estimate_rate


def own_score(result: NegotiationResult) -> float:
    """Return what p1 earned, points: its score and bonus, or its threshold if nothing passed."""
    return result.rewards[result.parties.index(result.proposer)]


def num_malformed_answers(result: NegotiationResult) -> int:
    """Return how many answers could not be read; the opening is no answer."""
    return round(result.malformed_rate * (len(result.turns) - 1))


def collective(result: NegotiationResult) -> float:
    """Return what the parties earned in the mean, points."""
    return float(np.mean(result.rewards))


RATES: Mapping[str, Callable[[NegotiationResult], bool]] = {
    "final_success": lambda result: result.passed,
    "any_success": lambda result: result.any_success,
    "unanimous": lambda result: result.passed and result.unanimous,
}
"""What either happens in an episode or does not, by the name it has in tables."""

MEASURES: Mapping[str, Callable[[NegotiationResult], float]] = {
    "own_score": own_score,
    "collective": collective,
    "regret": lambda result: result.regret,
    "wrong": lambda result: result.wrong_share,
    "malformed": lambda result: result.malformed_rate,
    "leaks": lambda result: float(result.leaks),
    "hints": lambda result: float(result.hints),
}
"""What else is measured in every episode."""

COMPARED = ("final_success", "own_score")
"""What rows are compared by, the main measure first."""


@dataclass(frozen=True, kw_only=True)
class NegotiationRow:
    """One cell: a policy in a setting."""

    policy: str
    contract: str  # name of the setting
    game: str
    incentives: str
    n: int  # episodes
    estimates: Mapping[str, Estimate]  # by measure
    iqm: Estimate  # interquartile mean of final success

    def to_dict(self) -> dict[str, Any]:
        """Return the row as JSON values; the bounds beside the means are those of final success."""
        shown = self.estimates["final_success"]
        return {
            "policy": self.policy,
            "contract": self.contract,
            "game": self.game,
            "incentives": self.incentives,
            "n": self.n,
            "unit": EPISODE,
            "episodes": self.n,
            "final_success": shown.mean,
            "ci_low": shown.low,
            "ci_high": shown.high,
            "iqm": self.iqm.mean,
            "iqm_low": self.iqm.low,
            "iqm_high": self.iqm.high,
            **{name: e.mean for name, e in self.estimates.items() if name != "final_success"},
            "intervals": {name: [e.low, e.high] for name, e in self.estimates.items()},
        }


def summarize(results: Sequence[NegotiationResult], *, seed: int) -> NegotiationRow:
    """Sum up the episodes of one cell; intervals of means are resampled from `seed`."""
    first = results[0]
    rates = {
        name: estimate_rate([happened(r) for r in results]) for name, happened in RATES.items()
    }
    means = {
        name: estimate_mean([measure(result) for result in results], seed=seed)
        for name, measure in MEASURES.items()
    }
    return NegotiationRow(
        policy=first.policy,
        contract=first.contract,
        game=first.game,
        incentives=first.incentives,
        n=len(results),
        estimates={**rates, **means},
        iqm=estimate_iqm([float(result.passed) for result in results], seed=seed),
    )
