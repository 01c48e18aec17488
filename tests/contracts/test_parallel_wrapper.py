"""Contracts around parallel environments."""

from __future__ import annotations

import copy
import warnings

import pytest
from contract_worlds import AGENTS, Orchard, contracts, plan, play_parallel
from hypothesis import given, settings
from hypothesis import strategies as st
from pettingzoo import ParallelEnv
from pettingzoo.classic import rps_v2
from pettingzoo.test import parallel_api_test
from pettingzoo.utils import BaseParallelWrapper
from pettingzoo.utils.conversions import aec_to_parallel

from cleanup_icn.contracts import (
    Condition,
    Contract,
    ContractEncoder,
    ContractError,
    ContractWrapper,
    Duration,
    Fine,
    LumpSum,
    ParallelContractWrapper,
    Share,
    Wage,
)

WAGE = Contract([Wage(payer="others", payee="agent_1", per="cleaned", rate=1)])
CLEAN = dict.fromkeys(AGENTS, 2)
leaving = st.dictionaries(st.sampled_from(AGENTS), st.integers(1, 6))
small = settings(max_examples=40, deadline=None)


def wrapped(contract=WAGE, leaves_at=None, **options):
    return ContractWrapper(Orchard(leaves_at), contract, **options)


def approximately(amounts):
    return pytest.approx(amounts, abs=1e-9)


def test_one_name_serves_parallel_environments():
    env = wrapped()
    assert type(env) is ParallelContractWrapper
    assert isinstance(env, ContractWrapper)
    assert isinstance(env, ParallelEnv)
    assert env.unwrapped is env.env


def test_transfers_are_added_when_they_settle_and_not_before():
    env = wrapped()
    env.reset()
    for _ in range(5):
        _, rewards, _, _, infos = env.step(CLEAN)
        assert rewards == dict.fromkeys(AGENTS, -0.5)
    assert infos["agent_1"]["accrued"] == 7.5
    _, rewards, _, _, infos = env.step(CLEAN)
    assert rewards == {"agent_0": -5.0, "agent_1": 8.5, "agent_2": -5.0}
    assert infos["agent_1"]["transfer"] == 9.0
    assert infos["agent_1"]["game_reward"] == -0.5
    assert infos["agent_1"]["accrued"] == 0.0


def test_settling_each_step_pays_each_step():
    env = wrapped(settle="step")
    env.reset()
    _, rewards, _, _, infos = env.step(CLEAN)
    assert rewards == {"agent_0": -1.25, "agent_1": 1.0, "agent_2": -1.25}
    assert infos["agent_0"]["transfer"] == -0.75


def test_infos_start_from_nothing_after_a_reset():
    env = wrapped()
    env.reset()
    env.step(CLEAN)
    _, infos = env.reset()
    for agent in AGENTS:
        amounts = {name: infos[agent][name] for name in ("game_reward", "transfer", "accrued")}
        assert amounts == {"game_reward": 0.0, "transfer": 0.0, "accrued": 0.0}
        assert infos[agent]["contract_text"] == WAGE.to_text()


@small
@given(contracts(), leaving, st.sampled_from(["episode_end", "step"]), st.booleans())
def test_settlements_neither_create_nor_destroy_reward(contract, leaves_at, settle, limited):
    env = wrapped(contract, leaves_at, settle=settle, limited_liability=limited)
    played = play_parallel(env, plan)
    bare = play_parallel(Orchard(leaves_at), plan)
    assert sum(played.transfers.values()) == approximately(0.0)
    assert sum(played.returns.values()) == approximately(sum(bare.returns.values()))
    assert all(info["accrued"] == 0.0 for info in played.infos.values())


@small
@given(leaving, st.sampled_from(["episode_end", "step"]))
def test_the_null_contract_changes_no_reward(leaves_at, settle):
    played = play_parallel(wrapped(Contract(), leaves_at, settle=settle), plan)
    assert played.rewards_by_step == play_parallel(Orchard(leaves_at), plan).rewards_by_step


@small
@given(contracts(), contracts(), leaving, st.sampled_from(["episode_end", "step"]))
def test_wrapping_twice_equals_the_joined_contract(first, second, leaves_at, settle):
    second = Contract(second.clauses, first.duration, first.parties)
    once = wrapped(first.joined(second), leaves_at, settle=settle)
    twice = ContractWrapper(wrapped(first, leaves_at, settle=settle), second, settle=settle)
    one, other = play_parallel(once, plan), play_parallel(twice, plan)
    assert one.returns == approximately(other.returns)
    assert one.transfers == approximately(other.transfers)
    for left, right in zip(one.rewards_by_step, other.rewards_by_step, strict=True):
        assert left == approximately(right)


@small
@given(contracts(), leaving)
def test_settling_each_step_or_at_the_end_comes_to_the_same(contract, leaves_at):
    often = play_parallel(wrapped(contract, leaves_at, settle="step"), plan)
    once = play_parallel(wrapped(contract, leaves_at), plan)
    assert often.returns == approximately(once.returns)
    assert often.transfers == approximately(once.transfers)


def test_when_one_leaves_all_accounts_settle_and_it_is_absent_from_then_on():
    env = wrapped(leaves_at={"agent_0": 2})
    env.reset()
    env.step(CLEAN)
    _, rewards, terminations, _, _ = env.step(CLEAN)
    assert terminations["agent_0"]
    assert rewards == {"agent_0": -2.0, "agent_1": 2.5, "agent_2": -2.0}
    for _ in range(4):
        _, rewards, *_ = env.step(dict.fromkeys(env.agents, 2))
    assert rewards == {"agent_1": 5.5, "agent_2": -6.5}


def test_an_agent_that_leaves_without_a_word_is_settled_with_too():
    class Quiet(BaseParallelWrapper):
        def step(self, actions):
            observations, rewards, ended, cut, infos = self.env.step(actions)
            for agent in set(ended) - set(self.env.agents):
                for told in (observations, rewards, ended, cut, infos):
                    del told[agent]
            return observations, rewards, ended, cut, infos

    env = ContractWrapper(Quiet(Orchard({"agent_0": 1})), WAGE)
    env.reset()
    _, rewards, *_ = env.step(CLEAN)
    assert sum(rewards.values()) == pytest.approx(-1.0)
    assert rewards["agent_0"] == -0.75, "what it owed is paid, beside a reward nobody told"


def test_a_debtor_without_means_pays_what_it_has_and_infos_say_so():
    contract = Contract([LumpSum(payer="agent_0", payee="others", amount=10)])
    env = wrapped(contract, settle="step", limited_liability=True)
    env.reset()
    _, rewards, _, _, infos = env.step(dict.fromkeys(AGENTS, 1))
    assert rewards == {"agent_0": 0.0, "agent_1": 2.5, "agent_2": 3.5}
    assert infos["agent_0"]["unpaid"] == 9.0
    assert infos["agent_1"]["unreceived"] == infos["agent_2"]["unreceived"] == 4.5
    *_, infos = env.step(dict.fromkeys(AGENTS, 1))
    assert infos["agent_0"]["unpaid"] == infos["agent_0"]["transfer"] == 0.0


def test_rewards_that_contracts_measure_are_the_games_own_even_inside_another_contract():
    lump = Contract([LumpSum(payer="agent_0", payee="agent_1", amount=10)])
    share = Contract([Share(payer="agent_1", payee="agent_2", of="reward", fraction=0.5)])
    env = ContractWrapper(wrapped(lump, settle="step"), share, settle="step")
    env.reset()
    _, rewards, _, _, infos = env.step(dict.fromkeys(AGENTS, 1))
    assert rewards == {"agent_0": -9.0, "agent_1": 11.0, "agent_2": 4.0}
    assert infos["agent_1"]["game_reward"] == 2.0
    assert infos["agent_1"]["transfer"] == 9.0


@pytest.mark.parametrize("steps", [0, 1, 3])
def test_a_contract_to_a_step_covers_the_steps_before_it(steps):
    contract = Contract(WAGE.clauses, Duration("step", steps))
    played = play_parallel(wrapped(contract), lambda step, agent: 2)
    assert played.transfers["agent_1"] == 1.5 * steps


def test_a_contract_to_a_change_covers_the_step_that_shows_the_change():
    contract = Contract(WAGE.clauses, Duration("change"))
    played = play_parallel(wrapped(contract), lambda step, agent: 2)
    assert played.transfers["agent_1"] == 1.5 * 3

    at_once = wrapped(contract, changed=lambda transition: True)
    assert play_parallel(at_once, lambda step, agent: 2).transfers["agent_1"] == 1.5


def test_conditions_look_at_what_the_infos_make_public():
    fine = Fine(payer="agent_2", payee="agent_0", per="harvested", rate=1)
    contract = Contract([Fine(**vars(fine) | {"when": Condition("pollution", ">", 8)})])
    played = play_parallel(wrapped(contract), lambda step, agent: 1)
    assert played.transfers["agent_0"] == 2 * 3.0
    told = wrapped(contract, public=lambda transition: {"pollution": 9})
    assert play_parallel(told, lambda step, agent: 1).transfers["agent_0"] == 6 * 3.0


def test_features_can_be_read_by_a_function_of_what_happened():
    def weeding(transition):
        assert transition.agents == AGENTS
        assert transition.rewards == dict.fromkeys(AGENTS, -0.5)
        return {agent: {"weeded": action} for agent, action in transition.actions.items()}

    contract = Contract([Wage(payer="agent_0", payee="agent_1", per="weeded", rate=1)])
    played = play_parallel(wrapped(contract, features=weeding), lambda step, agent: 2)
    assert played.transfers == {"agent_0": -12.0, "agent_1": 12.0, "agent_2": 0.0}


def test_features_that_nobody_tells_are_asked_for():
    class Silent(Orchard):
        def _info(self, **features):
            return {}

    env = ContractWrapper(Silent(), WAGE)
    env.reset()
    with pytest.raises(ContractError, match=r"infos\['agent_0'\]\['features'\].*features=function"):
        env.step(CLEAN)
    on_reward = Contract([Share(payer="agent_1", payee="agent_0", of="reward", fraction=1)])
    played = play_parallel(ContractWrapper(Silent(), on_reward), lambda step, agent: 1)
    assert played.transfers["agent_0"] == 12.0, "the reward is a feature everywhere"


class Declared(Orchard):
    contract_features = ("harvested", "cleaned")
    public_features = ("pollution",)


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((Orchard(), WAGE), {"settle": "daily"}, "settle = 'daily': expected 'episode_end' or"),
        ((Orchard(), WAGE.to_json()), {}, "contract = .*expected a Contract"),
        ((Orchard(), None), {}, "contract = None"),
        (("orchard", WAGE), {}, "env = 'orchard': expected a PettingZoo"),
        ((Orchard(), WAGE), {"features": "cleaned"}, "features = 'cleaned': expected None or a"),
        (
            (Orchard(), Contract([LumpSum(payer="agent_9", payee="all", amount=1)])),
            {},
            r"clauses\[0\]\.payer = 'agent_9': expected one of agent_0, agent_1, agent_2",
        ),
        (
            (Orchard(), Contract(parties=["agent_0", "bob"])),
            {},
            r"parties\[1\] = 'bob'",
        ),
        (
            (Declared(), Contract([Wage(payer="all", payee="all", per="sung", rate=1)])),
            {},
            "per = 'sung': expected one of harvested, cleaned, reward",
        ),
        (
            (
                Declared(),
                Contract([Fine(**vars(WAGE.clauses[0]) | {"when": Condition("rain", ">", 0)})]),
            ),
            {},
            "rain",
        ),
        (
            (Orchard(), WAGE),
            {"encoder": ContractEncoder(agents=AGENTS, feature_names=["harvested"])},
            "features = 'cleaned'",
        ),
    ],
)
def test_what_cannot_work_is_refused_at_construction(arguments, options, message):
    with pytest.raises(ContractError, match=message):
        ContractWrapper(*arguments, **options)


def test_a_contract_inside_a_conversion_from_turns_is_refused():
    turns = rps_v2.env()
    inside = aec_to_parallel(ContractWrapper(turns, Contract(), features=lambda transition: {}))
    with pytest.raises(ContractError, match="wrap the parallel environment"):
        ContractWrapper(inside, Contract())


def test_vectors_of_a_declared_vocabulary_are_as_long_under_any_contract():
    sizes = {
        ContractWrapper(Declared(), contract).observation_space("agent_0").shape
        for contract in (Contract(), WAGE)
    }
    assert len(sizes) == 1


@pytest.mark.parametrize("kind", ["box", "dict", "number"])
def test_wrapped_environments_pass_pettingzoos_own_test(kind):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        env = ContractWrapper(Orchard({"agent_2": 3}, observe=kind), WAGE, settle="step")
        parallel_api_test(env, num_cycles=20)
        assert not env.agents


def test_a_copy_plays_on_by_itself():
    env = wrapped(settle="step")
    env.reset()
    env.step(CLEAN)
    twin = copy.deepcopy(env)
    assert twin.step(CLEAN)[1] == env.step(CLEAN)[1]
    assert twin.accounts.total_transfers == env.accounts.total_transfers


def test_rock_paper_scissors_from_pettingzoo_can_have_a_contract():
    """An environment that we did not write: whoever plays rock pays 2 for it."""

    def rocks(transition):
        return {agent: {"rocks": action == 0} for agent, action in transition.actions.items()}

    contract = Contract([Fine(payer="all", payee="others", per="rocks", rate=2)])
    env = ContractWrapper(rps_v2.parallel_env(max_cycles=4), contract, features=rocks)
    played = play_parallel(env, lambda step, agent: 0 if agent == "player_0" else 1)
    assert played.returns == {"player_0": -4 - 8, "player_1": 4 + 8}
