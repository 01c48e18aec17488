"""Worlds of Cleanup that are drawn, and contracts that suit them.

A world has 50 steps and these integers, drawn uniformly, ends included:

=============================  ===============  ==================================================
quantity                       taught           held out: one of the first five, at random
=============================  ===============  ==================================================
``pollution_threshold``        6..11, above     12..15
                               what grows
``pollution_growth_per_step``  2..7, at most    8..9, with ``clean_per_action`` up to 12
                               what is cleaned
``fruit_growth_per_step``      2..4             5..6
``harvest_per_action``         4..6             7..8
``clean_per_action``           3..12            13..15
``fruit_regrowth``             step, or linear  as taught
                               where any grows
pollution at the start         0..16 in         as in examinations of taught worlds
                               lessons, 0..5 in
                               examinations
fruit at the start             0..20            as taught
agents                         2, or 3 in 1/4   as taught
change, in 1/2 of the worlds   one, of the      one, of the threshold to 12..15, from a step in
                               threshold to     5..14 or 36..45 on
                               6..11, from a
                               step in 15..35
                               on
announced beforehand           1/4 of changes   as taught
=============================  ===============  ==================================================

In 1/4 of the taught worlds the garden is as rich as that of the preset ``linear``: fruit grows
linearly, by 10..12, one harvest takes 10..12 and the garden holds 24.

With more agents than taught, 4 to 6, one or two must clean: pollution grows by up to twice what one
cleaning removes, but by less than the threshold, or no fruit would ever grow.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from benchmarks.cleanup.arena import Scenario, wage_for_cleaning
from cleanup_icn import CleanupConfig
from cleanup_icn.bots import cleaners_needed
from cleanup_icn.contracts import Contract, Share
from cleanup_icn.icn.bots import fruit_per_step
from cleanup_icn.state import Parameters

Range = tuple[int, int]
"""Least and greatest, ends included."""

TAUGHT: Mapping[str, Range] = MappingProxyType(
    {
        "pollution_threshold": (6, 11),
        "pollution_growth_per_step": (2, 7),
        "fruit_growth_per_step": (2, 4),
        "harvest_per_action": (4, 6),
        "clean_per_action": (3, 12),
    }
)
HELD_OUT: Mapping[str, Range] = MappingProxyType(
    {
        "pollution_threshold": (12, 15),
        "pollution_growth_per_step": (8, 9),
        "fruit_growth_per_step": (5, 6),
        "harvest_per_action": (7, 8),
        "clean_per_action": (13, 15),
    }
)
RICH: Mapping[str, Range] = MappingProxyType(
    {
        "fruit_growth_per_step": (10, 12),
        "harvest_per_action": (10, 12),
        "fruit_max": (24, 24),
    }
)
CHANGES: tuple[Range, ...] = ((15, 35),)
HELD_OUT_CHANGES: tuple[Range, ...] = ((5, 14), (36, 45))
"""Steps from which on a changed threshold may hold."""

LESSON_POLLUTION, EXAMINED_POLLUTION, FRUIT = (0, 16), (0, 5), (0, 20)
"""What there is at the start."""

PROB_RICH, PROB_THREE, PROB_CHANGE, PROB_ANNOUNCED = 0.25, 0.25, 0.5, 0.25
MORE_AGENTS = (4, 6)

WAGES, SHARES = (1, 20), (1, 9)
"""Prices of drawn contracts, in tenths."""


def draw_taught(
    rng: np.random.Generator, *, most_agents: int = 3, prob_change: float = PROB_CHANGE
) -> CleanupConfig:
    """Draw a world as they are taught, for two agents or, where `most_agents` is 3, for three."""
    values: dict[str, Any] = _taught_values(rng)
    if rng.random() < PROB_RICH:
        values |= {name: _draw(rng, limits) for name, limits in RICH.items()}
        values["fruit_regrowth"] = "linear"
    return _changing(rng, values, most_agents=most_agents, prob_change=prob_change)


def draw_held_out(
    rng: np.random.Generator, *, most_agents: int = 3, prob_change: float = PROB_CHANGE
) -> CleanupConfig:
    """Draw a world of which one number, and the moment of a change, is outside what is taught."""
    values = _taught_values(rng)
    outside = list(HELD_OUT)[int(rng.integers(len(HELD_OUT)))]
    values[outside] = _draw(rng, HELD_OUT[outside])
    if outside == "pollution_growth_per_step":
        low, high = values[outside], TAUGHT["clean_per_action"][1]
        values["clean_per_action"] = _draw(rng, (low, high))  # or one could not keep up with it
        values = _with_fruit(values)
    return _changing(
        rng,
        values,
        most_agents=most_agents,
        prob_change=prob_change,
        thresholds=HELD_OUT["pollution_threshold"],
        moments=HELD_OUT_CHANGES,
    )


def draw_many(rng: np.random.Generator) -> CleanupConfig:
    """Draw a world for more agents than taught, of whom one or two must clean."""
    values = {name: _draw(rng, limits) for name, limits in TAUGHT.items()}
    most = min(2 * values["clean_per_action"], TAUGHT["pollution_threshold"][1] - 1)
    growth = _draw(rng, (2, most))
    low = max(growth + 1, TAUGHT["pollution_threshold"][0])
    thresholds = (low, TAUGHT["pollution_threshold"][1])
    values["pollution_growth_per_step"] = growth
    values["pollution_threshold"] = _draw(rng, thresholds)
    return _changing(rng, values | {"num_agents": _draw(rng, MORE_AGENTS)}, thresholds=thresholds)


def scenario_of(config: CleanupConfig, *, pollution: Range) -> Scenario:
    """Return the world with the range its start is drawn from, called by its numbers."""
    p = config.parameters_at(0)
    told = (
        f"{config.num_agents} agents, {config.fruit_regrowth}, threshold {p.pollution_threshold}, "
        f"pollution +{p.pollution_growth_per_step} -{p.clean_per_action}, "
        f"fruit +{p.fruit_growth_per_step} -{p.harvest_per_action}"
    )
    for change in config.schedule:
        announced = "announced " if config.announce_changes else ""
        told += f", {announced}threshold {dict(change.values)['pollution_threshold']}"
        told += f" from step {change.step}"
    return Scenario(name=told, config=config, pollution_initial=pollution, fruit_initial=FRUIT)


def fair_rate(parameters: Parameters, num_agents: int) -> float:
    """Return the wage a unit cleaned under which a steady harvest is split equally.

    That is, of what grows while the river is kept as clean as it can be, those who clean get
    the n-th part each: y * c * (n - 1) / (n * g * (n - c)), where y units of fruit and g of
    pollution grow a step and c of n agents clean; for two y / (2 * g). Rounded up to 0.1.
    """
    growth = parameters.pollution_growth_per_step
    cleaners = cleaners_needed(parameters, num_agents)
    fruit = fruit_per_step(parameters, growth)
    exact = fruit * cleaners * (num_agents - 1) / (num_agents * growth * (num_agents - cleaners))
    return max(1, math.ceil(exact * 10 - 1e-9)) / 10


def fair_rates(config: CleanupConfig) -> list[float]:
    """Return the fair wages of a world, before and after its change, each once, the lowest first.

    The highest pays those who clean enough at any time.
    """
    steps = (0, *config.change_steps)
    return sorted({fair_rate(config.parameters_at(step), config.num_agents) for step in steps})


def draw_wage(rng: np.random.Generator) -> Contract:
    """Draw a wage for cleaning, from 0.1 to 2."""
    return wage_for_cleaning(_draw(rng, WAGES) / 10)


def draw_near_fair(rng: np.random.Generator, config: CleanupConfig) -> Contract:
    """Draw a fair wage of the world, before or after its change, or one that is 0.1 lower."""
    rates = fair_rates(config)
    rate = rates[int(rng.integers(len(rates)))]
    lower = round(rate - 0.1, 1)
    return wage_for_cleaning(lower if lower > 0 and rng.random() < 0.5 else rate)


def draw_share(rng: np.random.Generator) -> Contract:
    """Draw a share of everybody's harvest that goes to the others, from 0.1 to 0.9."""
    fraction = _draw(rng, SHARES) / 10
    return Contract([Share(payer="all", payee="others", of="harvested", fraction=fraction)])


def draw_menu(rng: np.random.Generator, config: CleanupConfig) -> tuple[Contract, ...]:
    """Draw a menu: the world's fair wages, drawn contracts up to 3 to 6 in all, and none."""
    menu = [wage_for_cleaning(rate) for rate in fair_rates(config)]
    size = _draw(rng, (3, 6))
    while len(menu) < size:
        drawn = draw_wage(rng) if rng.random() < 0.7 else draw_share(rng)
        if drawn not in menu:
            menu.append(drawn)
    menu.append(Contract())
    return tuple(menu[i] for i in rng.permutation(len(menu)))


def _changing(
    rng: np.random.Generator,
    values: Mapping[str, Any],
    *,
    most_agents: int = 3,
    prob_change: float = PROB_CHANGE,
    thresholds: Range = TAUGHT["pollution_threshold"],
    moments: tuple[Range, ...] = CHANGES,
) -> CleanupConfig:
    """Draw the rest of a world: its agents where they are not given, and whether it changes."""
    num_agents = 3 if rng.random() < PROB_THREE and most_agents > 2 else 2
    regrowth = ("step", "linear")[int(rng.integers(2))]
    schedule = []
    growth, now = values["pollution_growth_per_step"], values["pollution_threshold"]
    if rng.random() < prob_change:
        moment = _draw(rng, moments[int(rng.integers(len(moments)))])
        others = [each for each in _whole(thresholds) if each > growth and each != now]
        if others:
            threshold = others[int(rng.integers(len(others)))]
            schedule = [(moment, {"pollution_threshold": threshold})]
            now = min(now, threshold)
    if values["fruit_growth_per_step"] * (now - growth) < now:
        regrowth = "step"  # where growth is linear no whole fruit would ever grow
    told: dict[str, Any] = {"num_agents": num_agents, "fruit_regrowth": regrowth}
    is_announced = bool(schedule) and bool(rng.random() < PROB_ANNOUNCED)
    told |= {"schedule": schedule, "announce_changes": is_announced, **values}
    return CleanupConfig.create(**told)


def _taught_values(rng: np.random.Generator) -> dict[str, int]:
    values = {name: _draw(rng, limits) for name, limits in TAUGHT.items()}
    # One agent can always keep up with what grows.
    low, high = TAUGHT["pollution_growth_per_step"]
    growth = _draw(rng, (low, min(high, values["clean_per_action"])))
    return _with_fruit(values | {"pollution_growth_per_step": growth})


def _with_fruit(values: dict[str, int]) -> dict[str, int]:
    """Return the values with a threshold above what grows in a step, or no fruit ever would."""
    least = values["pollution_growth_per_step"] + 1
    return values | {"pollution_threshold": max(values["pollution_threshold"], least)}


def _whole(limits: Range) -> range:
    return range(limits[0], limits[1] + 1)


def _draw(rng: np.random.Generator, limits: Range) -> int:
    return int(rng.integers(*limits, endpoint=True))
