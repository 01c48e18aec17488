"""What changes during an episode of Cleanup, and what one step reports.

Everything here is a small tuple of numbers, so that the same values pass through interpreted
Python, through a table of the solver and through compiled code. A *set of agents* is an integer
whose bit ``i`` stands for agent ``i``: ``at_shore = 0b10`` means that agent 1 is at the river.
"""

from __future__ import annotations

from typing import NamedTuple

GARDEN, SHORE = 0, 1
"""The two places; everyone starts in the garden."""

WAIT, MOVE, HARVEST, CLEAN = 0, 1, 2, 3
"""The four actions, in the order of the action space."""

NUM_ACTIONS = 4


class CleanupState(NamedTuple):
    """A state of the game: with the parameters in force it decides all that can follow."""

    at_shore: int  # set of agents at the river shore; the others are in the garden
    pollution: int  # units in the river, 0..pollution_max
    fruit: int  # units in the garden, 0..fruit_max


class Parameters(NamedTuple):
    """The numbers in force during one step: the configuration with its schedule applied."""

    pollution_threshold: int  # fruit grows only while pollution is strictly below this
    pollution_growth_per_step: int  # pollution units gained by the river
    fruit_growth_per_step: int  # fruit units gained by the garden
    harvest_per_action: int  # fruit units one harvester can take
    clean_per_action: int  # pollution units one cleaner can remove
    prob_pollution_growth: float  # probability that pollution grows
    prob_fruit_growth: float  # probability that fruit grows where it may
    pollution_max: int  # pollution units the river holds
    fruit_max: int  # fruit units the garden holds
    is_linear: bool  # fruit grows in proportion to how far pollution is below the threshold


class Dice(NamedTuple):
    """The chances of one step, drawn outside the rules: uniform numbers in [0, 1)."""

    pollution: float
    fruit: float


class StepFeatures(NamedTuple):
    """What happened in one step. Sets are integers, see the module's docstring.

    Each harvester took ``harvest_share`` fruit units, each cleaner removed ``clean_share``
    pollution units; nobody else took or removed anything.
    """

    harvesters: int
    cleaners: int
    illegal: int  # set of agents whose action was not possible where they stood
    harvest_share: float
    clean_share: float
