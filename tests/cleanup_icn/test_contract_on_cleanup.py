"""Contracts on Cleanup: transfers worked out by hand, in both APIs."""

from __future__ import annotations

import pytest
from pettingzoo.utils import parallel_to_aec

import cleanup_icn
from cleanup_icn import text
from cleanup_icn.contracts import (
    Condition,
    Contract,
    ContractError,
    ContractWrapper,
    Duration,
    Fine,
    LumpSum,
    Quota,
    Share,
    Wage,
    contract_line,
)
from cleanup_icn.state import CLEAN, HARVEST, MOVE, WAIT

WAGE = Wage(payer="others", payee="all", per="cleaned", rate=0.6)
NONE = "Contract in force: none."


# Agent 0 harvests 4 in each of four steps; agent 1 cleans 3 in each but the first.
LABOUR_DIVIDED = [(HARVEST, MOVE), (HARVEST, CLEAN), (HARVEST, CLEAN), (HARVEST, CLEAN)]
# The river is seen at 0, 3, 6 and 9; agent 0 harvests 4, 4, 4 and the last 1.
RIVER_LEFT = [(HARVEST, WAIT)] * 4


def play(env, joint_actions):
    """What each step of the parallel env returned: (observations, rewards, infos)."""
    observations, infos = env.reset(seed=0)
    record = [(observations, dict.fromkeys(env.agents, 0.0), infos)]
    for joint in joint_actions:
        actions = dict(zip(env.agents, joint, strict=True))
        observations, rewards, _, _, infos = env.step(actions)
        record.append((observations, rewards, infos))
    assert env.agents == []
    return record


def turn_returns(env, joint_actions):
    """Each agent's sum of ``last()`` rewards, and of transfers, when the same is played in turn."""
    env.reset(seed=0)
    rewards = dict.fromkeys(env.agents, 0.0)
    transfers = dict(rewards)
    n = len(rewards)
    for turn, agent in enumerate(env.agent_iter()):
        _, reward, terminated, truncated, info = env.last()
        rewards[agent] += reward
        transfers[agent] += info["transfer"]
        over = terminated or truncated
        env.step(None if over else joint_actions[turn // n][turn % n])
    return rewards, transfers


def received(record, agent="agent_1"):
    """What the agent's transfers were in each step."""
    return [infos[agent]["transfer"] for _, _, infos in record[1:]]


def wrapped(contract, *, settle="step", make=cleanup_icn.parallel_env, **config):
    return ContractWrapper(make(horizon_steps=4, **config), contract, settle=settle)


CASES = {
    "wage": (Contract([WAGE]), LABOUR_DIVIDED, [0, 1.8, 1.8, 1.8]),
    "wage with a cap": (
        Contract([Wage(payer="others", payee="all", per="cleaned", rate=0.6, cap=4.0)]),
        LABOUR_DIVIDED,
        [0, 1.8, 1.8, 0.4],
    ),
    "share": (
        Contract([Share(payer="agent_0", payee="others", of="harvested", fraction=0.4)]),
        LABOUR_DIVIDED,
        [1.6, 1.6, 1.6, 1.6],
    ),
    "fine on harvests while the river is seen dirty": (
        Contract(
            [
                Fine(
                    payer="all",
                    payee="others",
                    per="harvested",
                    rate=1.0,
                    when=Condition("pollution", ">=", 6),
                )
            ]
        ),
        RIVER_LEFT,
        [0, 0, 4, 1],
    ),
    "fine on illegal actions": (
        Contract([Fine(payer="all", payee="others", per="illegal", rate=2.0)]),
        [(CLEAN, WAIT), (WAIT, CLEAN), (CLEAN, CLEAN), (HARVEST, MOVE)],
        [2, -2, 0, 0],
    ),
    "quota of cleaning": (
        Contract([Quota(payer="agent_1", payee="agent_0", per="cleaned", at_least=3, amount=2)]),
        LABOUR_DIVIDED,
        [-2, 0, 0, 0],
    ),
    "share of the reward": (
        Contract([Share(payer="agent_0", payee="agent_1", of="reward", fraction=0.5)]),
        RIVER_LEFT,
        [2, 2, 2, 0.5],
    ),
    "lump sum": (
        Contract([LumpSum(payer="agent_0", payee="agent_1", amount=5.0)]),
        RIVER_LEFT,
        [5, 0, 0, 0],
    ),
    "wage until step 2": (
        Contract([WAGE], Duration("step", 2)),
        LABOUR_DIVIDED,
        [0, 1.8, 0, 0],
    ),
    "wage and share at once": (
        Contract(
            [WAGE, Share(payer="agent_0", payee="others", of="harvested", fraction=0.4)],
            Duration("step", 3),
        ),
        LABOUR_DIVIDED,
        [1.6, 3.4, 3.4, 0],
    ),
}
each_case = pytest.mark.parametrize(
    ("contract", "joint_actions", "transfers"), CASES.values(), ids=CASES
)


@each_case
def test_settled_by_the_step_transfers_are_those_worked_out_by_hand(
    contract, joint_actions, transfers
):
    record = play(wrapped(contract), joint_actions)
    assert received(record) == pytest.approx(transfers)
    assert received(record, "agent_0") == pytest.approx([-amount for amount in transfers])
    for _, rewards, infos in record[1:]:
        for agent, reward in rewards.items():
            assert infos[agent]["game_reward"] == infos[agent]["harvested"]
            assert reward == pytest.approx(infos[agent]["game_reward"] + infos[agent]["transfer"])


@each_case
def test_settled_at_the_end_the_last_step_pays_it_all(contract, joint_actions, transfers):
    record = play(wrapped(contract, settle="episode_end"), joint_actions)
    assert received(record) == pytest.approx([0, 0, 0, sum(transfers)])
    accrued = [infos["agent_1"]["accrued"] for _, _, infos in record]
    due = [sum(transfers[:step]) for step in range(4)]
    assert accrued == pytest.approx([*due, 0])


@each_case
@pytest.mark.parametrize("settle", ["step", "episode_end"])
@pytest.mark.parametrize("make", [cleanup_icn.env, cleanup_icn.raw_env])
def test_in_turns_the_rewards_of_last_add_up_to_the_same(
    contract, joint_actions, transfers, make, settle
):
    at_once = play(wrapped(contract, settle=settle), joint_actions)
    returns = {a: sum(rewards[a] for _, rewards, _ in at_once) for a in ("agent_0", "agent_1")}
    found, moved = turn_returns(wrapped(contract, settle=settle, make=make), joint_actions)
    assert found == pytest.approx(returns)
    assert moved["agent_1"] == pytest.approx(sum(transfers))
    assert moved["agent_0"] == pytest.approx(-sum(transfers))


@pytest.mark.parametrize("settle", ["step", "episode_end"])
def test_a_wrapped_parallel_game_can_be_taken_in_turns(settle):
    env = parallel_to_aec(wrapped(Contract([WAGE]), settle=settle))
    found, _ = turn_returns(env, LABOUR_DIVIDED)
    assert found == pytest.approx({"agent_0": 16 - 5.4, "agent_1": 5.4})


# --- who pays whom ---------------------------------------------------------------------------


def test_a_wage_is_paid_by_all_the_others_in_equal_parts():
    joint_actions = [(HARVEST, HARVEST, MOVE), *[(HARVEST, HARVEST, CLEAN)] * 3]
    record = play(wrapped(Contract([WAGE]), num_agents=3), joint_actions)
    for agent, amount in {"agent_0": -0.9, "agent_1": -0.9, "agent_2": 1.8}.items():
        assert received(record, agent) == pytest.approx([0, amount, amount, amount])


def test_two_cleaners_are_each_paid_for_their_part_by_the_others_and_one_another():
    joint_actions = [(HARVEST, MOVE, MOVE), *[(HARVEST, CLEAN, CLEAN)] * 3]
    record = play(wrapped(Contract([WAGE]), num_agents=3), joint_actions)
    # Each removes 1.5 for 0.9, half of it paid by the other cleaner, who is paid the same.
    assert received(record, "agent_0") == pytest.approx([0, -0.9, -0.9, -0.9])
    assert received(record, "agent_1") == pytest.approx([0, 0.45, 0.45, 0.45])


def test_a_share_of_a_contested_harvest_is_exact_in_fractions():
    share = Share(payer="agent_0", payee="others", of="harvested", fraction=0.4)
    record = play(wrapped(Contract([share]), num_agents=3), [(HARVEST,) * 3, *[(WAIT,) * 3] * 3])
    assert received(record, "agent_0")[0] == pytest.approx(-0.4 * 10 / 3)
    assert received(record, "agent_2")[0] == pytest.approx(0.2 * 10 / 3)


def test_equal_shares_leave_everyone_the_same():
    shares = Contract([Share(payer="all", payee="all", of="harvested", fraction=1.0)])
    for _, rewards, _ in play(wrapped(shares), LABOUR_DIVIDED)[1:]:
        assert rewards == {"agent_0": 2.0, "agent_1": 2.0}


def test_a_fine_is_judged_by_what_was_seen_and_not_by_what_the_step_made_of_it():
    fine = Fine(
        payer="agent_0",
        payee="agent_1",
        per="harvested",
        rate=1.0,
        when=Condition("pollution", ">=", 6),
    )
    record = play(wrapped(Contract([fine])), RIVER_LEFT)
    seen = [infos["agent_0"]["pollution"] for _, _, infos in record]
    assert seen == [0, 3, 6, 9, 12]
    fined = [amount > 0 for amount in received(record)]
    assert fined == [pollution >= 6 for pollution in seen[:-1]]


def test_a_fine_may_look_at_the_threshold_of_the_day():
    fine = Fine(
        payer="agent_0",
        payee="agent_1",
        per="harvested",
        rate=1.0,
        when=Condition("pollution_threshold", "<", 6),
    )
    env = wrapped(Contract([fine]), schedule=[(2, {"pollution_threshold": 4})])
    assert received(play(env, RIVER_LEFT)) == [0, 0, 4, 1]


# --- how long --------------------------------------------------------------------------------


def test_a_contract_until_the_world_changes_covers_the_steps_before_the_change():
    contract = Contract([WAGE], Duration("change"))
    env = wrapped(contract, schedule=[(2, {"pollution_threshold": 9})])
    record = play(env, LABOUR_DIVIDED)
    assert received(record) == pytest.approx([0, 1.8, 0, 0])
    in_force = [contract_line(contract) in seen["agent_0"]["text"] for seen, _, _ in record]
    assert in_force == [True, True, False, False, False]


def test_a_contract_until_a_change_that_never_comes_lasts_to_the_end():
    record = play(wrapped(Contract([WAGE], Duration("change"))), LABOUR_DIVIDED)
    assert received(record) == pytest.approx([0, 1.8, 1.8, 1.8])


def test_in_turns_a_contract_until_the_world_changes_pays_the_same():
    contract = Contract([WAGE], Duration("change"))
    schedule = [(2, {"pollution_threshold": 9})]
    env = wrapped(contract, make=cleanup_icn.env, schedule=schedule)
    _, moved = turn_returns(env, LABOUR_DIVIDED)
    assert moved["agent_1"] == pytest.approx(1.8)


def test_the_text_shows_a_contract_as_long_as_what_it_pays_for_can_be_done():
    record = play(wrapped(Contract([WAGE], Duration("step", 2))), LABOUR_DIVIDED)
    shown = [NONE not in seen["agent_1"]["text"] for seen, _, _ in record]
    assert shown == [True, True, False, False, False]


def test_what_accrued_before_a_contract_ended_is_still_paid():
    env = wrapped(Contract([WAGE], Duration("step", 2)), settle="episode_end")
    assert received(play(env, LABOUR_DIVIDED)) == pytest.approx([0, 0, 0, 1.8])


def test_the_next_episode_begins_with_the_contract_and_clean_accounts():
    env = wrapped(Contract([Wage(**{**vars(WAGE), "cap": 4.0})], Duration("step", 3)))
    first, second = play(env, LABOUR_DIVIDED), play(env, LABOUR_DIVIDED)
    assert received(first) == received(second) == pytest.approx([0, 1.8, 1.8, 0])


# --- what agents see -------------------------------------------------------------------------


def test_what_cleanup_writes_where_a_contract_goes_is_the_line_of_the_null_contract():
    assert text.NO_CONTRACT_LINE == contract_line(Contract()) == contract_line(None) == NONE


@pytest.mark.parametrize("kind", ["both", "text"])
def test_the_contracts_line_stands_in_place_of_none_and_all_else_is_as_it_was(kind):
    def words_of(env):
        seen = env.reset(seed=0)[0]["agent_1"]
        return seen if kind == "text" else seen["text"]

    bare = cleanup_icn.parallel_env(observation=kind)
    env = cleanup_icn.parallel_env(observation=kind)
    words = words_of(ContractWrapper(env, Contract([WAGE], Duration("step", 30))))
    line = (
        "Contract in force: Until step 30: the others pay every agent 0.6 for each unit cleaned by "
        "the payee."
    )
    assert words == words_of(bare).replace(NONE, line)
    assert line in words.splitlines()


def test_in_turns_the_line_stands_in_the_text_too():
    env = ContractWrapper(cleanup_icn.env(observation="text"), Contract([WAGE]))
    env.reset(seed=0)
    assert contract_line(Contract([WAGE])) in env.last()[0].splitlines()
    assert NONE not in env.last()[0]


@pytest.mark.parametrize("kind", ["both", "text", "vector"])
@each_case
def test_every_observation_is_inside_its_space(contract, joint_actions, transfers, kind):
    env = wrapped(contract, settle="episode_end", observation=kind)
    for observations, _, _ in play(env, joint_actions):
        for agent, seen in observations.items():
            assert env.observation_space(agent).contains(seen)


def test_the_null_contract_changes_neither_words_nor_rewards():
    plain = cleanup_icn.parallel_env(horizon_steps=4)
    for bare, under in zip(
        play(plain, LABOUR_DIVIDED), play(wrapped(Contract()), LABOUR_DIVIDED), strict=True
    ):
        assert bare[1] == under[1]
        assert bare[0]["agent_1"]["text"] == under[0]["agent_1"]["text"]


def test_the_game_keeps_its_own_name_and_spaces_of_action():
    env = wrapped(Contract([WAGE]))
    assert env.metadata["name"] == "cleanup_v0"
    assert env.action_space("agent_0").n == 4
    assert env.unwrapped.config.horizon_steps == 4


@pytest.mark.parametrize(
    ("contract", "message"),
    [
        (Contract([Wage(payer="others", payee="agent_7", per="cleaned", rate=1)]), "agent_7"),
        (Contract([Wage(payer="others", payee="all", per="slept", rate=1)]), "slept"),
        (
            Contract(
                [
                    Fine(
                        payer="all",
                        payee="others",
                        per="harvested",
                        rate=1,
                        when=Condition("weather", ">", 1),
                    )
                ]
            ),
            "weather",
        ),
    ],
)
def test_a_contract_on_what_cleanup_does_not_have_is_refused_at_once(contract, message):
    with pytest.raises(ContractError, match=message):
        wrapped(contract)
