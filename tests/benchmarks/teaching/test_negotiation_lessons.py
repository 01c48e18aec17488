"""Lessons of negotiation: what is drawn, who sits where, and that the teacher can be followed."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.arena import cells_of
from benchmarks.cells import play_cell
from benchmarks.lineups import players_of
from benchmarks.statistics import estimate_mean
from benchmarks.suite import Suite
from benchmarks.teaching.lessons import lessons_named
from benchmarks.teaching.negotiation_lessons import (
    BASELINE,
    FEASIBLE,
    HELD_OUT_FEASIBLE,
    KINDS,
    NEGOTIATION,
    RECORD_LINES,
    STRANGERS,
    UNHEARING,
)
from cleanup_icn import ConfigError
from negotiation_games.bots import BOTS
from negotiation_games.policies import words_of
from negotiation_games.reading import parse_observation
from negotiation_games.solve import solve
from negotiation_games.state import Phase

SEEDS = st.integers(0, 2**32)


def only_setting(arena):
    (setting,) = arena.conditions
    return setting


def examined(kind, *, episodes=12, seed=0):
    return NEGOTIATION.examination_suite(kind, episodes=episodes, seed=seed).arenas


def test_they_are_known_by_their_name():
    assert lessons_named("negotiation") is NEGOTIATION
    assert NEGOTIATION.teacher in BOTS
    assert NEGOTIATION.kinds[0] == "taught"


@pytest.mark.parametrize("kind", [None, *KINDS])
def test_a_suite_is_told_in_json_and_follows_from_its_seed(kind):
    def made(seed):
        if kind is None:
            return NEGOTIATION.teaching_suite(episodes=9, seed=seed)
        return NEGOTIATION.examination_suite(kind, episodes=9, seed=seed)

    assert made(3) == made(3) != made(4)
    assert Suite.from_dict(json.loads(json.dumps(made(3).to_dict()))) == made(3)
    assert len({arena.name for arena in made(3).arenas}) == 9
    assert {arena.num_episodes for arena in made(3).arenas} == {1}


@settings(max_examples=25, deadline=None)
@given(taught=SEEDS, tested=SEEDS, kind=st.sampled_from(KINDS))
def test_no_sheet_of_a_lesson_is_ever_examined(taught, tested, kind):
    lessons = NEGOTIATION.teaching_suite(episodes=8, seed=taught).arenas
    examinations = examined(kind, episodes=8, seed=tested)
    for of_arena in (only_setting, lambda arena: arena.seed):
        assert {of_arena(a) for a in lessons}.isdisjoint(map(of_arena, examinations))
    # Not by luck: they are drawn from seeds that cannot be the same.
    assert {a.seed % 2 for a in lessons} == {1}
    assert {a.seed % 2 for a in examinations} == {0}


@pytest.mark.parametrize("kind", KINDS)
def test_sheets_are_as_hard_as_the_kind_says(kind):
    allowed = HELD_OUT_FEASIBLE if kind == "held-out" else FEASIBLE
    assert set(FEASIBLE).isdisjoint(HELD_OUT_FEASIBLE)
    for arena in examined(kind):
        setting = only_setting(arena)
        most = int(setting.game.rpartition("-f")[2].partition("-")[0])
        assert most in allowed
        assert 1 <= solve(setting.load()).feasible <= most


def test_lessons_have_partners_of_all_kinds_and_none_of_the_strangers():
    arenas = NEGOTIATION.teaching_suite(episodes=80, seed=1).arenas
    players = {name for arena in arenas for name in players_of(arena, arena.shown_policy)}
    assert players == {"best-guess", "linear", "amender", "stubborn"}
    assert {arena.partners for arena in examined("partners")} == set(STRANGERS)
    assert players.isdisjoint(STRANGERS)


def test_the_pupil_is_examined_in_the_seats_that_the_kind_says():
    for kind in ("taught", "held-out", "partners"):
        assert {(arena.seat, arena.shown_policy) for arena in examined(kind)} == {
            ("proposer", BASELINE)
        }
    assert {arena.seat for arena in examined("responder")} == {"veto", "Party 3"}
    assert {arena.shown_policy for arena in examined("responder")} == {UNHEARING}


def shown(seen):
    """What is left of the record in a prompt of `RECORD_LINES` lines."""
    return replace(seen, record=seen.record[-RECORD_LINES:])


@settings(max_examples=15, deadline=None)
@given(seed=SEEDS)
def test_the_lines_that_a_pupil_is_shown_have_all_that_the_teacher_goes_by(seed):
    (arena,) = NEGOTIATION.teaching_suite(episodes=1, seed=seed).arenas
    env = only_setting(arena).make_env()
    env.reset(seed=seed)
    rng = np.random.default_rng(seed)
    while not env.terminations[env.agent_selection]:
        seen = parse_observation(words_of(env.observe(env.agent_selection)))
        assert BOTS[NEGOTIATION.teacher](seen) == BOTS[NEGOTIATION.teacher](shown(seen))
        assert seen.phase in (Phase.DISCUSS, Phase.FINAL)
        env.step(int(rng.integers(seen.num_deals)))


def test_every_lesson_is_played_to_its_end():
    for arena in NEGOTIATION.teaching_suite(episodes=8, seed=2).arenas:
        (cell,) = cells_of(arena)
        (result,) = play_cell(arena, cell)
        assert len(result.turns) == 1 + 12 + 1
        assert result.malformed_rate == 0


@pytest.mark.parametrize("kind", ["taught", "held-out"])
def test_the_teacher_agrees_more_often_than_who_hears_nothing_beyond_the_interval(kind):
    gains = []
    for arena in examined(kind, episodes=24, seed=5):
        passed = {
            cell.policy: next(play_cell(arena, cell)).passed
            for cell in cells_of(arena)
            if cell.policy in (NEGOTIATION.teacher, BASELINE)
        }
        gains.append(float(passed[NEGOTIATION.teacher]) - float(passed[BASELINE]))
    assert estimate_mean(gains, seed=0).low > 0


@pytest.mark.parametrize(("episodes", "seed", "wrong"), [(0, 0, "episodes"), (1, -1, "seed")])
def test_wrong_numbers_are_refused_by_name(episodes, seed, wrong):
    for make in (
        NEGOTIATION.teaching_suite,
        lambda **given: NEGOTIATION.examination_suite("taught", **given),
    ):
        with pytest.raises(ConfigError, match=f"{wrong} = "):
            make(episodes=episodes, seed=seed)


def test_an_unknown_kind_is_refused_with_those_there_are():
    with pytest.raises(ConfigError, match="kind = 'hard': expected one of taught, held-out"):
        NEGOTIATION.examination_suite("hard", episodes=1, seed=0)
