"""What can be inferred from proposals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from negotiation_worlds import ferry, short

from negotiation_games.deal_values import deal_values
from negotiation_games.inference import chance_of_passing, estimate
from negotiation_games.reading import parse_observation

OPTIONS = (3, 4, 2)
deals = st.tuples(*(st.integers(0, n - 1) for n in OPTIONS))


def test_whoever_proposed_nothing_seems_indifferent():
    assert estimate([], OPTIONS) == tuple((pytest.approx(1 / 3),) * n for n in OPTIONS)


@given(st.lists(deals, min_size=1, max_size=8))
def test_the_values_of_a_best_deal_add_up_to_one(proposals):
    values = estimate(proposals, OPTIONS)
    assert sum(max(each) for each in values) == pytest.approx(1.0)
    assert min(min(each) for each in values) > 0.0


@given(st.lists(deals, min_size=1, max_size=8))
def test_the_option_proposed_most_often_is_preferred(proposals):
    for issue, values in enumerate(estimate(proposals, OPTIONS)):
        counts = [sum(deal[issue] == k for deal in proposals) for k in range(OPTIONS[issue])]
        assert counts[int(np.argmax(values))] == max(counts)


def test_an_issue_on_which_a_party_stays_weighs_more():
    steady, moving = estimate([(0, 0), (0, 1), (0, 2)], (3, 3))
    assert max(steady) > max(moving)


@given(st.lists(st.lists(st.integers(-5, 9), min_size=1, max_size=3), min_size=1, max_size=4))
def test_deal_values_are_the_sums_in_the_order_of_the_deals(sheet):
    values = deal_values(sheet)
    expected = [0]
    for points in sheet:
        expected = [total + each for total in expected for each in points]
    assert values.tolist() == expected


def test_what_others_insist_on_seems_likelier_to_pass_than_what_nobody_proposed():
    game = ferry()
    env = short(game, observation="text")
    env.reset(seed=0)
    for _ in range(4):
        env.step(game.deal_number((1, 2)))
    likely = chance_of_passing(parse_observation(env.observe(env.agent_selection)))
    assert likely.shape == (game.num_deals,)
    assert ((likely > 0) & (likely <= 1)).all()
    assert np.argmax(likely) in (game.deal_number((1, 2)), game.deal_number((0, 2)))
    assert likely[game.deal_number((1, 2))] > likely[game.deal_number((0, 1))]
