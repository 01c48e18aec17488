"""Lanes in which contracts are proposed and voted on."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.learning.proposal_batch import ProposalBatch
from benchmarks.learning.proposals import ContractValues
from cleanup_icn import ConfigError

K = 3  # contracts; the actions after them: accept, refuse, wait
ACCEPT, REFUSE, WAIT = K, K + 1, K + 2


def table(num_agents=2, num_starts=2):
    rng = np.random.default_rng(num_agents)
    values = rng.integers(0, 9, (num_starts, K, num_agents)).astype(float)
    return ContractValues(contracts=("none", "low", "high"), null_index=0, values=values)


def make(num_lanes=1, *, num_agents=2, num_starts=2, **options):
    shown = np.arange(2.0 * num_starts).reshape(num_starts, 2)
    return ProposalBatch(table(num_agents, num_starts), shown, num_lanes, **options)


def propose_and_vote(batch, contract, votes):
    """Play one episode: whoever proposes names `contract`, the others vote `votes`."""
    mask = batch.reset(range(batch.num_lanes)).mask
    named = np.where(mask[..., :K].any(axis=-1), contract, WAIT)
    mask = batch.step(named).mask
    voting = mask[..., ACCEPT].astype(bool)
    return batch.step(np.where(voting, votes, WAIT))


@pytest.mark.parametrize("num_agents", [2, 4, 12])
def test_accepted_by_all_others_a_contract_is_in_force(num_agents):
    batch = make(num_agents=num_agents, proposer=0, starts=[1])
    step = propose_and_vote(batch, 2, ACCEPT)
    values = table(num_agents).values[1]
    assert step.features.in_force.tolist() == [2]
    assert step.reward.tolist() == [(values[2] - values[0]).tolist()]
    assert step.terminated.all()


@pytest.mark.parametrize(("num_agents", "refuses"), [(2, 1), (4, 1), (4, 2), (4, 3), (12, 11)])
def test_a_single_refusal_leaves_everybody_without_a_contract(num_agents, refuses):
    votes = np.full((1, num_agents), ACCEPT)
    votes[0, refuses] = REFUSE
    step = propose_and_vote(make(num_agents=num_agents, proposer=0), 2, votes)
    assert step.features.in_force.tolist() == [0]
    assert not step.reward.any()


def test_of_twelve_agents_the_second_and_the_last_have_votes_of_their_own():
    for refuses in (1, 11):
        votes = np.full((1, 12), ACCEPT)
        votes[0, refuses] = REFUSE
        step = propose_and_vote(make(num_agents=12, proposer=1), 2, votes)
        assert step.features.in_force.tolist() == [2 if refuses == 1 else 0]


def test_each_agent_may_do_what_its_turn_allows():
    batch = make(num_agents=3, proposer=1)
    first = batch.reset([0])
    assert first.mask[0].tolist() == [[0] * 5 + [1], [1] * K + [0, 0, 0], [0] * 5 + [1]]
    second = batch.step([[WAIT, 2, WAIT]])
    voter = [0] * K + [1, 1, 0]
    assert second.mask[0].tolist() == [voter, [0] * 5 + [1], voter]
    assert not second.terminated.any()
    assert not second.reward.any()


@pytest.mark.parametrize("action", [ACCEPT, WAIT, -1, 99])
def test_what_is_no_contract_is_a_proposal_of_none(action):
    batch = make(proposer=0)
    batch.reset([0])
    batch.step([[action, WAIT]])
    assert batch.step([[WAIT, ACCEPT]]).features.proposed.tolist() == [0]


@pytest.mark.parametrize("vote", [WAIT, 2, -1])
def test_what_is_no_vote_is_a_refusal(vote):
    step = propose_and_vote(make(proposer=0), 2, np.array([[WAIT, vote]]))
    assert step.features.in_force.tolist() == [0]


def test_an_observation_shows_the_start_the_turn_who_looks_who_proposes_and_what():
    batch = make(num_agents=3, proposer=1, starts=[1])
    first = batch.reset([0]).observation[0]
    assert first.shape == (3, batch.observation_size) == (3, 2 + 1 + 3 + 3 + K)
    nothing = [0.0] * K
    assert first[2].tolist() == [2.0, 3.0, 0.0, 0.0, 0.0, 1.0, 0.0, 1.0, 0.0, *nothing]
    second = batch.step([[WAIT, 2, WAIT]]).observation[0]
    assert second[0].tolist() == [2.0, 3.0, 1.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]


def trajectory(batch, seeds, steps):
    """Everything a batch shows when each agent takes its legal actions in turn."""
    shown = batch.reset(seeds)
    told = [(shown.observation, shown.mask)]
    for number in range(steps):
        legal = np.argsort(-told[-1][1], axis=-1, kind="stable")
        count = told[-1][1].sum(axis=-1, keepdims=True)
        actions = np.take_along_axis(legal, number % count, axis=-1)[..., 0]
        step = batch.step(actions)
        told.append((step.observation, step.mask, step.reward, step.terminated, *step.features))
    return told


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 2**63), min_size=1, max_size=5), st.integers(0, 4))
def test_a_lane_plays_the_same_alone_as_among_others(seeds, lane):
    lane %= len(seeds)
    among = make(len(seeds), num_agents=3, num_starts=4, auto_reset=True)
    alone = make(1, num_agents=3, num_starts=4, auto_reset=True)
    for ours, theirs in zip(
        trajectory(among, seeds, 7), trajectory(alone, [seeds[lane]], 7), strict=True
    ):
        for mine, its in zip(ours, theirs, strict=True):
            assert np.array_equal(mine[lane], its[0])


def test_starts_and_proposers_are_drawn_evenly_and_differ_between_episodes():
    batch = make(2000, num_agents=4, num_starts=5)
    batch.reset(range(2000))
    seen = []
    for _ in range(2):
        batch.step(np.full((2000, 4), WAIT))
        features = batch.step(np.full((2000, 4), WAIT)).features
        assert np.abs(np.bincount(features.start, minlength=5) - 400).max() < 90
        assert np.abs(np.bincount(features.proposer, minlength=4) - 500).max() < 100
        both = np.bincount(features.start * 4 + features.proposer, minlength=20)
        assert np.abs(both - 100).max() < 50  # the one does not follow from the other
        seen.append(features)
        batch.reset()
    assert (seen[0].start != seen[1].start).any()


def test_an_ended_lane_begins_anew_at_once_if_wanted():
    again, by_hand = make(3, auto_reset=True), make(3)
    again.reset([1, 2, 3])
    by_hand.reset([1, 2, 3])
    for batch in (again, by_hand):
        batch.step(np.full((3, 2), WAIT))
    step = again.step(np.full((3, 2), WAIT))
    by_hand.step(np.full((3, 2), WAIT))
    begun = by_hand.reset()
    assert step.terminated.all()
    assert np.array_equal(step.observation, begun.observation)
    assert np.array_equal(step.mask, begun.mask)


def test_stepping_on_after_the_end_is_refused():
    batch = make()
    with pytest.raises(ValueError, match="call reset"):
        batch.step([[WAIT, WAIT]])
    propose_and_vote(batch, 1, ACCEPT)
    with pytest.raises(ValueError, match="call reset"):
        batch.step([[WAIT, WAIT]])


def test_what_was_returned_stays_as_it_was():
    batch = make(2, proposer=0)
    begun = batch.reset([0, 1])
    kept = begun.observation.copy(), begun.mask.copy()
    step = batch.step([[2, WAIT], [1, WAIT]])
    seen = [step.reward.copy(), *map(np.copy, step.features)]
    batch.step([[WAIT, ACCEPT], [WAIT, ACCEPT]])
    assert np.array_equal(begun.observation, kept[0])
    assert np.array_equal(begun.mask, kept[1])
    assert all(map(np.array_equal, [step.reward, *step.features], seen))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_lanes": 0}, "num_lanes = 0"),
        ({"proposer": 2}, "proposer = 2: expected an integer from 0 to 1, or None"),
        ({"starts": [0, 1]}, "starts = .*: expected 1 integers from 0 to 1"),
        ({"starts": [2]}, "starts = .*: expected 1 integers from 0 to 1"),
    ],
)
def test_a_batch_that_cannot_be_is_refused(options, message):
    with pytest.raises(ConfigError, match=message):
        make(**{"num_lanes": 1, **options})


def test_wrong_seeds_and_actions_are_refused():
    batch = make()
    with pytest.raises(ConfigError, match="seeds = None"):
        batch.reset()
    with pytest.raises(ConfigError, match="seeds"):
        batch.reset([1, 2])
    batch.reset([1])
    with pytest.raises(ConfigError, match="actions shape"):
        batch.step([[WAIT]])
