"""Small work for executors, and what came of it."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from benchmarks.arena import cells_of
from benchmarks.executors.local import InProcess
from benchmarks.executors.pieces import do_piece
from benchmarks.suite_file import suite_named
from benchmarks.work import Task

VARYING = {"started_at", "ended_at", "wall_s", "latency_s", "cached_tokens"}


@pytest.fixture(scope="session")
def arenas(tiny_suite):
    """Return a small arena of Cleanup and one of negotiation, none of whose policies learns."""
    talks = suite_named("negotiation-smoke").arenas[0]
    return (
        replace(tiny_suite, policies=("all-harvest", "stub-erratic")),
        replace(
            talks,
            policies=("conceder", "stub-erratic"),
            conditions=talks.conditions[:2],
            num_episodes=2,
        ),
    )


@pytest.fixture(scope="session")
def tasks_of():
    """Make the tasks of all cells of some arenas."""

    def make(*arenas, episodes=None):
        return [
            Task(arena=arena, cell=cell, episodes=tuple(episodes or range(arena.num_episodes)))
            for arena in arenas
            for cell in cells_of(arena)
        ]

    return make


@pytest.fixture(scope="session")
def told():
    """Return what is known of episodes but for times and what servers had cached, by key."""

    def tell(kept):
        found = {each.row.key: each for each in kept}
        assert len(found) == len(kept)  # nothing is kept twice
        return {key: (_timeless(vars(e.row)), _timeless(e.record)) for key, e in found.items()}

    return tell


def _timeless(value):
    if isinstance(value, dict):
        return {key: _timeless(inner) for key, inner in value.items() if key not in VARYING}
    return [_timeless(inner) for inner in value] if isinstance(value, list | tuple) else value


@pytest.fixture
def perform(tmp_path, told):
    """Let an executor perform tasks; returns what was kept and what was reported, summed up."""

    def play(executor, tasks, *, keep=lambda kept: None, folder=tmp_path):
        kept, reported = [], {}

        def take(each):
            keep(each)
            kept.append(each)

        def report(kind, amount):
            reported[kind] = reported.get(kind, 0) + amount

        executor.perform(tasks, folder=folder, report=report, keep=take)
        return SimpleNamespace(kept=kept, told=told(kept), reported=reported)

    return play


@pytest.fixture
def alone(perform, tmp_path):
    """Perform tasks in this process, in a folder of its own."""
    return lambda tasks: perform(InProcess(), tasks, folder=tmp_path / "alone")


@pytest.fixture(scope="session")
def carry_out():
    """Carry a plan out in this process, a piece after the other, by workers that may die.

    `dies(piece, number)` says whether the worker dies before it tells the message of this number,
    counted over the whole run. Returns the pieces that were begun.
    """

    def carry(plan, *, dies=lambda piece, number: False):
        begun, number = [], 0
        while not plan.is_stopped and (piece := plan.next_piece()):
            begun.append(piece)
            is_dead = False
            for messages in do_piece(piece.work, piece.files):
                for message in messages:  # of the dead nothing is heard any more
                    number += not is_dead
                    is_dead = is_dead or dies(piece, number)
                    if not is_dead:
                        plan.hear(piece, message)
            (plan.lose if is_dead else plan.end)(piece)
        return begun

    return carry
