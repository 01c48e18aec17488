"""Environments that contract conditions make."""

from __future__ import annotations

import pickle

import pytest

from benchmarks.suites import CLEANUP_SMOKE

CONFIG = CLEANUP_SMOKE.scenario.config


@pytest.fixture(params=CLEANUP_SMOKE.conditions, ids=lambda condition: condition.name)
def condition(request):
    return request.param


def test_a_condition_makes_the_world_of_the_scenario(condition):
    assert condition.make_env(CONFIG).unwrapped.config == CONFIG


def test_training_and_evaluation_see_the_same_vector(condition):
    seen, _ = condition.make_env(CONFIG).reset(seed=3)
    vectors, _ = condition.make_env(CONFIG, observation="vector").reset(seed=3)
    assert vectors["agent_1"].tolist() == seen["agent_1"]["observation"].tolist()


def test_a_condition_can_be_sent_to_another_process(condition):
    assert pickle.loads(pickle.dumps(condition)) == condition


def test_wages_settle_in_the_step_in_which_they_are_earned():
    env = CLEANUP_SMOKE.condition("fixed").make_env(CONFIG)
    env.reset(seed=0)
    env.step({"agent_0": 2, "agent_1": 1})
    _, rewards, _, _, infos = env.step({"agent_0": 0, "agent_1": 3})
    assert infos["agent_1"]["transfer"] == infos["agent_1"]["cleaned"] == 3.0
    assert rewards == {"agent_0": -3.0, "agent_1": 3.0}


def test_negotiation_opens_before_the_first_step():
    _, infos = CLEANUP_SMOKE.condition("icn").make_env(CONFIG).reset(seed=0)
    assert infos["agent_0"]["phase"] == "propose"
