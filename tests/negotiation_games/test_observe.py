"""What a learner sees, entry by entry."""

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from negotiation_worlds import ferry, games

import negotiation_games
from negotiation_games import Incentive, Role
from negotiation_games.observe import VectorObserver, one_hot

PHASES = ("discuss", "final", "vote", "over")


def expected(env, index):
    """The vector of a party, written down from the record by the words of its layout."""
    game, party = env.game, env.game.parties[index]
    num_parties = game.num_parties
    vector = [float(i == index) for i in range(num_parties)]
    vector += [float(party.role is role) for role in Role]
    vector += [float(party.incentive is incentive) for incentive in Incentive]
    largest = sum(max(abs(point) for point in points) for points in party.scores)
    scale = max(largest, abs(party.threshold), 1)
    vector += [point / scale for points in party.scores for point in points]
    vector += [party.threshold / scale]
    info = env.infos[party.name]
    vector += [float(info["phase"] == phase) for phase in PHASES]
    vector += [(len(env.record) - 1) / (env.num_turns + 1)]
    for other in game.parties:
        deals = [said.deal for said in env.record if said.party == other.name and said.deal]
        counts = Counter(place for deal in deals for place in enumerate(deal))
        places = [(i, k) for i, n in enumerate(game.num_options) for k in range(n)]
        vector += [float(bool(deals))]
        vector += [float(bool(deals) and deals[-1][i] == k) for i, k in places]
        vector += [counts[place] / max(len(deals), 1) for place in places]
    is_made = len(env.record) == env.num_turns + 2
    final = env.record[-1].deal if is_made else None
    vector += [float(bool(final) and final[i] == k) for i, k in places]
    return vector


@settings(max_examples=30, deadline=None)
@given(
    game=games(least_score=-9),
    voting=st.sampled_from(["implicit", "explicit"]),
    seed=st.integers(0, 2**32),
)
def test_every_entry_is_what_the_layout_says_at_every_turn(game, voting, seed):
    env = negotiation_games.raw_env(
        game=game, observation="vector", voting=voting, num_turns=2 * game.num_parties
    )
    dice = np.random.default_rng(seed)
    for _ in range(2):
        env.reset()
        while not env.terminations[env.agent_selection]:
            for index, agent in enumerate(env.possible_agents):
                assert np.allclose(env.observe(agent), expected(env, index), atol=1e-6)
            env.step(int(dice.integers(0, game.num_deals + 3)))
        assert np.allclose(env.observe(env.possible_agents[0]), expected(env, 0), atol=1e-6)


def test_negotiations_are_followed_side_by_side_and_forgotten_one_by_one():
    game = ferry()
    observer = VectorObserver(3, num_parties=4, num_options=game.num_options)
    lanes, own = np.arange(3), np.zeros((3, 4 + 4 + 4 + 5 + 1), np.float32)
    empty = observer.vectors(own, np.zeros(3, np.int64), 0.0)
    deals = one_hot([(0, 1), (1, 2), (1, 0)], game.num_options)
    assert deals.tolist() == [[1, 0, 0, 1, 0], [0, 1, 0, 0, 1], [0, 1, 1, 0, 0]]
    observer.count(lanes, np.array([0, 3, 1]), deals, is_final=np.array([False, True, False]))
    assert observer.latest[1].tolist() == [[0] * 5] * 3 + [[0, 1, 0, 0, 1]]
    seen = observer.vectors(own, np.zeros(3, np.int64), 0.0)
    assert seen[1, -5:].tolist() == [0, 1, 0, 0, 1]
    assert not seen[[0, 2], -5:].any()
    observer.begin(np.array([1]))
    after = observer.vectors(own, np.zeros(3, np.int64), 0.0)
    assert np.array_equal(after[1], empty[1])
    assert np.array_equal(after[[0, 2]], seen[[0, 2]])
