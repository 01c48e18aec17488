"""How suites of lessons and of examinations are drawn, whatever the game."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.teaching.drawn_suites import DrawnSuites
from benchmarks.teaching.lessons import lessons_named
from cleanup_icn import ConfigError

LESSONS = lessons_named("cleanup-selfish")  # without the kind more-agents
KINDS = lessons_named("cleanup").kinds
ARENA = LESSONS.teaching_suite(episodes=1, seed=0).arenas[0]
SUITES = DrawnSuites(KINDS)
SEEDS = st.integers(0, 2**32)


def arena(draw):
    return replace(ARENA, name=draw.name, seed=draw.seed)


def lessons(episodes, *, draw=arena, seed=0, **told):
    return SUITES.teaching(LESSONS, draw, episodes=episodes, seed=seed, **told)


def examination(kind="taught", episodes=3, *, draw=arena, seed=0):
    return SUITES.examination(LESSONS, kind, draw, episodes=episodes, seed=seed)


def test_suites_say_what_they_are():
    taught, examined = lessons(2), examination("held-out", 2)
    assert (taught.name, taught.description) == ("lessons-cleanup-selfish", LESSONS.description)
    assert [each.name for each in taught.arenas] == ["lesson/0000", "lesson/0001"]
    assert examined.name == "examination-cleanup-selfish-held-out"
    assert examined.description == f"{LESSONS.description} Examined: held-out."
    assert [each.name for each in examined.arenas] == ["held-out/000", "held-out/001"]


@given(SEEDS, SEEDS, st.sampled_from(LESSONS.kinds))
def test_no_lesson_and_no_examination_has_the_same_seed(seed, other, kind):
    assert {each.seed % 2 for each in lessons(3, seed=seed).arenas} == {1}
    assert {each.seed % 2 for each in examination(kind, seed=other).arenas} == {0}


@given(SEEDS)
def test_every_arena_is_drawn_on_its_own_and_a_longer_suite_begins_like_a_shorter(seed):
    def drawn(of, number):
        found = []

        def draw(given_draw):
            found.append((given_draw.seed, given_draw.rng.random()))
            return arena(given_draw)

        of(number, draw=draw, seed=seed)
        return found

    for of in (lessons, lambda number, **told: examination("taught", number, **told)):
        assert drawn(of, 5)[:2] == drawn(of, 2)
        assert len(set(drawn(of, 5))) == 5


@pytest.mark.parametrize(
    "suite", [lessons, lambda episodes, **told: examination("taught", episodes, **told)]
)
@pytest.mark.parametrize(
    ("episodes", "seed", "said"),
    [(0, 0, "episodes = 0"), (True, 0, "episodes = True"), (1, -1, "seed = -1")],
)
def test_numbers_that_cannot_be_are_refused(suite, episodes, seed, said):
    with pytest.raises(ConfigError, match=f"{said}: expected an integer of at least"):
        suite(episodes, seed=seed)


def test_a_kind_that_the_lessons_lack_is_refused_although_the_game_has_it():
    assert "more-agents" in KINDS
    with pytest.raises(ConfigError, match="kind = 'more-agents': expected one of taught, held-out"):
        examination("more-agents")
