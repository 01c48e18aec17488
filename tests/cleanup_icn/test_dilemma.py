"""The numbers that make Cleanup a dilemma, found by playing it."""

from __future__ import annotations

import pytest

import cleanup_icn

WAIT, MOVE, HARVEST, CLEAN = range(4)


def play(policy, **config):
    """Each agent's return when `policy(agent_index, step)` chooses the actions."""
    env = cleanup_icn.parallel_env(**config)
    env.reset(seed=0)
    returns = dict.fromkeys(env.agents, 0.0)
    step = 0
    while env.agents:
        joint = {agent: policy(i, step) for i, agent in enumerate(env.agents)}
        for agent, reward in env.step(joint)[1].items():
            returns[agent] += reward
        step += 1
    return returns


def everyone_harvests(agent_index, step):
    return HARVEST


def the_last_of_two_cleans(agent_index, step):
    if agent_index == 0:
        return HARVEST
    return MOVE if step == 0 else CLEAN


@pytest.mark.parametrize("num_agents", [2, 3, 8, 16])
def test_when_everyone_harvests_thirteen_is_all_there_is(num_agents):
    returns = play(everyone_harvests, num_agents=num_agents)
    assert sum(returns.values()) == pytest.approx(13)
    assert len(set(returns.values())) == 1


def test_a_permanent_cleaner_earns_the_group_157_and_itself_nothing():
    assert play(the_last_of_two_cleans) == {"agent_0": 157.0, "agent_1": 0.0}


def test_the_cleaner_would_gain_by_harvesting_and_the_group_would_lose():
    cleaning, harvesting = play(the_last_of_two_cleans), play(everyone_harvests)
    assert harvesting["agent_1"] == 6.5 > cleaning["agent_1"]
    assert sum(harvesting.values()) < 0.1 * sum(cleaning.values())


def test_when_everyone_waits_nobody_earns():
    assert play(lambda *_: WAIT) == {"agent_0": 0.0, "agent_1": 0.0}


def test_when_both_clean_nobody_earns():
    returns = play(lambda agent_index, step: MOVE if step == 0 else CLEAN)
    assert returns == {"agent_0": 0.0, "agent_1": 0.0}


@pytest.mark.parametrize("threshold", [1, 2, 3])
def test_up_to_a_threshold_of_three_even_a_cleaner_cannot_make_fruit_grow(threshold):
    assert sum(play(the_last_of_two_cleans, pollution_threshold=threshold).values()) == 10


@pytest.mark.parametrize("threshold", [4, 5, 6, 8, 12])
def test_from_four_to_twelve_the_step_rule_pays_one_cleaner_the_same(threshold):
    assert sum(play(the_last_of_two_cleans, pollution_threshold=threshold).values()) == 157


@pytest.mark.parametrize(
    ("threshold", "welfare"), [(4, 157), (6, 304), (8, 353), (12, 451), (20, 500)]
)
def test_in_the_linear_preset_one_cleaners_worth_is_graded_in_the_threshold(threshold, welfare):
    returns = play(the_last_of_two_cleans, preset="linear", pollution_threshold=threshold)
    assert returns == {"agent_0": float(welfare), "agent_1": 0.0}


def test_in_the_linear_preset_harvesting_alone_ends_at_sixteen():
    # 10 at once; pollution 3 of 6 lets half of 12 grow back, which is taken; then none.
    assert sum(play(everyone_harvests, preset="linear").values()) == 16


@pytest.mark.parametrize(
    ("config", "optimum"),
    [
        ({}, 157),
        ({"pollution_threshold": 3}, 10),
        ({"preset": "linear", "pollution_threshold": 20}, 500),
        ({"preset": "costly-cleaning", "pollution_threshold": 2}, 212),
        ({"preset": "costly-cleaning", "pollution_threshold": 16}, 340),
    ],
)
def test_the_best_plan_by_the_specification_earns_the_stated_optimum(oracle, config, optimum):
    welfare, plan = oracle.best_two_agent_plan(**config)
    assert welfare == optimum
    returns = play(lambda index, step: plan[step][f"agent_{index}"], **config)
    assert sum(returns.values()) == pytest.approx(optimum)


def test_a_mistimed_harvest_is_lost_to_the_cap():
    # Four idle steps behind a clean river fill the garden to 20; from there nothing grows.
    def late_harvester(agent_index, step):
        if agent_index == 1 or step >= 46:
            return the_last_of_two_cleans(agent_index, step)
        return WAIT

    assert play(late_harvester)["agent_0"] == 16.0
