"""What the rule book said of steps without dice, kept: asking it again would bring the same.

A single environment asks `cleanup_icn.rules` once for each state and joint action that it meets,
and copies the answer from then on.
"""

from __future__ import annotations

from functools import lru_cache

from cleanup_icn import rules
from cleanup_icn.state import CleanupState, Dice, Parameters, StepFeatures

Outcome = tuple[CleanupState, StepFeatures]
Outcomes = dict[tuple[CleanupState, tuple[int, ...]], Outcome]

MOST_KEPT = 8192
"""Outcomes kept under the same parameters, some 3 MB; what comes later is asked for every time."""

_ANY_DICE = Dice(0.0, 0.0)


def needs_dice(parameters: Parameters) -> bool:
    """Whether chance plays a part under these parameters: a probability of 1 needs none."""
    return (parameters.prob_pollution_growth, parameters.prob_fruit_growth) != (1.0, 1.0)


@lru_cache(maxsize=16)
def kept_outcomes(parameters: Parameters) -> Outcomes:
    """Return the outcomes kept under these parameters, the same dictionary in all environments."""
    del parameters  # what the cache goes by
    return {}


def find_outcome(
    kept: Outcomes, state: CleanupState, actions: tuple[int, ...], parameters: Parameters
) -> Outcome:
    """Ask the rule book what follows where no dice are needed, and keep its answer."""
    outcome = rules.step(state, actions, _ANY_DICE, parameters)
    if len(kept) < MOST_KEPT:
        kept[state, actions] = outcome
    return outcome
