"""The episode loop and its records."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from agents import Call
from benchmarks.arena import Cell
from benchmarks.cells import play_cell
from benchmarks.cleanup.metrics import efficiency
from benchmarks.cleanup.runner import from_record
from cleanup_icn.contracts import Contract
from cleanup_icn.solve import social_optimum


def play(suite, policy, contract):
    return list(play_cell(suite, Cell(policy=policy, contract=contract)))


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


def test_those_who_solve_the_game_are_seated_like_any_policy(tiny_suite):
    earned = {}
    for policy in ("equilibrium", "equilibrium-haggler", "all-harvest"):
        suite = replace(tiny_suite, policies=(policy,))
        for contract in ("none", "icn"):
            first, again = (play(suite, policy, contract) for _ in range(2))
            assert [each.steps for each in first] == [each.steps for each in again]
            assert sum(step.illegal for each in first for step in each.steps) == 0
            earned[policy, contract] = sum(map(efficiency, first))
        assert all(held["outcome"]["contract"] for held in first[0].negotiations) == (
            policy != "all-harvest"
        )
    assert earned["equilibrium", "icn"] > earned["equilibrium", "none"]
    assert earned["equilibrium", "none"] > earned["all-harvest", "none"]


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


@pytest.mark.parametrize("policy", ["random", "contract-follower", "stub-erratic"])
@pytest.mark.parametrize("contract", ["none", "fixed", "icn"])
def test_a_result_comes_back_from_its_record(policy, contract, tiny_suite):
    (result, _) = play(tiny_suite, policy, contract)
    record = result.to_dict()
    read = from_record(json.loads(json.dumps(record)))
    assert json.dumps(read.to_dict()) == json.dumps(record)
    assert replace(read, negotiations=()) == replace(result, negotiations=())


def test_contracts_in_a_record_stay_json_values(tiny_suite):
    (result, _) = play(tiny_suite, "contract-follower", "icn")
    held = from_record(json.loads(json.dumps(result.to_dict()))).negotiations
    assert held == tuple(result.to_dict()["negotiations"])
    assert all(isinstance(talks["after"], dict) for talks in held)


def test_every_question_to_a_model_is_in_the_record_under_who_was_asked(tiny_suite):
    (result, _) = play(tiny_suite, "stub-erratic", "icn")
    for step in result.steps:
        for said, status, calls in zip(step.answers, step.statuses, step.calls, strict=True):
            assert len(calls) == 1
            assert (calls[-1].text, calls[-1].status, calls[-1].attempts) == (said, status, 1)
            assert calls[-1].prompt_tokens > 0
            assert calls[-1].prompt_key


def test_agents_that_ask_no_model_have_no_calls(tiny_suite):
    (result, _) = play(tiny_suite, "all-harvest", "fixed")
    assert {step.calls for step in result.steps} == {((), ())}


def test_calls_come_back_from_a_record_with_all_they_say(make_result, make_step):
    call = Call(
        text="Action: wait",
        status="missing",
        form="choice",
        prompt_tokens=7,
        completion_tokens=3,
        cached_tokens=None,
        latency_s=0.25,
        attempts=2,
        finish_reason="length",
        left_out=5,
        prompt_key="0123456789abcdef",
    )
    result = make_result(make_step(calls=((call, call), ())))
    assert from_record(json.loads(json.dumps(result.to_dict()))) == result


def test_a_record_without_a_field_is_refused(make_result, make_step):
    record = make_result(make_step()).to_dict()
    del record["steps"][0]["game_rewards"]
    with pytest.raises(ValueError, match="game_rewards"):
        from_record(record)
