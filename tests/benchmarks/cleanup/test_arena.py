"""The built-in suite, and what a suite is made of."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.cleanup.policies import POLICIES
from benchmarks.model_file import served_model
from benchmarks.suite_file import suite_named
from cleanup_icn import ConfigError

CLEANUP_SMOKE = suite_named("cleanup-smoke").arenas[0]
NEGOTIATION_SMOKE = suite_named("negotiation-smoke").arenas[0]


def test_drawn_starts_stay_in_their_range_and_reach_its_ends():
    rng = np.random.default_rng(0)
    starts = [CLEANUP_SMOKE.scenario.draw_start(rng) for _ in range(500)]
    assert {start["pollution_initial"] for start in starts} == set(range(6))
    assert {start["fruit_initial"] for start in starts} == set(range(25))


def test_the_smoke_suite_changes_the_threshold_by_surprise_halfway():
    scenario = CLEANUP_SMOKE.scenario
    assert scenario.change_step == 25
    assert scenario.config.changed_at(25) == {"pollution_threshold": (6, 12)}
    assert not scenario.config.announce_changes


def test_every_policy_of_the_smoke_suite_exists():
    assert set(CLEANUP_SMOKE.policies) <= set(POLICIES)
    assert CLEANUP_SMOKE.shown_policy in CLEANUP_SMOKE.policies


def test_a_suite_is_written_as_json():
    assert json.loads(json.dumps(CLEANUP_SMOKE.to_dict())) == CLEANUP_SMOKE.to_dict()


def test_a_title_says_once_what_the_world_is_called():
    assert CLEANUP_SMOKE.title == f"{CLEANUP_SMOKE.name}: {CLEANUP_SMOKE.scenario.name}"
    world = replace(CLEANUP_SMOKE.scenario, name="threshold/+4")
    for name in ("threshold/+4", "sets/threshold/+4"):
        assert replace(CLEANUP_SMOKE, name=name, scenario=world).title == name


def test_an_unknown_suite_is_refused_with_the_names_there_are():
    with pytest.raises(ConfigError, match="cleanup-smoke"):
        suite_named("nothing")


SUITES = pytest.mark.parametrize("suite", [CLEANUP_SMOKE, NEGOTIATION_SMOKE], ids=lambda s: s.name)


@SUITES
def test_tables_of_models_take_the_place_of_the_stubs_and_leave_the_rest(suite, models_of):
    told = suite.with_models(models_of("a", "b"))
    stubs = [name for name in suite.policies if name.startswith("stub-")]
    first = suite.policies.index(stubs[0])
    assert told.policies[first : first + 2] == ("a", "b")
    assert [p for p in told.policies if p not in ("a", "b")] == [
        p for p in suite.policies if p not in stubs
    ]
    assert (told.table_names, suite.table_names) == ({"a", "b"}, frozenset())


def test_models_come_last_where_there_is_no_stub(models_of):
    told = replace(CLEANUP_SMOKE, policies=("planner",)).with_models(models_of("m"))
    assert told.policies == ("planner", "m")


@SUITES
def test_chosen_policies_keep_the_order_of_the_suite(suite):
    wanted = [suite.policies[3], suite.policies[0], suite.policies[0]]
    assert suite.with_policies(wanted).policies == (suite.policies[0], suite.policies[3])


@pytest.mark.parametrize("name", ["", "nobody", "Planner", "stub-greedy"])
def test_a_policy_that_a_suite_does_not_have_cannot_be_chosen(name):
    with pytest.raises(ConfigError, match="contract-follower"):
        CLEANUP_SMOKE.with_policies(["planner", name])


def test_a_stub_is_no_policy_any_more_once_models_play(models_of):
    with pytest.raises(ConfigError, match="policies"):
        CLEANUP_SMOKE.with_models(models_of("m")).with_policies(["stub-selfish"])


@SUITES
def test_a_suite_with_models_says_how_they_are_asked_but_not_where_they_are(suite, models_of):
    told = suite.with_models(models_of("m", style="social", max_tokens=99)).to_dict()
    assert json.loads(json.dumps(told)) == told
    assert (told["models"]["m"]["style"], told["models"]["m"]["max_tokens"]) == ("social", 99)
    assert "client" not in told["models"]["m"]
    assert not {"models", "tables", "judge"} & suite.to_dict().keys()


def test_the_same_models_elsewhere_are_the_same_suite(models_of):
    here, there = (
        served_model(base_urls=[f"http://{host}:8000/v1"], model="m", max_in_flight=most)
        for host, most in (("here", 1), ("there", 64))
    )
    assert CLEANUP_SMOKE.with_models(here).to_dict() == CLEANUP_SMOKE.with_models(there).to_dict()


@SUITES
def test_a_suite_with_models_is_sent_to_processes(suite, models_of):
    told = suite.with_models(models_of("m"))
    assert pickle.loads(pickle.dumps(told)) == told


@pytest.mark.parametrize(("name", "value"), [("num_episodes", 0), ("seed", -1), ("seed", True)])
def test_numbers_that_cannot_be_are_refused_by_name(name, value):
    with pytest.raises(ConfigError, match=name):
        replace(CLEANUP_SMOKE, **{name: value})


@pytest.mark.parametrize(
    ("wanted", "shown"),
    [
        (("planner", "contract-follower"), "contract-follower"),
        (("random", "planner"), "planner"),  # the suite's own order
        (("planner", "dry"), "dry"),
    ],
)
def test_the_figure_follows_a_policy_that_is_played_and_a_model_rather_than_a_script(wanted, shown):
    dry = served_model(base_urls=["http://127.0.0.1:1/v1"], model="dry")
    seated = CLEANUP_SMOKE.with_models(dry)
    assert seated.with_policies(wanted).shown_policy == shown
