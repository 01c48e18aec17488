"""The episode loop and its records."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from benchmarks.arena import Cell
from benchmarks.cells import play_cell
from benchmarks.negotiation.runner import from_record
from negotiation_games.game import deal_name
from negotiation_games.log_files import read_record
from negotiation_games.logs import evaluate_sessions


def play(suite, policy, setting):
    return list(play_cell(suite, Cell(policy=policy, contract=setting)))


@pytest.mark.parametrize("policy", ["best-guess", "random", "stub-erratic"])
def test_an_episode_replays_from_its_record_without_agents(policy, tiny_suite):
    result = play(tiny_suite, policy, "base/greedy-veto")[1]
    record = json.loads(json.dumps(result.to_dict()))
    env = tiny_suite.condition("base/greedy-veto").make_env()
    env.reset(seed=record["seed"])
    for turn in record["turns"][1:]:
        party = env.agent_selection
        assert party == turn["party"]
        said, action = turn["answer"], turn["action"]
        env.step(action if said is None else env.parse_answer(party, said).action)
        heard = env.record[-1]
        assert (heard.words, heard.deal and deal_name(heard.deal)) == (turn["public"], turn["deal"])
        assert env.infos[party]["status"] == turn["status"]
    assert list(env.rewards.values()) == record["rewards"]


def test_every_cell_of_a_game_plays_the_same_turn_orders_with_the_same_seeds(tiny_suite):
    first, second = (
        [(r.seed, r.agent_seeds, [turn.party for turn in r.turns]) for r in cell]
        for cell in (
            play(tiny_suite, "planner", "base/cooperative"),
            play(tiny_suite, "stub-erratic", "base/greedy-veto"),
        )
    )
    assert first == second
    assert first[0][2] != first[1][2]


def test_more_episodes_begin_with_the_same_ones(tiny_suite):
    few = play(tiny_suite, "stub-erratic", "base/cooperative")
    more = play(replace(tiny_suite, num_episodes=3), "stub-erratic", "base/cooperative")
    assert more[:2] == few
    assert len({result.seed for result in more}) == 3


def test_a_record_holds_the_whole_negotiation(tiny_suite):
    (result, _) = play(tiny_suite, "best-guess", "base/cooperative")
    opening, final = result.turns[0], result.turns[-1]
    assert len(result.turns) == 4 * len(result.parties) + 2
    assert opening.party == final.party == result.proposer
    assert opening.deal == "A1,B1,C4,D1,E5"
    assert opening.own_score == 100
    assert final.deal == result.deal
    assert result.passed == (len(result.accepted) >= 5)


def test_the_planner_leaves_p1_nothing_to_wish_for(tiny_suite):
    for result in play(tiny_suite, "planner", "base/cooperative"):
        assert (result.passed, result.unanimous, result.regret) == (True, True, 0)
        assert result.rewards[result.parties.index(result.proposer)] == 80


def test_what_stubs_say_is_recorded_with_how_it_was_read(tiny_suite):
    turns = [t for r in play(tiny_suite, "stub-erratic", "base/cooperative") for t in r.turns[1:]]
    statuses = {turn.status for turn in turns}
    assert "ok" in statuses
    assert len(statuses) > 1
    assert all(turn.answer is not None and turn.action is None for turn in turns)
    thought = [turn for turn in turns if turn.scratchpad]
    assert thought
    assert not any(turn.scratchpad in turn.public for turn in thought)


@pytest.mark.parametrize("policy", ["best-guess", "random", "no-communication", "stub-erratic"])
@pytest.mark.parametrize("setting", ["base/cooperative", "base/greedy-veto"])
def test_a_result_comes_back_from_its_record(policy, setting, tiny_suite):
    for result in play(tiny_suite, policy, setting):
        record = json.loads(json.dumps(result.to_dict()))
        read = from_record(record)
        assert read == result
        assert json.dumps(read.to_dict()) == json.dumps(record)


def test_every_question_to_a_model_is_in_the_record_of_its_turn(tiny_suite):
    (result, _) = play(tiny_suite, "stub-erratic", "base/cooperative")
    opening, *turns = result.turns
    assert opening.calls == ()
    assert all(len(turn.calls) == 1 for turn in turns)
    assert all(turn.calls[-1].text == turn.answer for turn in turns)
    assert all(turn.calls[-1].status == turn.status for turn in turns)
    (result, _) = play(tiny_suite, "best-guess", "base/cooperative")
    assert {turn.calls for turn in result.turns} == {()}


def test_recorded_runs_are_read_by_the_evaluation_of_logs(tiny_suite):
    results = play(tiny_suite, "stub-erratic", "base/cooperative")
    game = tiny_suite.condition("base/cooperative").load()
    sessions = [(str(r.episode), read_record(json.loads(json.dumps(r.to_dict())))) for r in results]
    report = evaluate_sessions(sessions, game=game, rules="commonweal")
    assert (report.sessions, report.skipped) == (len(results), 0)
    assert report.final_success.value == sum(r.passed for r in results) / len(results)
    assert report.any_success.value == sum(r.any_success for r in results) / len(results)
    assert report.wrong_deals.value == sum(r.wrong_share for r in results) / len(results)
