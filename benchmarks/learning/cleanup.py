"""Experiments in Cleanup: welfare as a fraction of the social optimum from the same starts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from benchmarks.learning.experiment import (
    ACTION_SEED,
    SHARED,
    Experiment,
    Measure,
    Measured,
    Policy,
    Reference,
)
from benchmarks.learning.seeds import TEST, Seeds, episode_seeds
from benchmarks.learning.terms import Terms
from cleanup_icn import CleanupConfig
from cleanup_icn.solve import SocialOptimum, social_optimum
from cleanup_icn.starts import Starts
from cleanup_icn.state import HARVEST

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

EFFICIENCY = Measure("efficiency", "efficiency")
FIXED_START = Measure("efficiency_fixed_start", "from the fixed start")
AFTER_CHANGE = Measure("efficiency_after_change", "after the change")


class Courses(NamedTuple):
    """What E episodes earned in each play step, and what could be had from the same starts."""

    welfare: Floats  # (E, horizon_steps), fruit; transfers cancel out
    optimum: Floats  # (E, horizon_steps), fruit
    returns: Floats  # (E, N), transfers included


@dataclass(frozen=True, kw_only=True)
class CleanupExperiment(Experiment):
    """Cleanup under a contract, with one score: efficiency on episodes from drawn starts."""

    config: CleanupConfig
    starts: Starts | None  # None: every episode starts where the configuration says
    terms: Terms

    @property
    def measures(self) -> Sequence[Measure]:
        """Efficiency first; that after a change only where there is one."""
        changed = (AFTER_CHANGE,) if self._change_step is not None else ()
        return (EFFICIENCY, FIXED_START, *changed)

    @property
    def references(self) -> Sequence[Reference]:
        """The optimum, and what everybody earns who only harvests, on the test episodes."""
        seeds = episode_seeds(TEST, self.evaluation.episodes)
        return (
            Reference("social optimum", 1.0),
            Reference("all harvest", _efficiency(self._all_harvest(seeds))),
        )

    @property
    def total_agent_steps(self) -> int:
        """Agent-steps of a training seed: as many for every policy."""
        num_policies = 1 if self.sharing == SHARED else self.config.num_agents
        return self.settings.total_agent_steps * num_policies

    def make_batch(self, num_lanes: int) -> Any:
        """Make lanes to train on; an ended episode is followed by the next."""
        return self._make_batch(num_lanes, self.starts)

    def evaluate(self, policy: Policy, seeds: Seeds, *, complete: bool = True) -> Measured:
        """Play the episodes of these seeds from drawn starts, and again from the fixed start."""
        drawn = self._courses(policy, seeds, self.starts)
        measures = {EFFICIENCY.name: _efficiency(drawn)}
        if not complete:
            return {"measures": measures}
        fixed = self._courses(policy, seeds, None)
        measures[FIXED_START.name] = _efficiency(fixed)
        if (since := self._change_step) is not None:
            after = Courses(drawn.welfare[:, since:], drawn.optimum[:, since:], drawn.returns)
            measures[AFTER_CHANGE.name] = _efficiency(after)
        episodes = {"drawn": _numbers(drawn), "fixed": _numbers(fixed)}
        return {"measures": measures, "episodes": episodes}

    def to_dict(self) -> dict[str, Any]:
        """Return the experiment as JSON values."""
        starts = self.starts
        ranges = None if starts is None else [starts.pollution_initial, starts.fruit_initial]
        return {
            "game": "cleanup",
            "world": {**self.config.to_dict(), "starts": ranges},
            "contract": self.terms.to_dict(),
            **self._learning_to_dict(),
        }

    @property
    def _change_step(self) -> int | None:
        return next((step for step in self.config.change_steps if step > 0), None)

    def _make_batch(self, num_lanes: int, starts: Starts | None) -> Any:
        return self.terms.make_batch(self.config, num_lanes, starts=starts, auto_reset=True)

    def _courses(self, policy: Policy, seeds: Seeds, starts: Starts | None) -> Courses:
        from agents.ppo import play_episodes

        notes = WelfareNotes(len(seeds), self.config.horizon_steps)
        played = play_episodes(
            self._make_batch(len(seeds), starts),
            policy,
            seeds=seeds,
            action_seed=ACTION_SEED,
            deterministic=self.evaluation.deterministic,
            on_step=notes.note,
        )
        return Courses(notes.welfare, self._optimum(seeds, starts), played.returns)

    def _optimum(self, seeds: Seeds, starts: Starts | None) -> Floats:
        solved = _solved(self.config)
        config = self.config.to_dict()
        pairs = [
            (start["pollution_initial"], start["fruit_initial"])
            for start in ((starts.options(int(seed)) if starts else config) for seed in seeds)
        ]
        courses = {pair: solved.welfare_by_step(*pair) for pair in dict.fromkeys(pairs)}
        return np.stack([courses[pair] for pair in pairs])

    def _all_harvest(self, seeds: Seeds) -> Courses:
        from cleanup_icn.batch import BatchCleanup

        batch = BatchCleanup(self.config, len(seeds), starts=self.starts)
        batch.reset(seeds)
        actions = np.full((len(seeds), self.config.num_agents), HARVEST)
        rewards = [batch.step(actions).reward for _ in range(self.config.horizon_steps)]
        welfare = np.stack([reward.sum(axis=1) for reward in rewards], axis=1)
        return Courses(welfare, self._optimum(seeds, self.starts), np.sum(rewards, axis=0))


class WelfareNotes:
    """Notes of what the group earned in each play step of every lane's first episode.

    ``welfare`` is (B, horizon_steps), fruit before transfers. Steps of talks are none of play.
    """

    def __init__(self, num_lanes: int, horizon_steps: int) -> None:
        self.welfare = np.zeros((num_lanes, horizon_steps))
        self._step = np.zeros(num_lanes, np.intp)

    def note(self, after: Any, playing: Flags) -> None:
        """Note what a batch's step earned in the lanes that are still in their episode, (B,)."""
        features = after[-1]
        lanes = np.flatnonzero(playing & getattr(features, "was_play", True))
        self.welfare[lanes, self._step[lanes]] = features.game_reward[lanes].sum(axis=1)
        self._step[lanes] += 1


@lru_cache(maxsize=4)
def _solved(config: CleanupConfig) -> SocialOptimum:
    return social_optimum(config)


def _efficiency(courses: Courses) -> float:
    """Return welfare over the optimum, both summed over episodes."""
    best = float(courses.optimum.sum())
    # Where there is nothing to be had, nobody could do better.
    return float(courses.welfare.sum()) / best if best > 0.0 else 1.0


def _numbers(courses: Courses) -> dict[str, Any]:
    return {
        "welfare": courses.welfare.sum(axis=1).tolist(),
        "optimum": courses.optimum.sum(axis=1).tolist(),
        "returns": courses.returns.tolist(),
    }
