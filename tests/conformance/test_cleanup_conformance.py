"""Cleanup against PettingZoo's and Gymnasium's own tests, and against the promises they skip."""

from __future__ import annotations

import re
import warnings
from contextlib import contextmanager

import gymnasium
import numpy as np
import pettingzoo
import pytest
from gymnasium.utils.env_checker import check_env, data_equivalence
from hypothesis import given, settings
from hypothesis import strategies as st
from pettingzoo.test import (
    api_test,
    max_cycles_test,
    parallel_api_test,
    parallel_seed_test,
    render_test,
    seed_test,
)

import cleanup_icn

SCHEDULE = ((3, {"pollution_threshold": 9}), (7, {"clean_per_action": 1, "prob_fruit_growth": 0.5}))
WORLDS = {
    "plain": {},
    "linear": {"preset": "linear"},
    "costly": {"preset": "costly-cleaning", "num_agents": 5},
    "stochastic": {"prob_pollution_growth": 0.6, "prob_fruit_growth": 0.3},
    "changing": {"schedule": SCHEDULE, "prob_pollution_growth": 0.6, "num_agents": 5},
    "full": {"num_agents": 16, "horizon_steps": 12, "fruit_initial": 20, "pollution_initial": 30},
    "tiny": {
        "horizon_steps": 5,
        "pollution_max": 1,
        "pollution_threshold": 1,
        "fruit_max": 0,
        "fruit_initial": 0,
    },
    "huge": {
        "pollution_max": 10**6,
        "fruit_max": 10**6,
        "fruit_growth_per_step": 10**5,
        "pollution_threshold": 10**6,
        "pollution_growth_per_step": 99_999,
        "harvest_per_action": 12_345,
    },
}
VIEWS = ("both", "vector", "text")
PETTINGZOO_ADVICE = re.compile(
    "Observation is not a NumPy array"
    "|Observation space for each agent probably should be gymnasium.spaces.box"
)
ADVICE_ON_TEXT_ACTIONS = re.compile(
    PETTINGZOO_ADVICE.pattern
    + "|Action space for each agent probably should be gymnasium.spaces.box"
)
A_STOCHASTIC_WORLD = {**WORLDS["stochastic"], "horizon_steps": 12, "schedule": SCHEDULE}

each_world = pytest.mark.parametrize("config", WORLDS.values(), ids=WORLDS)
each_view = pytest.mark.parametrize("view", VIEWS)


@contextmanager
def no_warning_but(known=re.compile("(?!)")):
    """Fails if anything is warned of that does not match `known` (by default, anything)."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    assert [str(w.message) for w in caught if not known.search(str(w.message))] == []


# --- PettingZoo's own tests ------------------------------------------------------------------


@each_world
@pytest.mark.parametrize("view", ["both", "vector"])
@pytest.mark.parametrize("make", [cleanup_icn.env, cleanup_icn.raw_env])
def test_api_test_passes(make, config, view):
    with no_warning_but(PETTINGZOO_ADVICE):
        api_test(make(**config, observation=view), num_cycles=60)


@each_world
@each_view
def test_parallel_api_test_passes(config, view):
    with no_warning_but():
        parallel_api_test(cleanup_icn.parallel_env(**config, observation=view), num_cycles=60)


@each_view
@pytest.mark.parametrize("num_agents", [2, 5])
def test_seed_tests_pass(num_agents, view):
    config = {**A_STOCHASTIC_WORLD, "num_agents": num_agents, "observation": view}
    with no_warning_but():
        seed_test(lambda: cleanup_icn.env(**config), num_cycles=15)
        parallel_seed_test(lambda: cleanup_icn.parallel_env(**config), num_cycles=15)


def test_max_cycles_test_passes():
    with no_warning_but():
        max_cycles_test(cleanup_icn)


@each_view
@pytest.mark.parametrize("num_agents", [2, 5])
def test_render_test_passes(num_agents, view, capsys):
    with no_warning_but():
        render_test(
            lambda render_mode: cleanup_icn.env(
                num_agents=num_agents, observation=view, render_mode=render_mode
            )
        )
    assert capsys.readouterr().out.strip(), "human rendering shows nothing"


def test_every_promised_render_mode_is_offered():
    env = cleanup_icn.parallel_env()
    assert {"human", "ansi", "rgb_array"} <= set(env.metadata["render_modes"])


@pytest.mark.parametrize("view", ["both", "vector"])
@pytest.mark.parametrize("make", [cleanup_icn.env, cleanup_icn.raw_env])
def test_api_test_passes_when_actions_are_text(make, view):
    env = cleanup_icn.TextActions(make(observation=view, horizon_steps=12))
    with no_warning_but(ADVICE_ON_TEXT_ACTIONS):
        api_test(env, num_cycles=20)


@each_view
def test_parallel_api_test_passes_when_actions_are_text(view):
    env = cleanup_icn.parallel_env(observation=view, num_agents=5, horizon_steps=12)
    with no_warning_but():
        parallel_api_test(cleanup_icn.TextActions(env), num_cycles=20)


@settings(deadline=None, max_examples=50)
@given(answer=st.text() | st.none() | st.integers() | st.binary())
def test_no_answer_in_words_raises(answer):
    env = cleanup_icn.TextActions(cleanup_icn.parallel_env())
    env.reset(seed=0)
    _, rewards, *_ = env.step({"agent_0": answer, "agent_1": "Action: harvest"})
    assert rewards["agent_1"] == 4.0


def test_actions_as_text_leave_no_mask_behind():
    env = cleanup_icn.TextActions(cleanup_icn.parallel_env())
    observations, infos = env.reset(seed=0)
    assert isinstance(env.action_space("agent_0"), gymnasium.spaces.Text)
    assert "action_mask" not in env.observation_space("agent_0").spaces
    for _ in range(2):
        for agent in env.agents:
            assert "action_mask" not in observations[agent]
            assert "action_mask" not in infos[agent]
        actions = dict.fromkeys(env.agents, "I am hungry.\nAction: harvest")
        observations, rewards, *_, infos = env.step(actions)
    assert sum(rewards.values()) == 5


# --- registries ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("api", "kind"), [("parallel", pettingzoo.ParallelEnv), ("aec", pettingzoo.AECEnv)]
)
def test_pettingzoo_makes_cleanup_by_its_id(api, kind):
    with no_warning_but():
        env = pettingzoo.make(api, "commonweal/Cleanup-v0", num_agents=3, preset="linear")
    assert isinstance(env, kind)
    assert env.possible_agents == ["agent_0", "agent_1", "agent_2"]
    env.reset(seed=0)
    assert env.agents == env.possible_agents


def test_pettingzoo_make_passes_its_max_cycles_on(random_episode):
    env = pettingzoo.make("parallel", "commonweal/Cleanup-v0", max_cycles=3)
    assert len(random_episode(env, seed=0)) == 1 + 3


def make_seat(**config):
    return gymnasium.make(
        "commonweal/CleanupSeat-v0", seat="agent_0", partners="all-harvest", **config
    )


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"num_agents": 5},
        WORLDS["stochastic"],
        {"observation": "vector"},
        {"observation": "text"},
    ],
)
def test_gymnasiums_checker_passes_a_single_seat(config):
    with no_warning_but():
        env = make_seat(**config)
        check_env(env.unwrapped)


def test_a_seat_among_harvesters_plays_the_game_the_others_play():
    env = make_seat()
    _, info = env.reset(seed=0)
    assert info["fruit"] == 10
    total, truncated, steps = 0.0, False, 0
    while not truncated:
        observation, reward, terminated, truncated, info = env.step(2)
        assert not terminated
        assert env.observation_space.contains(observation)
        total, steps = total + float(reward), steps + 1
    assert (total, steps) == (6.5, 50)


def test_partners_are_told_as_little_as_the_seat_and_play_what_they_choose():
    asked = []

    def cleaner(observation):
        asked.append(observation)
        return 3 if observation["action_mask"][3] else 1

    env = gymnasium.make("commonweal/CleanupSeat-v0", seat="agent_0", partners=cleaner)
    env.reset(seed=0)
    total = sum(float(env.step(2)[1]) for _ in range(50))
    assert (total, len(asked)) == (157.0, 50)


@pytest.mark.parametrize(
    "wrong", [{"seat": "agent_2"}, {"seat": "garden"}, {"partners": "nobody"}, {"partners": {}}]
)
def test_a_seat_or_partner_there_is_not_is_refused(wrong):
    with pytest.raises(cleanup_icn.ConfigError, match=next(iter(wrong))):
        gymnasium.make("commonweal/CleanupSeat-v0", **wrong)


# --- spaces ----------------------------------------------------------------------------------


@each_view
@each_world
def test_every_observation_of_an_episode_lies_inside_its_space(random_episode, config, view):
    env = cleanup_icn.parallel_env(**config, observation=view)
    for observations, *_ in random_episode(env, seed=1):
        assert set(observations) == set(env.possible_agents)
        for agent, observation in observations.items():
            assert env.observation_space(agent).contains(observation), observation


@each_view
@each_world
def test_every_observation_taken_in_turns_lies_inside_its_space(config, view):
    env = cleanup_icn.env(**config, observation=view)
    dice = np.random.default_rng(0)
    env.reset(seed=1)
    turns = 0
    for agent in env.agent_iter():
        observation, _, terminated, truncated, _ = env.last()
        assert env.observation_space(agent).contains(observation), observation
        env.step(None if terminated or truncated else int(dice.integers(4)))
        turns += 1
    assert turns == len(env.possible_agents) * (config.get("horizon_steps", 50) + 1)


def test_the_spaces_are_those_promised():
    spaces = gymnasium.spaces
    both = cleanup_icn.parallel_env().observation_space("agent_0")
    assert isinstance(both, spaces.Dict)
    assert set(both.spaces) == {"observation", "text", "action_mask"}
    assert isinstance(both["observation"], spaces.Box)
    assert isinstance(both["text"], spaces.Text)
    assert both["action_mask"] == spaces.Box(0, 1, (4,), np.int8)
    text = cleanup_icn.parallel_env(observation="text").observation_space("agent_0")
    assert isinstance(text, spaces.Text)
    assert cleanup_icn.parallel_env().action_space("agent_0") == spaces.Discrete(4)


def test_a_vector_view_holds_no_text():
    env = cleanup_icn.parallel_env(observation="vector")
    space = env.observation_space("agent_0")
    parts = list(space.spaces.values()) if isinstance(space, gymnasium.spaces.Dict) else [space]
    assert all(isinstance(part, gymnasium.spaces.Box) for part in parts)


@each_world
def test_all_views_are_of_the_same_game(random_episode, config):
    whole = random_episode(cleanup_icn.parallel_env(**config), seed=4)
    for view in ("vector", "text"):
        part = random_episode(cleanup_icn.parallel_env(**config, observation=view), seed=4)
        for (*_, seen_whole), (*_, seen_part) in zip(whole, part, strict=True):
            for agent, info in seen_part.items():
                assert info["pollution"] == seen_whole[agent]["pollution"]
                assert info["harvested"] == seen_whole[agent]["harvested"]
    texts = random_episode(cleanup_icn.parallel_env(**config, observation="text"), seed=4)
    for (full, *_), (text, *_) in zip(whole, texts, strict=True):
        assert {agent: view["text"] for agent, view in full.items()} == text


def test_an_agent_does_not_see_anothers_move_of_the_same_step():
    for first_action in range(4):
        env = cleanup_icn.raw_env()
        env.reset(seed=0)
        env.step(first_action)
        observation, reward, *_, info = env.last()
        untouched = cleanup_icn.raw_env()
        untouched.reset(seed=0)
        assert data_equivalence(observation, untouched.observe("agent_1"), exact=True)
        assert (reward, info["fruit"], info["harvested"]) == (0, 10, 0)
