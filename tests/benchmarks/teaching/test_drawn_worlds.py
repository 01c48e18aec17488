"""Drawn worlds and contracts: the ranges stated, and what a fair wage is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.cleanup.arena import wage_for_cleaning
from benchmarks.teaching.drawn_worlds import (
    HELD_OUT,
    RICH,
    TAUGHT,
    draw_held_out,
    draw_many,
    draw_menu,
    draw_share,
    draw_taught,
    draw_wage,
    fair_rate,
    fair_rates,
    scenario_of,
)
from cleanup_icn import CleanupConfig
from cleanup_icn.bots import cleaners_needed
from cleanup_icn.contracts import Contract
from cleanup_icn.icn.bots import fruit_per_step, outlook

SEEDS = st.integers(0, 2**32 - 1)


def within(value, limits):
    return limits[0] <= value <= limits[1]


def drawn(draw, num, **settings):
    return [draw(np.random.default_rng(seed), **settings) for seed in range(num)]


def thresholds_of(config):
    return [dict(change.values)["pollution_threshold"] for change in config.schedule]


@given(SEEDS)
@settings(deadline=None)
def test_a_taught_world_keeps_within_the_ranges_stated(seed):
    config = draw_taught(np.random.default_rng(seed))
    is_rich = config.fruit_max == RICH["fruit_max"][0]
    ranges = {**TAUGHT, **RICH} if is_rich else TAUGHT
    assert all(within(getattr(config, name), limits) for name, limits in ranges.items())
    assert config.fruit_regrowth == "linear" or not is_rich
    assert config.horizon_steps == 50
    assert config.num_agents in (2, 3)
    assert all(within(each, TAUGHT["pollution_threshold"]) for each in thresholds_of(config))
    assert [step for step in config.change_steps if not within(step, (15, 35))] == []
    assert len(config.change_steps) <= 1


@given(SEEDS)
@settings(deadline=None)
def test_a_held_out_world_has_a_number_and_a_moment_outside_of_what_is_taught(seed):
    config = draw_held_out(np.random.default_rng(seed))
    outside = [name for name, limits in TAUGHT.items() if not within(getattr(config, name), limits)]
    assert len(outside) == 1
    assert within(getattr(config, outside[0]), HELD_OUT[outside[0]])
    assert all(within(each, HELD_OUT["pollution_threshold"]) for each in thresholds_of(config))
    assert all(within(step, (5, 14)) or within(step, (36, 45)) for step in config.change_steps)


@given(SEEDS)
@settings(deadline=None)
def test_in_a_world_for_more_one_or_two_must_clean_and_fruit_can_grow(seed):
    config = draw_many(np.random.default_rng(seed))
    assert within(config.num_agents, (4, 6))
    for step in (0, *config.change_steps):
        parameters = config.parameters_at(step)
        assert cleaners_needed(parameters, config.num_agents) in (1, 2)
        assert parameters.pollution_growth_per_step < parameters.pollution_threshold


@given(SEEDS, st.sampled_from([draw_taught, draw_held_out, draw_many]))
@settings(deadline=None)
def test_one_agent_can_always_keep_up_with_its_part_of_the_pollution(seed, draw):
    config = draw(np.random.default_rng(seed))
    cleaners = cleaners_needed(config.parameters_at(0), config.num_agents)
    assert cleaners < config.num_agents
    assert cleaners * config.clean_per_action >= config.pollution_growth_per_step


def test_worlds_come_as_often_as_stated():
    worlds = drawn(draw_taught, 800)
    assert np.mean([each.num_agents == 3 for each in worlds]) == pytest.approx(1 / 4, abs=0.05)
    assert np.mean([bool(each.change_steps) for each in worlds]) == pytest.approx(1 / 2, abs=0.05)
    changing = [each for each in worlds if each.schedule]
    announced = np.mean([each.announce_changes for each in changing])
    assert announced == pytest.approx(1 / 4, abs=0.07)
    assert not any(each.announce_changes for each in worlds if not each.schedule)
    assert {each.fruit_regrowth for each in worlds} == {"step", "linear"}
    assert {each.pollution_threshold for each in worlds} == set(range(6, 12))


def test_every_held_out_number_is_drawn_and_both_kinds_of_moments():
    worlds = drawn(draw_held_out, 200)
    outside = {
        name
        for each in worlds
        for name, limits in TAUGHT.items()
        if not within(getattr(each, name), limits)
    }
    assert outside == set(TAUGHT)
    moments = {step for each in worlds for step in each.change_steps}
    assert min(moments) < 15
    assert max(moments) > 35


def test_a_world_for_two_and_one_that_changes_can_be_asked_for():
    asked = drawn(draw_taught, 40, most_agents=2, prob_change=1.0)
    assert {each.num_agents for each in asked} == {2}
    assert all(each.change_steps for each in asked)


WORLDS = st.builds(
    CleanupConfig,
    num_agents=st.integers(2, 6),
    pollution_threshold=st.integers(5, 14),
    pollution_growth_per_step=st.integers(2, 6),
    fruit_growth_per_step=st.integers(2, 6),
    clean_per_action=st.integers(3, 6),
    fruit_regrowth=st.sampled_from(["step", "linear"]),
)


@given(WORLDS)
@settings(deadline=None)
def test_a_fair_wage_is_the_least_for_which_a_follower_keeps_the_river_as_clean_as_can_be(config):
    p = config.parameters_at(0)
    growth, cleaners = p.pollution_growth_per_step, cleaners_needed(p, config.num_agents)
    cleanest = growth if growth < p.pollution_threshold else None
    if fruit_per_step(p, growth) == 0 or cleaners * p.clean_per_action < growth:
        return

    def kept_to(tenths):
        return outlook(p, config.num_agents, (wage_for_cleaning(tenths / 10),)).level

    fair = round(fair_rate(p, config.num_agents) * 10)
    assert kept_to(fair) == cleanest
    assert fair == 1 or kept_to(fair - 1) != cleanest


def test_the_fair_wage_of_two_splits_what_grows():
    config = CleanupConfig(fruit_growth_per_step=4, pollution_growth_per_step=2)
    assert fair_rate(config.parameters_at(0), 2) == 1.0
    assert fair_rate(CleanupConfig().parameters_at(0), 2) == 0.5


def test_a_world_has_a_fair_wage_before_and_after_its_change():
    rising = {"fruit_regrowth": "linear", "fruit_growth_per_step": 4, "pollution_threshold": 5}
    config = CleanupConfig(**rising, schedule=[(20, {"pollution_threshold": 10})])
    assert fair_rates(config) == [0.2, 0.4]
    assert fair_rates(CleanupConfig()) == [0.5]


@given(SEEDS)
@settings(deadline=None)
def test_a_menu_has_the_fair_wages_the_null_contract_and_others(seed):
    rng = np.random.default_rng(seed)
    config = draw_taught(rng)
    menu = draw_menu(rng, config)
    assert 4 <= len(menu) <= 7
    assert len(set(menu)) == len(menu)
    assert menu.count(Contract()) == 1
    assert {wage_for_cleaning(rate) for rate in fair_rates(config)} < set(menu)


def test_the_fair_wage_has_no_place_of_its_own_in_menus():
    places = set()
    for seed in range(60):
        menu = draw_menu(np.random.default_rng(seed), CleanupConfig())
        places.add(menu.index(wage_for_cleaning(0.5)))
    assert places >= set(range(5))


def test_prices_are_drawn_in_tenths_over_their_whole_range():
    rng = np.random.default_rng(0)
    rates = {draw_wage(rng).clauses[0].rate for _ in range(400)}
    fractions = {draw_share(rng).clauses[0].fraction for _ in range(200)}
    assert rates == {tenths / 10 for tenths in range(1, 21)}
    assert fractions == {tenths / 10 for tenths in range(1, 10)}


def test_a_scenario_is_called_by_its_numbers_and_starts_in_the_ranges_given():
    changing = CleanupConfig(schedule=[(20, {"pollution_threshold": 9})], announce_changes=True)
    scenario = scenario_of(changing, pollution=(0, 5))
    assert scenario.name == (
        "2 agents, step, threshold 6, pollution +3 -3, fruit +3 -4, "
        "announced threshold 9 from step 20"
    )
    starts = [scenario.draw_start(np.random.default_rng(seed)) for seed in range(300)]
    assert {each["pollution_initial"] for each in starts} == set(range(6))
    assert {each["fruit_initial"] for each in starts} == set(range(21))
