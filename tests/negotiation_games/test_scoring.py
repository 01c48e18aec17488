"""The vote and what it pays."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_games import figures, small_games

from negotiation_games.game import Incentive
from negotiation_games.scoring import BONUS, implicit_votes, judge, passes, payoffs


def one_issue(*points, thresholds, **roles):
    """Parties with a score for each of a single issue's options."""
    return figures([[row] for row in points], thresholds, **roles)


@st.composite
def games_and_deals(draw):
    game = draw(small_games())
    return game, game.deal_at(draw(st.integers(0, game.num_deals - 1)))


def test_a_party_accepts_a_deal_that_exactly_reaches_its_threshold():
    game = one_issue([50], [50], [50], [50], thresholds=[50, 50, 50, 50])
    assert implicit_votes(game, (0,)) == (True, True, True, True)


def test_p1_is_tested_with_its_bonus_when_all_others_accept():
    game = one_issue([30, 29, 40], [9, 9, 9], [9, 9, 9], thresholds=[30 + BONUS, 9, 9])
    assert [implicit_votes(game, (i,))[0] for i in range(3)] == [True, False, True]


def test_p1_is_tested_without_bonus_when_another_refuses():
    game = one_issue([35, 40], [9, 9], [0, 9], [9, 9], thresholds=[40, 9, 9, 9])
    assert implicit_votes(game, (0,)) == (False, True, False, True)
    assert not judge(game, (0,)).passed


def test_one_party_may_refuse_but_neither_p1_nor_p2():
    game = one_issue([5], [5], [5], [5], thresholds=[5, 5, 5, 5], p1=2, p2=0)
    assert passes(game, (True, True, True, False))
    assert not passes(game, (True, True, False, True))
    assert not passes(game, (False, True, True, True))
    assert not passes(game, (True, False, True, False))


def test_p1_earns_the_bonus_only_when_all_accept():
    game = one_issue([60, 60], [9, 9], [9, 9], [9, 0], thresholds=[50, 5, 5, 5])
    assert payoffs(game, judge(game, (0,))) == (60 + BONUS, 9, 9, 9)
    assert payoffs(game, judge(game, (1,))) == (60, 9, 9, 0)


@pytest.mark.parametrize(("no_deal", "pay"), [("threshold", (50, 5, 6)), ("zero", (0, 0, 0))])
def test_no_deal_pays_the_threshold_or_nothing(no_deal, pay):
    game = one_issue([60], [9], [9], thresholds=[50, 5, 6])
    assert payoffs(game, judge(game, None), no_deal=no_deal) == pay


@pytest.mark.parametrize("no_deal", ["threshold", "zero"])
def test_a_saboteur_earns_150_when_nothing_passes_and_its_score_when_something_does(no_deal):
    game = one_issue([60], [9], [9], thresholds=[50, 5, 6])
    saboteur = replace(game.parties[2], incentive=Incentive.SABOTAGE)
    game = replace(game, parties=(*game.parties[:2], saboteur))
    assert payoffs(game, judge(game, None), no_deal=no_deal)[2] == 150
    assert payoffs(game, judge(game, (0,)), no_deal=no_deal)[2] == 9


def test_votes_that_were_cast_replace_the_implicit_ones():
    game = one_issue([60], [9], [9], [9], thresholds=[50, 5, 6, 6])
    verdict = judge(game, (0,), votes=[True, True, True, False])
    assert verdict.passed
    assert not verdict.unanimous
    assert not judge(game, (0,), votes=[True, False, True, True]).passed


@given(games_and_deals())
def test_accepting_under_the_implicit_vote_never_pays_less_than_no_deal(drawn):
    game, deal = drawn
    verdict = judge(game, deal)
    pays, nothing = payoffs(game, verdict), payoffs(game, judge(game, None))
    for i, accepted in enumerate(verdict.votes):
        if accepted:
            assert pays[i] >= nothing[i]


@given(games_and_deals())
def test_a_unanimous_verdict_has_passed_and_a_passed_one_has_at_most_one_refusal(drawn):
    verdict = judge(*drawn)
    assert verdict.passed or not verdict.unanimous
    assert not verdict.passed or verdict.votes.count(False) <= 1
