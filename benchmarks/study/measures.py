"""What an episode comes to from the first change of its world on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.cleanup.metrics import efficiency, equality, transferred, welfare_by_step
from benchmarks.cleanup.runner import EpisodeResult
from benchmarks.study.yardstick import optimal_course, optimum_from
from cleanup_icn import CleanupConfig
from cleanup_icn.state import MOVE, CleanupState

KEEPS_UP = 0.9
"""Fraction of the optimum's welfare that counts as keeping up with it."""

TAIL_STEPS = 10
"""Fewer steps are not enough to tell whether anybody keeps up: harvests come in pulses."""

_ROUNDING = 1e-9


@dataclass(frozen=True, kw_only=True)
class AfterChange:
    """An episode from one step on; amounts are fruit units, or reward units after transfers."""

    since: int  # play step of the first change
    state: CleanupState  # in which it found the agents
    optimum: float  # expected welfare of the social optimum from that state on
    welfare: float
    recovery_steps: int | None  # steps until they keep up with it, see `recovery_steps`
    negotiations: int
    rounds: float | None  # mean of the talks, None without any
    ratified: float | None  # fraction of the talks, None without any
    transfers: float  # half the sum of absolute transfers
    equality: float  # 1 minus the Gini coefficient of the returns
    returns: tuple[float, ...]  # of each agent, after transfers
    whole_efficiency: float  # of the whole episode: talks before the change have their cost, too
    whole_negotiations: int  # in the whole episode

    @property
    def efficiency(self) -> float:
        """Welfare as a fraction of the optimum; 1 where there was nothing to be had."""
        return self.welfare / self.optimum if self.optimum > 0.0 else 1.0

    @property
    def regret(self) -> float:
        """What the optimum would have earned beyond the welfare.

        Chance can make it negative, and so can a later change: it surprises the planner, too.
        """
        return self.optimum - self.welfare

    def measures(self) -> dict[str, float | None]:
        """Return all numbers by the names they have in the summary; None says nothing."""
        return {
            "efficiency": self.efficiency,
            "whole_efficiency": self.whole_efficiency,
            "whole_negotiations": float(self.whole_negotiations),
            "regret": self.regret,
            "welfare": self.welfare,
            "recovery_steps": self.recovery_steps,
            "recovered": float(self.recovery_steps is not None),
            "negotiations": float(self.negotiations),
            "rounds": self.rounds,
            "ratified": self.ratified,
            "transfers": self.transfers,
            "equality": self.equality,
            **{f"return_{i}": return_ for i, return_ in enumerate(self.returns)},
        }


def after_change(result: EpisodeResult, moment: int = 0) -> AfterChange:
    """Measure an episode from the first change of its world on.

    Args:
        result: the episode.
        moment: play step to measure from where the world never changes.
    """
    since = moment if result.change_step is None else result.change_step
    config = CleanupConfig.create(**result.config)
    state = state_at(result, since)
    later = replace(result, steps=tuple(step for step in result.steps if step.step >= since))
    earned = welfare_by_step(later)[since:]
    held = [each for each in result.negotiations if each["step"] >= since]
    outcomes = [each["outcome"] for each in held]
    return AfterChange(
        since=since,
        state=state,
        optimum=optimum_from(config, state, since),
        welfare=float(earned.sum()),
        recovery_steps=recovery_steps(earned.tolist(), optimal_course(config, state, since)),
        negotiations=len(held),
        rounds=_mean([len(outcome["rounds"]) for outcome in outcomes]),
        ratified=_mean([outcome["contract"] is not None for outcome in outcomes]),
        transfers=transferred(later),
        equality=equality(later),
        returns=_returns(later),
        whole_efficiency=efficiency(result),
        whole_negotiations=len(result.negotiations),
    )


def state_at(result: EpisodeResult, step: int) -> CleanupState:
    """Return the state before a play step: places from the moves made, the rest as it was seen.

    Raises:
        StopIteration: the episode was over by then.
    """
    at_shore = 0
    for record in result.steps:
        if record.step < step and record.phase == "play":
            for agent_index, action in enumerate(record.actions):
                at_shore ^= (action == MOVE) << agent_index
    seen = next(record for record in result.steps if record.step == step)
    return CleanupState(at_shore, seen.pollution, seen.fruit)


def recovery_steps(earned: Sequence[float], best: Sequence[float]) -> int | None:
    """Return after how many steps a group keeps up with the optimum; None if it never does.

    From then on, and from every later step on that leaves `TAIL_STEPS` or more to the end, the
    welfare to the end is at least `KEEPS_UP` of what the optimum earns in the same steps. The
    optimum is that from the state at the change: who lets the world decay is not let off. Sums to
    the end make little of pulses, but those out of step with the optimum's can delay it. Where
    fewer steps are left than `TAIL_STEPS`, they are judged as a whole: the answer is 0 or None.

    Args:
        earned: welfare in each step from the change on, fruit units.
        best: the optimum's, likewise.
    """
    last = max(0, len(earned) - TAIL_STEPS)
    own, others = (np.cumsum(np.asarray(each)[::-1])[::-1][: last + 1] for each in (earned, best))
    is_behind = own < KEEPS_UP * others - _ROUNDING
    if is_behind[last]:
        return None
    behind = np.flatnonzero(is_behind)
    return int(behind[-1]) + 1 if len(behind) else 0


def _returns(result: EpisodeResult) -> tuple[float, ...]:
    gained = np.zeros(len(result.agents))
    for step in result.steps:
        gained += np.add(step.game_rewards, step.transfers)
    return tuple(gained.tolist())


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None
