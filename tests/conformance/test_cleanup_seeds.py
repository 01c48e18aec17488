"""What a seed of Cleanup promises: the same game again, and dice that nothing else can move."""

from __future__ import annotations

import random

import numpy as np
import pytest
from gymnasium.utils.env_checker import data_equivalence
from hypothesis import given, settings
from hypothesis import strategies as st

import cleanup_icn

SCHEDULE = ((3, {"pollution_threshold": 9}), (7, {"clean_per_action": 1, "prob_fruit_growth": 0.5}))
A_STOCHASTIC_WORLD = {
    "prob_pollution_growth": 0.6,
    "prob_fruit_growth": 0.3,
    "horizon_steps": 12,
    "schedule": SCHEDULE,
}

each_view = pytest.mark.parametrize("view", ["both", "vector", "text"])


# --- seeds -----------------------------------------------------------------------------------


@each_view
@pytest.mark.parametrize("num_agents", [2, 5])
def test_a_seed_and_the_actions_determine_the_whole_episode(random_episode, num_agents, view):
    config = {**A_STOCHASTIC_WORLD, "num_agents": num_agents, "observation": view}
    fresh = random_episode(cleanup_icn.parallel_env(**config), seed=11)
    used = cleanup_icn.parallel_env(**config)
    random_episode(used, seed=3, action_seed=5)
    random_episode(used, action_seed=6)
    assert data_equivalence(fresh, random_episode(used, seed=11), exact=True)


def test_games_played_side_by_side_do_not_disturb_each_other(random_episode):
    alone = random_episode(cleanup_icn.parallel_env(**A_STOCHASTIC_WORLD), seed=11)
    env = cleanup_icn.parallel_env(**A_STOCHASTIC_WORLD)
    other = cleanup_icn.parallel_env(**A_STOCHASTIC_WORLD)
    dice = np.random.default_rng(0)
    beside = [env.reset(seed=11)]
    other.reset(seed=12)
    while env.agents:
        beside.append(env.step({agent: int(dice.integers(4)) for agent in env.agents}))
        other.step(dict.fromkeys(other.agents, 2))
    assert data_equivalence(alone, beside, exact=True)


def test_what_was_returned_earlier_does_not_change_later():
    env = cleanup_icn.parallel_env(**A_STOCHASTIC_WORLD)
    observations, infos = env.reset(seed=0)
    text = observations["agent_0"]["text"]
    vector = observations["agent_0"]["observation"].copy()
    mask = observations["agent_0"]["action_mask"].copy()
    fruit = infos["agent_0"]["fruit"]
    env.step({"agent_0": 1, "agent_1": 2})
    assert observations["agent_0"]["text"] == text
    np.testing.assert_array_equal(observations["agent_0"]["observation"], vector)
    np.testing.assert_array_equal(observations["agent_0"]["action_mask"], mask)
    assert infos["agent_0"]["fruit"] == fruit


def test_spoiling_what_was_returned_spoils_no_game(random_episode):
    clean = random_episode(cleanup_icn.parallel_env(**A_STOCHASTIC_WORLD), seed=2)
    env = cleanup_icn.parallel_env(**A_STOCHASTIC_WORLD)
    observations, infos = env.reset(seed=2)
    observations["agent_0"]["action_mask"][:] = 0
    observations["agent_1"]["observation"][:] = 0
    infos["agent_0"].clear()
    assert data_equivalence(clean[1:], random_episode(env, first_reset=False), exact=True)


@settings(deadline=None, max_examples=25)
@given(
    seed=st.integers(0, 2**32 - 1),
    played=st.lists(st.integers(0, 12), min_size=3, max_size=3),
)
def test_the_kth_reset_after_a_seed_is_the_same_however_long_the_games_before(
    random_episode, seed, played
):
    steady = cleanup_icn.parallel_env(**A_STOCHASTIC_WORLD)
    expected = [random_episode(steady, seed=seed)] + [random_episode(steady) for _ in played]
    broken = cleanup_icn.parallel_env(**A_STOCHASTIC_WORLD)
    broken.reset(seed=seed)
    for k, steps in enumerate(played, start=1):
        for _ in range(steps):
            if broken.agents:
                broken.step(dict.fromkeys(broken.agents, 1))
        if k < len(played):
            broken.reset()
    assert data_equivalence(expected[-1], random_episode(broken), exact=True)


def test_the_kth_reset_is_the_same_in_turns_as_in_parallel(random_episode):
    parallel = cleanup_icn.parallel_env(**A_STOCHASTIC_WORLD)
    parallel.reset(seed=8)
    random_episode(parallel)
    expected = random_episode(parallel)
    turns = cleanup_icn.env(**A_STOCHASTIC_WORLD)
    turns.reset(seed=8)
    turns.reset()
    turns.reset()
    dice = np.random.default_rng(0)
    for observations, *_, infos in expected[:-1]:
        for agent in parallel.possible_agents:
            observation, *_, info = turns.last()
            assert data_equivalence(observation, observations[agent], exact=True)
            assert info["fruit"] == infos[agent]["fruit"]
            turns.step(int(dice.integers(4)))


def test_resets_after_a_seed_differ_from_one_another():
    config = open_world(40, prob_pollution_growth=0.5, prob_fruit_growth=0.5)
    env = cleanup_icn.parallel_env(**config)
    episodes = [growth(env, lambda _: 0, seed=5 if k == 0 else None) for k in range(6)]
    assert all(a != b for i, a in enumerate(episodes) for b in episodes[:i])


def test_options_of_one_episode_do_not_leak_into_the_next():
    env = cleanup_icn.parallel_env()
    _, infos = env.reset(seed=0, options={"pollution_initial": 20, "fruit_initial": 3})
    assert (infos["agent_0"]["pollution"], infos["agent_0"]["fruit"]) == (20, 3)
    _, infos = env.reset()
    assert (infos["agent_0"]["pollution"], infos["agent_0"]["fruit"]) == (0, 10)


def test_scheduled_changes_of_one_episode_do_not_leak_into_the_next(random_episode):
    env = cleanup_icn.parallel_env(schedule=SCHEDULE)
    *_, infos = random_episode(env, seed=0)[-1]
    assert infos["agent_0"]["pollution_threshold"] == 9
    _, infos = env.reset()
    assert infos["agent_0"]["pollution_threshold"] == 6


def test_the_last_deeds_of_one_episode_do_not_leak_into_the_next():
    env = cleanup_icn.parallel_env(horizon_steps=1)
    env.reset(seed=0)
    *_, infos = env.step({"agent_0": 2, "agent_1": 3})
    assert (infos["agent_0"]["harvested"], infos["agent_1"]["illegal"]) == (4, 1)
    _, infos = env.reset()
    for info in infos.values():
        assert (info["harvested"], info["cleaned"], info["illegal"]) == (0, 0, 0)


def test_no_game_touches_the_global_random_numbers(random_episode):
    random.seed(1)
    np.random.seed(1)  # noqa: NPY002 - the legacy global stream is what must stay untouched
    untouched = (random.random(), np.random.random())  # noqa: NPY002
    random.seed(1)
    np.random.seed(1)  # noqa: NPY002
    random_episode(cleanup_icn.parallel_env(**A_STOCHASTIC_WORLD), seed=0)
    random_episode(cleanup_icn.parallel_env(**A_STOCHASTIC_WORLD))
    assert (random.random(), np.random.random()) == untouched  # noqa: NPY002


# --- noise -----------------------------------------------------------------------------------


def open_world(horizon_steps, **chances):
    """A world where each growth adds 1 and neither a cap nor the threshold is ever reached."""
    return {
        "horizon_steps": horizon_steps,
        "pollution_max": 10**6,
        "pollution_threshold": 10**6,
        "pollution_growth_per_step": 1,
        "fruit_max": 10**6,
        "fruit_initial": 0,
        "fruit_growth_per_step": 1,
        **chances,
    }


def growth(env, choose_action, *, seed):
    """Per step, by how much pollution and fruit grew beyond what the agents took away."""
    _, infos = env.reset(seed=seed)
    before, events = infos["agent_0"], []
    while env.agents:
        actions = {agent: choose_action(agent) for agent in env.agents}
        *_, infos = env.step(actions)
        after = infos["agent_0"]
        cleaned = sum(info["cleaned"] for info in infos.values())
        harvested = sum(info["harvested"] for info in infos.values())
        events.append(
            (
                round(after["pollution"] - before["pollution"] + cleaned),
                round(after["fruit"] - before["fruit"] + harvested),
            )
        )
        before = after
    return events


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 2**32 - 1), action_seed=st.integers(0, 999))
def test_the_noise_does_not_depend_on_the_actions(seed, action_seed):
    config = open_world(40, prob_pollution_growth=0.5, prob_fruit_growth=0.4)
    env = cleanup_icn.parallel_env(num_agents=3, **config)
    dice = np.random.default_rng(action_seed)
    idle = growth(env, lambda _: 0, seed=seed)
    busy = growth(env, lambda _: int(dice.integers(4)), seed=seed)
    assert idle == busy
    assert {step[0] for step in idle} <= {0, 1}


def test_the_noise_does_not_depend_on_the_number_of_agents_or_the_threshold():
    config = open_world(40, prob_pollution_growth=0.5, prob_fruit_growth=0.4)
    few = growth(cleanup_icn.parallel_env(**config), lambda _: 0, seed=1)
    many = growth(cleanup_icn.parallel_env(num_agents=16, **config), lambda _: 0, seed=1)
    assert few == many
    config["pollution_threshold"] = 0
    barren = growth(cleanup_icn.parallel_env(**config), lambda _: 0, seed=1)
    assert [step[0] for step in barren] == [step[0] for step in few]


def assert_unrelated(first, second, lags=range(4)):
    """No correlation beyond chance between `first` and `second` the given steps later."""
    first, second = (row - np.mean(row) for row in (first, second))
    for lag in lags:
        pairs = first[: len(first) - lag], second[lag:]
        correlation = np.mean(pairs[0] * pairs[1]) / (np.std(first) * np.std(second))
        assert abs(correlation) < 4.5 / np.sqrt(len(first)), lag


@pytest.mark.parametrize(("pollution", "fruit"), [(0.3, 0.8), (0.5, 0.5), (0.05, 0.95)])
def test_growth_is_as_frequent_as_its_probability(pollution, fruit):
    steps = 4000
    config = open_world(steps, prob_pollution_growth=pollution, prob_fruit_growth=fruit)
    shares = np.mean(growth(cleanup_icn.parallel_env(**config), lambda _: 0, seed=123), axis=0)
    for share, probability in zip(shares, (pollution, fruit), strict=True):
        assert abs(share - probability) < 4 * np.sqrt(probability * (1 - probability) / steps)


def test_the_dice_of_a_step_tell_nothing_of_others_nor_of_the_next_episode_or_seed():
    config = open_world(4000, prob_pollution_growth=0.5, prob_fruit_growth=0.5)
    env = cleanup_icn.parallel_env(**config)
    episodes = [np.array(growth(env, lambda _: 0, seed=seed)).T for seed in (7, None, 8)]
    pollution, fruit = episodes[0]
    assert_unrelated(pollution, fruit)
    assert_unrelated(fruit, pollution)
    assert_unrelated(pollution, pollution, lags=range(1, 4))
    assert_unrelated(fruit, fruit, lags=range(1, 4))
    for other in episodes[1:]:
        assert_unrelated(pollution, other[0])
        assert_unrelated(other[0], pollution)


def test_growth_is_as_frequent_across_resets_and_across_seeds():
    config = open_world(1, prob_pollution_growth=0.5, prob_fruit_growth=0.5)
    env = cleanup_icn.parallel_env(**config)
    idle = dict.fromkeys(env.possible_agents, 0)

    def first_step(seed):
        env.reset(seed=seed)
        *_, infos = env.step(idle)
        return infos["agent_0"]["pollution"]

    by_seed = [first_step(seed) for seed in range(2000)]
    env.reset(seed=0)
    by_reset = [first_step(None) for _ in range(2000)]
    for sample in (by_seed, by_reset):
        assert abs(np.mean(sample) - 0.5) < 4 * 0.5 / np.sqrt(2000)


def test_a_scheduled_probability_holds_from_its_step_on():
    config = open_world(30, prob_pollution_growth=0.0)
    config["schedule"] = [(10, {"prob_pollution_growth": 1.0}), (20, {"prob_fruit_growth": 0.0})]
    events = growth(cleanup_icn.parallel_env(**config), lambda _: 0, seed=0)
    assert [step[0] for step in events] == [0] * 10 + [1] * 20
    assert [step[1] for step in events] == [1] * 20 + [0] * 10
