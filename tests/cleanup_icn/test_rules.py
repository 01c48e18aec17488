"""The rules of Cleanup, one sentence each; the tests throw the dice."""

from __future__ import annotations

from types import FunctionType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cleanup_icn
from cleanup_icn import rules
from cleanup_icn.state import CLEAN, HARVEST, MOVE, WAIT, CleanupState, Dice, Parameters

DEFAULT = cleanup_icn.CleanupConfig().parameters_at(0)
STILL = {"pollution_growth_per_step": 0, "fruit_growth_per_step": 0}
settle = settings(deadline=None)
LOW, HIGH = Dice(0.0, 0.0), Dice(1 - 2**-53, 1 - 2**-53)


def play(*actions, shore=0, pollution=0, fruit=10, dice=LOW, **parameters):
    """One step by the default parameters, with those given replaced."""
    state = CleanupState(shore, pollution, fruit)
    return rules.step(state, list(actions), dice, DEFAULT._replace(**parameters))


# --- actions ---------------------------------------------------------------------------------


def test_everyone_starts_in_the_garden():
    env = cleanup_icn.parallel_env(num_agents=4, pollution_initial=2, fruit_initial=7)
    env.reset(seed=0)
    assert env.cleanup_state == CleanupState(at_shore=0, pollution=2, fruit=7)


def test_a_move_leads_to_the_other_place_and_back():
    there, _ = play(MOVE, WAIT, MOVE)
    assert there.at_shore == 0b101
    back, _ = play(MOVE, MOVE, WAIT, shore=there.at_shore)
    assert back.at_shore == 0b110


def test_who_moves_takes_and_removes_nothing():
    state, features = play(MOVE, MOVE, shore=0b10, pollution=9, **STILL)
    assert (state.pollution, state.fruit) == (9, 10)
    assert (features.harvesters, features.cleaners, features.illegal) == (0, 0, 0)


def test_a_wait_does_nothing_and_is_legal_everywhere():
    state, features = play(WAIT, WAIT, shore=0b10, pollution=9, **STILL)
    assert state == CleanupState(0b10, 9, 10)
    assert features == (0, 0, 0, 0.0, 0.0)


def test_a_lone_harvester_takes_a_full_harvest():
    state, features = play(HARVEST, WAIT, **STILL)
    assert state.fruit == 6
    assert (features.harvesters, features.harvest_share) == (0b01, 4.0)


def test_a_harvest_takes_no_more_than_there_is():
    state, features = play(HARVEST, WAIT, fruit=3, **STILL)
    assert (state.fruit, features.harvest_share) == (0, 3.0)


def test_a_contested_harvest_is_shared_equally_in_fractions():
    state, features = play(HARVEST, HARVEST, HARVEST, WAIT, fruit=10, **STILL)
    assert state.fruit == 0
    assert features.harvesters == 0b0111
    assert features.harvest_share == pytest.approx(10 / 3)


def test_a_cleaner_removes_up_to_its_clean_per_action():
    state, features = play(WAIT, CLEAN, shore=0b10, pollution=8, **STILL)
    assert (state.pollution, features.cleaners, features.clean_share) == (5, 0b10, 3.0)


def test_cleaners_are_credited_equally_for_what_they_remove():
    state, features = play(CLEAN, CLEAN, shore=0b11, pollution=5, **STILL)
    assert (state.pollution, features.clean_share) == (0, 2.5)


def test_nobody_is_credited_where_nobody_acts():
    _, features = play(WAIT, WAIT, pollution=8)
    assert (features.harvest_share, features.clean_share) == (0.0, 0.0)


def test_a_harvest_at_the_shore_is_an_illegal_wait():
    state, features = play(HARVEST, HARVEST, shore=0b10, **STILL)
    assert features.illegal == 0b10
    assert features.harvesters == 0b01
    assert state == CleanupState(0b10, 0, 6)


def test_cleaning_from_the_garden_is_an_illegal_wait():
    state, features = play(CLEAN, CLEAN, shore=0b10, pollution=9, **STILL)
    assert features.illegal == 0b01
    assert (features.cleaners, state.pollution) == (0b10, 6)


@pytest.mark.parametrize("action", [-1, 4, 99])
@pytest.mark.parametrize("shore", [0b0, 0b1])
def test_what_is_none_of_the_four_actions_is_an_illegal_wait(action, shore):
    state, features = play(action, WAIT, shore=shore, **STILL)
    assert features == (0, 0, 0b01, 0.0, 0.0)
    assert state.at_shore == shore


def test_actions_are_judged_from_the_places_before_the_step():
    # Agent 0 leaves the garden while agent 1 harvests there, and agent 2 cleans what it leaves.
    state, features = play(MOVE, HARVEST, CLEAN, MOVE, shore=0b1100, pollution=9, **STILL)
    assert state == CleanupState(0b0101, 6, 6)
    assert (features.harvesters, features.cleaners, features.illegal) == (0b0010, 0b0100, 0)


# --- the order within a step -----------------------------------------------------------------


def test_pollution_rises_after_the_cleaning():
    assert play(WAIT, CLEAN, shore=0b10, pollution=2)[0].pollution == 3


def test_pollution_stops_at_its_maximum():
    assert play(WAIT, WAIT, pollution=29)[0].pollution == 30


def test_fruit_grows_after_the_harvest():
    assert play(HARVEST, WAIT, fruit=20)[0].fruit == 19


def test_fruit_stops_at_its_maximum():
    assert play(WAIT, WAIT, fruit=19)[0].fruit == 20


@pytest.mark.parametrize(("pollution", "fruit_after"), [(2, 13), (3, 10), (4, 10)])
def test_fruit_grows_only_if_pollution_after_its_rise_is_strictly_below_the_threshold(
    pollution, fruit_after
):
    assert play(WAIT, WAIT, pollution=pollution)[0].fruit == fruit_after


def test_a_cleaning_just_in_time_lets_fruit_grow_in_the_same_step():
    assert play(WAIT, CLEAN, shore=0b10, pollution=5)[0] == CleanupState(0b10, 5, 13)


def test_at_a_threshold_of_zero_fruit_never_grows():
    for is_linear in (False, True):
        state, _ = play(WAIT, WAIT, pollution_threshold=0, is_linear=is_linear, **STILL)
        assert state.fruit == 10


@pytest.mark.parametrize(
    ("pollution", "threshold", "grown"), [(0, 6, 10), (1, 6, 8), (5, 6, 1), (3, 7, 5), (6, 6, 0)]
)
def test_linear_growth_is_rounded_down_in_how_far_pollution_is_below(pollution, threshold, grown):
    state, _ = play(
        WAIT,
        WAIT,
        pollution=pollution,
        fruit=0,
        is_linear=True,
        pollution_threshold=threshold,
        pollution_growth_per_step=0,
        fruit_growth_per_step=10,
    )
    assert state.fruit == grown


def test_a_scheduled_change_is_in_force_in_its_own_step():
    env = cleanup_icn.parallel_env(schedule=[(1, {"harvest_per_action": 1})])
    env.reset(seed=0)
    earned = [env.step({"agent_0": HARVEST, "agent_1": WAIT})[1]["agent_0"] for _ in range(2)]
    assert earned == [4.0, 1.0]


# --- dice ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("die", "pollution"), [(0.0, 3), (0.499, 3), (0.5, 0), (0.999, 0)])
def test_pollution_grows_if_its_die_is_below_the_probability(die, pollution):
    state, _ = play(WAIT, WAIT, dice=Dice(die, 0.0), prob_pollution_growth=0.5)
    assert state == CleanupState(0, pollution, 13)


@pytest.mark.parametrize(("die", "fruit"), [(0.0, 13), (0.249, 13), (0.25, 10), (0.999, 10)])
def test_fruit_grows_if_its_die_is_below_the_probability(die, fruit):
    state, _ = play(WAIT, WAIT, dice=Dice(0.0, die), prob_fruit_growth=0.25)
    assert state == CleanupState(0, 3, fruit)


def test_what_is_certain_happens_and_what_is_impossible_does_not_whatever_the_dice():
    assert play(WAIT, WAIT, dice=HIGH)[0] == CleanupState(0, 3, 13)
    never = {"prob_pollution_growth": 0.0, "prob_fruit_growth": 0.0}
    assert play(WAIT, WAIT, dice=LOW, **never)[0] == CleanupState(0, 0, 10)


# --- laws ------------------------------------------------------------------------------------


@st.composite
def moments(draw):
    """Any state, joint action, dice and parameters of two to six agents."""
    pollution_max, fruit_max = draw(st.integers(0, 40)), draw(st.integers(0, 40))
    n, rate, chance = draw(st.integers(2, 6)), st.integers(0, 15), st.floats(0, 1)
    parameters = Parameters(
        draw(st.integers(0, pollution_max)),
        *(draw(rate) for _ in range(4)),
        *(draw(chance) for _ in range(2)),
        pollution_max,
        fruit_max,
        draw(st.booleans()),
    )
    state = CleanupState(
        draw(st.integers(0, 2**n - 1)),
        draw(st.integers(0, pollution_max)),
        draw(st.integers(0, fruit_max)),
    )
    die = st.floats(0, 1, exclude_max=True)
    actions = draw(st.lists(st.integers(-1, 5), min_size=n, max_size=n))
    return state, actions, Dice(draw(die), draw(die)), parameters


def permuted(agents, order):
    """The set of agents in which agent i stands for agent ``order[i]`` of the one given."""
    return sum(1 << i for i, old in enumerate(order) if agents >> old & 1)


@settle
@given(moment=moments())
def test_amounts_stay_between_zero_and_their_maxima(moment):
    state, features = rules.step(*moment)
    parameters = moment[-1]
    assert 0 <= state.pollution <= parameters.pollution_max
    assert 0 <= state.fruit <= parameters.fruit_max
    assert min(features) >= 0


@settle
@given(moment=moments())
def test_what_is_credited_is_what_is_gone(moment):
    before, actions, dice, parameters = moment
    still = parameters._replace(**STILL)
    after, features = rules.step(before, actions, dice, still)
    harvested = features.harvest_share * features.harvesters.bit_count()
    cleaned = features.clean_share * features.cleaners.bit_count()
    assert harvested == pytest.approx(before.fruit - after.fruit)
    assert cleaned == pytest.approx(before.pollution - after.pollution)


@settle
@given(moment=moments(), data=st.data())
def test_no_agents_index_matters(moment, data):
    state, actions, dice, parameters = moment
    order = data.draw(st.permutations(range(len(actions))))
    after, features = rules.step(state, actions, dice, parameters)
    same, alike = rules.step(
        state._replace(at_shore=permuted(state.at_shore, order)),
        [actions[old] for old in order],
        dice,
        parameters,
    )
    assert same == after._replace(at_shore=permuted(after.at_shore, order))
    sets = (permuted(agents, order) for agents in features[:3])
    assert alike == (*sets, features.harvest_share, features.clean_share)


# --- compiled --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def compiled_step():
    """The rule book compiled as it stands, every function of it by numba."""
    numba = pytest.importorskip("numba", reason="numba comes with commonweal[ppo]")
    names = ("is_legal", "take_and_remove", "grow", "step")
    compiled = dict(vars(rules))
    for name in names:
        code = getattr(rules, name).__code__
        compiled[name] = numba.njit(FunctionType(code, compiled, name))
    return compiled["step"]


@settle
@given(moment=moments())
def test_the_compiled_rules_play_as_the_interpreted_ones(compiled_step, moment):
    state, actions, dice, parameters = moment
    after, features = compiled_step(state, np.array(actions), dice, parameters)
    expected = rules.step(state, actions, dice, parameters)
    assert (tuple(after), tuple(features)) == tuple(map(tuple, expected))
