"""Scripted policies by name: whole episodes in every environment of ours, by words alone."""

from __future__ import annotations

from itertools import product

import pytest

import cleanup_icn
from cleanup_icn import ConfigError, icn
from cleanup_icn.contracts import Contract, ContractWrapper, Share, Wage
from cleanup_icn.policies import (
    FOR_ANY_NUMBER,
    FOR_TWO,
    SCRIPTED,
    UNRELIABLE,
    play_by_words,
    scripted_bot,
    scripted_policy,
)
from cleanup_icn.solve import social_optimum
from cleanup_icn.state import CLEAN, HARVEST, MOVE
from cleanup_icn.text import words_of

GOOD_WAGE = Contract([Wage(payer="others", payee="all", per="cleaned", rate=0.6)])
POOR_WAGE = Contract([Wage(payer="others", payee="all", per="cleaned", rate=0.2)])
EQUAL_SHARES = Contract([Share(payer="all", payee="all", of="harvested", fraction=1.0)])

WORLD = {
    "horizon_steps": 24,
    "prob_fruit_growth": 0.8,
    "schedule": [(9, {"pollution_growth_per_step": 5}), (17, {"clean_per_action": 1})],
}


def plain(**config):
    return cleanup_icn.parallel_env(**config)


def under_a_wage(**config):
    return ContractWrapper(plain(**config), GOOD_WAGE)


def with_talks(**config):
    return icn.parallel_env(judge="every:6", negotiation_cost_steps=1, **config)


def episode(env, policy, *, seed=0):
    """The infos of every step, and the sum of all rewards."""
    observations, infos = env.reset(seed=seed)
    told, welfare = [infos], 0.0
    while env.agents:
        actions = {agent: policy(observations[agent]) for agent in env.agents}
        observations, rewards, _, _, infos = env.step(actions)
        told.append(infos)
        welfare += sum(rewards.values())
    return told, welfare


@pytest.mark.parametrize("make", [plain, under_a_wage, with_talks])
@pytest.mark.parametrize(
    ("name", "num_agents"),
    [*product((*FOR_ANY_NUMBER, *UNRELIABLE), [2, 3, 4, 5]), *product(FOR_TWO, [2])],
)
def test_a_scripted_policy_never_acts_illegally(name, make, num_agents):
    env = make(num_agents=num_agents, **WORLD)
    told, _ = episode(env, scripted_policy(name, env))
    assert told[-1]["agent_0"]["step"] == 24
    assert [i for i, infos in enumerate(told) if any(x["illegal"] for x in infos.values())] == []


@pytest.mark.parametrize("name", SCRIPTED)
def test_words_alone_are_enough(name):
    both, words = plain(**WORLD), plain(observation="text", **WORLD)
    assert deeds(both, scripted_policy(name, both)) == deeds(words, scripted_policy(name, words))


def deeds(env, policy):
    """What everyone harvested and cleaned in each step of an episode."""
    told, _ = episode(env, policy)
    return [[(x["harvested"], x["cleaned"]) for x in infos.values()] for infos in told]


def test_the_planner_earns_the_optimum_from_what_it_reads():
    env = plain(num_agents=3, preset="linear")
    _, welfare = episode(env, scripted_policy("planner", env))
    assert welfare == pytest.approx(social_optimum(env.config).welfare)


@pytest.mark.parametrize(
    ("contract", "action"),
    [(GOOD_WAGE, CLEAN), (EQUAL_SHARES, CLEAN), (POOR_WAGE, MOVE), (Contract(), MOVE)],
)
def test_a_follower_on_duty_cleans_where_the_contract_makes_it_worth_it(contract, action):
    env = ContractWrapper(plain(observation="text"), contract)
    policy = scripted_policy("contract-follower", env)
    env.reset(seed=0)
    observations, *_ = env.step({"agent_0": HARVEST, "agent_1": MOVE})
    assert policy(observations["agent_1"]) == action
    assert policy(observations["agent_0"]) == HARVEST


def test_followers_earn_the_optimum_under_a_fair_wage_and_little_under_none():
    with_wage, without = under_a_wage(), ContractWrapper(plain(), Contract())
    assert episode(with_wage, scripted_policy("contract-follower", with_wage))[1] == 157
    assert episode(without, scripted_policy("contract-follower", without))[1] == 13


def test_only_those_who_bargain_take_part_in_talks():
    said = {}
    for name in SCRIPTED:
        env = icn.parallel_env(horizon_steps=4)
        told, _ = episode(env, scripted_policy(name, env))
        said[name] = {info["said"] for infos in told for info in infos.values()} - {None, "pass"}
    silent = {name for name, words in said.items() if not words}
    assert silent == {"all-harvest", "cleaner", "conditional-cooperator"}


@pytest.mark.parametrize("name", FOR_TWO)
def test_a_policy_for_two_is_refused_where_more_play(name):
    with pytest.raises(ConfigError, match="num_agents = 3: expected 2"):
        scripted_policy(name, plain(num_agents=3))


def test_an_unknown_name_is_refused_with_those_there_are():
    with pytest.raises(ConfigError, match="policy = 'greedy': expected one of all-harvest, "):
        scripted_policy("greedy", plain())


@pytest.mark.parametrize("name", [*UNRELIABLE, *FOR_TWO])
def test_who_is_no_function_of_what_it_sees_is_refused_as_one(name):
    with pytest.raises(ConfigError, match=r"expected one of all-harvest, .*, planner$"):
        scripted_bot(name, plain().config)


@pytest.mark.parametrize("observation", [{"observation": 1}, [0.0, 1.0], None])
def test_an_observation_without_words_is_refused(observation):
    with pytest.raises(ConfigError, match='expected "both" or "text"'):
        words_of(observation)


def test_words_are_found_in_either_kind_of_observation():
    assert words_of({"text": "Pollution 3."}) == words_of("Pollution 3.") == "Pollution 3."


def test_what_is_no_observation_is_an_error_and_not_a_move():
    with pytest.raises(ValueError, match="not an observation of Cleanup"):
        play_by_words("Good morning.", None, talks=False)
