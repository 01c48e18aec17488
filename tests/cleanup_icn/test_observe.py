"""What an agent sees as numbers: the vector entry by entry, its space, and its mask."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cleanup_icn
from cleanup_icn import CleanupConfig, rules
from cleanup_icn.config import SCHEDULED_NAMES
from cleanup_icn.observe import (
    PUBLIC_FEATURES,
    Announcement,
    VectorObserver,
    action_mask,
    agent_names,
    mask_space,
    public_quantities,
    view,
)
from cleanup_icn.state import MOVE, NUM_ACTIONS, WAIT, CleanupState

settle = settings(deadline=None)
STATE = CleanupState(at_shore=0b100, pollution=15, fruit=5)
CHANGING = CleanupConfig(
    num_agents=3,
    horizon_steps=20,
    schedule=[(4, {"harvest_per_action": 2}), (10, {"pollution_threshold": 30})],
    announce_changes=True,
)


def test_agents_are_named_by_their_index():
    assert agent_names(3) == ("agent_0", "agent_1", "agent_2")


def test_a_vector_is_laid_out_as_documented():
    rows = VectorObserver(CHANGING).vectors(STATE, 4)
    assert rows.dtype == np.float32
    expected = [
        *(0, 1, 0),  # I am agent_1
        *(0, 0, 1),  # agent_2 is at the shore
        *(15 / 30, 5 / 20, 4 / 20),  # pollution, fruit, step
        *(6 / 30, 3 / 30, 3 / 20, 2 / 20, 3 / 30, 1, 1),  # the parameters in force
        0,  # regrowth is not linear
        *(0, 0, 0, 1, 0, 0, 0),  # the harvest changed just now
        *(1, (10 - 4) / 20),  # announced, in six steps
        *(1, 3 / 30, 3 / 20, 2 / 20, 3 / 30, 1, 1),  # the parameters then
    ]
    assert rows[1] == pytest.approx(np.array(expected, np.float32))
    assert len(expected) == 2 * 3 + 27


def test_nothing_announced_is_all_zeros():
    surprise = VectorObserver(CleanupConfig(schedule=[(9, {"clean_per_action": 1})]))
    assert not surprise.vectors(CleanupState(0, 0, 10), 3)[:, -9:].any()


def test_a_surprise_leaves_no_trace_in_the_vector_before_it_happens():
    changing = VectorObserver(CleanupConfig(schedule=[(9, {"clean_per_action": 1})]))
    unchanging = VectorObserver(CleanupConfig())
    state = CleanupState(0b10, 4, 7)
    for step in range(9):
        assert np.array_equal(changing.vectors(state, step), unchanging.vectors(state, step))
    assert not np.array_equal(changing.vectors(state, 9), unchanging.vectors(state, 9))


def test_amounts_beyond_all_floats_are_finite_in_a_vector():
    endless = 10**400
    config = CleanupConfig(pollution_max=endless, fruit_max=endless)
    rows = VectorObserver(config).vectors(CleanupState(0, endless, 10**15), 0)
    assert rows[0, 4:6] == pytest.approx([1.0, 1e-15])


def test_linear_regrowth_is_one_entry():
    state = CleanupState(0, 0, 0)
    plain = CleanupConfig(fruit_initial=0)
    linear = CleanupConfig(fruit_initial=0, fruit_regrowth="linear")
    differs = (
        VectorObserver(plain).vectors(state, 0)[0] != VectorObserver(linear).vectors(state, 0)[0]
    )
    assert np.flatnonzero(differs).tolist() == [2 * 2 + 3 + 7]


def test_two_agents_see_the_same_but_for_who_is_looking():
    rows = VectorObserver(CHANGING).vectors(STATE, 2)
    assert np.array_equal(rows[:, :3], np.eye(3))
    assert (rows[:, 3:] == rows[0, 3:]).all()


def test_vectors_handed_out_are_the_agents_own():
    env = cleanup_icn.parallel_env(observation="vector")
    first, _ = env.reset(seed=0)
    kept = first["agent_0"].copy()
    first["agent_1"][:] = 99.0
    env.step({"agent_0": MOVE, "agent_1": WAIT})
    assert np.array_equal(first["agent_0"], kept)
    again, _ = env.reset(seed=0)
    assert np.array_equal(again["agent_0"], kept)
    assert again["agent_1"].max() <= 1.0


@st.composite
def moments(draw):
    """A config with rates from none to far above the maxima, a state of it, and a step."""
    pollution_max, fruit_max = draw(st.integers(0, 40)), draw(st.integers(0, 40))
    rate, horizon = st.integers(0, 1000), draw(st.integers(1, 12))
    rates = {name: rate for name in SCHEDULED_NAMES if "per" in name}
    chances = {name: st.floats(0, 1) for name in SCHEDULED_NAMES if "prob" in name}
    values = {"pollution_threshold": st.integers(0, pollution_max), **rates, **chances}
    change = st.fixed_dictionaries({}, optional=values)
    config = CleanupConfig(
        num_agents=draw(st.integers(2, 16)),
        horizon_steps=horizon,
        pollution_max=pollution_max,
        fruit_max=fruit_max,
        pollution_initial=0,
        fruit_initial=0,
        fruit_regrowth=draw(st.sampled_from(["step", "linear"])),
        announce_changes=draw(st.booleans()),
        schedule=draw(st.lists(st.tuples(st.integers(0, horizon - 1), change), max_size=3)),
        **{name: draw(strategy) for name, strategy in values.items()},
    )
    state = CleanupState(
        draw(st.integers(0, 2**config.num_agents - 1)),
        draw(st.integers(0, pollution_max)),
        draw(st.integers(0, fruit_max)),
    )
    return config, state, draw(st.integers(0, horizon))


@settle
@given(moment=moments())
def test_every_vector_is_inside_its_space(moment):
    config, state, step = moment
    observer = VectorObserver(config)
    rows, space = observer.vectors(state, step), observer.space()
    assert rows.shape == (config.num_agents, observer.size) == (config.num_agents, *space.shape)
    assert all(space.contains(row) for row in rows)


@settle
@given(moment=moments())
def test_views_and_public_quantities_tell_the_same_numbers(moment):
    config, state, step = moment
    seen, public = view(config, state, step, 0), public_quantities(config, state, step)
    assert tuple(public) == PUBLIC_FEATURES
    assert tuple(public.values()) == (seen.pollution, seen.fruit, seen.step, *seen.parameters[:7])


def test_a_view_knows_the_change_just_made_and_the_next_one():
    seen = view(CHANGING, STATE, 4, 2)
    assert seen.is_at_shore
    assert not view(CHANGING, STATE, 4, 1).is_at_shore
    assert seen.changed == (("harvest_per_action", 4, 2),)
    assert seen.announced == Announcement(10, CHANGING.parameters_at(10))
    assert view(CHANGING, STATE, 5, 2).changed == ()
    assert view(CHANGING, STATE, 10, 2).announced is None


@pytest.mark.parametrize("at_shore", [False, True])
def test_a_mask_allows_what_the_rules_allow(at_shore):
    mask = action_mask(at_shore)
    assert mask.dtype == np.int8
    assert mask.tolist() == [rules.is_legal(action, at_shore) for action in range(NUM_ACTIONS)]
    assert mask_space().contains(mask)


def test_a_mask_handed_out_can_be_changed_without_harm():
    action_mask(True)[:] = 0
    assert action_mask(True).tolist() == [1, 1, 0, 1]


def test_the_public_state_is_a_vector_without_anyone_looking():
    env = cleanup_icn.parallel_env(observation="vector")
    observations, _ = env.reset(seed=0)
    assert not env.state()[:2].any()
    assert np.array_equal(env.state()[2:], observations["agent_1"][2:])
    assert env.state_space.contains(env.state())
