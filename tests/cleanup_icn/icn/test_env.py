"""Talks and play in one environment: phases, masks, what is said, what is not possible."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cleanup_icn
from cleanup_icn import icn
from cleanup_icn.contracts import Contract, Share, Wage

WAIT, MOVE, HARVEST, CLEAN, ACCEPT, REJECT, FIRST_PROPOSAL = range(7)
HALF = Contract([Share(payer="agent_0", payee="agent_1", of="harvested", fraction=0.5)])
NO_ACTIONS = (None, "harvest", 1.5, -1, 10**9, 2**80, float("nan"), [1], {}, object(), HALF, b"x")


def legal(info):
    return np.flatnonzero(info["action_mask"]).tolist()


def talking(num_agents=2, **config):
    """An environment at the start of talks, and its infos."""
    config = {"judge": "every:4", "horizon_steps": 8, "num_agents": num_agents, **config}
    env = icn.parallel_env(**config)
    return env, env.reset(seed=0)[1]


# --- phases ----------------------------------------------------------------------------------


@pytest.mark.parametrize("num_agents", [2, 3, 5])
def test_masks_say_who_may_do_what_in_every_phase(table, num_agents):
    env, infos = talking(num_agents, negotiation_cost_steps=1)
    proposals = list(range(FIRST_PROPOSAL, FIRST_PROPOSAL + len(env.menu)))
    others = env.agents[1:]
    assert env.phase == "propose"
    assert legal(infos["agent_0"]) == [WAIT, *proposals]
    assert all(legal(infos[agent]) == [WAIT] for agent in others)
    infos = table.say(env, FIRST_PROPOSAL, *[WAIT] * len(others))
    assert env.phase == "respond"
    assert legal(infos["agent_0"]) == [WAIT]
    assert all(legal(infos[agent]) == [ACCEPT, REJECT, *proposals] for agent in others)
    infos = table.say(env, WAIT, *[ACCEPT] * len(others))
    assert env.phase == "waiting"
    assert all(legal(info) == [WAIT] for info in infos.values())
    infos = table.say(env, *[WAIT] * num_agents)
    assert env.phase == "play"
    assert all(legal(info) == [WAIT, MOVE, HARVEST] for info in infos.values())
    infos = table.say(env, *[MOVE] * num_agents)
    assert all(legal(info) == [WAIT, MOVE, CLEAN] for info in infos.values())


def test_every_info_names_the_phase_to_come(table):
    env, infos = talking(max_rounds=1, negotiation_cost_steps=1)
    phases = [infos["agent_1"]["phase"]]
    for actions in ((6, 0), (0, REJECT), (0, 0), (2, 2)):
        phases.append(table.say(env, *actions)["agent_1"]["phase"])
    assert phases == ["propose", "respond", "waiting", "play", "play"]


def test_an_action_is_for_a_proposal_from_the_menu_a_number():
    env = icn.parallel_env(menu=[HALF, Contract()])
    assert env.menu == (HALF, Contract())
    assert env.action_space("agent_0").n == 8


def test_a_menu_may_be_empty(table):
    env, infos = talking(menu=[])
    assert env.action_space("agent_0").n == 6
    assert legal(infos["agent_0"]) == [WAIT]
    table.agree(env, HALF)
    assert env.contract == HALF


@pytest.mark.parametrize("num_agents", [2, 3, 5])
def test_unanimity_ratifies_a_contract_of_the_menu(table, num_agents):
    env, _ = talking(num_agents)
    table.agree(env, FIRST_PROPOSAL + 3)
    assert (env.phase, env.contract) == ("play", env.menu[3])


@pytest.mark.parametrize("num_agents", [2, 3, 5])
@pytest.mark.parametrize("dissent", [REJECT, WAIT, HARVEST, 99, "no"])
def test_nobody_is_bound_by_a_contract_that_one_agent_did_not_accept(table, num_agents, dissent):
    for dissenter in range(1, num_agents):
        env, _ = talking(num_agents)
        table.say(env, FIRST_PROPOSAL + 3, *[WAIT] * (num_agents - 1))
        answers = [dissent if i == dissenter else ACCEPT for i in range(1, num_agents)]
        table.say(env, WAIT, *answers)
        assert (env.phase, env.contract, env.history) == ("propose", Contract(), ())


def test_the_first_counter_in_rotation_is_the_next_proposal(table):
    env, _ = talking(3)
    table.say(env, FIRST_PROPOSAL, WAIT, WAIT)
    infos = table.say(env, WAIT, FIRST_PROPOSAL + 2, FIRST_PROPOSAL + 1)
    assert legal(infos["agent_1"]) == [WAIT]
    table.say(env, ACCEPT, WAIT, ACCEPT)
    assert env.contract == env.menu[2]
    first, second = env.history[0].outcome.rounds
    assert [first.proposer, second.proposer] == [0, 1]


def test_a_contract_object_can_be_proposed_and_countered(table):
    env, _ = talking()
    infos = table.say(env, HALF, WAIT)
    assert infos["agent_0"]["said"] == f"propose {HALF.to_text()}"
    other = table.wage(0.7)
    table.say(env, WAIT, other)
    table.say(env, ACCEPT, WAIT)
    assert env.contract == other


@pytest.mark.parametrize(
    "contract",
    [
        Contract([Wage(payer="others", payee="agent_7", per="cleaned", rate=1.0)]),
        Contract([Wage(payer="others", payee="all", per="gold", rate=1.0)]),
        Contract(HALF.clauses * 5),
        Contract(HALF.clauses, parties=("agent_0", "agent_1", "agent_2")),
    ],
)
def test_a_contract_that_cannot_be_signed_here_is_no_proposal(table, contract):
    env, _ = talking()
    infos = table.say(env, contract, WAIT)
    assert (env.phase, infos["agent_0"]["illegal"], infos["agent_0"]["said"]) == (
        "propose",
        1,
        "nothing",
    )
    table.say(env, WAIT, FIRST_PROPOSAL)
    infos = table.say(env, contract, WAIT)
    assert (env.contract, infos["agent_0"]["illegal"]) == (Contract(), 1)


def test_infos_tell_what_was_said_in_the_step_just_made(table):
    env, infos = talking()
    assert [info["said"] for info in infos.values()] == [None, None]
    assert table.say(env, 7, 0)["agent_0"]["said"] == f"propose {env.menu[1].to_text()}"
    infos = table.say(env, WAIT, REJECT)
    assert [info["said"] for info in infos.values()] == ["pass", "reject"]
    table.say(env, WAIT, FIRST_PROPOSAL)
    assert table.say(env, ACCEPT, WAIT)["agent_0"]["said"] == "accept"
    infos = table.say(env, HARVEST, HARVEST)
    assert [info["said"] for info in infos.values()] == [None, None]


def test_talks_leave_nothing_of_the_last_play_step_in_the_infos(table):
    env, _ = talking(judge=lambda seen: seen.step == 1)
    assert table.say(env, HARVEST, CLEAN)["agent_1"]["illegal"] == 1
    for info in table.say(env, WAIT, WAIT).values():
        assert (info["harvested"], info["cleaned"], info["illegal"]) == (0.0, 0.0, 0)
        assert set(info["features"].values()) == {0.0}
        assert (info["game_reward"], info["transfer"]) == (0.0, 0.0)


# --- what is not possible --------------------------------------------------------------------


@settings(deadline=None, max_examples=40)
@given(st.data())
def test_whoever_keeps_to_the_mask_never_acts_illegally(table, data):
    env = icn.parallel_env(
        num_agents=data.draw(st.integers(2, 5)),
        horizon_steps=8,
        judge=data.draw(st.sampled_from(["every:1", "every:3", "change"])),
        max_rounds=data.draw(st.integers(1, 4)),
        negotiation_cost_steps=data.draw(st.integers(0, 2)),
        schedule=[(3, {"pollution_threshold": 9})],
    )
    dice = np.random.default_rng(data.draw(st.integers(0, 999)))
    record = table.play(env, lambda a, seen, info: int(dice.choice(legal(info))))
    assert [moment for moment in record if any(i["illegal"] for i in moment.infos.values())] == []


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_nothing_that_agents_do_raises_and_what_the_mask_excludes_is_counted(table, data):
    num_agents = data.draw(st.integers(2, 4))
    env = icn.parallel_env(
        num_agents=num_agents,
        horizon_steps=6,
        judge="every:2",
        negotiation_cost_steps=data.draw(st.integers(0, 1)),
    )
    action = st.integers(-2, 20) | st.sampled_from(NO_ACTIONS)
    masks = {}

    def choose(agent, observation, info):
        masks[agent] = info["action_mask"]
        return data.draw(action)

    _, infos = env.reset(seed=0)
    while env.agents:
        agents = env.agents[:]
        actions = {agent: choose(agent, None, infos[agent]) for agent in agents}
        was_answering = {a: env.phase == "respond" and masks[a][ACCEPT] for a in agents}
        infos = env.step(actions)[-1]
        for agent in agents:
            if is_counted_apart(actions[agent], was_answering[agent]):
                continue
            assert infos[agent]["illegal"] == (not allows(masks[agent], actions[agent]))


def is_counted_apart(action, was_answering):
    """A signable contract is no number of the mask; abstention has a test of its own."""
    return isinstance(action, Contract) or (was_answering and action == WAIT)


def allows(mask, action):
    return isinstance(action, int) and 0 <= action < len(mask) and bool(mask[action])


def test_a_contract_as_an_action_is_counted_where_no_proposal_is_possible(table):
    env, _ = talking()
    assert [i["illegal"] for i in table.say(env, WAIT, HALF).values()] == [0, 1]
    table.say(env, WAIT, HALF)
    assert [i["illegal"] for i in table.say(env, ACCEPT, HALF).values()] == [0, 1]
    assert env.phase == "play"
    assert [i["illegal"] for i in table.say(env, HALF, WAIT).values()] == [1, 0]


def test_an_abstention_which_the_mask_excludes_is_counted(table):
    env, _ = talking()
    infos = table.say(env, FIRST_PROPOSAL, WAIT)
    assert infos["agent_1"]["action_mask"][WAIT] == 0
    infos = table.say(env, WAIT, WAIT)
    assert infos["agent_1"]["illegal"] == 1


@pytest.mark.parametrize("nothing", [None, "accept", MOVE, 10**9, -1])
def test_what_is_no_answer_is_neither_acceptance_nor_rejection(table, nothing):
    env, _ = talking(max_rounds=1)
    table.say(env, FIRST_PROPOSAL + 1, WAIT)
    infos = table.say(env, WAIT, nothing)
    (held,) = env.history
    assert held.outcome.rounds[0].answers[1].speech == "nothing"
    assert not held.is_ratified
    assert infos["agent_1"]["illegal"] == 1


@pytest.mark.parametrize("nothing", [None, "propose", ACCEPT, MOVE, -1])
def test_a_proposer_that_says_nothing_proposes_nothing(table, nothing):
    env, _ = talking(max_rounds=1)
    infos = table.say(env, nothing, WAIT)
    (held,) = env.history
    assert held.outcome.rounds[0].proposal is None
    assert infos["agent_0"]["illegal"] == 1


def test_actions_must_name_the_live_agents():
    env, _ = talking()
    for actions in ({}, {"agent_0": 0}, {"agent_0": 0, "agent_1": 0, "agent_2": 0}):
        with pytest.raises(ValueError, match="agent_0"):
            env.step(actions)


def test_integers_of_other_types_are_actions(table):
    env, _ = talking()
    table.say(env, np.int64(FIRST_PROPOSAL + 1), np.array(0))
    table.say(env, np.int8(0), np.uint8(ACCEPT))
    assert env.contract == env.menu[1]


# --- what agents see -------------------------------------------------------------------------


def test_vectors_tell_the_phase_who_proposes_and_what_is_proposed(table):
    env, _ = talking(observation="vector")
    before, *_ = env.step({"agent_0": WAIT, "agent_1": WAIT})
    after, *_ = env.step({"agent_0": WAIT, "agent_1": FIRST_PROPOSAL + 1})
    other, _ = talking(observation="vector")
    other.step({"agent_0": WAIT, "agent_1": WAIT})
    instead, *_ = other.step({"agent_0": WAIT, "agent_1": FIRST_PROPOSAL + 2})
    for agent in env.agents:
        assert not np.array_equal(before[agent], after[agent])
        assert not np.array_equal(after[agent], instead[agent])


def test_vectors_hold_phase_proposer_and_round_behind_those_of_cleanup(table):
    cleanup = cleanup_icn.parallel_env(observation="vector").observation_space("agent_0").shape[0]
    env = icn.parallel_env(observation="vector", judge="start", max_rounds=4, horizon_steps=50)
    observations, _ = env.reset(seed=0)
    seen = [observations]
    for actions in ((WAIT, WAIT), (WAIT, FIRST_PROPOSAL), (ACCEPT, WAIT)):
        seen.append(env.step(dict(zip(env.agents, actions, strict=True)))[0])
    parts = [[list(o[agent][cleanup : cleanup + 6]) for o in seen] for agent in env.agents]
    assert parts == [
        [[0, 1, 0, 0, 1, 0.25], [0, 1, 0, 0, 0, 0.5], [0, 0, 1, 0, 0, 0.5], [1, 0, 0, 0, 0, 0]],
        [[0, 1, 0, 0, 0, 0.25], [0, 1, 0, 0, 1, 0.5], [0, 0, 1, 0, 1, 0.5], [1, 0, 0, 0, 0, 0]],
    ]


def test_vectors_tell_the_contract_in_force_and_the_open_balance(table):
    seen = []
    for proposal in (FIRST_PROPOSAL, HALF):
        env, _ = talking(observation="vector", settle="episode_end")
        table.agree(env, proposal)
        seen.append(env.step({"agent_0": HARVEST, "agent_1": HARVEST})[0]["agent_1"])
    assert np.count_nonzero(seen[0] != seen[1]) >= 2
    assert -2.0 in seen[0] - seen[1]


def test_the_history_can_be_switched_off_for_words_and_vectors_alike(table):
    seen = {}
    for history in (True, False):
        env, _ = talking(history=history, judge="every:1")
        table.agree(env, FIRST_PROPOSAL + 1)
        observations, *_ = env.step({"agent_0": WAIT, "agent_1": WAIT})
        seen[history] = observations["agent_1"]
        assert len(env.history) == 1
    assert "Talks before step 0" in seen[True]["text"]
    assert "Talks before step 0" not in seen[False]["text"]
    assert seen[True]["text"].endswith(seen[False]["text"])
    assert np.count_nonzero(seen[True]["observation"] != seen[False]["observation"]) == 2


def test_the_history_is_shown_to_those_in_talks_only(table):
    env, _ = talking(3)
    table.agree(env, FIRST_PROPOSAL + 1)
    while env.phase == "play":
        observations, *_ = env.step(dict.fromkeys(env.agents, WAIT))
        in_talks = env.phase == "propose"
        assert all(("Talks before" in o["text"]) == in_talks for o in observations.values())
    assert in_talks


def test_ansi_shows_the_phase_and_the_contract(table):
    env = icn.parallel_env(render_mode="ansi", judge="start")
    env.reset(seed=0)
    assert "propose" in env.render()
    table.agree(env, HALF)
    assert "play" in env.render()
    assert HALF.to_text() in env.render()
