"""The production rules against an independent slow Cleanup, on random games."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import cleanup_icn

ACTIONS = st.sampled_from([0, 1, 2, 3])
NONSENSE = st.sampled_from([-1, 4, 7, 99])
SMALL = st.integers(0, 9)
LARGE = st.integers(0, 100_000)
CERTAIN = st.sampled_from([0, 1, 0.0, 1.0])
RATES = (
    "pollution_growth_per_step",
    "fruit_growth_per_step",
    "harvest_per_action",
    "clean_per_action",
)
CHANCES = ("prob_pollution_growth", "prob_fruit_growth")
settle = settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def changes(draw, pollution_max, rate):
    names = draw(st.sets(st.sampled_from(("pollution_threshold", *RATES, *CHANCES)), max_size=3))
    values = {"pollution_threshold": st.integers(0, pollution_max)}
    values |= dict.fromkeys(RATES, rate) | dict.fromkeys(CHANCES, CERTAIN)
    return {name: draw(values[name]) for name in sorted(names)}


@st.composite
def sizes(draw):
    """Maxima, and a strategy for rates of the same order."""
    small = draw(st.booleans())
    maximum = st.integers(0, 30) if small else st.integers(1_000, 1_000_000)
    return draw(maximum), draw(maximum), SMALL if small else LARGE


@st.composite
def free_configs(draw):
    """Any config whose growth is certain, with everything given."""
    pollution_max, fruit_max, rate = draw(sizes())
    horizon = draw(st.integers(1, 14))
    entry = st.tuples(st.integers(0, horizon - 1), changes(pollution_max, rate))
    config = {
        "num_agents": draw(st.integers(2, 6)),
        "horizon_steps": horizon,
        "pollution_max": pollution_max,
        "pollution_initial": draw(st.integers(0, pollution_max)),
        "pollution_threshold": draw(st.integers(0, pollution_max)),
        "fruit_max": fruit_max,
        "fruit_initial": draw(st.integers(0, fruit_max)),
        "fruit_regrowth": draw(st.sampled_from(["step", "linear"])),
        "schedule": draw(st.lists(entry, max_size=4).map(tuple)),
    }
    config |= {name: draw(rate) for name in RATES}
    return config | {name: draw(CERTAIN | st.just(1.0)) for name in CHANCES}


@st.composite
def preset_configs(draw):
    """A preset with a few things said otherwise."""
    horizon = draw(st.integers(1, 25))
    entry = st.tuples(st.integers(0, horizon - 1), changes(30, SMALL))
    return {
        "preset": draw(st.sampled_from(["default", "linear", "costly-cleaning"])),
        "num_agents": draw(st.integers(2, 6)),
        "horizon_steps": horizon,
        "schedule": tuple(draw(st.lists(entry, max_size=2))),
    }


@st.composite
def games(draw, action=ACTIONS):
    """A config and a joint action for each of its steps."""
    config = draw(free_configs() | preset_configs())
    joint = st.lists(action, min_size=config["num_agents"], max_size=config["num_agents"])
    rows = draw(st.lists(joint, min_size=config["horizon_steps"], max_size=config["horizon_steps"]))
    agents = [f"agent_{i}" for i in range(config["num_agents"])]
    return config, [dict(zip(agents, row, strict=True)) for row in rows]


def assert_same_numbers(found, expected):
    """`found` has every number of `expected`, to the last digits of a float."""
    assert set(expected) <= set(found)
    for name, value in expected.items():
        assert math.isclose(found[name], value, rel_tol=1e-12), (name, found[name], value)


def assert_same_view(slow, observations, infos, expected):
    """Every agent's infos and mask are those of the oracle."""
    for agent in slow.agents:
        assert_same_numbers(infos[agent], expected[agent])
        mask = observations[agent]["action_mask"]
        assert mask.dtype == np.int8
        assert mask.tolist() == slow.mask(agent)


def assert_games_agree(slow, config, rows, options=None):
    env = cleanup_icn.parallel_env(**config)
    observations, infos = env.reset(seed=0, options=options)
    assert_same_view(slow, observations, infos, slow.reset(**(options or {})))
    for actions in rows:
        assert env.agents == slow.agents
        observations, rewards, terminations, truncations, infos = env.step(actions)
        expected_rewards, expected_infos = slow.step(actions)
        assert_same_numbers(rewards, expected_rewards)
        assert_same_view(slow, observations, infos, expected_infos)
        assert truncations == dict.fromkeys(slow.agents, slow.is_over())
        assert terminations == dict.fromkeys(slow.agents, False)
    assert env.agents == []


@settle
@given(game=games())
def test_every_step_of_a_random_game_is_the_oracles(oracle, game):
    config, rows = game
    assert_games_agree(oracle.SlowCleanup(**config), config, rows)


@settings(settle, max_examples=80)
@given(game=games(action=ACTIONS | NONSENSE))
def test_an_action_that_does_not_exist_is_an_illegal_wait(oracle, game):
    config, rows = game
    assert_games_agree(oracle.SlowCleanup(**config), config, rows)


@settings(settle, max_examples=80)
@given(game=games(), data=st.data())
def test_initial_values_given_at_reset_replace_the_configured_ones(oracle, game, data):
    config, rows = game
    slow = oracle.SlowCleanup(**config)
    options = {
        "pollution_initial": data.draw(st.integers(0, slow.config["pollution_max"])),
        "fruit_initial": data.draw(st.integers(0, slow.config["fruit_max"])),
    }
    assert_games_agree(slow, config, rows, options)


@settings(settle, max_examples=60)
@given(game=games())
def test_taken_in_turns_the_game_pays_the_same(oracle, game):
    config, rows = game
    slow = oracle.SlowCleanup(**config)
    expected = dict.fromkeys(slow.agents, 0)
    for actions in rows:
        for agent, reward in slow.step(actions)[0].items():
            expected[agent] += reward
    env = cleanup_icn.env(**config)
    env.reset(seed=0)
    found = dict.fromkeys(slow.agents, 0.0)
    turn = 0
    for agent in env.agent_iter():
        _, reward, terminated, truncated, _ = env.last()
        found[agent] += reward
        over = terminated or truncated
        env.step(None if over else rows[turn // len(slow.agents)][agent])
        turn += 1
    assert turn == len(slow.agents) * (len(rows) + 1)
    assert found == pytest.approx({agent: float(total) for agent, total in expected.items()})


@pytest.mark.parametrize("number", [np.int64, np.int32, np.int8, int])
def test_actions_may_be_any_integers(oracle, number):
    row = {"agent_0": 2, "agent_1": 1}
    env = cleanup_icn.parallel_env()
    env.reset(seed=0)
    _, rewards, *_ = env.step({agent: number(action) for agent, action in row.items()})
    assert rewards == {"agent_0": 4.0, "agent_1": 0.0}


@pytest.mark.parametrize("thing", [None, "harvest", 2.0, float("nan"), [2], object(), 10**30])
def test_what_is_no_action_at_all_is_an_illegal_wait(thing):
    env = cleanup_icn.parallel_env()
    env.reset(seed=0)
    _, rewards, *_, infos = env.step({"agent_0": thing, "agent_1": 2})
    assert rewards == {"agent_0": 0.0, "agent_1": 4.0}
    assert (infos["agent_0"]["illegal"], infos["agent_1"]["illegal"]) == (1, 0)


def test_a_change_is_seen_before_the_step_it_governs():
    env = cleanup_icn.parallel_env(schedule=[(1, {"harvest_per_action": 1})])
    everyone_harvests = {"agent_0": 2, "agent_1": 2}
    _, infos = env.reset(seed=0)
    assert infos["agent_0"]["harvest_per_action"] == 4
    _, first, _, _, infos = env.step(everyone_harvests)
    assert infos["agent_0"]["harvest_per_action"] == 1
    _, second, *_ = env.step(everyone_harvests)
    assert (first["agent_0"], second["agent_0"]) == (4.0, 1.0)


def test_a_change_at_step_zero_is_in_force_from_the_first_observation():
    env = cleanup_icn.parallel_env(schedule=[(0, {"pollution_threshold": 9})])
    _, infos = env.reset(seed=0)
    assert infos["agent_1"]["pollution_threshold"] == 9


def test_a_contested_harvest_is_shared_in_fractions():
    env = cleanup_icn.parallel_env(num_agents=3)
    env.reset(seed=0)
    _, rewards, _, _, infos = env.step(dict.fromkeys(env.agents, 2))
    assert rewards == pytest.approx(dict.fromkeys(rewards, 10 / 3))
    assert infos["agent_2"]["harvested"] == rewards["agent_2"]


def test_linear_regrowth_survives_a_threshold_of_zero():
    env = cleanup_icn.parallel_env(preset="linear", pollution_threshold=0)
    env.reset(seed=0)
    *_, infos = env.step({"agent_0": 0, "agent_1": 0})
    assert infos["agent_0"]["fruit"] == 10
