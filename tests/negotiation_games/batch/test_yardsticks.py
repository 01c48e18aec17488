"""What p1 would get without learning, in many games at once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from small_games import base, small_games

from negotiation_games import noise
from negotiation_games.baseline import PRIORS, no_communication_deal
from negotiation_games.batch import yardsticks
from negotiation_games.bots import planner
from negotiation_games.draw import SheetPlan, draw_sheets
from negotiation_games.scoring import judge, payoffs
from negotiation_games.sheets import sheets_of

law = settings(max_examples=30, deadline=None)


def paid(game, deal):
    """What p1 gets if this is the final proposal."""
    return payoffs(game, judge(game, deal))[game.proposer_index]


@law
@given(game=small_games(), prior=st.sampled_from(sorted(PRIORS)), seed=st.integers(0, 3))
def test_they_are_what_the_planner_and_the_baseline_are_paid(game, prior, seed):
    game = replace(game, initial_deal=(0,) * len(game.issues))
    found = yardsticks(sheets_of([game]), prior=PRIORS[prior], seed=seed, samples=20)
    alone = no_communication_deal(game, PRIORS[prior], seed=seed, samples=20)
    assert found.planner[0] == paid(game, game.deal_at(planner(game)(None)))
    assert found.planner[0] == max(paid(game, deal) for deal in game.deals())
    assert found.no_communication[0] == paid(game, alone)


def test_where_failure_pays_nothing_so_do_deals_that_fail():
    sheets = draw_sheets(SheetPlan(), noise.as_words(range(30)))
    usual, strict = yardsticks(sheets), yardsticks(sheets, no_deal="zero")
    assert np.array_equal(strict.planner, usual.planner)  # some deal passes in each of them
    fails = strict.no_communication == 0
    assert fails.any()
    assert np.array_equal(usual.no_communication[fails], sheets.thresholds[fails, 0])
    assert np.array_equal(strict.no_communication[~fails], usual.no_communication[~fails])


def test_games_are_measured_side_by_side_as_alone():
    sheets = draw_sheets(SheetPlan(), noise.as_words(range(30)))
    found = yardsticks(sheets)
    for index in range(0, 30, 7):
        game = sheets.game(index)
        assert found.planner[index] == paid(game, game.deal_at(planner(game)(None)))
        assert found.no_communication[index] == paid(game, no_communication_deal(game))
    assert (found.planner >= found.no_communication).all()
    assert (found.no_communication >= sheets.thresholds[:, 0]).all()
    assert np.mean(found.planner) > np.mean(found.no_communication) + 5


def test_the_best_of_the_base_game_is_80():
    game = replace(base(), initial_deal=(0,) * 5)
    assert yardsticks(sheets_of([game])).planner.tolist() == [80]
