"""Exact answers against published figures and against enumeration."""

from __future__ import annotations

import json
import math
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from small_games import base, figures, game_2, game_3, small_games

from negotiation_games.game import GameError, deal_name
from negotiation_games.load import load_game
from negotiation_games.scoring import BONUS, judge, payoffs
from negotiation_games.solve import (
    is_pareto,
    nash_distance,
    pareto_distance,
    regret,
    score_table,
    solve,
)

PUBLISHED = Path(__file__).parents[2] / ".." / "shared" / "data" / "llm_deliberation"
laws = settings(deadline=None, max_examples=60)
easy_games = small_games(max_parties=4, max_issues=1, max_options=9, max_points=5)


# --- published figures -----------------------------------------------------------------------


def test_the_base_game_has_the_published_counts():
    solution = solve(base())
    assert (solution.deals, solution.feasible, solution.unanimous) == (720, 55, 12)
    assert solution.passable == 77
    assert list(solution.per_party.values()) == [55, 47, 40, 55, 55, 35]


@pytest.mark.parametrize(("game", "passable"), [(game_2(), 66), (game_3(), 89)])
def test_games_2_and_3_have_the_published_number_of_passable_deals(game, passable):
    assert solve(game).passable == passable


@pytest.mark.parametrize(
    ("folder", "passable"), [("base", 77), ("base_7players", 343), ("game1", 57)]
)
def test_a_published_folder_solves_to_its_reference(folder, passable):
    if not PUBLISHED.exists():
        pytest.skip(f"the published files are not at {PUBLISHED}")
    reference = json.loads((PUBLISHED / "reference.json").read_text())["games"][folder]
    answer = solve(load_game(PUBLISHED / "games" / folder)).to_dict()
    assert {key: answer[key] for key in reference} == reference
    assert answer["passable"] == passable


# --- enumeration -----------------------------------------------------------------------------


def dominates(a, b):
    return all(x >= y for x, y in zip(a, b, strict=True)) and a != b


def surpluses(game, deal):
    return [s - p.threshold for s, p in zip(game.scores(deal), game.parties, strict=True)]


def is_feasible(game, deal):
    content = [surplus >= 0 for surplus in surpluses(game, deal)]
    p1, p2 = content[game.proposer_index], content[game.veto_index]
    return p1 and p2 and content.count(False) <= 1


def nash_key(game, deal):
    positive = [surplus for surplus in surpluses(game, deal) if surplus > 0]
    return len(positive), math.prod(positive)


@laws
@given(small_games())
def test_the_counts_are_those_of_enumeration(game):
    solution = solve(game)
    deals = list(game.deals())
    feasible = [deal for deal in deals if is_feasible(game, deal)]
    assert solution.deals == len(deals)
    assert solution.feasible == len(feasible)
    assert solution.unanimous == sum(min(surpluses(game, deal)) >= 0 for deal in deals)
    assert solution.passable == sum(judge(game, deal).passed for deal in deals)
    assert solution.per_party == {
        name: sum(surpluses(game, deal)[i] >= 0 for deal in feasible)
        for i, name in enumerate(game.party_names)
    }


@laws
@given(small_games() | easy_games)
def test_the_chosen_deals_are_those_of_enumeration(game):
    solution = solve(game)
    deals = list(game.deals())
    scores = {deal: game.scores(deal) for deal in deals}
    unanimous = [deal for deal in deals if min(surpluses(game, deal)) >= 0]
    feasible = [deal for deal in deals if is_feasible(game, deal)]
    # max() takes the first of equals, which is the lowest number.
    assert solution.nash_deal == max(unanimous, key=lambda d: nash_key(game, d), default=None)
    assert solution.egalitarian_deal == max(
        feasible, key=lambda d: sorted(surpluses(game, d)), default=None
    )
    assert solution.best_welfare_deal == max(deals, key=lambda d: sum(scores[d]))
    assert solution.best_welfare == max(map(sum, scores.values()))
    assert solution.pareto == tuple(
        d for d in deals if not any(dominates(scores[e], scores[d]) for e in deals)
    )


@laws
@given(small_games())
def test_row_d_of_the_score_table_holds_the_scores_of_deal_number_d(game):
    table = score_table(game)
    assert table.shape == (game.num_deals, game.num_parties)
    for number, deal in enumerate(game.deals()):
        assert tuple(table[number].tolist()) == game.scores(deal)


@laws
@given(
    hnp.arrays(
        np.int64,
        st.tuples(st.integers(1, 80), st.integers(1, 4)),
        elements=st.integers(-3, 3) | st.integers(-(2**40), 2**40),
    )
)
def test_a_row_is_pareto_exactly_if_no_other_dominates_it(table):
    rows = table.tolist()
    expected = [not any(dominates(other, row) for other in rows) for row in rows]
    assert is_pareto(table).tolist() == expected


@pytest.mark.parametrize("points", [4, 1000])
def test_the_front_of_more_deals_than_are_compared_at_a_time_is_exact(points):
    table = np.random.default_rng(0).integers(0, points, (9000, 3))
    front = is_pareto(table)
    best = table[front]
    for row, kept in zip(table[:500], front[:500], strict=True):
        above = (best >= row).all(axis=1) & (best > row).any(axis=1)
        assert above.any() == (not kept)


# --- edges -----------------------------------------------------------------------------------


def test_a_game_without_feasible_deals_has_no_nash_and_no_egalitarian_deal():
    game = figures([[[5, 0]], [[0, 5]], [[0, 5]]], [5, 5, 5])
    answer = solve(game).to_dict()
    assert (answer["feasible"], answer["unanimous"]) == (0, 0)
    assert answer["nash_deal"] is None
    assert answer["egalitarian_deal"] is None
    assert answer["best_welfare"] == 10


def test_a_party_exactly_at_its_threshold_does_not_make_all_deals_equal_to_nash():
    game = figures([[[5, 5, 5]], [[6, 9, 7]], [[6, 7, 9]]], [5, 5, 5])
    assert solve(game).nash_deal == (1,)


@pytest.mark.parametrize("direction", [1, -1])
def test_of_deals_with_equal_products_the_first_is_nash_however_logarithms_round(direction):
    divisors = [n for n in range(1, 721) if 720 % n == 0]
    deals = [t for t in product(divisors, repeat=3) if math.prod(t) == 720][::direction]
    game = figures([[list(scores)] for scores in zip(*deals, strict=True)], [0] * 3)
    assert solve(game).nash_deal == (0,)


def test_products_beyond_floating_point_are_compared_exactly():
    huge = 2**28
    rows = [[huge, huge], [huge, huge], [huge - 1, huge], [huge, huge]]
    assert solve(figures([[row] for row in rows], [0] * 4)).nash_deal == (1,)


def test_the_front_of_a_large_game_is_found_on_request_only(monkeypatch):
    monkeypatch.setattr("negotiation_games.solve.PARETO_LIMIT", 100)
    assert solve(base()).pareto is None
    assert solve(base(), pareto=True).pareto
    assert solve(game_2(), pareto=False).to_dict()["pareto"] is None


def test_a_game_too_large_to_tabulate_is_refused_by_its_number_of_deals():
    sheet = [[0] * 10 for _ in range(9)]
    with pytest.raises(GameError, match=r"drawn: deals: found 1000000000, expected at most"):
        solve(figures([sheet] * 3, [0, 0, 0]))


def test_scores_beyond_32_bits_are_refused_and_not_wrapped_around():
    with pytest.raises(GameError, match="scores and threshold of party 1"):
        solve(figures([[[1]], [[2**40]], [[1]]], [0, 0, 0]))


def test_the_json_form_names_deals_by_their_short_names_and_can_be_written():
    answer = json.loads(json.dumps(solve(base()).to_dict()))
    assert answer["nash_deal"] == "A2,B3,C3,D2,E3"
    assert answer["best_welfare_deal"] in answer["pareto"]


# --- distances -------------------------------------------------------------------------------


@laws
@given(small_games(), st.data())
def test_regret_is_what_the_best_passable_deal_pays_on_top(game, data):
    party = data.draw(st.sampled_from(range(game.num_parties)))
    deal = data.draw(st.none() | st.sampled_from(list(game.deals())))
    passable = [judge(game, d) for d in game.deals() if judge(game, d).passed]
    nothing = judge(game, None)
    best = max((payoffs(game, v)[party] for v in passable), default=payoffs(game, nothing)[party])
    earned = payoffs(game, judge(game, deal))[party]
    assert regret(game, deal, game.party_names[party]) == best - earned


def test_p1_regrets_a_lost_bonus():
    game = figures([[[50, 50]], [[9, 9]], [[9, 0]]], [50, 5, 5])
    assert regret(game, (1,), "party 0") == BONUS
    assert regret(game, (0,), "party 0") == 0


def test_regret_refuses_a_party_that_is_not_there():
    with pytest.raises(GameError, match="party: found 'nobody'"):
        regret(base(), None, "nobody")


@laws
@given(small_games())
def test_distances_are_zero_at_their_targets_and_euclidean_elsewhere(game):
    solution = solve(game)
    front = [game.scores(deal) for deal in solution.pareto]
    for deal in game.deals():
        scores = game.scores(deal)
        near = min(math.dist(scores, other) for other in front)
        assert pareto_distance(game, deal) == pytest.approx(near)
        assert (pareto_distance(game, deal) == 0) == (deal in solution.pareto)
        if solution.nash_deal is None:
            assert nash_distance(game, deal) is None
        else:
            nash = game.scores(solution.nash_deal)
            assert nash_distance(game, deal) == pytest.approx(math.dist(scores, nash))


def test_the_deal_names_of_the_front_are_those_of_its_deals():
    solution = solve(game_3())
    assert solution.to_dict()["pareto"] == [deal_name(deal) for deal in solution.pareto]
