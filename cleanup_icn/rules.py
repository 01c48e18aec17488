"""The rule book of Cleanup: one step, scalar and pure.

These lines run interpreted for one environment and are written in the subset that numba compiles
for many. There, what agents do is reckoned with instead of branched on: over thousands of lanes no
processor guesses right what the next agent does. Nothing else in the project knows how the world
moves: environments, solvers and batches call the functions below.

The order inside a step and the sharing of a contested harvest are this project's reading of the
game described in *Iterated contract negotiation in the face of dynamically evolving social
dilemmas*; see ``docs/game.md``.
"""

from __future__ import annotations

from collections.abc import Sequence

from cleanup_icn.state import (
    CLEAN,
    HARVEST,
    MOVE,
    WAIT,
    CleanupState,
    Dice,
    Parameters,
    StepFeatures,
)


def is_legal(action: int, at_shore: bool) -> bool:
    """Whether an agent standing at the shore (or else in the garden) can take this action."""
    in_place = ((action == HARVEST) & (not at_shore)) | ((action == CLEAN) & at_shore)
    return (action == WAIT) | (action == MOVE) | in_place


def take_and_remove(
    pollution: int, fruit: int, num_harvesters: int, num_cleaners: int, parameters: Parameters
) -> tuple[int, int]:
    """Fruit units taken and pollution units removed by all together (rule 3)."""
    taken = min(fruit, parameters.harvest_per_action * num_harvesters)
    removed = min(pollution, parameters.clean_per_action * num_cleaners)
    return taken, removed


def grow(
    pollution: int, fruit: int, pollution_grows: bool, fruit_grows: bool, parameters: Parameters
) -> tuple[int, int]:
    """Pollution and fruit after growth (rules 4 and 5); the flags are what the dice allowed."""
    if pollution_grows:
        pollution = min(pollution + parameters.pollution_growth_per_step, parameters.pollution_max)
    threshold = parameters.pollution_threshold
    if fruit_grows and pollution < threshold:
        growth = parameters.fruit_growth_per_step
        if parameters.is_linear:
            growth = growth * (threshold - pollution) // threshold
        fruit = min(fruit + growth, parameters.fruit_max)
    return pollution, fruit


def step(
    state: CleanupState, actions: Sequence[int], dice: Dice, parameters: Parameters
) -> tuple[CleanupState, StepFeatures]:
    """One simultaneous step: ``actions[i]`` is agent i's, judged from where it stands before.

    An action at the wrong place, or none of the four, is a wait and is reported as illegal.
    """
    movers = harvesters = cleaners = illegal = 0
    num_harvesters = num_cleaners = 0
    for i in range(len(actions)):
        action = actions[i]
        legal = is_legal(action, state.at_shore >> i & 1 != 0)
        harvests = (action == HARVEST) & legal
        cleans = (action == CLEAN) & legal
        movers |= (action == MOVE) << i
        harvesters |= harvests << i
        cleaners |= cleans << i
        illegal |= (not legal) << i
        num_harvesters += harvests
        num_cleaners += cleans

    taken, removed = take_and_remove(
        state.pollution, state.fruit, num_harvesters, num_cleaners, parameters
    )
    pollution, fruit = grow(
        state.pollution - removed,
        state.fruit - taken,
        dice.pollution < parameters.prob_pollution_growth,
        dice.fruit < parameters.prob_fruit_growth,
        parameters,
    )
    features = StepFeatures(
        harvesters=harvesters,
        cleaners=cleaners,
        illegal=illegal,
        harvest_share=taken / max(num_harvesters, 1),
        clean_share=removed / max(num_cleaners, 1),
    )
    return CleanupState(state.at_shore ^ movers, pollution, fruit), features
