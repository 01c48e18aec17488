"""What episodes come to after a change: by hand, and of those who play the optimum."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.arena import Cell
from benchmarks.cells import play_cell
from benchmarks.cleanup.arena import CleanupArena, Scenario
from benchmarks.cleanup.conditions import Fixed
from benchmarks.study.changes import WorldChange
from benchmarks.study.measures import after_change, recovery_steps, state_at
from cleanup_icn import CleanupConfig
from cleanup_icn.contracts import Contract
from cleanup_icn.state import CLEAN, HARVEST, MOVE, WAIT, CleanupState

# No fruit grows: what is left is shared out, four a harvest and, from step 2 on, one.
DRY = CleanupConfig.create(
    horizon_steps=4, pollution_threshold=0, schedule=[(2, {"harvest_per_action": 1})]
)
RATIFIED = {"contract": {"version": 1, "clauses": []}, "rounds": [{}, {}, {}]}
FAILED = {"contract": None, "rounds": [{}]}


@pytest.fixture
def dry(make_result, make_step):
    """An episode of `DRY`: one harvests, the other moves about; at step 2 both could take 4."""

    def make(**values):
        return make_result(
            make_step(step=0, fruit=10, actions=(HARVEST, MOVE), game_rewards=(4.0, 0.0)),
            make_step(step=1, fruit=6, pollution=3, actions=(WAIT, MOVE), transfers=(-1.0, 1.0)),
            make_step(step=2, fruit=6, pollution=6, phase="propose", actions=(MOVE, WAIT)),
            make_step(
                step=2,
                fruit=6,
                pollution=6,
                actions=(HARVEST, HARVEST),
                game_rewards=(1.0, 1.0),
                transfers=(-0.5, 0.5),
            ),
            make_step(step=3, fruit=4, pollution=9, actions=(HARVEST, WAIT), game_rewards=(1.0, 0)),
            **{
                "config": DRY.to_dict(),
                "change_step": 2,
                "optimum_by_step": (8.0, 2.0, 0.0, 0.0),
                **values,
            },
        )

    return make


def test_everything_is_counted_from_the_change_on(dry):
    found = after_change(dry())
    assert found.since == 2
    assert found.state == CleanupState(at_shore=0, pollution=6, fruit=6)
    assert found.optimum == 4.0  # two harvests of one in each of two steps
    assert found.welfare == 3.0
    assert found.efficiency == 0.75
    assert found.regret == 1.0
    assert found.transfers == 0.5
    assert found.returns == (1.5, 1.5)
    assert found.equality == 1.0
    assert found.measures()["return_0"] == 1.5


def test_the_whole_episode_counts_what_was_earned_before_the_change_too(dry):
    found = after_change(dry())
    assert found.whole_efficiency == 0.7  # 4 before the change and 3 after it, of 10
    assert found.measures()["whole_efficiency"] == 0.7


def test_a_world_that_never_changes_is_measured_from_the_moment_on(dry):
    still = replace(DRY, schedule=())
    found = after_change(dry(config=still.to_dict(), change_step=None), 1)
    assert found.since == 1
    assert found.state == CleanupState(at_shore=0b10, pollution=3, fruit=6)
    assert found.optimum == 6.0
    assert found.welfare == 3.0
    assert found.transfers == 1.5


def test_the_first_change_counts_whatever_moment_is_told(dry):
    assert after_change(dry(), 0) == after_change(dry(), 2)


def test_only_talks_from_the_change_on_count(dry):
    held = ({"step": 1, "outcome": FAILED}, {"step": 2, "outcome": RATIFIED})
    found = after_change(dry(negotiations=(*held, {"step": 3, "outcome": FAILED})))
    assert found.negotiations == 2
    assert found.rounds == 2.0
    assert found.ratified == 0.5


def test_without_talks_nothing_is_said_of_rounds(dry):
    found = after_change(dry()).measures()
    assert (found["negotiations"], found["rounds"], found["ratified"]) == (0.0, None, None)


def test_where_nothing_can_be_had_nothing_is_lost(make_result, make_step):
    empty = replace(DRY, fruit_initial=0)
    steps = [make_step(step=k, pollution=3 * k) for k in range(4)]
    found = after_change(
        make_result(*steps, config=empty.to_dict(), change_step=2, optimum_by_step=(0.0,) * 4)
    )
    assert (found.optimum, found.efficiency, found.regret) == (0.0, 1.0, 0.0)


def test_nobody_moves_while_waiting_or_talking(make_result, make_step):
    result = make_result(
        make_step(step=0, actions=(MOVE, WAIT)),
        make_step(step=1, phase="waiting", actions=(MOVE, MOVE)),
        make_step(step=2, phase="respond", actions=(MOVE, MOVE)),
        make_step(step=2, actions=(CLEAN, MOVE)),
        make_step(step=3, pollution=7, fruit=9),
    )
    assert state_at(result, 2).at_shore == 0b01
    assert state_at(result, 3) == CleanupState(at_shore=0b11, pollution=7, fruit=9)


@pytest.mark.parametrize(
    "name",
    [
        "linear-threshold/+6/25/sudden",
        "linear-threshold/+8/10/twice",
        "linear-threshold/+8/25/announced",
        "pollution-growth/-2/40/gradual",
        "costly-threshold/+0/25/sudden",
    ],
)
def test_who_plays_the_optimum_has_an_efficiency_of_one_and_nothing_to_recover_from(name):
    change = WorldChange.from_name(name)
    config = change.config()
    start = (config.pollution_initial,) * 2, (config.fruit_initial,) * 2
    arena = CleanupArena(
        name=name,
        description="",
        conditions=(Fixed(name="never-any", contract=Contract()),),
        policies=("planner",),
        shown_policy="planner",
        num_episodes=1,
        scenario=Scenario(
            name=name, config=config, pollution_initial=start[0], fruit_initial=start[1]
        ),
    )
    (result,) = play_cell(arena, Cell(policy="planner", contract="never-any"))
    found = after_change(result, change.moment)
    assert found.efficiency == pytest.approx(1.0)
    assert found.recovery_steps == 0
    assert found.since == change.moment


def test_pulses_of_another_rhythm_keep_up():
    best = [8.0, 8.0, 8.0, 4.0, 4.0, 4.0] * 4
    assert recovery_steps([6.0] * 24, best) == 0
    assert recovery_steps([0.0, 18.0, 0.0] * 8, best) == 0


def test_recovery_is_the_step_from_which_nobody_falls_behind_again():
    best = [10.0] * 20
    assert recovery_steps([0.0] * 4 + [10.0] * 16, best) == 3  # 160 of 170 are nine tenths
    assert recovery_steps([0.0] * 5 + [9.0] * 15, best) == 5
    relapse = [10.0] * 8 + [0.0] * 2 + [10.0] * 10
    assert recovery_steps(relapse, best) == 9


def test_who_is_behind_in_the_last_ten_steps_has_not_recovered():
    assert recovery_steps([10.0] * 10 + [8.9] * 10, [10.0] * 20) is None
    assert recovery_steps([10.0] * 10 + [9.0] * 10, [10.0] * 20) == 0


def test_a_change_in_the_last_steps_is_judged_as_a_whole():
    assert recovery_steps([0.0, 10.0, 9.0], [5.0, 5.0, 10.0]) == 0
    assert recovery_steps([0.0, 0.0, 10.0], [5.0, 5.0, 10.0]) is None


amounts = st.lists(st.tuples(st.floats(0, 24), st.floats(0, 24)), min_size=1, max_size=30)


@settings(max_examples=60, deadline=None)
@given(amounts, st.floats(0, 10))
def test_who_earns_more_recovers_no_later(pairs, more):
    earned, best = [own for own, _ in pairs], [other for _, other in pairs]
    first = recovery_steps(earned, best)
    second = recovery_steps([own + more for own in earned], best)
    assert first is None or (second is not None and second <= first)
