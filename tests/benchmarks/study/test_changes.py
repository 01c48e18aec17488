"""Changes of the world: their names, and the worlds that they stand for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.study.changes import KINDS, PACES, WorldChange
from cleanup_icn import ConfigError

CHANGES = st.builds(
    lambda kind, at, moment, pace: WorldChange(
        kind=kind.name,
        magnitude=kind.magnitudes[at % len(kind.magnitudes)],
        moment=moment,
        pace=pace,
    ),
    kind=st.sampled_from(list(KINDS.values())),
    at=st.integers(0, 20),
    moment=st.integers(1, 25),
    pace=st.sampled_from(PACES),
)


def schedule_of(name):
    return [
        (change.step, *dict(change.values).values())
        for change in WorldChange.from_name(name).config().schedule
    ]


@given(CHANGES)
def test_a_name_says_all_about_a_change(change):
    assert WorldChange.from_name(change.name) == change


@given(CHANGES)
def test_a_change_leads_from_the_base_world_to_its_whole_magnitude(change):
    base, config = change.base_config(), change.config()
    parameter = change.of_kind.parameter
    before = getattr(config.parameters_at(change.moment - 1), parameter)
    after = getattr(config.parameters_at(config.horizon_steps - 1), parameter)
    assert before == getattr(base, parameter) == change.of_kind.base_value
    assert after - before == change.magnitude
    assert config.change_steps[:1] == ((change.moment,) if change.magnitude else ())


@pytest.mark.parametrize(
    ("name", "schedule"),
    [
        ("linear-threshold/+4/25/sudden", [(25, 10)]),
        ("linear-threshold/+0/25/sudden", []),
        ("linear-threshold/+10/25/gradual", [(25, 8), (27, 10), (29, 12), (31, 14), (33, 16)]),
        ("linear-threshold/+2/25/gradual", [(25, 7), (30, 8)]),
        ("linear-threshold/+7/25/twice", [(25, 10), (37, 13)]),
        ("linear-threshold/+12/10/thrice", [(10, 10), (22, 14), (34, 18)]),
        ("linear-threshold-falling/-3/25/twice", [(25, 16), (37, 15)]),
        ("costly-threshold/+8/40/sudden", [(40, 14)]),
        ("cleaning-rate/-2/10/sudden", [(10, 1)]),
        ("pollution-growth/+6/25/sudden", [(25, 9)]),
        ("harvest-rate/-10/25/sudden", [(25, 2)]),
    ],
)
def test_the_parts_of_a_change_come_when_they_should(name, schedule):
    assert schedule_of(name) == schedule


def test_only_an_announced_change_is_known_beforehand():
    announced = {
        pace: WorldChange.from_name(f"linear-threshold/+4/25/{pace}").config().announce_changes
        for pace in PACES
    }
    assert [pace for pace, is_known in announced.items() if is_known] == ["announced"]


def test_dice_fall_in_noisy_worlds_alone_before_the_change_and_after():
    noisy = WorldChange.from_name("linear-threshold/+4/25/noisy")
    assert noisy.base_config().prob_pollution_growth == 0.9
    assert noisy.config().parameters_at(30).prob_pollution_growth == 0.9
    sudden = WorldChange.from_name("linear-threshold/+4/25/sudden")
    assert sudden.config().prob_pollution_growth == 1.0


@pytest.mark.parametrize(
    "name",
    [
        "linear-threshold",
        "linear-threshold/4/25/sudden",
        "linear-threshold/+4/25/slow",
        "nothing/+4/25/sudden",
        "linear-threshold/+04/25/sudden",
        "linear-threshold/+99/25/sudden",
        "linear-threshold/-0/25/sudden",
    ],
)
def test_what_is_no_change_is_refused(name):
    with pytest.raises(ConfigError):
        WorldChange.from_name(name)


def test_every_kind_has_its_control_and_worlds_that_can_be():
    for kind in KINDS.values():
        assert 0 in kind.magnitudes
        for magnitude in kind.magnitudes:
            change = WorldChange(kind=kind.name, magnitude=magnitude, moment=25, pace="sudden")
            assert change.config().num_agents == 2
