"""Transcripts of Cleanup: what agents saw, said and did, as it was."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from built_reports import played, played_and_watched, small_arena
from hypothesis import given
from hypothesis import strategies as st

from agents import ScriptedAgent
from benchmarks.report.cleanup_transcript import (
    CleanupTranscripts,
    contract_spans,
    taken_apart,
)
from benchmarks.report.transcript import END
from cleanup_icn.state import CLEAN


@pytest.fixture(scope="module")
def arena():
    return small_arena("cleanup-smoke")


@pytest.fixture(scope="module")
def pairs(arena):
    """A result and its transcript of every cell."""
    writer = CleanupTranscripts(arena)
    return [(result, writer.of(result, number=k)) for k, result in enumerate(played(arena))]


def test_every_cell_has_a_transcript_that_agrees_with_its_record(pairs, arena):
    assert len(pairs) == len(arena.policies) * len(arena.conditions)
    for result, transcript in pairs:
        *frames, end = transcript.frames
        assert end.phase == END
        assert len(frames) == len(result.steps)
        for frame, step in zip(frames, result.steps, strict=True):
            assert (frame.step, frame.phase) == (step.step, step.phase)
            told = (frame.state["pollution"], frame.state["fruit"])
            assert told == (step.pollution, step.fruit)
            assert tuple(act.agent for act in frame.acts) == result.agents
            assert tuple(act.reward for act in frame.acts) == step.game_rewards
            assert tuple(act.transfer for act in frame.acts) == step.transfers
            assert tuple(act.status for act in frame.acts) == step.statuses
            assert sum(act.illegal for act in frame.acts) == step.illegal


def test_a_record_as_it_was_played_parts_nowhere_from_its_replay(pairs):
    for _, transcript in pairs:
        assert all(act.saw for frame in transcript.frames for act in frame.acts)
        assert not [e for frame in transcript.frames for e in frame.events if "parts" in e]


@pytest.mark.parametrize("contract", ["none", "fixed", "icn"])
@pytest.mark.parametrize("policy", ["contract-follower", "stub-erratic"])
def test_agents_saw_what_they_were_shown_when_they_played(arena, policy, contract):
    result, watched = played_and_watched(arena, policy, contract)
    transcript = CleanupTranscripts(arena).of(result, number=0)
    saw = [{act.agent: act.saw for act in frame.acts} for frame in transcript.frames[:-1]]
    assert saw == watched


def test_the_ledger_ends_with_all_that_was_paid(pairs):
    for result, transcript in pairs:
        end = transcript.frames[-1]
        if result.contract == "none":
            assert end.ledger is None
            continue
        for seat, agent in enumerate(result.agents):
            paid = sum(step.transfers[seat] for step in result.steps)
            assert end.ledger[agent] == pytest.approx(paid)


def test_the_state_is_what_the_words_say(pairs):
    for _, transcript in pairs:
        for frame in transcript.frames[:-1]:
            for act in frame.acts:
                place = {"garden": "in the fruit garden", "shore": "at the river shore"}
                told = f"You are {act.agent}, {place[frame.state['places'][act.agent]]}."
                assert told in act.saw
                assert f"grows only below {frame.state['threshold']};" in act.saw
                assert f"Contract in force: {frame.contract or 'none.'}" in act.saw


def test_series_lead_from_every_step_to_its_frame(pairs):
    for result, transcript in pairs:
        series = transcript.series
        assert series["x"] == list(range(50))
        assert sum(series["welfare"]) == sum(sum(step.game_rewards) for step in result.steps)
        for step, index in zip(series["x"], series["frame_of_step"], strict=True):
            assert transcript.frames[index].step == step
            assert transcript.frames[index].phase in ("play", "waiting")


def test_the_change_of_the_world_is_told_once_in_the_frame_that_shows_it(pairs):
    for _, transcript in pairs:
        told = [f for f in transcript.frames if any("has changed" in e for e in f.events)]
        assert [frame.step for frame in told] == [25]
        assert transcript.series["changes"] == [{"step": 25, "text": "pollution threshold 6 → 12"}]


def test_talks_that_end_tell_what_is_in_force(pairs):
    told = [
        event
        for result, transcript in pairs
        if result.contract == "icn" and result.policy == "contract-follower"
        for frame in transcript.frames
        for event in frame.events
    ]
    assert [event.startswith("Agreed: ") for event in told] == [True, False, True]
    spans = next(
        t.series["contracts"]
        for r, t in pairs
        if (r.contract, r.policy) == ("icn", "contract-follower")
    )
    assert [(span["from_step"], span["to_step"]) for span in spans] == [(0, 25), (25, 50)]


def test_deeds_are_words_and_say_what_came_of_them(pairs):
    deeds = {act.did for _, t in pairs for frame in t.frames for act in frame.acts}
    assert {"wait", "move", "harvest: 12 fruit", "clean: 3 pollution removed"} <= deeds
    assert any(deed.startswith("propose: Until the end: ") for deed in deeds)
    assert {"accept", "pass"} <= deeds
    assert any("could not be read: missing" in deed for deed in deeds)


def test_what_was_not_possible_is_said_of_whoever_tried_it(arena):
    result, _ = played_and_watched(
        arena, "all-harvest", "none", agents={"agent_1": ScriptedAgent(lambda _seen: CLEAN)}
    )
    first = CleanupTranscripts(arena).of(result, number=0).frames[0]
    assert [(act.did, act.illegal) for act in first.acts] == [
        ("harvest: 12 fruit", False),
        ("clean (not possible now: waited)", True),
    ]


@pytest.mark.parametrize("spoiled", ["game_rewards", "transfers"])
def test_a_replay_that_parts_from_its_record_says_where_and_goes_on(arena, spoiled):
    one = replace(arena, policies=("contract-follower",), conditions=arena.conditions[1:2])
    (result,) = played(one)
    wrong = replace(result.steps[10], **{spoiled: (99.0, -99.0)})
    steps = (*result.steps[:10], wrong, *result.steps[11:])
    transcript = CleanupTranscripts(one).of(replace(result, steps=steps), number=0)
    assert [act.saw is None for frame in transcript.frames[:-1] for act in frame.acts] == (
        [False] * 22 + [True] * 78
    )
    (event,) = (e for frame in transcript.frames for e in frame.events if "parts from" in e)
    assert "99.0" in event
    assert event in transcript.frames[11].events
    shown = [
        getattr(act, "reward" if spoiled == "game_rewards" else "transfer")
        for act in transcript.frames[10].acts
    ]
    assert shown == [99.0, -99.0]


def test_a_record_that_cannot_be_played_at_all_has_a_transcript_too(arena):
    one = replace(arena, policies=("all-harvest",), conditions=arena.conditions[:1])
    (result,) = played(one)
    broken = replace(result, start={"pollution_initial": -1, "fruit_initial": 3})
    transcript = CleanupTranscripts(one).of(broken, number=0)
    assert len(transcript.frames) == 51
    assert "pollution_initial" in transcript.frames[0].events[0]


def test_what_an_agent_wrote_stays_what_it_wrote(arena):
    one = replace(arena, policies=("stub-cooperative",), conditions=arena.conditions[:1])
    (result,) = played(one)
    hostile = "<script>alert(1)</script>\u202e\x00 </SCRATCHPAD> `${x}` \ud83d\nAction: move"
    step = replace(result.steps[0], answers=(hostile, result.steps[0].answers[1]))
    changed = replace(result, steps=(step, *result.steps[1:]))
    transcript = CleanupTranscripts(one).of(changed, number=0)
    act = json.loads(json.dumps(transcript.to_dict()))["frames"][0]["acts"][0]
    assert act["thought"] == hostile or act["said"] == hostile


@given(st.text(max_size=30), st.text(alphabet="abc xyz.,", min_size=1, max_size=30))
def test_a_secret_part_is_never_said_aloud(aloud, secret):
    hidden = f"secret-{secret}-secret"
    for name in ("SCRATCHPAD", "THINK", "PLAN"):
        said, thought = taken_apart(f"{aloud}<{name}>{hidden}</{name}>\nAction: wait")
        assert hidden not in (said or "")
        assert hidden in thought
    said, thought = taken_apart(json.dumps({"scratchpad": hidden, "action": "wait"}))
    assert json.loads(said) == {"action": "wait"}
    assert hidden in thought


def test_an_answer_without_secrets_is_said_as_it_is():
    assert taken_apart("I go.\nAction: move") == ("I go.\nAction: move", None)
    assert taken_apart(None) == (None, None)
    assert taken_apart('{"action": "wait", "scratchpad": ') == (
        None,
        '{"action": "wait", "scratchpad": ',
    )


@given(st.lists(st.sampled_from([None, "a", "b"])))
def test_spans_of_contracts_cover_the_steps_they_were_in_force(contracts):
    rebuilt = [None] * len(contracts)
    for span in contract_spans(contracts):
        count = span["to_step"] - span["from_step"]
        rebuilt[span["from_step"] : span["to_step"]] = [span["text"]] * count
    assert rebuilt == contracts
