"""How much better than its group an answer did."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.llm import Message
from agents.lm.pairs import Pair
from benchmarks.teaching.credit import advantages_of, discounted, group_advantages
from benchmarks.teaching.questions import Asked

PAIR = Pair((Message("user", "What now?"),), "Action: wait")
VALUES = st.floats(-100.0, 100.0, allow_nan=False)


def asked(**values):
    """One question; what a test does not care about is the same for all."""
    return Asked(
        **{
            "pair": PAIR,
            "choice": PAIR.answer,
            "arena": "a",
            "policy": "p",
            "condition": "c",
            "episode": 0,
            "seed": 0,
            "agent": "agent_0",
            "player": "taught",
            "step": 0,
            "phase": "play",
            "status": "ok",
            "episode_return": 0.0,
            "return_to_go": 0.0,
            **values,
        }
    )


def played(rewards, *, agent="agent_0", **values):
    """The questions of one seat in one episode in which it earned these rewards."""
    return [
        asked(
            agent=agent,
            step=step,
            return_to_go=float(sum(rewards[step:])),
            episode_return=float(sum(rewards)),
            **values,
        )
        for step in range(len(rewards))
    ]


@given(st.lists(st.tuples(VALUES, st.integers(0, 3)), max_size=30))
def test_advantages_of_those_alike_sum_up_to_zero(drawn):
    values, alike = [value for value, _ in drawn], [kind for _, kind in drawn]
    advantages = group_advantages(values, alike)
    for kind in set(alike):
        total = sum(a for a, other in zip(advantages, alike, strict=True) if other == kind)
        assert total == pytest.approx(0.0, abs=1e-6)


@given(
    st.lists(st.tuples(VALUES, st.integers(0, 3)), min_size=2, max_size=30),
    VALUES,
    st.floats(0.5, 10.0),
)
def test_advantages_do_not_depend_on_the_origin_or_the_unit_of_what_is_earned(drawn, shift, unit):
    values, alike = [round(value, 2) for value, _ in drawn], [kind for _, kind in drawn]
    changed = [value * unit + shift for value in values]
    expected = pytest.approx(group_advantages(values, alike), abs=1e-5)
    assert group_advantages(changed, alike) == expected


def test_a_group_without_spread_has_no_advantages():
    same = [question for episode in range(3) for question in played([1.0, 2.0], episode=episode)]
    assert advantages_of(same) == [0.0] * 6
    assert group_advantages([], []) == []


def test_better_episodes_of_a_group_have_higher_advantages():
    group = [*played([0.0, 0.0], episode=0), *played([0.0, 2.0], episode=1)]
    assert advantages_of(group) == [-1.0, -1.0, 1.0, 1.0]


def test_credit_by_step_does_not_count_what_came_before_and_credit_by_episode_does():
    group = [*played([5.0, 0.0], episode=0), *played([0.0, 1.0], episode=1)]
    first, last, _, _ = advantages_of(group, credit="step")
    assert first > 0 > last
    first, last, _, _ = advantages_of(group, credit="episode")
    assert first == last > 0


def test_groups_do_not_mix():
    rich = [
        question
        for episode in range(2)
        for question in played([9.0 + episode], arena="rich", episode=episode)
    ]
    poor = [
        question for episode in range(2) for question in played([0.1 * episode], episode=episode)
    ]
    assert advantages_of([*rich, *poor]) == [-1.0, 1.0, -1.0, 1.0]


def test_seats_are_compared_with_themselves_alone():
    group = []
    for episode, mine in enumerate((0.0, 2.0)):
        group += played([mine], episode=episode, agent="agent_0")
        group += played([10.0 - mine], episode=episode, agent="agent_1")
    assert advantages_of(group) == [-1.0, 1.0, 1.0, -1.0]


def test_where_the_common_good_is_sought_seats_share_what_all_of_them_earn():
    group = []
    for episode, mine in enumerate((0.0, 2.0)):
        group += played([mine], episode=episode, agent="agent_0")
        group += played([5.0 - 2 * mine], episode=episode, agent="agent_1")
    assert advantages_of(group, reward="welfare") == [1.0, 1.0, -1.0, -1.0]


def test_an_answer_that_could_not_be_read_has_a_fixed_advantage_whatever_came_of_it():
    group = [*played([0.0], episode=0), *played([9.0], episode=1, status="missing")]
    assert advantages_of(group, malformed=-2.0)[1] == -2.0
    alone = played([1.0], status="missing")
    assert advantages_of(alone, malformed=-0.5) == [-0.5]


def test_several_questions_in_one_step_are_compared_in_their_order():
    group = []
    for episode in range(2):
        for proposed, phase in ((0, "propose"), (1, "respond")):
            group.append(
                asked(episode=episode, phase=phase, return_to_go=10.0 * proposed + episode)
            )
    assert advantages_of(group) == pytest.approx([-1.0, -1.0, 1.0, 1.0])


@given(st.lists(VALUES, min_size=1, max_size=20), st.floats(0.0, 1.0))
def test_discounted_returns_weigh_each_reward_by_its_distance(rewards, discount):
    to_go = [sum(rewards[step:]) for step in range(len(rewards))]
    expected = [
        sum(reward * discount**ahead for ahead, reward in enumerate(rewards[step:]))
        for step in range(len(rewards))
    ]
    assert discounted(to_go, discount) == pytest.approx(expected, abs=1e-6)


def test_without_discount_returns_to_go_stay_as_they_are():
    assert discounted([6.0, 5.0, 3.0], 1.0) == pytest.approx([6.0, 5.0, 3.0])
    assert discounted([6.0, 5.0, 3.0], 0.0) == pytest.approx([1.0, 2.0, 3.0])
