"""Iterated contract negotiation against PettingZoo's own tests, and the promises they skip.

PettingZoo's ``max_cycles_test`` does not apply: it counts calls of ``step()``, talks among them.
"""

from __future__ import annotations

import re
import warnings
from contextlib import contextmanager

import numpy as np
import pettingzoo
import pytest
from gymnasium import spaces
from gymnasium.utils.env_checker import data_equivalence
from hypothesis import given, settings
from hypothesis import strategies as st
from pettingzoo.test import (
    api_test,
    parallel_api_test,
    parallel_seed_test,
    render_test,
    seed_test,
)

from cleanup_icn import TextActions, icn
from cleanup_icn.contracts import Contract, Duration, LumpSum, Share

STOCHASTIC = {"prob_pollution_growth": 0.6, "prob_fruit_growth": 0.3}
SCHEDULE = ((3, {"pollution_threshold": 9}), (7, {"clean_per_action": 1}))
TRIBUTE = Contract(
    [
        Share(payer="agent_0", payee="others", of="harvested", fraction=0.5),
        LumpSum(payer="agent_1", payee="agent_0", amount=2.5),
    ],
    Duration("change"),
)
SETTINGS = {
    "plain": {},
    "quarrelsome": {"judge": "every:1", "max_rounds": 5, "disagreement": "void"},
    "costly": {"judge": "every:3", "negotiation_cost_steps": 2, "num_agents": 5},
    "changing": {"schedule": SCHEDULE, "num_agents": 3, "limited_liability": True},
    "silent": {"judge": "never", "initial_contract": TRIBUTE, "settle": "episode_end"},
    "forgetful": {"judge": "welfare-fall", "history": False, "menu": [TRIBUTE]},
    "without a menu": {"judge": "every:4", "menu": []},
}
KNOWN = re.compile(
    "Observation is not a NumPy array"
    "|Observation space for each agent probably should be gymnasium.spaces.box"
    "|Action space for each agent probably should be gymnasium.spaces.box"
)

each_setting = pytest.mark.parametrize(
    "config",
    [{"horizon_steps": 10, **STOCHASTIC, **config} for config in SETTINGS.values()],
    ids=SETTINGS,
)
each_view = pytest.mark.parametrize("view", ["both", "vector", "text"])
each_making = pytest.mark.parametrize("make", [icn.env, icn.raw_env])


@contextmanager
def no_warning_but(known=re.compile("(?!)")):
    """Fails if anything is warned of that does not match `known` (by default, anything)."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    assert [str(w.message) for w in caught if not known.search(str(w.message))] == []


def choose(dice, env, mask=None):
    """An action at random: of those of the mask, else of all of them and contracts besides."""
    if mask is not None:
        return int(dice.choice(np.flatnonzero(mask)))
    action = int(dice.integers(env.unwrapped.action_space("agent_0").n + 1))
    return TRIBUTE if action == env.unwrapped.action_space("agent_0").n else action


def episode(env, *, seed=None, action_seed=0, masked=False, options=None):
    """Everything the parallel environment returns in one episode of random actions."""
    dice = np.random.default_rng(action_seed)
    record = [env.reset(seed=seed, options=options)]
    while env.agents:
        infos = record[-1][-1]
        masks = {a: infos[a]["action_mask"] if masked else None for a in env.agents}
        record.append(env.step({a: choose(dice, env, masks[a]) for a in env.agents}))
    return record


# --- PettingZoo's own tests ------------------------------------------------------------------


@each_setting
@pytest.mark.parametrize("view", ["both", "vector"])
@each_making
def test_api_test_passes(make, config, view):
    with no_warning_but(KNOWN):
        api_test(make(**config, observation=view), num_cycles=40)


@each_setting
@each_view
def test_parallel_api_test_passes(config, view):
    with no_warning_but():
        parallel_api_test(icn.parallel_env(**config, observation=view), num_cycles=40)


@each_view
@pytest.mark.parametrize("num_agents", [2, 4])
def test_seed_tests_pass(num_agents, view):
    config = {**STOCHASTIC, "judge": "every:2", "num_agents": num_agents, "observation": view}
    with no_warning_but():
        seed_test(lambda: icn.env(**config), num_cycles=15)
        parallel_seed_test(lambda: icn.parallel_env(**config), num_cycles=15)


def test_render_test_passes(capsys):
    with no_warning_but():
        render_test(lambda render_mode: icn.env(judge="every:2", render_mode=render_mode))
    assert capsys.readouterr().out.strip(), "human rendering shows nothing"


@pytest.mark.parametrize("view", ["both", "vector"])
@each_making
def test_api_test_passes_when_actions_are_text(make, view):
    env = TextActions(make(observation=view, judge="every:2", horizon_steps=8))
    with no_warning_but(KNOWN):
        api_test(env, num_cycles=30)


@each_view
def test_parallel_api_test_passes_when_actions_are_text(view):
    env = icn.parallel_env(observation=view, judge="every:2", num_agents=3, horizon_steps=8)
    with no_warning_but():
        parallel_api_test(TextActions(env), num_cycles=30)


@pytest.mark.parametrize("api", ["parallel", "aec"])
def test_it_is_registered_with_pettingzoo(api):
    env = pettingzoo.make(api, "commonweal/CleanupICN-v0", num_agents=3, judge="every:5")
    env.reset(seed=0)
    assert env.possible_agents == ["agent_0", "agent_1", "agent_2"]
    assert env.unwrapped.phase == "propose"


# --- spaces ----------------------------------------------------------------------------------


@each_view
@each_setting
@pytest.mark.parametrize("masked", [True, False])
def test_every_observation_of_an_episode_lies_inside_its_space(config, view, masked):
    env = icn.parallel_env(**config, observation=view)
    record = episode(env, seed=1, masked=masked)
    assert len(record) > 10
    for observations, *_, infos in record:
        assert set(observations) == set(infos) == set(env.possible_agents)
        for agent, observation in observations.items():
            assert env.observation_space(agent).contains(observation), observation


@pytest.mark.parametrize("view", ["both", "text"])
def test_observations_with_a_long_menu_lie_inside_their_space(view):
    menu = icn.wage_menu([rate / 8 for rate in range(1000)])
    env = icn.parallel_env(menu=menu, judge="start", observation=view)
    observations, _ = env.reset(seed=0)
    for agent, observation in observations.items():
        assert env.observation_space(agent).contains(observation)


def test_the_spaces_are_those_promised():
    env = icn.parallel_env(menu=[TRIBUTE])
    both = env.observation_space("agent_0")
    assert set(both.spaces) == {"observation", "text", "action_mask"}
    assert both["action_mask"] == spaces.Box(0, 1, (7,), np.int8)
    assert env.action_space("agent_0") == spaces.Discrete(7)
    text = icn.parallel_env(observation="text").observation_space("agent_0")
    assert isinstance(text, spaces.Text)
    vector = icn.parallel_env(observation="vector").observation_space("agent_0")
    assert isinstance(vector, spaces.Box)
    assert vector.dtype == np.float32


@each_setting
def test_all_views_are_of_the_same_episode(config):
    whole = episode(icn.parallel_env(**config), seed=4)
    for view, key in (("vector", "observation"), ("text", "text")):
        part = episode(icn.parallel_env(**config, observation=view), seed=4)
        for (full, *_), (seen, *_) in zip(whole, part, strict=True):
            for agent, observation in seen.items():
                np.testing.assert_array_equal(observation, full[agent][key])


@each_setting
def test_the_mask_in_an_observation_is_that_in_the_infos(config):
    for observations, *_, infos in episode(icn.parallel_env(**config), seed=4, masked=True):
        for agent, info in infos.items():
            np.testing.assert_array_equal(observations[agent]["action_mask"], info["action_mask"])
            assert info["action_mask"].any()


# --- seeds -----------------------------------------------------------------------------------


@each_setting
def test_a_seed_and_the_actions_determine_the_whole_episode(config):
    fresh = episode(icn.parallel_env(**config), seed=11)
    used = icn.parallel_env(**config)
    episode(used, seed=3, action_seed=5)
    episode(used, action_seed=6, masked=True, options={"pollution_initial": 20})
    assert data_equivalence(fresh, episode(used, seed=11), exact=True)


@each_setting
def test_the_kth_reset_after_a_seed_is_the_same_wherever_the_game_before_was_left(config):
    steady = icn.parallel_env(**config)
    episode(steady, seed=8)
    expected = episode(steady)
    broken = icn.parallel_env(**config)
    broken.reset(seed=8)
    broken.step(dict.fromkeys(broken.agents, 6))
    assert data_equivalence(expected, episode(broken), exact=True)


def test_spoiling_what_was_returned_spoils_no_game():
    config = {**STOCHASTIC, "judge": "every:2", "schedule": [(0, {"clean_per_action": 1})]}
    env = icn.parallel_env(**config, horizon_steps=8)
    clean = episode(env, seed=2)
    spoilt = icn.parallel_env(**config, horizon_steps=8)
    dice = np.random.default_rng(0)
    observations, infos = spoilt.reset(seed=2)
    lengths = []
    while spoilt.agents:
        for agent in spoilt.agents:
            observations[agent]["observation"][:] = 7.0
            observations[agent]["action_mask"][:] = 0
            for value in infos[agent].values():
                if isinstance(value, dict):
                    value.clear()
            infos[agent].clear()
        step = spoilt.step({a: choose(dice, spoilt) for a in spoilt.agents})
        lengths.append(step[1])
        assert step[0]["agent_0"]["text"] == clean[len(lengths)][0]["agent_0"]["text"]
        observations, infos = step[0], step[-1]
    assert lengths == [rewards for _, rewards, *_ in clean[1:]]


# --- turns -----------------------------------------------------------------------------------


@each_making
@each_setting
def test_in_turns_everything_is_as_in_parallel(make, config):
    parallel = episode(icn.parallel_env(**config), seed=5)
    env = make(**config)
    env.reset(seed=5)
    dice = np.random.default_rng(0)
    returns = dict.fromkeys(env.possible_agents, 0.0)
    for observations, *_, infos in parallel:
        for agent in env.possible_agents:
            observation, reward, terminated, truncated, info = env.last()
            assert env.agent_selection == agent
            assert data_equivalence(observation, observations[agent], exact=True)
            assert info["phase"] == infos[agent]["phase"]
            returns[agent] += reward
            env.step(None if terminated or truncated else choose(dice, env))
    assert env.agents == []
    for agent, return_ in returns.items():
        assert return_ == pytest.approx(sum(step[1][agent] for step in parallel[1:]))


# --- time ------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=25)
@given(
    judge=st.sampled_from(["never", "every:1", "every:4", "change", "welfare-fall"]),
    horizon=st.integers(1, 12),
    cost=st.integers(0, 3),
    action_seed=st.integers(0, 99),
)
def test_an_episode_has_as_many_play_steps_as_the_horizon_says(judge, horizon, cost, action_seed):
    env = icn.parallel_env(judge=judge, horizon_steps=horizon, negotiation_cost_steps=cost)
    record = episode(env, seed=0, action_seed=action_seed)
    phases = [infos["agent_0"]["phase"] for *_, infos in record]
    play_steps = [phase for phase in phases[:-1] if phase in ("play", "waiting")]
    assert len(play_steps) == horizon
    assert record[-1][-1]["agent_0"]["step"] == horizon
    for (*_, truncations, _), phase in zip(record[1:], phases, strict=False):
        is_over = truncations is record[-1][3]
        assert set(truncations.values()) == {is_over}
        assert not is_over or phase in ("play", "waiting")


def test_an_environment_steps_no_further_than_its_end():
    env = icn.parallel_env(judge="never", horizon_steps=1)
    env.reset(seed=0)
    env.step(dict.fromkeys(env.agents, 0))
    assert env.step({}) == ({}, {}, {}, {}, {})
    with pytest.raises(ValueError, match="reset"):
        env.step({"agent_0": 0, "agent_1": 0})
