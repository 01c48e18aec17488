"""Environments that contract conditions make."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace

import pytest

from benchmarks.cleanup.arena import wage_for_cleaning
from benchmarks.cleanup.conditions import MODEL_JUDGE, Fixed, Negotiated, condition_from_dict
from benchmarks.suite_file import suite_named
from cleanup_icn.contracts import Contract

CLEANUP_SMOKE = suite_named("cleanup-smoke").arenas[0]
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


TWO_CLAUSES = Contract([*wage_for_cleaning(0.5).clauses, *wage_for_cleaning(0.25).clauses])


@pytest.mark.parametrize(
    "written",
    [
        Fixed(name="x", contract=TWO_CLAUSES, settle="episode_end", limited_liability=True),
        Negotiated(
            name="x",
            judge="every:5",
            menu=(Contract(), TWO_CLAUSES),
            initial_contract=wage_for_cleaning(1.0),
            max_rounds=1,
            disagreement="void",
            negotiation_cost_steps=2,
            history=False,
            settle="episode_end",
            limited_liability=True,
        ),
        Negotiated(name="x", judge=MODEL_JUDGE, menu=(Contract(),), ask_every_steps=3),
        *CLEANUP_SMOKE.conditions,
    ],
)
def test_a_condition_comes_back_from_its_record(written):
    assert condition_from_dict(json.loads(json.dumps(written.to_dict()))) == written


def test_a_contract_settles_at_the_end_where_it_says_so():
    late = replace(CLEANUP_SMOKE.condition("fixed"), settle="episode_end")
    env = late.make_env(CONFIG)
    env.reset(seed=0)
    env.step({"agent_0": 2, "agent_1": 1})
    _, rewards, _, _, infos = env.step({"agent_0": 0, "agent_1": 3})
    assert rewards == {"agent_0": 0.0, "agent_1": 0.0}
    assert infos["agent_1"]["accrued"] == 3.0


def test_negotiation_begins_with_its_initial_contract_and_goes_by_its_settings():
    icn = replace(
        CLEANUP_SMOKE.condition("icn"),
        initial_contract=wage_for_cleaning(2.0),
        judge="never",
        disagreement="void",
        max_rounds=1,
        negotiation_cost_steps=4,
        history=False,
    )
    env = icn.make_env(CONFIG)
    _, infos = env.reset(seed=0)
    assert infos["agent_0"]["phase"] == "play"
    assert env.unwrapped.contract == wage_for_cleaning(2.0)
    settings = env.unwrapped.icn
    assert (settings.disagreement, settings.max_rounds, settings.history) == ("void", 1, False)
    assert settings.negotiation_cost_steps == 4


@pytest.mark.parametrize(
    "condition",
    [
        Fixed(name="two", contract=TWO_CLAUSES, settle="episode_end"),
        replace(CLEANUP_SMOKE.condition("icn"), menu=(Contract(), TWO_CLAUSES)),
    ],
    ids=["fixed", "icn"],
)
def test_lanes_to_train_on_see_as_much_as_the_environment_where_contracts_are_longer(condition):
    seen, _ = condition.make_env(CONFIG).reset(seed=3)
    lanes = condition.make_batch(CONFIG, 2)
    assert lanes.observation_size == len(seen["agent_0"]["observation"])
