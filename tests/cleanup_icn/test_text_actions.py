"""Answers in words as actions, in both APIs and under a contract."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pettingzoo import AECEnv, ParallelEnv

import cleanup_icn
from cleanup_icn import TextActions
from cleanup_icn.contracts import Contract, ContractWrapper, Wage
from cleanup_icn.state import CLEAN, HARVEST, MOVE, WAIT
from cleanup_icn.text import CHARSET

settle = settings(deadline=None, max_examples=60)
WAGE = Contract([Wage(payer="others", payee="all", per="cleaned", rate=0.6)])
MALFORMED = {
    "": "missing",
    "I would rather not say.": "missing",
    "Action: dance": "unknown_action",
    "Action:": "missing",
    None: "not_text",
    7: "not_text",
    2.5: "not_text",
}


def made(**config):
    env = TextActions(cleanup_icn.parallel_env(**config))
    env.reset(seed=0)
    return env


def harvester_and_cleaner(step):
    """What the two agents answer in a step when labour is divided."""
    return "Action: harvest", "Action: clean" if step else "Action: move"


def parallel_returns(env, *, seed=0):
    env.reset(seed=seed)
    returns, step = dict.fromkeys(env.agents, 0.0), 0
    while env.agents:
        actions = dict(zip(env.agents, harvester_and_cleaner(step), strict=True))
        for agent, reward in env.step(actions)[1].items():
            returns[agent] += reward
        step += 1
    return returns


def turn_returns(env, *, seed=0):
    env.reset(seed=seed)
    returns = dict.fromkeys(env.agents, 0.0)
    for turn, agent in enumerate(env.agent_iter()):
        _, reward, terminated, truncated, _ = env.last()
        returns[agent] += reward
        over = terminated or truncated
        env.step(None if over else harvester_and_cleaner(turn // 2)[turn % 2])
    return returns


def test_words_play_the_game_as_numbers_do():
    words, numbers = made(), cleanup_icn.parallel_env()
    numbers.reset(seed=0)
    for step in range(4):
        answers = harvester_and_cleaner(step)
        joint = {"agent_0": HARVEST, "agent_1": CLEAN if step else MOVE}
        observations, rewards, *_ = words.step(dict(zip(words.agents, answers, strict=True)))
        expected, expected_rewards, *_ = numbers.step(joint)
        assert rewards == expected_rewards
        assert observations["agent_1"]["text"] == expected["agent_1"]["text"]
        assert np.array_equal(
            observations["agent_0"]["observation"], expected["agent_0"]["observation"]
        )


@pytest.mark.parametrize(("answer", "status"), MALFORMED.items())
def test_a_malformed_answer_becomes_a_wait_that_says_why_and_is_not_illegal(answer, status):
    _, rewards, *_, infos = made().step({"agent_0": answer, "agent_1": "Action: harvest"})
    assert rewards == {"agent_0": 0.0, "agent_1": 4.0}
    told = infos["agent_0"]
    assert (told["parse_status"], told["action"], told["illegal"]) == (status, WAIT, 0)
    assert (infos["agent_1"]["parse_status"], infos["agent_1"]["action"]) == ("ok", HARVEST)


def test_an_answer_that_can_be_read_and_not_be_done_is_illegal_and_not_malformed():
    *_, infos = made().step({"agent_0": "Action: clean", "agent_1": "Action: wait"})
    told = infos["agent_0"]
    assert (told["parse_status"], told["action"], told["illegal"]) == ("ok", CLEAN, 1)


@settle
@given(answer=st.one_of(st.text(), st.none(), st.integers(), st.binary(), st.lists(st.text())))
def test_no_answer_at_all_raises(answer):
    *_, infos = made().step({"agent_0": answer, "agent_1": "Action: wait"})
    assert infos["agent_0"]["action"] == WAIT
    assert infos["agent_0"]["parse_status"] != "ok"


def test_nothing_has_been_read_before_the_first_answer():
    _, infos = TextActions(cleanup_icn.parallel_env()).reset(seed=0)
    assert {"parse_status", "action"} & infos["agent_0"].keys() == set()


@pytest.mark.parametrize("kind", ["both", "text", "vector"])
def test_the_mask_is_gone_from_spaces_observations_and_infos(kind):
    env = TextActions(cleanup_icn.parallel_env(observation=kind))
    observations, infos = env.reset(seed=0)
    for _ in range(2):
        for agent in env.agents:
            assert env.observation_space(agent).contains(observations[agent])
            assert "action_mask" not in infos[agent]
        if kind == "both":
            assert set(observations["agent_0"]) == {"observation", "text"}
        observations, *_, infos = env.step(dict.fromkeys(env.agents, "Action: harvest"))


def test_the_wrapped_environment_keeps_its_mask():
    inner = cleanup_icn.parallel_env()
    env = TextActions(inner)
    env.reset(seed=0)
    env.step(dict.fromkeys(env.agents, "Action: move"))
    observations, infos = inner.reset(seed=0)
    assert observations["agent_0"]["action_mask"].tolist() == [1, 1, 1, 0]
    assert infos["agent_0"]["action_mask"].tolist() == [1, 1, 1, 0]
    assert "action_mask" in inner.observation_space("agent_0").spaces


def test_the_action_space_holds_what_a_model_writes():
    space = made().action_space("agent_0")
    assert space.contains("Let me think: pollution is 3.\n\nAction: clean")
    assert space.contains("")
    assert set(space.character_set) == set(CHARSET)


def test_both_apis_stay_what_they_are():
    assert isinstance(TextActions(cleanup_icn.parallel_env()), ParallelEnv)
    assert isinstance(TextActions(cleanup_icn.env()), AECEnv)


def test_in_turns_words_earn_what_they_earn_at_once():
    assert turn_returns(TextActions(cleanup_icn.env())) == {"agent_0": 157.0, "agent_1": 0.0}
    assert parallel_returns(made()) == {"agent_0": 157.0, "agent_1": 0.0}


def test_in_turns_a_malformed_answer_is_a_wait_and_the_agent_is_told():
    env = TextActions(cleanup_icn.env())
    env.reset(seed=0)
    env.step("I am not sure.")
    env.step("Action: harvest")
    observation, reward, _, _, info = env.last()
    assert env.agent_selection == "agent_0"
    assert (reward, info["parse_status"], info["action"]) == (0.0, "missing", WAIT)
    assert set(observation) == {"observation", "text"}
    assert "action_mask" not in info
    env.step("Action: wait")
    assert env.last()[1] == 4.0


@pytest.mark.parametrize("settle", ["step", "episode_end"])
def test_under_a_contract_words_are_paid_for(settle):
    env = TextActions(
        ContractWrapper(cleanup_icn.parallel_env(horizon_steps=4), WAGE, settle=settle)
    )
    assert parallel_returns(env) == pytest.approx({"agent_0": 16 - 5.4, "agent_1": 5.4})


@pytest.mark.parametrize("settle", ["step", "episode_end"])
def test_under_a_contract_in_turns_words_are_paid_for(settle):
    env = TextActions(ContractWrapper(cleanup_icn.env(horizon_steps=4), WAGE, settle=settle))
    assert turn_returns(env) == pytest.approx({"agent_0": 16 - 5.4, "agent_1": 5.4})


def test_a_contract_around_words_is_as_good_as_words_around_a_contract():
    env = ContractWrapper(TextActions(cleanup_icn.parallel_env(horizon_steps=4)), WAGE)
    assert parallel_returns(env) == pytest.approx({"agent_0": 16 - 5.4, "agent_1": 5.4})


def test_under_a_contract_a_malformed_answer_is_a_wait_and_earns_nothing():
    env = TextActions(ContractWrapper(cleanup_icn.parallel_env(), WAGE, settle="step"))
    env.reset(seed=0)
    env.step({"agent_0": "Action: harvest", "agent_1": "Action: move"})
    observations, rewards, *_, infos = env.step({"agent_0": "", "agent_1": "Action: clean"})
    assert rewards == {"agent_0": -1.8, "agent_1": 1.8}
    assert infos["agent_0"]["parse_status"] == "missing"
    assert infos["agent_1"]["transfer"] == 1.8
    assert "the others pay every agent 0.6" in observations["agent_0"]["text"]
    assert env.observation_space("agent_0").contains(observations["agent_0"])
