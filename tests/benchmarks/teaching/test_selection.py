"""Filters: what they take and refuse, how much they took; what is drawn of an episode."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stored_episodes import make_kept

from agents.lm.pairs import Pair
from benchmarks.suite import Suite
from benchmarks.teaching.questions import Asked
from benchmarks.teaching.selection import (
    Selection,
    check_filters,
    draw_questions,
    marked,
    parse_filter,
)
from cleanup_icn import ConfigError

ROW = replace(make_kept().row, policy="trained/3", measures={"efficiency": 0.5})


def asked(choice="a", **values):
    """Make a question from what a test cares about."""
    told = {
        "arena": "a",
        "policy": "p",
        "condition": "c",
        "episode": 0,
        "seed": 0,
        "agent": "agent_0",
        "player": "p",
        "step": 0,
        "phase": "play",
        "status": "ok",
        "episode_return": 2.5,
        "return_to_go": 1.0,
        **values,
    }
    return Asked(pair=Pair((), choice), choice=choice, **told)


@pytest.mark.parametrize(
    ("written", "values"),
    [
        ("agent=agent_1", {"agent": "agent_1"}),
        ("player=stub-selfish", {"player": "stub-selfish"}),
        ("persona=selfish", {"player": "stub-selfish"}),
        ("persona=selfish", {"player": "selfish"}),
        ("phase=propose", {"phase": "propose"}),
        ("status=missing", {"status": "missing"}),
        ("return>=3", {"episode_return": 3.0}),
        ("return<=-1.5", {"episode_return": -2.0}),
        ("return=7", {"episode_return": 7.0}),
    ],
)
def test_a_filter_on_questions_takes_those_that_it_names(written, values):
    chosen = parse_filter(written)
    assert chosen.takes(asked(**values))
    assert not chosen.takes(asked())
    assert chosen.takes_episode(ROW)
    assert str(chosen) == written


@pytest.mark.parametrize(
    ("written", "others"),
    [
        (f"arena={ROW.arena}", {"arena": "other"}),
        (f"condition={ROW.contract}", {"contract": "other"}),
        ("policy=trained/3", {"policy": "trained/4"}),
        ("policy=trained", {"policy": "other/3"}),
        ("efficiency>=0.5", {"measures": {"efficiency": 0.49}}),
        ("efficiency<=0.5", {"measures": {"efficiency": None}}),
        ("efficiency>=0", {"measures": {}}),
    ],
)
def test_a_filter_on_episodes_takes_those_that_it_names(written, others):
    chosen = parse_filter(written)
    assert chosen.takes_episode(ROW)
    assert not chosen.takes_episode(replace(ROW, **others))
    assert chosen.takes(asked())


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("status", "KEY=VALUE"),
        ("status=", "KEY=VALUE"),
        ("status!=ok", "KEY=VALUE"),
        ("staus=ok", "did you mean status"),
        ("status=fine", "one of ok, missing"),
        ("phase=talks", "one of play, waiting, propose, respond, discuss, final, vote"),
        ("agent>=agent_1", "only return and efficiency are numbers"),
        ("return>=much", "a number after the operator"),
        ("efficiency=nan", "a number after the operator"),
    ],
)
def test_what_is_no_filter_is_refused_with_what_is_allowed(written, message):
    with pytest.raises(ConfigError, match=message) as refused:
        parse_filter(written)
    assert refused.value.value == written


@pytest.mark.parametrize("key", ["arena", "policy", "condition", "agent", "player", "persona"])
def test_a_name_that_nothing_in_the_runs_goes_by_is_refused(tiny_suite, key):
    with pytest.raises(ConfigError, match=f"a {key} that is one of "):
        check_filters([parse_filter(f"{key}=nobody")], [Suite.of(tiny_suite)])


@pytest.mark.parametrize(
    "written",
    ["policy=stub-erratic", "player=stub-erratic", "persona=erratic", "agent=agent_1", "return=0"],
)
def test_names_of_the_runs_are_taken(tiny_suite, written):
    check_filters([parse_filter(written)], [Suite.of(tiny_suite)])


def test_of_very_many_names_some_are_shown(tiny_suite):
    arenas = tuple(replace(tiny_suite, name=f"world-{n}") for n in range(300))
    suite = replace(Suite.of(tiny_suite), arenas=arenas)
    with pytest.raises(ConfigError, match="one of 300, such as world-0, world-1") as refused:
        check_filters([parse_filter("arena=nowhere")], [suite])
    assert "world-200" not in str(refused.value)


def test_a_selection_says_which_filter_took_how_many():
    selection = Selection([parse_filter(f) for f in ("policy=p", "status=ok", "phase=play")])
    assert [selection.wants(replace(ROW, policy=name)) for name in ("p", "q", "p")] == [
        True,
        False,
        True,
    ]
    both = {"status": "missing", "phase": "propose"}
    kept = [selection.keeps(asked(**values)) for values in ({}, both, {"phase": "propose"})]
    assert kept == [True, False, False]
    assert selection.told() == (
        "3 episodes, policy=p took 1 of them, 3 questions in the others, "
        "status=ok took 1 of them, phase=play took 1 of them"
    )


def test_a_question_is_new_where_its_own_agent_answers_something_else_than_before():
    played = [("x", "a"), ("y", "a"), ("x", "a"), ("y", "b"), ("x", "b"), ("y", "b")]
    found = marked(asked(choice, agent=agent) for agent, choice in played)
    assert [each.is_new for each in found] == [True, True, False, True, True, False]


choices = st.lists(st.sampled_from("ab"), max_size=30)


@given(choices, st.integers(1, 10), st.integers(0, 2**32))
def test_so_many_are_drawn_the_new_ones_first_in_the_order_of_play(played, most, seed):
    episode = marked(asked(choice, step=step) for step, choice in enumerate(played))
    drawn = draw_questions(episode, most, rng=random.Random(seed))
    assert len(drawn) == min(most, len(episode))
    steps = [each.step for each in drawn]
    assert steps == sorted(set(steps))
    new = {each.asked.step for each in episode if each.is_new}
    assert len(new.intersection(steps)) == min(most, len(new))


def test_what_is_drawn_follows_from_the_seed():
    episode = marked(asked("a", step=step) for step in range(50))

    def drawn(seed):
        return [each.step for each in draw_questions(episode, 5, rng=random.Random(seed))]

    assert drawn(1) == drawn(1) != drawn(2)


def test_without_a_bound_all_are_taken():
    episode = marked(asked("a", step=step) for step in range(5))
    assert len(draw_questions(episode, None, rng=random.Random(0))) == 5
