"""What talks cost, and the world that goes its way beneath them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cleanup_icn
from cleanup_icn import icn
from cleanup_icn.contracts import Contract, Fine, Share

WAIT, MOVE, HARVEST, CLEAN, ACCEPT, REJECT, FIRST_PROPOSAL = range(7)
TRIBUTE = Contract([Share(payer="agent_0", payee="agent_1", of="harvested", fraction=0.5)])
STOCHASTIC = {"prob_pollution_growth": 0.6, "prob_fruit_growth": 0.5}
CHANGES = ((3, {"pollution_threshold": 9}), (6, {"clean_per_action": 1}))


def harvest_for(table, env, steps):
    """Both harvest for so many steps of play; the transfers to agent_1."""
    return [table.say(env, HARVEST, HARVEST)["agent_1"]["transfer"] for _ in range(steps)]


def rich(**config):
    """A garden in which each of two harvesters takes 4 in every step."""
    world = {"pollution_threshold": 30, "fruit_growth_per_step": 20, "fruit_initial": 20}
    return icn.parallel_env(**{**world, "horizon_steps": 8, **config})


# --- what talks cost -------------------------------------------------------------------------


@pytest.mark.parametrize("cost", [0, 1, 3])
@pytest.mark.parametrize("end_talks", ["agree", "disagree"])
def test_talks_cost_play_steps_of_waiting_ratified_or_not(table, cost, end_talks):
    env = rich(judge="start", negotiation_cost_steps=cost)
    env.reset(seed=0)
    infos = table.agree(env, TRIBUTE) if end_talks == "agree" else table.disagree(env)
    harvested = []
    for step in range(8):
        assert infos["agent_0"]["phase"] == ("waiting" if step < cost else "play")
        infos = table.say(env, HARVEST, HARVEST)
        harvested.append(infos["agent_0"]["harvested"])
    assert harvested == [0.0] * cost + [4.0] * (8 - cost)
    assert env.agents == []


def test_the_world_moves_on_while_agents_wait(table):
    env = icn.parallel_env(judge="start", negotiation_cost_steps=2, horizon_steps=3)
    env.reset(seed=0)
    table.disagree(env)
    levels = [table.say(env, WAIT, WAIT)["agent_0"] for _ in range(2)]
    assert [(i["step"], i["pollution"], i["fruit"]) for i in levels] == [(1, 3, 13), (2, 6, 13)]


def test_only_waiting_is_possible_in_the_wait_and_anything_else_is_counted_and_waited(table):
    env = rich(judge="start", negotiation_cost_steps=2)
    env.reset(seed=0)
    infos = table.disagree(env)
    for info in infos.values():
        assert np.flatnonzero(info["action_mask"]).tolist() == [WAIT]
    infos = table.say(env, HARVEST, WAIT)
    assert [info["illegal"] for info in infos.values()] == [1, 0]
    assert infos["agent_0"]["harvested"] == 0.0
    infos = table.say(env, MOVE, TRIBUTE)
    assert [info["illegal"] for info in infos.values()] == [1, 1]
    assert (
        "At the river shore: nobody" in env.step({"agent_0": 0, "agent_1": 0})[0]["agent_0"]["text"]
    )


def test_what_a_contract_pays_for_illegal_moves_is_what_is_counted_as_illegal(table):
    penalty = Contract([Fine(payer="all", payee="others", per="illegal", rate=1.0)])
    env = rich(judge="start", negotiation_cost_steps=1)
    env.reset(seed=0)
    table.agree(env, penalty)
    infos = table.say(env, HARVEST, WAIT)
    assert infos["agent_0"]["illegal"] == infos["agent_0"]["features"]["illegal"] == 1
    assert infos["agent_0"]["transfer"] == -1.0


def test_a_judge_cannot_call_for_talks_while_the_last_are_waited_out(table):
    env = rich(judge="every:1", negotiation_cost_steps=3)
    env.reset(seed=0)
    while env.agents:
        table.disagree(env) if env.phase == "propose" else table.say(env, WAIT, WAIT)
    assert [held.step for held in env.history] == [0, 3, 6]


def test_talks_just_before_the_end_cost_no_more_than_is_left(table):
    env = rich(judge=lambda seen: seen.step == 7, negotiation_cost_steps=5)
    env.reset(seed=0)
    harvest_for(table, env, 7)
    table.disagree(env)
    *_, truncations, infos = env.step({"agent_0": HARVEST, "agent_1": HARVEST})
    assert all(truncations.values())
    assert infos["agent_0"]["harvested"] == 0.0


# --- the world beneath -----------------------------------------------------------------------


@settings(deadline=None, max_examples=30)
@given(st.data())
def test_without_its_talks_an_episode_is_one_of_cleanup(table, data):
    world = {
        "num_agents": data.draw(st.integers(2, 4)),
        "horizon_steps": 10,
        "schedule": CHANGES,
        **STOCHASTIC,
    }
    env = icn.parallel_env(
        judge=data.draw(st.sampled_from(["every:1", "every:3", "change", "welfare-fall"])),
        max_rounds=data.draw(st.integers(1, 3)),
        negotiation_cost_steps=data.draw(st.integers(0, 2)),
        **world,
    )
    seed = data.draw(st.integers(0, 999))
    dice = np.random.default_rng(seed)
    record = table.play(env, table.random_policy(dice), seed=seed)
    plain = cleanup_icn.parallel_env(**world)
    _, infos = plain.reset(seed=seed)
    names = ("step", "pollution", "fruit", "pollution_threshold", "clean_per_action", "changed")
    for moment in record:
        if moment.phase in ("play", "waiting"):
            _, rewards, _, truncations, infos = plain.step(moment.actions)
            assert {a: i["game_reward"] for a, i in moment.infos.items()} == rewards
            assert moment.truncations == truncations
            for name in ("harvested", "cleaned", "features", "public"):
                assert moment.infos["agent_0"][name] == infos["agent_0"][name]
        else:
            assert set(moment.rewards.values()) == {0.0}
            assert not any(moment.truncations.values())
            assert all(info["harvested"] == 0.0 for info in moment.infos.values())
        for agent in env.possible_agents:
            seen = {name: moment.infos[agent][name] for name in names}
            assert seen == {name: infos[agent][name] for name in names}
    assert plain.agents == []
