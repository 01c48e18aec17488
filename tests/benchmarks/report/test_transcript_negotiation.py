"""Transcripts of negotiations: who said what to whom, and what stayed secret."""

from __future__ import annotations

from dataclasses import replace

import pytest
from built_reports import played, played_and_watched, small_arena

from benchmarks.report.negotiation_transcript import (
    NegotiationTranscripts,
    best_passable,
    deal_of,
)
from benchmarks.report.transcript import END
from negotiation_games.solve import acceptance, score_table

SETTINGS = ("base/cooperative", "base/greedy-veto", "game1/cooperative")


@pytest.fixture(scope="module")
def arena():
    return small_arena("negotiation-smoke", contracts=SETTINGS)


@pytest.fixture(scope="module")
def pairs(arena):
    """A result and its transcript of every cell."""
    writer = NegotiationTranscripts(arena)
    return [(result, writer.of(result, number=k)) for k, result in enumerate(played(arena))]


def test_every_cell_has_a_transcript_that_agrees_with_its_record(pairs, arena):
    assert len(pairs) == len(arena.policies) * len(arena.conditions)
    for result, transcript in pairs:
        *frames, end = transcript.frames
        assert len(frames) == len(result.turns)
        for frame, turn in zip(frames, result.turns, strict=True):
            (act,) = frame.acts
            assert (act.agent, act.status, act.illegal) == (turn.party, turn.status, turn.illegal)
            assert act.said == (turn.public if turn.answer is not None else None)
            assert frame.state["deal"] == turn.deal
        assert end.phase == END
        assert tuple(act.reward for act in end.acts) == result.rewards
        assert not [e for frame in transcript.frames for e in frame.events if "parts" in e]


def test_scores_and_agreement_are_those_of_the_record(pairs):
    for result, transcript in pairs:
        for frame, turn in zip(transcript.frames, result.turns, strict=False):
            if turn.deal is None:
                assert frame.state["scores"] is None
                continue
            scores = frame.state["scores"]
            assert scores[turn.party] == turn.own_score
            assert sum(scores.values()) / len(scores) == turn.collective_score
            assert sum(frame.state["agree"].values()) == turn.agreeing


@pytest.mark.parametrize("policy", ["best-guess", "stub-erratic"])
def test_parties_saw_what_they_were_shown_when_they_played(arena, policy):
    result, watched = played_and_watched(arena, policy, "base/greedy-veto")
    transcript = NegotiationTranscripts(arena).of(result, number=0)
    saw = [
        {act.agent: f"{transcript.rules[act.agent]}\n\n{act.saw}"}
        for frame in transcript.frames[1:-1]
        for act in frame.acts
    ]
    assert saw == watched


def test_no_sheet_is_in_what_another_party_saw(pairs, arena):
    for result, transcript in pairs:
        game = arena.condition(result.contract).load()
        sheets = {name: _secret_lines(transcript.rules[name]) for name in game.party_names}
        for frame in transcript.frames:
            for act in frame.acts:
                for other, secrets in sheets.items():
                    if other != act.agent:
                        assert not [line for line in secrets if line in (act.saw or "")]
                        shown = transcript.rules[act.agent]
                        assert f"You are {other}." not in shown


def test_a_scratchpad_is_thought_and_never_said(pairs):
    thoughts = 0
    for result, transcript in pairs:
        for frame, turn in zip(transcript.frames, result.turns, strict=False):
            (act,) = frame.acts
            if turn.scratchpad and turn.status == "ok":
                thoughts += 1
                assert act.thought.startswith(turn.scratchpad)
                assert turn.scratchpad not in (act.said or "")
    assert thoughts > 100


def test_an_answer_that_could_not_be_read_is_kept_whole(pairs):
    found = [
        (act.thought, turn.answer)
        for result, transcript in pairs
        for frame, turn in zip(transcript.frames, result.turns, strict=False)
        for act in frame.acts
        if turn.answer is not None and turn.status != "ok"
    ]
    assert found
    assert all(thought == answer for thought, answer in found)


def test_the_series_tell_the_game(pairs, arena):
    result, transcript = pairs[0]
    game = arena.condition(result.contract).load()
    series = transcript.series
    assert [turn["frame"] for turn in series["turns"]] == list(range(len(result.turns)))
    assert [party["threshold"] for party in series["parties"]] == game.thresholds.tolist()
    assert series["proposer"] == result.proposer
    deal = deal_of(result.deal)
    for party in game.parties:
        points = sum(
            issue["options"][option]["scores"][party.name]
            for issue, option in zip(series["issues"], deal, strict=True)
        )
        assert points == party.score(deal)


def test_the_best_deal_passes_and_no_passable_one_is_better(arena):
    game = arena.conditions[0].load()
    best = best_passable(game)
    table = score_table(game)
    passable = table[acceptance(game, table).passable]
    assert best["mean of all"] * game.num_parties == pytest.approx(passable.sum(axis=1).max())
    assert game.scores(deal_of(best["deal"])) in set(map(tuple, passable.tolist()))


def test_parties_with_other_aims_are_named(pairs):
    transcript = next(t for r, t in pairs if r.contract == "base/greedy-veto")
    players = {agent.role: agent.player for agent in transcript.agents if agent.role}
    assert players["p2: nothing passes without it"].endswith(" (greedy)")
    assert not players["p1: opens and makes the final proposal"].endswith(")")


@pytest.mark.parametrize("change", [{"public": "something else"}, {"deal": "A1,B1,C1,D1,E1"}])
def test_a_replay_that_parts_from_its_record_says_where_and_goes_on(arena, change):
    one = replace(arena, policies=("stub-cooperative",), conditions=arena.conditions[:1])
    (result,) = played(one)
    turns = (*result.turns[:5], replace(result.turns[5], **change), *result.turns[6:])
    transcript = NegotiationTranscripts(one).of(replace(result, turns=turns), number=0)
    parted = [k for k, f in enumerate(transcript.frames) if any("parts" in e for e in f.events)]
    assert parted == [5]
    saw = [frame.acts[0].saw is not None for frame in transcript.frames[1:-1]]
    assert saw == [True] * 4 + [False] * (len(saw) - 4)


def test_another_end_than_the_recorded_one_is_told(arena):
    one = replace(arena, policies=("planner",), conditions=arena.conditions[:1])
    (result,) = played(one)
    wrong = replace(result, rewards=tuple(reward + 1 for reward in result.rewards))
    transcript = NegotiationTranscripts(one).of(wrong, number=0)
    assert any("rewards" in event for event in transcript.frames[-1].events)


def _secret_lines(rules):
    """Return the lines of a sheet that say what the party has."""
    return [line for line in rules.splitlines() if line.startswith(("Your scores", "Your minimum"))]
