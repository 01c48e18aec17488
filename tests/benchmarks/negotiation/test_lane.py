"""p1's seat for learners."""

from __future__ import annotations

import numpy as np
import pytest
from pettingzoo.test import parallel_api_test

from benchmarks.negotiation.lane import ProposerLane
from benchmarks.negotiation.suite import Setting

SETTING = Setting(game="base", incentives="greedy-veto")
P1 = "SportCo"


@pytest.fixture
def lane():
    return ProposerLane(SETTING)


def play(lane, action):
    """Make every turn of p1 with one action; returns the vectors and rewards of an episode."""
    vectors, rewards = [], []
    while lane.agents:
        seen, reward, _, _, infos = lane.step({P1: action})
        assert lane.observation_space(P1).contains(seen[P1])
        assert infos[P1]["action_mask"].shape == (lane.action_space(P1).n,)
        vectors.append(seen[P1])
        rewards.append(reward[P1])
    return np.array(vectors), rewards


def test_it_is_a_parallel_environment_of_one_agent(lane):
    parallel_api_test(lane, num_cycles=30)
    assert lane.possible_agents == [P1]


def test_p1_speaks_in_every_block_and_once_at_the_end(lane):
    lane.reset(seed=0)
    assert len(play(lane, 0)[1]) == 5


def test_the_reward_is_what_the_final_deal_pays_above_the_threshold(lane):
    game = SETTING.load()
    number = next(n for n, deal in enumerate(game.deals()) if all_accept(game, deal))
    lane.reset(seed=0)
    score = game.party(P1).score(game.deal_at(number))
    assert play(lane, number)[1] == [0, 0, 0, 0, score + 10 - game.party(P1).threshold]


def test_failure_is_worth_nothing(lane):
    lane.reset(seed=0)
    assert play(lane, lane.action_space(P1).n - 1)[1] == [0.0] * 5


def test_the_same_seed_gives_the_same_episodes_and_the_next_reset_another(lane):
    episodes = []
    for made in (lane, ProposerLane(SETTING)):
        made.reset(seed=4)
        first = play(made, 7)[0]
        made.reset()
        episodes.append((first, play(made, 7)[0]))
    assert np.array_equal(episodes[0][0], episodes[1][0])
    assert np.array_equal(episodes[0][1], episodes[1][1])
    assert not np.array_equal(*episodes[0])


def test_learners_see_the_vector_that_p1_sees_in_evaluation(lane):
    seen, _ = lane.reset(seed=1)
    env = SETTING.make_env()
    env.reset(seed=1)
    first = env.observe(P1)["observation"]
    assert seen[P1].shape == first.shape
    assert lane.observation_space(P1) == env.observation_space(P1)["observation"]


def all_accept(game, deal):
    return all(party.score(deal) >= party.threshold for party in game.parties)
