"""The no-communication baseline."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_games import base, small_games

from negotiation_games import GameError
from negotiation_games.baseline import PRIORS, Prior, no_communication_deal
from negotiation_games.game import Role


@settings(max_examples=30, deadline=None)
@given(game=small_games(), seed=st.integers(0, 9))
def test_the_same_seed_gives_the_same_deal_of_the_game(game, seed):
    deal = no_communication_deal(game, seed=seed, samples=20)
    assert 0 <= game.deal_number(deal) < game.num_deals
    assert deal == no_communication_deal(game, seed=seed, samples=20)


@settings(max_examples=30, deadline=None)
@given(game=small_games(), data=st.data())
def test_nothing_but_p1s_sheet_matters(game, data):
    points = st.integers(0, 30)
    parties = tuple(
        party
        if party.role is Role.PROPOSER
        else replace(
            party,
            scores=tuple(tuple(data.draw(points) for _ in row) for row in party.scores),
            threshold=0,
        )
        for party in game.parties
    )
    other = replace(game, parties=parties)
    assert no_communication_deal(game, samples=20) == no_communication_deal(other, samples=20)


@settings(max_examples=20, deadline=None)
@given(data=st.data(), prior=st.sampled_from(sorted(PRIORS)))
def test_the_order_in_which_options_are_listed_does_not_matter(data, prior):
    game = base()
    orders = [data.draw(st.permutations(range(n))) for n in game.num_options]
    parties = tuple(
        replace(
            party,
            scores=tuple(
                tuple(points[option] for option in order)
                for points, order in zip(party.scores, orders, strict=True)
            ),
        )
        for party in game.parties
    )
    listed = no_communication_deal(game, PRIORS[prior])
    relisted = no_communication_deal(replace(game, parties=parties), PRIORS[prior])
    assert tuple(order[k] for order, k in zip(orders, relisted, strict=True)) == listed


def test_p1_proposes_its_best_deal_to_those_who_want_the_same():
    game = base()
    agreeing = Prior(prob_opposed=0.0, prob_indifferent=0.0)
    assert game.scores(no_communication_deal(game, agreeing))[3] == 100


def test_the_more_opposed_the_others_are_the_more_p1_gives():
    game = base()
    own = [game.scores(no_communication_deal(game, prior))[3] for prior in PRIORS.values()]
    assert own == sorted(own, reverse=True)
    assert own[0] > own[-1] >= game.parties[3].threshold


def test_p1_never_proposes_what_it_would_not_accept_with_its_bonus():
    game = base()
    hostile = Prior(prob_opposed=1.0, prob_indifferent=0.0)
    assert game.scores(no_communication_deal(game, hostile))[3] + 10 >= 55


def test_a_prior_that_is_no_share_is_refused():
    with pytest.raises(GameError, match=r"prob_opposed: found 1\.5, expected a share from 0 to 1"):
        Prior(prob_opposed=1.5)
    with pytest.raises(GameError, match=r"threshold_low: found 0\.8"):
        Prior(threshold_low=0.8)
    with pytest.raises(GameError, match="samples: found 0"):
        no_communication_deal(base(), samples=0)
