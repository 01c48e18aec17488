"""Trainings and episodes in pieces, by workers that die, without a cluster."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks import training
from benchmarks.executors.pieces import EPISODE, do_piece
from benchmarks.executors.plans import LearnAndPlay
from benchmarks.work import Training, play_task, trainings_of

needs_ppo = pytest.mark.skipif(not training.is_available(), reason="needs commonweal[ppo]")


@pytest.fixture
def planned(tmp_path, told):
    """Make a plan; also returns what was kept and reported so far."""

    def make(tasks, *, num_workers=2, run=tmp_path):
        kept, reported = [], {}

        def report(kind, amount):
            assert amount > 0
            reported[kind] = reported.get(kind, 0) + amount

        plan = LearnAndPlay(
            tasks, run=run, report=report, keep=kept.append, num_workers=num_workers
        )
        return plan, SimpleNamespace(kept=kept, told=lambda: told(kept), reported=reported)

    return make


@pytest.fixture
def learning(arenas, tasks_of):
    """Return the tasks of a policy that learns and of one that does not, under one contract."""
    arena = arenas[0]
    small = replace(arena, policies=("ppo", "all-harvest"), conditions=arena.conditions[:1])
    return tasks_of(small)


def test_every_episode_is_in_one_piece(arenas, tasks_of, planned):
    tasks = tasks_of(*arenas)
    plan, _ = planned(tasks)
    pieces = list(iter(plan.next_piece, None))
    keys = [
        (piece.wanted.arena.name, piece.wanted.cell, episode)
        for piece in pieces
        for episode in piece.wanted.episodes
    ]
    wanted = [(task.arena.name, task.cell, episode) for task in tasks for episode in task.episodes]
    assert sorted(keys, key=str) == sorted(wanted, key=str)


@pytest.mark.parametrize("num_workers", [1, 2, 50])
def test_there_are_several_pieces_a_worker(num_workers, arenas, tasks_of, planned):
    tasks = tasks_of(replace(arenas[0], num_episodes=100))
    plan, _ = planned(tasks, num_workers=num_workers)
    sizes = [len(piece.wanted.episodes) for piece in iter(plan.next_piece, None)]
    assert max(sizes) <= max(1, sum(sizes) / (8 * num_workers))
    assert len(sizes) >= min(8 * num_workers, sum(sizes))


@pytest.fixture(scope="module")
def short(arenas, tasks_of, told, tmp_path_factory):
    """Return the tasks of some quick episodes, and what comes of them."""
    tasks = tasks_of(replace(arenas[1], policies=("stub-erratic",), num_episodes=5))
    folder = tmp_path_factory.mktemp("short")
    return tasks, told([kept for task in tasks for kept in play_task(task, folder=folder)])


@settings(
    max_examples=10,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(deaths=st.sets(st.integers(1, 20)))
def test_whoever_dies_when_every_episode_is_kept_once(deaths, short, planned, carry_out):
    tasks, expected = short
    plan, so_far = planned(tasks, num_workers=1)
    carry_out(plan, dies=lambda piece, number: number in deaths)
    assert so_far.told() == expected
    assert so_far.reported == {"episodes": len(expected)}


def test_what_a_dead_worker_told_is_not_played_again(arenas, tasks_of, planned, carry_out):
    task = tasks_of(replace(arenas[0], num_episodes=40))[0]
    plan, _ = planned([task], num_workers=1)
    begun = carry_out(plan, dies=lambda piece, number: number == 4)
    assert [len(piece.wanted.episodes) for piece in begun[:1]] == [2]  # of five, three were told
    assert begun[1].work.keywords["task"].episodes == begun[0].wanted.episodes


def test_an_episode_that_comes_twice_is_kept_once(arenas, tasks_of, planned):
    plan, so_far = planned(tasks_of(arenas[0])[:1])
    piece = plan.next_piece()
    messages = [each for batch in do_piece(piece.work, piece.files) for each in batch]
    for message in messages * 2:
        plan.hear(piece, message)
    assert {what for what, *_ in messages} == {EPISODE}
    assert len(so_far.kept) == len(messages) == so_far.reported["episodes"]


def test_what_a_policy_does_not_depend_on_is_played_while_it_learns(learning, planned):
    plan, _ = planned(learning)
    pieces = list(iter(plan.next_piece, None))
    assert [isinstance(piece.wanted, Training) for piece in pieces] == [True, False, False]
    assert {piece.wanted.cell.policy for piece in pieces[1:]} == {"all-harvest"}


@needs_ppo
def test_what_was_learned_in_the_end_comes_into_the_folder_and_is_played(
    learning, planned, carry_out, alone, tmp_path
):
    run = tmp_path / "run"
    plan, so_far = planned(learning, run=run)
    begun = carry_out(plan, dies=lambda piece, number: number == 2)  # after its only rollout
    assert [isinstance(piece.wanted, Training) for piece in begun] == [True, True, *[False] * 4]
    assert begun[0].wanted.is_done(run)
    expected = alone(learning)
    assert so_far.told() == expected.told
    assert so_far.reported == expected.reported
    again, _ = planned(learning, run=run)
    assert not any(isinstance(p.wanted, Training) for p in iter(again.next_piece, None))


@needs_ppo
def test_a_training_goes_on_from_what_a_dead_worker_told(
    learning, planned, carry_out, alone, tmp_path
):
    rollout = 2 * 32 * 50  # agent-steps; a chunk, after which a training can go on, has ten
    tasks = [
        replace(task, arena=replace(task.arena, training_agent_steps=11 * rollout))
        for task in learning
    ]
    run = tmp_path / "run"
    plan, so_far = planned(tasks, run=run)
    made_by = []

    def dies(piece, number):
        made_by.append(piece)
        return number == 13  # when nothing but the end of the training has not been told

    first, second, *_ = carry_out(plan, dies=dies)
    assert (first.wanted, second.wanted) == (tasks[0].trainings[0],) * 2
    assert first.files[0] == {}
    assert {name.rpartition("/")[2] for name in second.files[0]} >= {"last.zip", "last.json"}
    # The second worker makes the last rollout alone; what was made before is not reported again.
    assert (made_by.count(first), made_by.count(second)) == (13, 3)
    assert so_far.reported["agent_steps"] == 11 * rollout
    (wanted,) = trainings_of(tasks)
    assert wanted.is_done(run)
    assert so_far.told() == alone(tasks).told
