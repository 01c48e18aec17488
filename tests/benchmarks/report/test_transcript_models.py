"""Transcripts of episodes in which models speak or judge, written without asking any of them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from built_reports import played, small_arena
from run_folders import kept_in, play_run

from benchmarks.kinds import read_record
from benchmarks.lineups import players_by_seat
from benchmarks.model_config import JudgeSpec
from benchmarks.report.cleanup_transcript import CleanupTranscripts
from benchmarks.report.negotiation_transcript import NegotiationTranscripts
from benchmarks.seated_training import SeatedTraining


@pytest.fixture(scope="module")
def judged(fake_model, models_of, tmp_path_factory):
    """An episode judged by a model, and its arena."""
    models = models_of(
        "wise", tables=[{"name": "mixed", "everyone": "planner", "seats": {"agent_1": "wise"}}]
    )
    models = replace(models, judge=JudgeSpec(model="wise", every_steps=10))
    arena = small_arena("cleanup-smoke", 1, ("stub-cooperative",), ("icn",)).with_models(models)
    out = tmp_path_factory.mktemp("run")
    play_run(arena, out, clients={"wise": fake_model(garbled=0.2)})
    kept = next(k for k in kept_in(out) if k.row.contract == "icn-model-judge")
    return read_record(arena, kept.record), arena


def test_a_judges_verdicts_are_told_before_the_step_they_were_given_for(judged):
    result, arena = judged
    transcript = CleanupTranscripts(arena).of(result, number=0)
    told = [
        (frame.step, event)
        for frame in transcript.frames
        for event in frame.events
        if event.startswith("The judge ")
    ]
    assert [step for step, _ in told] == [0, 10, 20, 30, 40]
    assert len(result.judge_calls) == 5
    for (step, event), call in zip(told, result.judge_calls, strict=True):
        assert event.startswith(f"The judge before step {step}: ")
        assert call.text in event
    assert not [e for frame in transcript.frames for e in frame.events if "parts" in e]


def test_every_question_to_a_model_is_in_the_act_that_it_was_asked_for(judged):
    result, arena = judged
    transcript = CleanupTranscripts(arena).of(result, number=0)
    repaired = 0
    for frame, step in zip(transcript.frames, result.steps, strict=False):
        for act, calls in zip(frame.acts, step.calls, strict=True):
            assert [call["text"] for call in act.calls] == [call.text for call in calls]
            assert [call["cached_tokens"] for call in act.calls] == [4] * len(calls)
            assert not [name for call in act.calls for name in call if name == "prompt_key"]
            repaired += len(calls) > 1
    assert repaired


def test_who_played_which_seat_is_told(judged):
    result, arena = judged
    transcript = CleanupTranscripts(arena).of(result, number=0)
    players = {agent.name: agent.player for agent in transcript.agents}
    assert players == {"agent_0": "planner", "agent_1": "wise"}


def test_a_verdict_that_is_not_the_recorded_one_is_where_the_replay_parts(judged):
    result, arena = judged
    other = replace(result, judge_calls=result.judge_calls[:1])
    transcript = CleanupTranscripts(arena).of(other, number=0)
    (parted,) = [f for f in transcript.frames if any("parts from" in e for e in f.events)]
    assert parted.step == 10
    assert all(act.saw is None for act in parted.acts)


def test_a_policy_on_one_seat_is_told_apart_from_its_partners():
    arena = small_arena("negotiation-smoke", 1, ("planner",), ("base/cooperative",))
    seated = replace(arena, seat="proposer", partners="best-guess")
    (result,) = played(seated)
    transcript = NegotiationTranscripts(seated).of(result, number=0)
    players = {agent.name: agent.player for agent in transcript.agents}
    assert players.pop(result.proposer) == "planner"
    assert set(players.values()) == {"best-guess"}


def test_a_training_seed_plays_all_seats():
    trained = SeatedTraining(
        name="my-training.2",
        contract="none",
        files=("policy.zip",),
        deterministic=False,
        checkpoints={"3": "digest"},
    )
    arena = small_arena("cleanup-smoke", 1, ("planner",), ("none",)).with_trained([trained])
    seats = {seat: (seat,) for seat in ("agent_0", "agent_1")}
    players = players_by_seat(arena, "my-training.2/3", seats)
    assert set(players.values()) == {"my-training.2/3"}
