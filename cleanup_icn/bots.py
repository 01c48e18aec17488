"""Scripted play: rules of thumb from what an agent sees to what it does.

A bot is a pure function `View -> action`; it knows no contract (see `cleanup_icn.icn.bots` for
those who follow one).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace

from cleanup_icn.config import CleanupConfig
from cleanup_icn.observe import View
from cleanup_icn.solve import social_optimum
from cleanup_icn.state import CLEAN, HARVEST, MOVE, WAIT, CleanupState, Parameters

Bot = Callable[[View], int]

TURN_STEPS = 10
"""How long a conditional cooperator's turn at the river lasts, in steps."""

RELIEF_STEPS = 2
"""How long it waits after its turn for someone to relieve it, in steps."""


def cleaners_needed(parameters: Parameters, num_agents: int) -> int:
    """Return how many must clean to keep up with pollution, at least one agent left to harvest."""
    growth = parameters.pollution_growth_per_step * parameters.prob_pollution_growth
    if growth == 0 or parameters.clean_per_action == 0:
        return 0
    return min(math.ceil(growth / parameters.clean_per_action), num_agents - 1)


def cleaners_wanted(seen: View) -> int:
    """Return how many should clean now: those needed, and helpers while there is a backlog."""
    if seen.parameters.clean_per_action == 0:
        return 0
    needed = cleaners_needed(seen.parameters, seen.num_agents)
    wanted = math.ceil(seen.pollution / seen.parameters.clean_per_action)
    return min(max(needed, wanted), seen.num_agents)


def harvest(seen: View) -> int:
    """Harvest; go to the garden first if at the shore."""
    return MOVE if seen.is_at_shore else HARVEST


def clean(seen: View) -> int:
    """Clean while there is something to clean; go to the shore first if in the garden."""
    if not seen.is_at_shore:
        return MOVE
    return CLEAN if seen.pollution > 0 else WAIT


def divide_labour(seen: View) -> int:
    """As many clean as the river needs, those of highest index first; the others harvest."""
    is_on_duty = seen.agent_index >= seen.num_agents - cleaners_wanted(seen)
    return clean(seen) if is_on_duty else harvest(seen)


def cooperate_conditionally(seen: View) -> int:
    """Take turns at the river as long as the river shows that the others took theirs.

    Turns of `TURN_STEPS` steps go round by index. Whoever has had its turn stays until someone
    relieves it, but not for more than `RELIEF_STEPS`. Who should go but finds that fruit could not
    grow even if the last step's pollution had been cleaned harvests instead: the others have not
    been there.
    """
    p = seen.parameters
    wanted = cleaners_wanted(seen)
    first = (seen.step // TURN_STEPS) * cleaners_needed(p, seen.num_agents)
    turn = {(first + i) % seen.num_agents for i in range(wanted)}
    if seen.agent_index in turn:
        others_did = seen.pollution < p.pollution_threshold + p.pollution_growth_per_step
        return clean(seen) if seen.is_at_shore or others_did else harvest(seen)
    is_relieved = seen.at_shore.bit_count() > wanted
    waits = seen.step % TURN_STEPS < RELIEF_STEPS and not is_relieved
    return clean(seen) if seen.is_at_shore and waits else harvest(seen)


def planner(config: CleanupConfig) -> Bot:
    """Return the bot that plays its part in the social optimum of this configuration."""
    optimum = social_optimum(config)

    def play(seen: View) -> int:
        nonlocal optimum
        if seen.step >= config.horizon_steps:
            return WAIT
        state = CleanupState(seen.at_shore, seen.pollution, seen.fruit)
        if not optimum.knows(state):  # a large game that began elsewhere than configured
            begun = replace(config, pollution_initial=seen.pollution, fruit_initial=seen.fruit)
            optimum = social_optimum(begun)
        return optimum.joint_action(state, seen.step)[seen.agent_index]

    return play


BOTS: Mapping[str, Bot] = {
    "all-harvest": harvest,
    "cleaner": clean,
    "division-of-labour": divide_labour,
    "conditional-cooperator": cooperate_conditionally,
}
"""Bots that need nothing but what they see, by name."""
