"""The social optimum: stated figures, brute force, and play that earns it."""

from __future__ import annotations

from functools import cache
from itertools import product
from statistics import fmean, stdev

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_cleanup import configs

import cleanup_icn
from cleanup_icn import CleanupConfig
from cleanup_icn.bots import planner
from cleanup_icn.observe import view
from cleanup_icn.solve import (
    all_harvest_welfare,
    group_actions,
    one_cleaner_welfare,
    social_optimum,
    welfare_of_counts,
    worlds,
)
from cleanup_icn.state import CLEAN, HARVEST, MOVE, WAIT, CleanupState

settle = settings(deadline=None, max_examples=25)


def optimum(**config):
    return social_optimum(CleanupConfig.create(**config)).welfare


# --- stated figures --------------------------------------------------------------------------


def test_the_default_game_is_worth_157_greed_13_and_one_cleaner_the_optimum():
    config = CleanupConfig()
    assert social_optimum(config).welfare == 157
    assert all_harvest_welfare(config) == 13
    assert one_cleaner_welfare(config) == 157


@pytest.mark.parametrize(
    ("change", "welfare"),
    [
        ({"pollution_growth_per_step": 4}, 81),
        ({"clean_per_action": 2}, 83),
        ({"pollution_threshold": 3}, 10),
        ({"pollution_threshold": 0}, 10),
        ({"pollution_threshold": 4}, 157),
        ({"pollution_threshold": 12}, 157),
    ],
)
def test_a_changed_default_game_is_worth_what_independent_solvers_say(change, welfare):
    assert optimum(**change) == welfare


@pytest.mark.parametrize(
    ("threshold", "welfare"), [(4, 157), (6, 304), (8, 353), (12, 451), (20, 500)]
)
def test_the_linear_preset_is_graded_in_the_threshold(threshold, welfare):
    assert optimum(preset="linear", pollution_threshold=threshold) == welfare


@pytest.mark.parametrize(
    ("threshold", "welfare"),
    [(2, 212), (3, 248), (4, 276), (6, 300), (8, 312), (12, 328), (16, 340)],
)
def test_the_costly_cleaning_preset_is_graded_in_the_threshold(threshold, welfare):
    assert optimum(preset="costly-cleaning", pollution_threshold=threshold) == welfare


@pytest.mark.parametrize("num_agents", [2, 3, 8])
def test_one_cleaner_is_enough_for_any_number_of_agents(num_agents):
    assert optimum(num_agents=num_agents) == 157


# --- brute force -----------------------------------------------------------------------------


def brute_force(config):
    """The best expected welfare over all joint actions of named agents, from the specification."""
    n, horizon = config.num_agents, config.horizon_steps

    def after_growth(pollution, fruit, now):
        p, q = now.prob_pollution_growth, now.prob_fruit_growth
        for rises, grows in product((True, False), repeat=2):
            dirt, food = pollution, fruit
            if rises:
                dirt = min(dirt + now.pollution_growth_per_step, config.pollution_max)
            if grows and dirt < now.pollution_threshold:
                gain = now.fruit_growth_per_step
                if config.fruit_regrowth == "linear":
                    gain = gain * (now.pollution_threshold - dirt) // now.pollution_threshold
                food = min(food + gain, config.fruit_max)
            yield (p if rises else 1 - p) * (q if grows else 1 - q), dirt, food

    @cache
    def best(step, places, pollution, fruit):
        if step == horizon:
            return 0.0
        now = config.parameters_at(step)
        options = [(WAIT, MOVE, CLEAN if place else HARVEST) for place in places]
        worth = []
        for joint in product(*options):
            eaten = min(fruit, now.harvest_per_action * joint.count(HARVEST))
            gone = min(pollution, now.clean_per_action * joint.count(CLEAN))
            moved = tuple(p ^ (a == MOVE) for p, a in zip(places, joint, strict=True))
            ahead = sum(
                chance * best(step + 1, moved, dirt, food)
                for chance, dirt, food in after_growth(pollution - gone, fruit - eaten, now)
                if chance > 0
            )
            worth.append(eaten + ahead)
        return max(worth)

    return best(0, (0,) * n, config.pollution_initial, config.fruit_initial)


@st.composite
def small_configs(draw, *, schedules=True):
    """Games small enough for brute force, stochastic or not; changes are announced."""
    num_agents, horizon = draw(st.sampled_from([(2, 2), (2, 4), (3, 3), (4, 2)]))
    return draw(
        configs(num_agents=num_agents, horizons=(horizon,), schedules=schedules, announced=True)
    )


@settle
@given(config=small_configs())
def test_the_optimum_is_that_of_brute_force_over_all_joint_actions(config):
    assert social_optimum(config).welfare == pytest.approx(brute_force(config))


@settle
@given(config=small_configs())
def test_nobodys_play_beats_the_optimum(config):
    best = social_optimum(config).welfare + 1e-9
    assert all_harvest_welfare(config) <= best
    assert one_cleaner_welfare(config) <= best


# --- from any state --------------------------------------------------------------------------


def test_the_optimum_is_known_from_any_start():
    solved = social_optimum(CleanupConfig())
    for pollution, fruit in [(0, 10), (30, 0), (7, 20)]:
        start = CleanupConfig(pollution_initial=pollution, fruit_initial=fruit)
        assert solved.welfare_from(pollution, fruit) == social_optimum(start).welfare
    with pytest.raises(KeyError):
        solved.welfare_from(31, 0)


def test_a_state_is_worth_what_follows_from_it():
    solved = social_optimum(CleanupConfig())
    start = CleanupState(0, 0, 10)
    assert solved.value(start, 0) == 157
    assert solved.value(CleanupState(0b01, 0, 10), 3) == solved.value(CleanupState(0b10, 0, 10), 3)
    assert solved.value(start, 50) == 0
    assert solved.value(CleanupState(0b11, 0, 20), 49) == 0  # nobody gets back in time
    assert solved.value(CleanupState(0b01, 0, 20), 49) == 4


def test_of_equally_good_joint_actions_the_one_with_fewest_moves_and_waits_is_planned():
    solved = social_optimum(CleanupConfig(num_agents=4))
    # Nothing can be gained any more, so nobody moves, and everyone does what can be done there.
    nothing_left = CleanupState(0b0011, 30, 0)
    assert solved.group_action(nothing_left, 49) == (2, 2, 0, 0)
    # Two harvesters could take the 8 that there are; the third harvests rather than waits.
    assert solved.group_action(CleanupState(0b0001, 30, 8), 49) == (3, 1, 0, 0)


def test_a_joint_action_names_agents_by_index():
    crew = {"num_agents": 5, "pollution_growth_per_step": 6, "fruit_initial": 8}
    solved = social_optimum(CleanupConfig(**crew))
    for at_shore in (0b00000, 0b01010, 0b11000, 0b11111):
        state = CleanupState(at_shore, 4, 8)
        group, joint = solved.group_action(state, 5), solved.joint_action(state, 5)
        garden = [i for i in range(5) if not at_shore >> i & 1]
        shore = [i for i in range(5) if at_shore >> i & 1]
        assert [i for i in garden if joint[i] == HARVEST] == garden[: group.harvesters]
        assert sum(joint[i] == MOVE for i in garden) == group.to_shore
        assert sum(joint[i] == MOVE for i in shore) == group.to_garden
        assert sum(joint[i] == CLEAN for i in shore) == group.cleaners
        movers = [i for i in garden if joint[i] == MOVE]
        assert movers == garden[len(garden) - len(movers) :]


@settle
@given(config=small_configs())
def test_the_optimum_by_step_adds_up_to_the_whole(config):
    solved = social_optimum(config)
    by_step = solved.welfare_by_step(config.pollution_initial, config.fruit_initial)
    assert by_step.shape == (config.horizon_steps,)
    assert by_step.min() >= 0
    assert by_step.sum() == pytest.approx(solved.welfare)


def test_greed_earns_ten_at_once_three_after_it_and_then_nothing():
    config = CleanupConfig(horizon_steps=4)
    welfare = [
        all_harvest_welfare(CleanupConfig(horizon_steps=horizon)) for horizon in (1, 2, 3, 50)
    ]
    # Two harvests of 4 leave 2, and pollution of 3 still lets 3 grow: 8, 5, and no more.
    assert welfare == [8, 13, 13, 13]
    assert welfare_of_counts(config, lambda step: (0, 0)) == 0


def test_chance_is_weighed_in_scripted_play():
    config = CleanupConfig(horizon_steps=2, fruit_initial=0, prob_fruit_growth=0.25)
    assert all_harvest_welfare(config) == 0.75


def test_the_tables_of_values_and_of_what_is_done_can_be_read():
    solved = social_optimum(CleanupConfig(num_agents=4, pollution_growth_per_step=6))
    assert solved.values.shape == (51, 5, len(solved.grid.pairs))
    assert solved.policy.shape == (50, 5, len(solved.grid.pairs))
    for step, at_shore, pair in [(0, 0b0000, (0, 10)), (7, 0b0101, (9, 3)), (49, 0b1111, (30, 20))]:
        state, num_shore = CleanupState(at_shore, *pair), at_shore.bit_count()
        place = step, num_shore, solved.grid.pairs.index(pair)
        assert solved.values[place] == solved.value(state, step)
        done = group_actions(4, num_shore)[solved.policy[place]]
        assert done == solved.group_action(state, step)


def test_a_group_does_any_number_of_everything_where_it_stands():
    assert set(group_actions(2, 1)) == {
        (harvesters, cleaners, to_shore, to_garden)
        for harvesters, cleaners, to_shore, to_garden in product(range(2), repeat=4)
        if harvesters + to_shore <= 1 and cleaners + to_garden <= 1
    }
    assert len(group_actions(8, 4)) == 15 * 15


# --- surprises and announcements -------------------------------------------------------------


@settle
@given(config=small_configs())
def test_a_surprise_is_never_worth_more_than_the_same_change_announced(config):
    surprised = CleanupConfig(**{**config.to_dict(), "announce_changes": False})
    assert social_optimum(surprised).welfare <= social_optimum(config).welfare + 1e-9


@settle
@given(config=small_configs(schedules=False))
def test_without_a_change_there_is_nothing_to_announce(config):
    silent = CleanupConfig(**{**config.to_dict(), "announce_changes": False})
    assert social_optimum(silent).welfare == social_optimum(config).welfare


def test_foresight_of_a_change_is_worth_something():
    # Nothing can be harvested from step 3 on: who knows does not send anyone to clean for later.
    change = {"horizon_steps": 6, "schedule": [(3, {"harvest_per_action": 0})]}
    assert optimum(**change) == 12
    assert optimum(**change, announce_changes=True) == 13


def planned_play(config):
    """Each step's state and welfare when all agents follow the planner."""
    env = cleanup_icn.parallel_env(**config.to_dict())
    env.reset(seed=0)
    plan = planner(config)
    states, earned = [env.cleanup_state], []
    while env.agents:
        state, step = env.cleanup_state, env.num_steps
        seats = {a: view(config, state, step, i) for i, a in enumerate(env.agents)}
        rewards = env.step({agent: plan(seen) for agent, seen in seats.items()})[1]
        states.append(env.cleanup_state)
        earned.append(sum(rewards.values()))
    return states, earned


def test_after_a_surprise_the_optimum_is_resolved_from_the_state_reached():
    linear = {"preset": "linear", "num_agents": 3}
    schedule = [(20, {"pollution_threshold": 12, "clean_per_action": 1})]
    config = CleanupConfig.create(**linear, horizon_steps=50, schedule=schedule)
    states, earned = planned_play(config)
    before = CleanupConfig.create(**linear, horizon_steps=50)
    after = CleanupConfig.create(
        **linear, horizon_steps=30, pollution_threshold=12, clean_per_action=1
    )
    assert (states[:20], earned[:20]) == tuple(part[:20] for part in planned_play(before))
    rest = social_optimum(after).value(states[20], 0)
    assert social_optimum(config).welfare == pytest.approx(sum(earned[:20]) + rest)


TWICE = ((10, {"pollution_threshold": 12}), (30, {"clean_per_action": 2}))
WORLDS = {
    "default": {},
    "five agents": {"num_agents": 5, "pollution_growth_per_step": 6},
    "linear surprise": {"preset": "linear", "num_agents": 3, "schedule": TWICE},
    "linear announced": {"preset": "linear", "schedule": TWICE, "announce_changes": True},
    "costly cleaning": {"preset": "costly-cleaning", "num_agents": 4, "schedule": TWICE},
    "changed at once": {"num_agents": 3, "schedule": ((0, {"harvest_per_action": 1}),)},
}
each_world = pytest.mark.parametrize("world", WORLDS.values(), ids=WORLDS)


@each_world
def test_the_planners_play_earns_exactly_the_optimum(world):
    config = CleanupConfig.create(**world)
    solved = social_optimum(config)
    _, earned = planned_play(config)
    assert sum(earned) == pytest.approx(solved.welfare)
    by_step = solved.welfare_by_step(config.pollution_initial, config.fruit_initial)
    assert by_step == pytest.approx(np.array(earned))


# --- large games -----------------------------------------------------------------------------


@each_world
def test_only_what_can_be_reached_gives_the_same_answer_as_everything(world, monkeypatch):
    config = CleanupConfig.create(**world, horizon_steps=31, pollution_initial=5)
    full = social_optimum(config)
    monkeypatch.setattr(worlds, "FULL_GRID_LIMIT", 0)
    reached = social_optimum(config)
    assert reached.values.shape[2] < full.values.shape[2]
    assert reached.welfare == full.welfare
    state = CleanupState(0, config.pollution_initial, config.fruit_initial)
    assert reached.joint_action(state, 0) == full.joint_action(state, 0)


HARD = {
    "preset": "linear",
    "pollution_threshold": 20,
    "pollution_growth_per_step": 10,
    "harvest_per_action": 3,
}


def test_one_agent_more_is_never_worth_less_and_eight_are_solved():
    worth = [optimum(num_agents=n, **HARD) for n in range(2, 9)]
    assert worth == sorted(worth)
    assert worth[-1] > worth[2] > worth[0]  # there is work for all of them


def test_eight_who_follow_the_plan_earn_the_optimum_whoever_starts_where():
    config = CleanupConfig.create(num_agents=8, **HARD)
    solved = social_optimum(config)
    assert solved.values.shape == (51, 9, 31 * 25)
    _, earned = planned_play(config)
    assert sum(earned) == pytest.approx(solved.welfare)
    states = [CleanupState(at_shore, 7, 12) for at_shore in (0b00000111, 0b10101000, 0b11100000)]
    assert len({solved.value(state, 20) for state in states}) == 1


def test_a_river_too_large_for_every_amount_is_solved_all_the_same():
    large = CleanupConfig(pollution_max=10**6, fruit_max=10**6)
    assert (large.pollution_max + 1) * (large.fruit_max + 1) > worlds.FULL_GRID_LIMIT
    assert social_optimum(large).welfare == one_cleaner_welfare(large) == 157


# --- chance ----------------------------------------------------------------------------------


def test_over_many_stochastic_games_the_planner_earns_the_optimum_on_average():
    config = CleanupConfig(
        horizon_steps=20,
        prob_pollution_growth=0.6,
        prob_fruit_growth=0.5,
        schedule=[(10, {"prob_fruit_growth": 0.9})],
    )
    env, plan = cleanup_icn.parallel_env(**config.to_dict()), planner(config)
    returns = []
    for episode in range(400):
        env.reset(seed=20 if episode == 0 else None)
        welfare = 0.0
        while env.agents:
            state, step = env.cleanup_state, env.num_steps
            joint = {a: plan(view(config, state, step, i)) for i, a in enumerate(env.agents)}
            welfare += sum(env.step(joint)[1].values())
        returns.append(welfare)
    standard_error = stdev(returns) / len(returns) ** 0.5
    assert standard_error > 0
    assert abs(fmean(returns) - social_optimum(config).welfare) < 4 * standard_error
