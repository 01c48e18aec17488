"""Scripted play: what each bot does where."""

from __future__ import annotations

import pytest

import cleanup_icn
from cleanup_icn import CleanupConfig
from cleanup_icn.bots import (
    BOTS,
    TURN_STEPS,
    clean,
    cleaners_needed,
    cleaners_wanted,
    cooperate_conditionally,
    divide_labour,
    harvest,
    planner,
)
from cleanup_icn.observe import view
from cleanup_icn.state import CLEAN, HARVEST, MOVE, WAIT, CleanupState


def seen_by(agent_index, *, shore=0, pollution=0, step=0, **config):
    """What an agent sees in the game configured, with these agents at the shore."""
    game = CleanupConfig.create(**config)
    return view(game, CleanupState(shore, pollution, game.fruit_initial), step, agent_index)


def returns(bots, **config):
    """Each agent's return when it plays the bot of its index."""
    env = cleanup_icn.parallel_env(**config)
    env.reset(seed=0)
    earned = dict.fromkeys(env.agents, 0.0)
    while env.agents:
        seats = [
            view(env.config, env.cleanup_state, env.num_steps, i) for i in range(len(env.agents))
        ]
        actions = {a: bots[i](seats[i]) for i, a in enumerate(env.agents)}
        for agent, reward in env.step(actions)[1].items():
            earned[agent] += reward
    return earned


def test_a_harvester_harvests_and_leaves_the_shore_to_do_so():
    assert harvest(seen_by(0)) == HARVEST
    assert harvest(seen_by(0, shore=0b01)) == MOVE


def test_a_cleaner_goes_to_the_shore_cleans_and_waits_by_a_clear_river():
    assert clean(seen_by(1, pollution=3)) == MOVE
    assert clean(seen_by(1, shore=0b10, pollution=3)) == CLEAN
    assert clean(seen_by(1, shore=0b10, pollution=0)) == WAIT


@pytest.mark.parametrize(
    ("config", "needed"),
    [
        ({}, 1),
        ({"num_agents": 5, "pollution_growth_per_step": 7}, 3),
        ({"num_agents": 5, "pollution_growth_per_step": 7, "prob_pollution_growth": 0.5}, 2),
        ({"num_agents": 3, "pollution_growth_per_step": 30}, 2),
        ({"pollution_growth_per_step": 0}, 0),
        ({"prob_pollution_growth": 0.0}, 0),
        ({"clean_per_action": 0}, 0),
    ],
)
def test_as_many_must_clean_as_keep_up_with_pollution_but_not_all(config, needed):
    game = CleanupConfig(**config)
    assert cleaners_needed(game.parameters_at(0), game.num_agents) == needed


@pytest.mark.parametrize(
    ("pollution", "wanted"), [(0, 1), (3, 1), (4, 2), (6, 2), (7, 3), (12, 4), (13, 5), (30, 5)]
)
def test_while_there_is_a_backlog_helpers_of_the_next_lower_index_are_sent(pollution, wanted):
    seats = [seen_by(i, num_agents=5, pollution=pollution) for i in range(5)]
    assert cleaners_wanted(seats[0]) == wanted
    sent = [i for i, seen in enumerate(seats) if divide_labour(seen) == MOVE]
    assert sent == list(range(5 - wanted, 5))


def test_nobody_is_sent_where_cleaning_removes_nothing():
    seats = [seen_by(i, pollution=20, clean_per_action=0) for i in range(2)]
    assert [divide_labour(seen) for seen in seats] == [HARVEST, HARVEST]


def test_divided_labour_sends_those_on_duty_to_the_river_and_no_one_else():
    crew = {"num_agents": 3, "pollution": 3}
    assert [divide_labour(seen_by(i, **crew)) for i in range(3)] == [HARVEST, HARVEST, MOVE]
    at_work = [divide_labour(seen_by(i, shore=0b100, **crew)) for i in range(3)]
    assert at_work == [HARVEST, HARVEST, CLEAN]


def test_divided_labour_follows_a_change_of_the_world():
    crew = {"num_agents": 3, "schedule": [(5, {"pollution_growth_per_step": 6})]}
    assert divide_labour(seen_by(1, step=4, **crew)) == HARVEST
    assert divide_labour(seen_by(1, step=5, **crew)) == MOVE


def test_divided_labour_repairs_a_river_that_was_left():
    earned = returns([divide_labour] * 3, num_agents=3, pollution_initial=30, fruit_initial=0)
    # One cleaner alone would keep pace with pollution and never bring it down.
    assert sum(earned.values()) > 80


def test_divided_labour_earns_the_default_optimum_and_its_cleaner_nothing():
    assert returns([divide_labour] * 2) == {"agent_0": 157.0, "agent_1": 0.0}


def test_conditional_cooperators_go_round_by_turns():
    for turn in range(4):
        on_turn = [
            cooperate_conditionally(seen_by(i, num_agents=3, step=turn * TURN_STEPS))
            for i in range(3)
        ]
        assert on_turn.index(MOVE) == turn % 3
        assert on_turn.count(HARVEST) == 2


def test_a_conditional_cooperator_stays_at_the_river_until_it_is_relieved():
    later = {"step": TURN_STEPS, "pollution": 3}
    assert cooperate_conditionally(seen_by(0, shore=0b01, **later)) == CLEAN
    assert cooperate_conditionally(seen_by(0, shore=0b11, **later)) == MOVE


def test_a_conditional_cooperator_refuses_its_turn_if_the_others_let_the_river_go():
    # At 8 one step's pollution less is 5, and fruit could grow; at 9 it is 6, and it could not.
    assert cooperate_conditionally(seen_by(0, pollution=8)) == MOVE
    assert cooperate_conditionally(seen_by(0, pollution=9)) == HARVEST
    assert cooperate_conditionally(seen_by(0, shore=0b01, pollution=9)) == CLEAN


def test_conditional_cooperators_share_the_burden_among_themselves():
    earned = returns([cooperate_conditionally] * 2)
    assert min(earned.values()) > 40
    assert sum(earned.values()) > 0.8 * 157


def test_a_conditional_cooperator_does_not_work_for_those_who_never_do():
    # Its turn comes second here, and by then the river is lost: it harvests like the other.
    assert returns([harvest, cooperate_conditionally]) == {"agent_0": 6.5, "agent_1": 6.5}


def test_the_planner_waits_when_the_game_is_over():
    plan = planner(CleanupConfig())
    assert plan(seen_by(0, step=50)) == WAIT


def test_the_planner_sends_the_last_agent_to_clean():
    config = CleanupConfig(num_agents=4)
    plan = planner(config)
    first = [plan(seen_by(i, num_agents=4)) for i in range(4)]
    assert first.count(MOVE) == 1
    assert first[3] == MOVE


def test_bots_are_known_by_name():
    named = [harvest, clean, divide_labour, cooperate_conditionally]
    assert [*BOTS] == ["all-harvest", "cleaner", "division-of-labour", "conditional-cooperator"]
    assert [*BOTS.values()] == named
