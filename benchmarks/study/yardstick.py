"""The best that could still be earned: the social optimum from a state at a step on.

A surprise is one for the planner too. What is past no longer matters to it, so a world is solved
with the parameters of the step as its own and with the changes still to come; worlds that differ in
their past alone share the work.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from cleanup_icn import CleanupConfig
from cleanup_icn.config import SCHEDULED_NAMES
from cleanup_icn.solve import SocialOptimum, social_optimum
from cleanup_icn.solve.worlds import has_full_grid, outcomes_of
from cleanup_icn.state import CleanupState

_Place = tuple[int, int, int]
"""Agents at the shore, pollution and fruit: all that matters to welfare."""


def optimum_from(config: CleanupConfig, state: CleanupState, step: int) -> float:
    """Return the expected welfare of the social optimum from a state at a step on, fruit units.

    It is ``social_optimum(config).value(state, step)``, and cheaper.
    """
    return _ahead_of(config, step).optimum.value(state, step)


def optimal_course(config: CleanupConfig, state: CleanupState, step: int) -> tuple[float, ...]:
    """Return the optimum's expected welfare in each step from a state at a step on, fruit units."""
    return _ahead_of(config, step).course(state, step)


def _ahead_of(config: CleanupConfig, step: int) -> _Ahead:
    """Return what is ahead of those who are at a step."""
    to_come = tuple(change for change in config.schedule if change.step > step)
    if not has_full_grid(config) or len(to_come) == len(config.schedule):
        return _solved(config)
    values: dict[str, Any] = dict(zip(SCHEDULED_NAMES, config.parameters_at(step), strict=False))
    announced = config.announce_changes and bool(to_come)
    return _solved(replace(config, **values, schedule=to_come, announce_changes=announced))


@dataclass(frozen=True, eq=False)
class _Ahead:
    """A world's optimum, and what has been asked of it."""

    optimum: SocialOptimum
    _moves: dict[tuple[int, _Place], tuple[float, list[tuple[float, _Place]]]] = field(
        default_factory=dict
    )
    _courses: dict[tuple[int, _Place], tuple[float, ...]] = field(default_factory=dict)

    def course(self, state: CleanupState, step: int) -> tuple[float, ...]:
        first = (state.at_shore.bit_count(), state.pollution, state.fruit)
        if (step, first) not in self._courses:
            self._courses[step, first] = self._followed(first, step)
        return self._courses[step, first]

    def _followed(self, first: _Place, step: int) -> tuple[float, ...]:
        earned, reached = [], {first: 1.0}
        for t in range(step, self.optimum.config.horizon_steps):
            welfare, ahead = 0.0, dict[_Place, float]()
            for place, weight in reached.items():
                taken, outcomes = self._move(t, place)
                welfare += weight * taken
                for prob, after in outcomes:
                    ahead[after] = ahead.get(after, 0.0) + weight * prob
            earned.append(welfare)
            reached = ahead
        return tuple(earned)

    def _move(self, step: int, place: _Place) -> tuple[float, list[tuple[float, _Place]]]:
        if (step, place) not in self._moves:
            num_shore, pollution, fruit = place
            state = CleanupState((1 << num_shore) - 1, pollution, fruit)
            action = self.optimum.group_action(state, step)
            parameters = self.optimum.config.parameters_at(step)
            taken, outcomes = outcomes_of(
                pollution, fruit, action.harvesters, action.cleaners, parameters
            )
            after = num_shore + action.to_shore - action.to_garden
            self._moves[step, place] = taken, [(prob, (after, *pair)) for prob, pair in outcomes]
        return self._moves[step, place]


@lru_cache(maxsize=128)  # about a megabyte each
def _solved(config: CleanupConfig) -> _Ahead:
    return _Ahead(social_optimum(config))
