"""What a configuration may say, and what it is told when it may not."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cleanup_icn
from cleanup_icn import ConfigError

DEFAULTS = {
    "num_agents": 2,
    "horizon_steps": 50,
    "pollution_initial": 0,
    "pollution_max": 30,
    "pollution_threshold": 6,
    "pollution_growth_per_step": 3,
    "fruit_initial": 10,
    "fruit_max": 20,
    "fruit_growth_per_step": 3,
    "harvest_per_action": 4,
    "clean_per_action": 3,
    "prob_pollution_growth": 1.0,
    "prob_fruit_growth": 1.0,
    "fruit_regrowth": "step",
}
INTEGERS = [name for name, value in DEFAULTS.items() if type(value) is int]
RATES = [
    "pollution_growth_per_step",
    "fruit_growth_per_step",
    "harvest_per_action",
    "clean_per_action",
]
CHANCES = ["prob_pollution_growth", "prob_fruit_growth"]
CHANGEABLE = ["pollution_threshold", *RATES, *CHANCES]


def refusal(**config):
    """What the one exception says."""
    with pytest.raises(ConfigError) as caught:
        cleanup_icn.parallel_env(**config)
    return str(caught.value)


def assert_names(message, *needed):
    """The message holds each needed word or number, and not as part of a longer one."""
    for word in needed:
        whole = rf"(?<![\w.]){re.escape(str(word))}(?![\w]|\.\d)"
        assert re.search(whole, message), f"{word!r} is not in {message!r}"


# --- refused ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "value", "allowed"),
    [
        ("num_agents", 1, (2, 16)),
        ("num_agents", 0, (2, 16)),
        ("num_agents", -2, (2, 16)),
        ("num_agents", 17, (2, 16)),
        ("pollution_initial", -1, (0, 30)),
        ("pollution_initial", 31, (0, 30)),
        ("pollution_threshold", -1, (0, 30)),
        ("pollution_threshold", 31, (0, 30)),
        ("fruit_initial", -1, (0, 20)),
        ("fruit_initial", 21, (0, 20)),
        *((rate, -1, (0,)) for rate in RATES),
        *((chance, -0.01, (0, 1)) for chance in CHANCES),
        *((chance, 1.01, (0, 1)) for chance in CHANCES),
        *((chance, 2, (0, 1)) for chance in CHANCES),
    ],
)
def test_a_value_outside_is_refused_with_field_value_and_range(field, value, allowed):
    assert_names(refusal(**{field: value}), field, value, *allowed)


@pytest.mark.parametrize("field", [*INTEGERS, "max_cycles"])
@pytest.mark.parametrize("value", [True, 3.0, 2.5, "3", [3], float("nan")])
def test_what_is_not_an_integer_is_refused_where_one_is_needed(field, value):
    message = refusal(**{field: value})
    assert_names(message, field)
    assert repr(value) in message


@pytest.mark.parametrize("field", INTEGERS)
def test_nothing_is_no_integer(field):
    assert_names(refusal(**{field: None}), field, None)


@pytest.mark.parametrize("field", CHANCES)
@pytest.mark.parametrize(
    "value", [True, "0.5", None, float("nan"), float("inf"), pytest.param(10**400, id="1e400")]
)
def test_what_is_not_a_probability_is_refused_where_one_is_needed(field, value):
    message = refusal(**{field: value})
    assert_names(message, field, 0, 1)
    assert repr(value) in message


@pytest.mark.parametrize("value", ["cubic", "", "Linear", None, 1, True, ["linear"]])
def test_an_unknown_regrowth_is_refused_and_both_rules_are_named(value):
    message = refusal(fruit_regrowth=value)
    assert_names(message, "fruit_regrowth", "step", "linear")
    assert repr(value) in message


@pytest.mark.parametrize("field", ["horizon_steps", "max_cycles"])
@pytest.mark.parametrize("value", [-1, -50])
def test_a_negative_horizon_is_refused(field, value):
    assert_names(refusal(**{field: value}), value)


@pytest.mark.parametrize(
    ("config", "field", "value", "limit"),
    [
        ({"pollution_max": 5}, "pollution_threshold", 6, 5),
        ({"fruit_max": 9}, "fruit_initial", 10, 9),
        ({"pollution_max": 9, "pollution_initial": 10}, "pollution_initial", 10, 9),
    ],
)
def test_a_lowered_maximum_refuses_what_now_lies_above_it(config, field, value, limit):
    assert_names(refusal(**config), field, value, limit)


@pytest.mark.parametrize("field", ["pollution_max", "fruit_max"])
def test_a_negative_maximum_leaves_no_values_and_is_refused(field):
    assert_names(refusal(**{field: -1}), field)


def test_an_unknown_name_is_refused_and_named():
    assert_names(refusal(polution_threshold=6), "polution_threshold")


def test_an_unknown_name_is_refused_by_every_way_in():
    for make in (cleanup_icn.parallel_env, cleanup_icn.env, cleanup_icn.raw_env):
        with pytest.raises(ConfigError, match="harvest_rate"):
            make(harvest_rate=1)


def test_two_names_for_the_horizon_are_one_too_many():
    message = refusal(max_cycles=9, horizon_steps=9)
    assert_names(message, "max_cycles", "horizon_steps")


@pytest.mark.parametrize("value", ["Linear", "", "hard", 3, ["linear"]])
def test_an_unknown_preset_is_refused_and_the_presets_are_named(value):
    message = refusal(preset=value)
    assert_names(message, "preset", "default", "linear", "costly-cleaning")
    assert repr(value) in message


@pytest.mark.parametrize("step", [-1, 50, 51])
def test_a_scheduled_step_outside_the_episode_is_refused(step):
    assert_names(refusal(schedule=[(step, {"clean_per_action": 1})]), "schedule", step, 0, 49)


def test_the_schedule_is_measured_against_the_horizon_in_use():
    schedule = [(4, {"clean_per_action": 1})]
    cleanup_icn.parallel_env(horizon_steps=5, schedule=schedule)
    assert_names(refusal(max_cycles=4, schedule=schedule), "schedule", 4, 0, 3)


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("pollution_threshold", 31, (0, 30)),
        ("pollution_threshold", -1, (0, 30)),
        *((rate, -1, (0,)) for rate in RATES),
        *((chance, 1.5, (0, 1)) for chance in CHANCES),
        *((chance, -0.5, (0, 1)) for chance in CHANCES),
    ],
)
def test_a_scheduled_value_outside_is_refused_with_name_value_and_range(name, value, allowed):
    assert_names(refusal(schedule=[(3, {name: value})]), name, value, *allowed)


@pytest.mark.parametrize("name", CHANGEABLE)
@pytest.mark.parametrize("value", [True, "1", None, float("nan")])
def test_a_scheduled_value_of_the_wrong_type_is_refused(name, value):
    message = refusal(schedule=[(3, {name: value})])
    assert_names(message, name)
    assert repr(value) in message


@pytest.mark.parametrize("name", [*sorted(set(DEFAULTS) - set(CHANGEABLE)), "fruit", "schedule"])
def test_what_cannot_change_during_an_episode_is_refused_in_a_schedule(name):
    assert_names(refusal(schedule=[(3, {name: 5})]), "schedule", name)


@pytest.mark.parametrize(
    "schedule",
    [
        5,
        "linear",
        [3],
        [(3,)],
        [(3, {}, {})],
        [(3, "pollution_threshold")],
        [("3", {"clean_per_action": 1})],
        [(3.0, {"clean_per_action": 1})],
        [(True, {"clean_per_action": 1})],
        [(3, [("clean_per_action", 1)])],
        [(3, {5: 1})],
    ],
)
def test_a_schedule_of_another_shape_is_refused(schedule):
    assert_names(refusal(schedule=schedule), "schedule")


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("pollution_initial", 31, (0, 30)),
        ("pollution_initial", -1, (0, 30)),
        ("fruit_initial", 21, (0, 20)),
        ("fruit_initial", -1, (0, 20)),
    ],
)
def test_an_initial_value_given_at_reset_obeys_the_same_range(name, value, allowed):
    env = cleanup_icn.parallel_env()
    with pytest.raises(ConfigError) as caught:
        env.reset(options={name: value})
    assert_names(str(caught.value), name, value, *allowed)


def test_a_refused_reset_leaves_the_game_in_progress_as_it_was():
    chances = {"prob_pollution_growth": 0.5, "prob_fruit_growth": 0.5}
    undisturbed, disturbed = (cleanup_icn.parallel_env(**chances) for _ in range(2))
    undisturbed.reset(seed=0)
    disturbed.reset(seed=0)
    with pytest.raises(ConfigError):
        disturbed.reset(options={"fruit_initial": 99})
    for _ in range(2):
        while undisturbed.agents:
            *_, expected = undisturbed.step({"agent_0": 0, "agent_1": 0})
            *_, found = disturbed.step({"agent_0": 0, "agent_1": 0})
            assert found["agent_0"]["fruit"] == expected["agent_0"]["fruit"]
            assert found["agent_0"]["pollution"] == expected["agent_0"]["pollution"]
        undisturbed.reset()
        disturbed.reset()


# --- accepted --------------------------------------------------------------------------------


def scalar_values(pollution_max):
    """A strategy for every changeable value, boundaries likely."""
    chance = st.sampled_from([0, 1, 0.0, 1.0]) | st.floats(0, 1)
    rate = st.sampled_from([0, 1]) | st.integers(0, 10**6)
    threshold = st.sampled_from([0, pollution_max]) | st.integers(0, pollution_max)
    return (
        {"pollution_threshold": threshold}
        | dict.fromkeys(RATES, rate)
        | dict.fromkeys(CHANCES, chance)
    )


@st.composite
def configs_inside_the_ranges(draw):
    """Every value anywhere from the lower to the upper bound, both included."""
    maximum = st.sampled_from([0, 1]) | st.integers(0, 10**6)
    pollution_max, fruit_max = draw(maximum), draw(maximum)
    horizon = draw(st.sampled_from([1, 2]) | st.integers(1, 10**5))
    values = scalar_values(pollution_max)
    step = st.sampled_from([0, horizon - 1]) | st.integers(0, horizon - 1)
    names = st.sets(st.sampled_from(CHANGEABLE))
    changes = names.flatmap(lambda chosen: st.fixed_dictionaries({n: values[n] for n in chosen}))
    config = {
        "num_agents": draw(st.integers(2, 16)),
        draw(st.sampled_from(["horizon_steps", "max_cycles"])): horizon,
        "pollution_max": pollution_max,
        "pollution_initial": draw(st.sampled_from([0, pollution_max])),
        "fruit_max": fruit_max,
        "fruit_initial": draw(st.sampled_from([0, fruit_max])),
        "fruit_regrowth": draw(st.sampled_from(["step", "linear"])),
        "schedule": draw(st.lists(st.tuples(step, changes), max_size=4)),
    }
    return config | {name: draw(values[name]) for name in CHANGEABLE}


@settings(deadline=None, max_examples=100)
@given(config=configs_inside_the_ranges())
def test_whatever_lies_inside_the_ranges_is_accepted_and_in_force(config):
    _, infos = cleanup_icn.parallel_env(**config).reset(seed=0)
    expected = {name: config[name] for name in ("pollution_threshold", *RATES)}
    for step, changes in config["schedule"]:
        if step == 0:
            expected |= {name: value for name, value in changes.items() if name in expected}
    assert len(infos) == config["num_agents"]
    for info in infos.values():
        assert {name: info[name] for name in expected} == expected
        assert info["pollution"] == config["pollution_initial"]
        assert info["fruit"] == config["fruit_initial"]


def test_the_defaults_are_those_of_the_specification():
    config = cleanup_icn.CleanupConfig()
    assert {name: getattr(config, name) for name in DEFAULTS} == DEFAULTS
    assert not config.schedule


@pytest.mark.parametrize("name", ["horizon_steps", "max_cycles"])
def test_either_name_sets_the_horizon(name):
    env = cleanup_icn.parallel_env(**{name: 3})
    env.reset(seed=0)
    played = 0
    while env.agents:
        env.step(dict.fromkeys(env.agents, 0))
        played += 1
    assert played == 3


@pytest.mark.parametrize(
    ("preset", "differences"),
    [
        ("default", {}),
        (
            "linear",
            {
                "harvest_per_action": 12,
                "fruit_growth_per_step": 12,
            },
        ),
        (
            "costly-cleaning",
            {"pollution_growth_per_step": 1, "fruit_growth_per_step": 8},
        ),
    ],
)
def test_a_preset_sets_its_own_numbers_and_leaves_the_rest(preset, differences):
    expected = {name: DEFAULTS[name] for name in ("pollution_threshold", *RATES)} | differences
    _, infos = cleanup_icn.parallel_env(preset=preset).reset(seed=0)
    assert {name: infos["agent_0"][name] for name in expected} == expected


def test_the_linear_preset_lets_fruit_grow_to_24():
    cleanup_icn.parallel_env(preset="linear", fruit_initial=24)
    assert_names(refusal(preset="linear", fruit_initial=25), "fruit_initial", 25, 24)


def test_what_is_said_beside_a_preset_prevails():
    env = cleanup_icn.parallel_env(preset="linear", pollution_threshold=8, harvest_per_action=4)
    _, infos = env.reset(seed=0)
    assert infos["agent_0"]["pollution_threshold"] == 8
    assert infos["agent_0"]["harvest_per_action"] == 4
    assert infos["agent_0"]["fruit_growth_per_step"] == 12


@pytest.mark.parametrize(
    "schedule",
    [
        (),
        [],
        [(3, {})],
        [[3, {"clean_per_action": 1}]],
        ((9, {"clean_per_action": 1}), (3, {"clean_per_action": 2})),
        [(3, {"clean_per_action": 1}), (3, {"pollution_threshold": 2})],
    ],
)
def test_a_schedule_may_be_empty_unordered_or_say_a_step_twice(schedule):
    env = cleanup_icn.parallel_env(schedule=schedule)
    assert env.reset(seed=0)[1]["agent_0"]["clean_per_action"] == 3


def test_a_later_change_of_the_same_number_replaces_an_earlier_one():
    schedule = [(2, {"clean_per_action": 1}), (1, {"clean_per_action": 2})]
    env = cleanup_icn.parallel_env(schedule=schedule)
    seen = [env.reset(seed=0)[1]["agent_0"]["clean_per_action"]]
    for _ in range(3):
        *_, infos = env.step({"agent_0": 0, "agent_1": 0})
        seen.append(infos["agent_0"]["clean_per_action"])
    assert seen == [3, 2, 1, 1]


def test_changing_the_callers_schedule_afterwards_changes_no_game():
    changes = {"clean_per_action": 1}
    schedule = [(0, changes)]
    env = cleanup_icn.parallel_env(schedule=schedule)
    changes["clean_per_action"] = 7
    schedule.clear()
    assert env.reset(seed=0)[1]["agent_0"]["clean_per_action"] == 1


def test_reset_options_that_cleanup_does_not_know_are_left_to_others():
    _, infos = cleanup_icn.parallel_env().reset(seed=0, options={"options": 1})
    assert infos["agent_0"]["fruit"] == 10
