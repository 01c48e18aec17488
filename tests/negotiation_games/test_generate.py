"""Sampled games have what was asked for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_games import base, figures, small_games

from negotiation_games.draw import BEST_SCORE
from negotiation_games.game import GameError, Role
from negotiation_games.generate import CONFLICT_TOLERANCE, conflict, generate, sparsity
from negotiation_games.solve import score_table, solve

few = settings(deadline=None, max_examples=15)


@few
@given(
    seed=st.integers(0, 2**32),
    feasible=st.integers(10, 100),
    share=st.floats(0.05, 0.5),
    rows=st.integers(0, 12),
)
def test_a_game_has_the_wanted_counts_and_sparsity(seed, feasible, share, rows):
    unanimous = round(feasible * share)
    game = generate(feasible=feasible, unanimous=unanimous, sparsity=rows / 30, seed=seed)
    solution = solve(game)
    assert (solution.feasible, solution.unanimous) == (feasible, unanimous)
    assert sparsity(game) == pytest.approx(rows / 30)


@pytest.mark.parametrize("wanted", [0.25, 0.4, 0.5, 0.58])
def test_a_game_has_the_wanted_conflict(wanted):
    game = generate(feasible=30, unanimous=4, conflict=wanted, seed=0)
    assert conflict(game) == pytest.approx(wanted, abs=CONFLICT_TOLERANCE)


@few
@given(seed=st.integers(0, 2**32))
def test_every_party_refuses_something_and_its_best_deal_is_worth_100(seed):
    game = generate(feasible=40, unanimous=8, seed=seed)
    table = score_table(game)
    assert (table.min(axis=0) < game.thresholds).all()
    assert (table.max(axis=0) == BEST_SCORE).all()
    assert (table.min(axis=0) == 0).all()


def test_every_party_refuses_something_even_where_most_deals_are_to_be_feasible():
    game = generate(feasible=560, unanimous=300, seed=1)
    assert (score_table(game).min(axis=0) < game.thresholds).all()


def test_the_same_seed_gives_the_same_game_and_another_seed_another():
    wanted = {"feasible": 55, "unanimous": 12, "conflict": 0.45}
    assert generate(**wanted, seed=1) == generate(**wanted, seed=1)
    assert generate(**wanted, seed=1) != generate(**wanted, seed=2)


def test_parties_and_issues_are_as_asked_and_p1_opens_with_its_best_deal():
    names = ("north", "south", "east", "west")
    game = generate(feasible=20, unanimous=3, parties=names, options=(4, 3, 5, 2), seed=0)
    assert game.party_names == names
    assert game.num_options == (4, 3, 5, 2)
    assert [party.role for party in game.parties[:3]] == [Role.PROPOSER, Role.VETO, Role.PLAYER]
    assert game.parties[0].score(game.initial_deal) == BEST_SCORE


# --- the measures ----------------------------------------------------------------------------


@few
@given(small_games())
def test_conflict_is_the_mean_correlation_over_all_deals(game):
    table = score_table(game).astype(float)
    centred = table - table.mean(axis=0)
    spread = np.sqrt((centred**2).sum(axis=0))
    n = game.num_parties
    pairs = [(i, j) for i in range(n) for j in range(n) if i != j]
    mean = np.mean(
        [
            centred[:, i] @ centred[:, j] / (spread[i] * spread[j])
            if spread[i] * spread[j] > 1e-9
            else 0
            for i, j in pairs
        ]
    )
    assert conflict(game) == pytest.approx((1 - mean) / 2, abs=1e-9)


def test_parties_that_agree_have_no_conflict_and_a_constant_sum_has_the_most():
    same = figures([[[0, 3, 9]]] * 4, [0] * 4)
    divided = figures([[[3, 0, 0]], [[0, 3, 0]], [[0, 0, 3]]], [0] * 3)
    assert conflict(same) == pytest.approx(0)
    assert conflict(divided) == pytest.approx(3 / 4)


def test_five_of_thirty_rows_of_the_base_game_are_neutral():
    assert sparsity(base()) == pytest.approx(5 / 30)


# --- what cannot be --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"parties": 2}, "generated: parties: found 2, expected at least 3"),
        ({"options": (3, 1)}, r"generated: options: found \(3, 1\), expected at least 2"),
        ({"options": ()}, r"generated: options: found \(\)"),
        ({"sparsity": 0.9}, "generated: sparsity: found 0.9, expected 0 to 0.8"),
        ({"conflict": 0.7}, "generated: conflict: found 0.7, expected 0 to 0.6"),
        ({"feasible": 1000}, "generated: feasible: found 1000, expected 0 to 720"),
        ({"parties": ("a", "b", "a")}, "generated: parties: .* every name once"),
    ],
)
def test_arguments_that_cannot_be_are_refused_by_name(change, message):
    with pytest.raises(GameError, match=message):
        generate(**({"feasible": 30, "unanimous": 4, "seed": 0} | change))


def test_a_game_that_is_not_found_is_said_to_be_missing_after_so_many_samples():
    with pytest.raises(GameError, match="40 samples, the last: found 'no sheets of this conflict'"):
        generate(feasible=30, unanimous=4, conflict=0.0, seed=0)
