"""The figures of many games as arrays."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from negotiation_worlds import ferry, games
from small_games import base, figures

from negotiation_games import GameError
from negotiation_games.sheets import sheets_of
from negotiation_games.solve import score_table

law = settings(max_examples=40, deadline=None)


def playable(game):
    return replace(game, initial_deal=(0,) * len(game.issues))


@law
@given(game=games(least_score=-9))
def test_a_game_laid_out_has_its_figures(game):
    sheets = sheets_of([game])
    assert np.array_equal(sheets.score_tables()[0], score_table(game).T)
    assert np.array_equal(sheets.thresholds[0], game.thresholds)
    assert game.deal_at(int(sheets.openings[0])) == game.initial_deal
    assert sheets.saboteurs[0].tolist() == [p.incentive.is_sabotage for p in game.parties]
    worst, best = sheets.extremes()
    assert np.array_equal(worst[0], score_table(game).min(axis=0))
    assert np.array_equal(best[0], score_table(game).max(axis=0))
    numbers = np.arange(game.num_deals)
    assert [tuple(deal) for deal in sheets.shape.options_of(numbers).tolist()] == list(game.deals())


@law
@given(game=games())
def test_a_game_comes_back_from_its_figures(game):
    sheets = sheets_of([game, game])
    (other,) = {sheets.game(index, name=game.name).parties for index in range(2)}
    assert [party.scores for party in other] == [party.scores for party in game.parties]
    assert [party.threshold for party in other] == [party.threshold for party in game.parties]
    assert [party.role for party in other] == [party.role for party in game.parties]
    assert [party.incentive for party in other] == [party.incentive for party in game.parties]
    assert sheets.game(0).initial_deal == game.initial_deal
    assert sheets.game(0).num_options == game.num_options


def test_games_are_taken_by_index():
    one, two = playable(base()), playable(base())
    two = replace(two, parties=tuple(replace(p, threshold=1) for p in two.parties))
    taken = sheets_of([one, two]).take(np.array([1, 0, 1]))
    assert len(taken) == 3
    assert taken.thresholds[0].tolist() == [1] * 6
    assert taken.thresholds[1].tolist() == one.thresholds.tolist()


@pytest.mark.parametrize(
    ("games", "message"),
    [
        ([], "games: found 0"),
        ([ferry(), playable(base())], "base: options and roles"),
        ([ferry(), replace(ferry(), parties=ferry().parties[::-1])], "ferry: options and roles"),
        ([replace(ferry(), initial_deal=None)], "ferry: initial deal: found None"),
        (
            [playable(figures([[[0, 2**31]], [[0, 1]], [[0, 1]]], [0, 0, 0]))],
            "drawn: scores and threshold of party 0: found 2147483648",
        ),
    ],
)
def test_games_that_cannot_be_laid_out_side_by_side_are_refused(games, message):
    with pytest.raises(GameError, match=message):
        sheets_of(games)
