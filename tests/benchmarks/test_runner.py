"""The episode loop and its records."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from benchmarks.metrics import efficiency
from benchmarks.runner import play_cell
from cleanup_icn.contracts import Contract
from cleanup_icn.solve import social_optimum


def play(suite, policy, contract):
    return list(play_cell(suite, policy, suite.condition(contract)))


@pytest.mark.parametrize("contract", ["fixed", "icn"])
def test_an_episode_replays_from_its_record_without_agents(contract, tiny_suite):
    result = play(tiny_suite, "stub-erratic", contract)[1]
    record = json.loads(json.dumps(result.to_dict()))
    env = tiny_suite.condition(contract).make_env(tiny_suite.scenario.config)
    _, infos = env.reset(seed=record["seed"], options=record["start"])
    for step in record["steps"]:
        seen = infos["agent_0"]
        assert (seen["pollution"], seen["fruit"]) == (step["pollution"], step["fruit"])
        actions = [Contract.from_dict(a) if isinstance(a, dict) else a for a in step["actions"]]
        _, _, _, _, infos = env.step(dict(zip(record["agents"], actions, strict=True)))
        assert [info["game_reward"] for info in infos.values()] == step["game_rewards"]
        assert [info["transfer"] for info in infos.values()] == step["transfers"]
    assert not env.agents


def test_every_cell_plays_the_same_starts_with_the_same_seeds(tiny_suite):
    cells = [
        play(tiny_suite, policy, contract)
        for policy, contract in (("all-harvest", "none"), ("stub-erratic", "icn"))
    ]
    first, second = ([(r.seed, r.start, r.agent_seeds) for r in cell] for cell in cells)
    assert first == second
    assert first[0] != first[1]


def test_another_seed_plays_other_episodes(tiny_suite):
    episodes = play(tiny_suite, "all-harvest", "none")
    others = play(replace(tiny_suite, seed=1), "all-harvest", "none")
    assert [r.start for r in episodes] != [r.start for r in others]


def test_more_episodes_begin_with_the_same_ones(tiny_suite):
    few = play(tiny_suite, "stub-erratic", "fixed")
    more = play(replace(tiny_suite, num_episodes=3), "stub-erratic", "fixed")
    assert more[:2] == few


def test_the_planner_reaches_the_optimum_of_every_start(tiny_suite):
    for result in play(tiny_suite, "planner", "none"):
        config = replace(tiny_suite.scenario.config, **result.start)
        assert sum(result.optimum_by_step) == pytest.approx(social_optimum(config).welfare)
        assert efficiency(result) == pytest.approx(1.0)


def test_malformed_answers_are_recorded_with_what_was_said(tiny_suite):
    steps = [step for result in play(tiny_suite, "stub-erratic", "none") for step in result.steps]
    statuses = {status for step in steps for status in step.statuses}
    assert "ok" in statuses
    assert len(statuses) > 1
    assert all(isinstance(said, str) for step in steps for said in step.answers)


def test_negotiations_are_recorded_with_their_contracts(tiny_suite):
    result = play(tiny_suite, "contract-follower", "icn")[0]
    held = result.to_dict()["negotiations"]
    assert [talks["step"] for talks in held] == [0, 25]
    assert Contract.from_dict(held[-1]["after"]).clauses
