"""What a frozen policy earns by start and contract."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cleanup_icn
from benchmarks.cleanup.arena import wage_for_cleaning
from benchmarks.cleanup.conditions import contract_encoder
from benchmarks.learning.bot_rows import row_policy
from benchmarks.learning.frozen import FrozenPlay, StartSet
from benchmarks.learning.terms import DrawnContract
from cleanup_icn import CleanupConfig
from cleanup_icn.contracts import Contract, ContractWrapper, LumpSum, Share, Wage, transfers
from cleanup_icn.observe import agent_names
from cleanup_icn.starts import Starts


class Bot:
    """Plays a script; expects what the first numbers of a contract's vector say."""

    def __init__(self, config, name="division-of-labour"):
        self._rows = row_policy(name, config, Contract())
        self._world = 2 * config.num_agents + 27

    def act(self, observations, masks, uniforms):
        return self._rows.act(observations, masks, uniforms)

    def values(self, observations):
        pollution = observations[:, self._world - 27]
        return (observations[:, self._world :].sum(axis=1) + 100 * pollution).astype(float)


def frozen(contracts, name="division-of-labour", **world):
    config = CleanupConfig.create(**{"horizon_steps": 20, **world})
    terms = DrawnContract(kind="random", contracts=tuple(contracts))
    return FrozenPlay(config=config, terms=terms, policy=Bot(config, name))


def starts(*pairs):
    return StartSet(*np.array(pairs, np.int64).T)


def played_alone(play, contract, start, seed):
    """Play the same episode in the single environment, wrapped in the contract."""
    config = play.config
    env = ContractWrapper(
        cleanup_icn.parallel_env(observation="vector", **config.to_dict()),
        contract,
        settle="step",
        encoder=contract_encoder(config),
    )
    pollution, fruit = start
    options = {"pollution_initial": pollution, "fruit_initial": fruit}
    seen, _ = env.reset(seed=seed, options=options)
    returns = dict.fromkeys(env.possible_agents, 0.0)
    while env.agents:
        rows = np.stack([seen[agent] for agent in env.agents])
        actions = dict(zip(env.agents, play.policy.act(rows, None, None).tolist(), strict=True))
        seen, rewards, *_ = env.step(actions)
        for agent, reward in rewards.items():
            returns[agent] += reward
    return list(returns.values())


MENU = (Contract(), wage_for_cleaning(0.6), wage_for_cleaning(2.0))


def test_the_sample_is_what_the_game_played_alone_gives():
    play, pairs = frozen(MENU, prob_fruit_growth=0.5), [(0, 10), (5, 3)]
    seeds = np.array([11, 12, 13, 14])  # two episodes from each start
    sampled = play.sample(starts(*pairs), seeds, action_seed=0)
    for s, pair in enumerate(pairs):
        for k, contract in enumerate(MENU):
            both = [played_alone(play, contract, pair, int(seeds[2 * s + r])) for r in range(2)]
            assert sampled.mean[s, k] == pytest.approx(np.mean(both, axis=0))
            assert sampled.standard_error[s, k] == pytest.approx(
                np.std(both, axis=0, ddof=1) / np.sqrt(2)
            )


def test_one_episode_has_no_spread():
    sampled = frozen(MENU).sample(starts((0, 10)), np.array([3]), action_seed=0)
    assert not sampled.standard_error.any()


def test_many_lanes_are_played_in_parts_alike(monkeypatch):
    play, pairs, seeds = frozen(MENU), starts((0, 10), (2, 4)), np.arange(4)
    at_once = play.sample(pairs, seeds, action_seed=0)
    monkeypatch.setattr("benchmarks.learning.frozen.MAX_LANES", 5)
    assert np.array_equal(play.sample(pairs, seeds, action_seed=0).mean, at_once.mean)


def test_the_critic_is_asked_about_every_start_under_every_contract():
    play, pairs = frozen(MENU), starts((0, 10), (6, 10), (30, 0))
    values = play.critic_values(pairs)
    assert values.shape == (3, 3, 2)
    river = np.array([0, 6, 30]) / play.config.pollution_max
    assert values - 100 * river[:, None, None] == pytest.approx(
        np.broadcast_to((values - 100 * river[:, None, None])[:1], values.shape), abs=1e-4
    )
    by_rate = values[0, :, 0]
    assert by_rate[2] - by_rate[1] == pytest.approx(1.4)  # the wage is in what the critic sees
    assert len(set(by_rate.tolist())) == 3


@settings(max_examples=10, deadline=None)
@given(st.integers(2, 12), st.floats(0.1, 3.0), st.integers(0, 20))
def test_no_contract_creates_or_destroys_reward(num_agents, rate, pollution):
    play = frozen((Contract(), wage_for_cleaning(rate)), num_agents=num_agents)
    sampled = play.sample(starts((pollution, 10)), np.array([1]), action_seed=0)
    without, under = sampled.mean[0].sum(axis=1)  # the script plays alike under both
    assert under == pytest.approx(without, abs=1e-6)


def test_of_twelve_agents_only_those_named_pay_and_are_paid():
    gift = Contract([LumpSum(payer="agent_11", payee="agent_1", amount=5.0)])
    sampled = frozen((Contract(), gift), num_agents=12).sample(
        starts((0, 10)), np.array([1]), action_seed=0
    )
    moved = sampled.mean[0, 1] - sampled.mean[0, 0]
    assert moved == pytest.approx([5.0 if i == 1 else -5.0 if i == 11 else 0.0 for i in range(12)])


@given(st.integers(2, 12), st.sampled_from(["agent_1", "agent_11"]), st.floats(0.1, 5.0))
def test_where_a_payee_is_absent_nobody_pays(num_agents, payee, rate):
    contract = Contract(
        [
            Wage(payer="others", payee=payee, per="cleaned", rate=rate),
            Share(payer="agent_0", payee=payee, of="harvested", fraction=0.5),
        ]
    )
    present = [agent for agent in agent_names(num_agents) if agent != payee]
    features = {agent: {"cleaned": 3.0, "harvested": 4.0} for agent in present}
    assert transfers(contract, features) == dict.fromkeys(present, 0.0)


def test_the_configured_start_comes_before_the_drawn_ones():
    config = CleanupConfig.create(pollution_initial=2, fruit_initial=7)
    ranges = Starts(pollution_initial=(3, 5), fruit_initial=(0, 20))
    seeds = np.arange(50)
    found = StartSet.drawn(ranges, seeds).after(config)
    assert (found.pollution[0], found.fruit[0]) == (2, 7)
    options = [ranges.options(int(seed)) for seed in seeds]
    assert found.pollution[1:].tolist() == [each["pollution_initial"] for each in options]
    assert found.fruit[1:].tolist() == [each["fruit_initial"] for each in options]
    assert len(found) == 51
    assert found.shown(config).shape == (51, 2)
    assert found.shown(config)[0] == pytest.approx([2 / 30, 7 / 20])


def test_the_optimum_of_a_start_is_the_solver_s():
    config = CleanupConfig.create()
    assert starts((0, 10)).optimum(config) == pytest.approx([157.0])
