"""Outcomes kept of steps without dice: the rule book's own, no more than so many."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cleanup_icn
from cleanup_icn import CleanupConfig, outcomes, rules
from cleanup_icn.outcomes import find_outcome, kept_outcomes, needs_dice
from cleanup_icn.state import CleanupState, Dice

PARAMETERS = CleanupConfig().parameters_at(0)


@settings(deadline=None)
@given(
    state=st.builds(CleanupState, st.integers(0, 3), st.integers(0, 30), st.integers(0, 20)),
    actions=st.tuples(st.integers(-2, 5), st.integers(-2, 5)),
    dice=st.builds(Dice, st.floats(0, 1, exclude_max=True), st.floats(0, 1, exclude_max=True)),
)
def test_what_is_kept_is_what_the_rule_book_says_whatever_the_dice(state, actions, dice):
    kept = {}
    found = find_outcome(kept, state, actions, PARAMETERS)
    assert found == rules.step(state, actions, dice, PARAMETERS)
    assert kept == {(state, actions): found}


def test_no_more_than_so_many_outcomes_are_kept(monkeypatch):
    monkeypatch.setattr(outcomes, "MOST_KEPT", 2)
    kept = {}
    for fruit in range(5):
        state = CleanupState(0, 0, fruit)
        found = find_outcome(kept, state, (2, 2), PARAMETERS)
        assert found == rules.step(state, (2, 2), Dice(0.0, 0.0), PARAMETERS)
    assert len(kept) == 2


def test_other_parameters_have_outcomes_of_their_own():
    assert kept_outcomes(PARAMETERS) is kept_outcomes(CleanupConfig().parameters_at(7))
    assert kept_outcomes(PARAMETERS) is not kept_outcomes(PARAMETERS._replace(fruit_max=21))


@pytest.mark.parametrize("name", ["prob_pollution_growth", "prob_fruit_growth"])
def test_a_game_of_chance_asks_the_rule_book_every_time(name):
    env = cleanup_icn.parallel_env(horizon_steps=6, fruit_max=19, **{name: 0.5})
    parameters = env.config.parameters_at(0)
    assert needs_dice(parameters)
    env.reset(seed=0)
    env.step({"agent_0": 2, "agent_1": 1})
    assert not kept_outcomes(parameters)


def test_a_schedule_that_brings_chance_brings_dice():
    change = [(3, {"prob_fruit_growth": 0.5})]
    env = cleanup_icn.parallel_env(schedule=change, pollution_max=29)
    certain, chancy = (env.config.parameters_at(step) for step in (0, 3))
    env.reset(seed=0)
    for _ in range(6):
        env.step({"agent_0": 2, "agent_1": 1})
    assert len(kept_outcomes(certain)) == 3
    assert not kept_outcomes(chancy)
