"""The episodes of one cell."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.arena import Cell
from benchmarks.cells import play_cell
from cleanup_icn import ConfigError

CELL = Cell(policy="stub-erratic", contract="icn")


def test_all_episodes_are_played_one_after_the_other(tiny_suite):
    played = list(play_cell(tiny_suite, CELL))
    assert [(r.policy, r.contract, r.episode) for r in played] == [
        ("stub-erratic", "icn", 0),
        ("stub-erratic", "icn", 1),
    ]


def test_an_episode_is_the_same_whichever_others_are_played(tiny_suite):
    (alone,) = play_cell(tiny_suite, CELL, episodes=[1])
    assert alone == list(play_cell(tiny_suite, CELL))[1]
    backwards = list(play_cell(tiny_suite, CELL, episodes=[1, 0]))
    assert [r.episode for r in backwards] == [1, 0]
    assert backwards[0] == alone


def test_more_episodes_begin_with_the_same_ones(tiny_suite):
    few = list(play_cell(tiny_suite, CELL))
    more = list(play_cell(replace(tiny_suite, num_episodes=3), CELL))
    assert more[:2] == few
    assert more[2].seed not in {r.seed for r in few}


def test_another_seed_plays_other_episodes(tiny_suite):
    others = list(play_cell(replace(tiny_suite, seed=1), CELL))
    assert [r.start for r in others] != [r.start for r in play_cell(tiny_suite, CELL)]


def test_every_cell_plays_the_same_starts_with_the_same_seeds(tiny_suite):
    first, second = (
        [(r.seed, r.start, r.agent_seeds) for r in play_cell(tiny_suite, cell)]
        for cell in (Cell(policy="all-harvest", contract="none"), CELL)
    )
    assert first == second
    assert first[0] != first[1]


def test_episodes_are_played_when_they_are_asked_for(tiny_suite):
    endless = replace(tiny_suite, num_episodes=10**9)
    assert next(play_cell(endless, CELL)).episode == 0


@pytest.mark.parametrize("policy", ["nobody", "ppo"])
def test_a_policy_that_cannot_play_is_refused_with_those_there_are(policy, tiny_suite):
    with pytest.raises(ConfigError, match="contract-follower"):
        next(play_cell(tiny_suite, Cell(policy=policy, contract="none")))
