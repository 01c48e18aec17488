"""Sheets drawn for many games at once."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from small_games import small_games

from negotiation_games import GameError, Incentive, Role, noise
from negotiation_games.draw import BEST_SCORE, SheetPlan, draw_sheets, even_thresholds
from negotiation_games.sheets import Shape
from negotiation_games.solve import score_table, solve

law = settings(max_examples=25, deadline=None)


def drawn(num_games=300, **plan):
    return draw_sheets(SheetPlan(**plan), noise.as_words(range(num_games)))


def rows_of(sheets):
    """Every party's points of every issue, as separate arrays (G, N, options)."""
    return np.split(sheets.scores, np.cumsum(sheets.shape.num_options)[:-1], axis=-1)


@law
@given(
    num_parties=st.integers(3, 7),
    num_options=st.lists(st.integers(2, 4), min_size=2, max_size=4),
    share=st.floats(0.1, 0.4),
    seed=st.integers(0, 2**64 - 1),
)
@example(num_parties=3, num_options=[2, 3], share=0.25, seed=0)  # three deals are all parties' best
def test_sheets_are_whole_numbers_from_0_with_a_best_deal_of_100(
    num_parties, num_options, share, seed
):
    plan = SheetPlan(
        num_parties=num_parties,
        num_options=tuple(num_options),
        sparsity=0.5 * (1 - 1 / len(num_options)),
        feasible=max(2, round(share * np.prod(num_options))),
    )
    sheets = draw_sheets(plan, noise.as_words([seed, seed + 1]))
    tables = sheets.score_tables()
    assert (tables.min(axis=-1) == 0).all()
    assert (tables.max(axis=-1) == BEST_SCORE).all()
    assert sheets.thresholds.min() > 0
    neutral = sum((points.max(axis=-1) == 0).sum(axis=1) for points in rows_of(sheets))
    assert set(neutral) == {round(plan.sparsity * num_parties * len(num_options))}
    for index in range(2):
        assert 1 <= solve(sheets.game(index)).feasible <= plan.feasible


@pytest.mark.parametrize("plan", [{}, {"num_options": (2, 2, 3), "feasible": 2}])
def test_a_seed_draws_its_game_whatever_games_are_drawn_beside_it(plan):
    together = drawn(40, **plan)
    words = noise.as_words(range(40))
    for index in range(0, 40, 3):
        alone = draw_sheets(SheetPlan(**plan), words[[index]])
        assert alone.game(0) == together.game(index)
    assert len({together.game(index).parties for index in range(40)}) == 40


def test_as_many_deals_are_feasible_as_in_the_base_game_or_a_few_less():
    sheets = drawn(100)
    solutions = [solve(sheets.game(index), pareto=False) for index in range(100)]
    feasible = [solution.feasible for solution in solutions]
    assert max(feasible) <= 55
    assert np.median(feasible) >= 50
    assert all(solution.passable >= solution.feasible > 0 for solution in solutions)


def test_roles_openings_and_incentives_are_those_of_a_generated_game():
    game = drawn(1).game(0)
    assert [party.role for party in game.parties[:3]] == [Role.PROPOSER, Role.VETO, Role.PLAYER]
    assert {party.incentive for party in game.parties} == {Incentive.COOPERATIVE}
    assert game.parties[0].score(game.initial_deal) == BEST_SCORE


def test_weights_and_points_have_the_distributions_they_are_said_to_have():
    sheets = drawn(3000, sparsity=0.0, num_options=(3, 3, 4), feasible=8)
    best = np.stack([points.max(axis=-1) for points in rows_of(sheets)], axis=-1)
    # A point for each issue and Dirichlet(2, 2, 2) of the other 97, in whole points.
    shares = np.random.default_rng(0).dirichlet([2.0, 2.0, 2.0], size=best.shape[:2]) * 97
    expected = np.floor(shares) + 1
    rest = 100 - expected.sum(axis=-1, keepdims=True)
    expected += rest * (shares == shares.max(axis=-1, keepdims=True))
    quantiles = np.linspace(0.05, 0.95, 10)
    for issue in range(3):
        found, wanted = (np.quantile(each[..., issue], quantiles) for each in (best, expected))
        assert found == pytest.approx(wanted, abs=1.5)
    middle = np.sort(rows_of(sheets)[0], axis=-1)[..., 1]
    share = middle / rows_of(sheets)[0].max(axis=-1)
    assert share.mean() == pytest.approx(0.5, abs=0.01)
    assert share.var() == pytest.approx(1 / 12, rel=0.1)


def test_every_place_is_as_likely_for_the_best_option_and_every_issue_for_no_interest():
    sheets = drawn(3000)
    for points in rows_of(sheets):
        cares = points.max(axis=-1) > 0
        one_best = (points == points.max(axis=-1, keepdims=True)).sum(axis=-1) == 1
        places = np.bincount(points.argmax(axis=-1)[one_best], minlength=points.shape[-1])
        shares = places / one_best.sum()
        assert shares == pytest.approx([1 / points.shape[-1]] * len(places), abs=0.02)
        assert 1 - cares.mean() == pytest.approx(1 / 6, abs=0.01)


def test_sorted_sheets_rise_with_the_options():
    for points in rows_of(drawn(50, is_sorted=True)):
        assert (np.diff(points, axis=-1) >= 0).all()


@law
@given(game=small_games(max_parties=6), data=st.data())
def test_even_thresholds_are_at_the_lowest_rank_with_at_most_so_many_feasible_deals(game, data):
    feasible = data.draw(st.integers(0, game.num_deals))
    table = score_table(game)
    shape = Shape(game.num_options, tuple(party.role for party in game.parties))
    found = even_thresholds(table.T[None], feasible=feasible, shape=shape)
    ranked = np.sort(table, axis=0)

    def num_feasible(rank):
        content = table >= ranked[rank]
        needed = content[:, game.proposer_index] & content[:, game.veto_index]
        return int((needed & (content.sum(axis=1) >= game.num_parties - 1)).sum())

    few_enough = [rank for rank in range(game.num_deals) if num_feasible(rank) <= feasible]
    rank = min(few_enough, default=game.num_deals - 1)
    assert found.thresholds[0].tolist() == ranked[rank].tolist()
    assert found.num_feasible[0] == num_feasible(rank)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"num_parties": 2}, "generated: parties: found 2, expected at least 3"),
        ({"num_options": (3, 1)}, r"generated: options: found \(3, 1\)"),
        ({"sparsity": 0.9}, "generated: sparsity: found 0.9, expected 0 to 0.8"),
        ({"feasible": 721}, "generated: feasible: found 721, expected 0 to 720"),
        ({"feasible": 55.0}, "generated: feasible: found 55.0, expected a whole number"),
        ({"num_parties": 6.0}, "generated: parties: found 6.0, expected a whole number"),
        ({"num_options": (3, 3.0)}, "generated: options: found 3.0, expected a whole number"),
        ({"num_options": 3}, "generated: options: found 3, expected a tuple"),
        ({"feasible": 0}, "sheets after 100 draws"),
    ],
)
def test_plans_that_cannot_be_are_refused_by_name(change, message):
    with pytest.raises(GameError, match=message):
        drawn(2, **change)
