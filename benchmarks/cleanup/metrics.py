"""What an episode comes to, and what a cell's episodes come to together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.cleanup.runner import EpisodeResult, num_malformed
from benchmarks.statistics import (
    EPISODE,
    TRAINING_SEED,
    Estimate,
    estimate_iqm,
    estimate_mean,
    estimate_over_seeds,
)

Floats = npt.NDArray[np.float64]


def welfare_by_step(result: EpisodeResult) -> Floats:
    """Return the agents' rewards before transfers, summed, in each play step, (horizon_steps,)."""
    earned = np.zeros(len(result.optimum_by_step))
    for step in result.steps:
        earned[step.step] += sum(step.game_rewards)
    return earned


def pollution_by_step(result: EpisodeResult) -> Floats:
    """Return the pollution at the beginning of each play step, (horizon_steps,), units."""
    seen = np.zeros(len(result.optimum_by_step))
    for step in result.steps:
        seen[step.step] = step.pollution
    return seen


def welfare(result: EpisodeResult) -> float:
    """Return the sum of all rewards; transfers cancel out."""
    return float(welfare_by_step(result).sum())


def efficiency(result: EpisodeResult) -> float:
    """Return welfare as a fraction of the social optimum's from the same start."""
    return _fraction(welfare(result), sum(result.optimum_by_step))


def efficiency_after_change(result: EpisodeResult) -> float:
    """Return `efficiency` over the steps from the change on; both play from their own state then.

    Over all steps if the world never changes.
    """
    since = result.change_step or 0
    earned = float(welfare_by_step(result)[since:].sum())
    return _fraction(earned, sum(result.optimum_by_step[since:]))


def equality(result: EpisodeResult) -> float:
    """Return 1 minus the Gini coefficient of the agents' returns after transfers, 0 to 1.

    ``1 - sum_ij |R_i - R_j| / (2 n sum_i R_i)`` (Perolat et al. 2017, arXiv:1707.06600). Equal
    returns, all of them zero included, give 1. Where debts make the fraction exceed 1, or the
    returns differ and their sum is zero or less, it is 0. One of two agents having everything is
    0.5.
    """
    returns = np.zeros(len(result.agents))
    for step in result.steps:
        returns += np.add(step.game_rewards, step.transfers)
    differences = float(np.abs(returns[:, None] - returns[None, :]).sum())
    if differences < 1e-9:
        return 1.0
    total = float(returns.sum())
    if total <= 0.0:
        return 0.0
    return max(0.0, 1.0 - differences / (2.0 * len(returns) * total))


def own_return(result: EpisodeResult) -> float | None:
    """Return what the policy's seat earned after transfers; None where it played all seats."""
    if result.seat is None:
        return None
    index = result.agents.index(result.seat)
    return float(sum(step.game_rewards[index] + step.transfers[index] for step in result.steps))


def transferred(result: EpisodeResult) -> float:
    """Return what changed hands over the episode: half the sum of absolute transfers a step."""
    return sum(abs(amount) for step in result.steps for amount in step.transfers) / 2.0


MEASURES: Mapping[str, Callable[[EpisodeResult], float | None]] = {
    "welfare": welfare,
    "efficiency": efficiency,
    "efficiency_after_change": efficiency_after_change,
    "own_return": own_return,
    "equality": equality,
    "transfers": transferred,
    "illegal": lambda result: float(sum(step.illegal for step in result.steps)),
    "malformed": lambda result: float(num_malformed(result.steps)),
    "negotiations": lambda result: float(len(result.negotiations)),
}
"""What is measured in every episode, by the name it has in tables."""

COMPARED = ("efficiency",)
"""What rows are compared by."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One cell: a policy under a contract condition."""

    policy: str
    contract: str
    n: int  # how many `unit`s the means are over
    episodes: int  # played in all, or by each training seed
    estimates: Mapping[str, Estimate]  # by measure
    iqm: Estimate  # interquartile mean of the efficiency
    welfare_by_step: tuple[float, ...]  # mean over the episodes, (horizon_steps,)
    pollution_by_step: tuple[float, ...]  # mean over the episodes, (horizon_steps,), units
    unit: str = EPISODE  # or `TRAINING_SEED`

    def to_dict(self) -> dict[str, Any]:
        """Return the row as JSON values; the bounds beside the means are those of efficiency."""
        shown = self.estimates["efficiency"]
        return {
            "policy": self.policy,
            "contract": self.contract,
            "n": self.n,
            "unit": self.unit,
            "episodes": self.episodes,
            "welfare": self.estimates["welfare"].mean,
            "efficiency": shown.mean,
            "ci_low": shown.low,
            "ci_high": shown.high,
            "deterministic": shown.is_deterministic,
            "iqm": self.iqm.mean,
            "iqm_low": self.iqm.low,
            "iqm_high": self.iqm.high,
            **{name: each.mean for name, each in self.estimates.items() if name not in _FIRST},
            "intervals": {name: [e.low, e.high] for name, e in self.estimates.items()},
        }


_FIRST = ("welfare", "efficiency")


def summarize(results: Sequence[EpisodeResult], *, seed: int) -> Row:
    """Sum up the episodes of one cell; intervals are resampled from `seed`."""
    first = results[0]
    measured = {name: [measure(r) for r in results] for name, measure in MEASURES.items()}
    return Row(
        policy=first.policy,
        contract=first.contract,
        n=len(results),
        episodes=len(results),
        estimates={
            name: estimate_mean([value for value in values if value is not None], seed=seed)
            for name, values in measured.items()
            if None not in values
        },
        iqm=estimate_iqm([efficiency(result) for result in results], seed=seed),
        welfare_by_step=_mean(welfare_by_step, results),
        pollution_by_step=_mean(pollution_by_step, results),
    )


def over_training_seeds(policy: str, rows: Sequence[Row]) -> Row:
    """Sum up the cells of a training's seeds, a sample each: a policy learned once or more."""
    first = rows[0]
    return Row(
        policy=policy,
        contract=first.contract,
        n=len(rows),
        episodes=first.episodes,
        estimates={
            name: estimate_over_seeds([row.estimates[name].mean for row in rows])
            for name in first.estimates
        },
        iqm=estimate_iqm(
            [row.estimates["efficiency"].mean for row in rows], seed=0, unit=TRAINING_SEED
        ),
        welfare_by_step=tuple(np.mean([row.welfare_by_step for row in rows], axis=0).tolist()),
        pollution_by_step=tuple(np.mean([row.pollution_by_step for row in rows], axis=0).tolist()),
        unit=TRAINING_SEED,
    )


def _mean(
    course: Callable[[EpisodeResult], Floats], results: Sequence[EpisodeResult]
) -> tuple[float, ...]:
    return tuple(np.mean([course(result) for result in results], axis=0).tolist())


def _fraction(earned: float, best: float) -> float:
    """Return earned / best; where there is nothing to be had, nobody could do better."""
    return earned / best if best > 0.0 else 1.0
