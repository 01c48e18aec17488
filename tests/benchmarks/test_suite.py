"""Suites: arenas that are played together, and what can be changed about them."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial

import pytest

from benchmarks.kinds import misfits
from benchmarks.model_config import Budget, Table
from benchmarks.seated_training import SeatedTraining
from benchmarks.suite import Suite
from benchmarks.suite_file import suite_named
from cleanup_icn import ConfigError

LLM_VS_PPO = suite_named("llm-vs-ppo")


def test_a_suite_of_one_arena_has_its_name():
    arena = LLM_VS_PPO.arenas[0]
    suite = Suite.of(arena)
    assert (suite.name, suite.arenas, suite.arena(arena.name)) == (arena.name, (arena,), arena)


def test_an_unknown_arena_is_refused_with_the_names_there_are():
    with pytest.raises(ConfigError, match="one of cleanup, negotiation"):
        LLM_VS_PPO.arena("nowhere")


def test_chosen_policies_are_played_in_the_arenas_that_have_them():
    chosen = LLM_VS_PPO.with_policies(["planner", "best-guess"])
    assert [arena.policies for arena in chosen.arenas] == [
        ("planner",),
        ("best-guess", "planner"),
    ]
    only = LLM_VS_PPO.with_policies(["best-guess"])
    assert [arena.name for arena in only.arenas] == ["negotiation"]
    with pytest.raises(ConfigError, match="policies = 'nobody'"):
        LLM_VS_PPO.with_policies(["nobody"])


def test_what_cannot_be_played_is_left_out_everywhere():
    without = LLM_VS_PPO.without(["ppo"])
    assert "ppo" not in without.policies
    assert len(without.arenas) == 2


def test_models_take_the_place_of_the_stubs_in_every_arena(models_of):
    seated = LLM_VS_PPO.with_models(models_of("m"))
    assert all("m" in arena.policies for arena in seated.arenas)
    assert not [name for name in seated.policies if name.startswith("stub-")]


def test_models_are_what_others_are_compared_with_if_the_stubs_in_their_place_were(models_of):
    arena = replace(LLM_VS_PPO.arenas[0], shown_policy="stub-cooperative")
    assert arena.with_models(models_of("m", "other")).shown_policy == "m"
    assert LLM_VS_PPO.arenas[0].with_models(models_of("m")).shown_policy == "contract-follower"


def test_a_model_with_the_name_of_a_lineup_is_refused(models_of):
    lineup = Table(name="m", everyone="planner", seats={"agent_0": "random"})
    arena = replace(LLM_VS_PPO.arenas[0], policies=("m", "planner"), lineups=(lineup,))
    with pytest.raises(ConfigError, match=r"'m': .* a lineup of cleanup is called so"):
        Suite.of(arena).with_models(models_of("m"))


def test_episodes_and_seed_are_changed_in_every_arena_and_only_if_given():
    changed = LLM_VS_PPO.with_run(num_episodes=3, seed=None)
    assert {(arena.num_episodes, arena.seed) for arena in changed.arenas} == {(3, 0)}
    assert LLM_VS_PPO.with_run(num_episodes=None, seed=None) == LLM_VS_PPO


def test_the_budget_is_part_of_what_is_on_record():
    suite = replace(LLM_VS_PPO, budget=Budget(tokens=5))
    told = json.loads(json.dumps(suite.to_dict()))
    assert told["budget"]["tokens"] == 5
    assert Suite.from_dict(told) == suite
    assert Suite.from_dict(told) != LLM_VS_PPO


def test_trainings_of_one_name_in_two_arenas_are_refused_unless_they_are_the_same():
    suite = suite_named("cleanup-icn")

    def seated(in_arena, checkpoint):
        def seat(arena):
            if arena.name != suite.arenas[in_arena].name:
                raise ConfigError("--trained", "learned", "another world")
            files = {"files": ("policy.zip",), "deterministic": False}
            checkpoints = {"0": checkpoint}
            return SeatedTraining(name="learned", contract="none", checkpoints=checkpoints, **files)

        return seat

    first = suite.with_trained(seated(0, "a"))
    with pytest.raises(ConfigError, match="a name that no other training here has"):
        first.with_trained(seated(1, "b"))
    both = first.with_trained(seated(1, "a"))
    assert [len(arena.trained) for arena in both.arenas[:3]] == [1, 1, 0]


def test_a_suite_that_this_version_does_not_write_is_refused():
    for told in ({}, {"name": "x", "description": "", "arenas": [{"game": "chess"}]}):
        with pytest.raises(ConfigError, match="a suite as this version writes it"):
            Suite.from_dict(told)


def test_a_table_sits_in_the_arenas_that_it_fits_alone(models_of):
    tables = [
        {"name": "river", "everyone": "planner", "seats": {"agent_0": "m"}},
        {"name": "talks", "everyone": "boulware", "seats": {"proposer": "m"}},
        {"name": "both", "everyone": "m"},
    ]
    models = models_of("m", tables=tables)
    seated = LLM_VS_PPO.with_models(models, misfits=partial(misfits, models=models))
    found = [[t.name for t in arena.models.tables] for arena in seated.arenas]
    assert found == [["river", "both"], ["talks", "both"]]
    assert [name for name in seated.policies if name in ("river", "talks", "both")] == [
        "river",
        "both",
        "talks",
    ]


def test_a_table_that_fits_nowhere_is_refused(models_of):
    models = models_of("m", tables=[{"name": "t", "everyone": "m", "seats": {"captain": "m"}}])
    with pytest.raises(ValueError, match=r"tables\.t\.captain"):
        LLM_VS_PPO.with_models(models, misfits=partial(misfits, models=models))


def test_an_arena_that_no_table_fits_stays_as_it_was(models_of):
    models = models_of("m", tables=[{"name": "t", "everyone": "m", "seats": {"proposer": "m"}}])
    seated = LLM_VS_PPO.with_models(models, misfits=partial(misfits, models=models))
    assert seated.arenas[0] == LLM_VS_PPO.arenas[0]
    assert "stub-cooperative" not in seated.arenas[1].policies
