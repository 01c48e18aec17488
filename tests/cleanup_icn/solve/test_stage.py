"""Stage games: pure equilibria against a plain count, mixed ones against other solvers."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleanup_icn.solve.stage import (
    TOLERANCE,
    first_best,
    mixed_equilibria,
    pure_equilibria,
)

few = settings(deadline=None, max_examples=40)
SHAPES = ((3, 3), (2, 2), (2, 3), (3, 1))


@st.composite
def games(draw, shape=None, low=-2, high=2):
    """Pairs of payoff matrices of small whole numbers, most of them full of ties."""
    m, n = shape or draw(st.sampled_from(SHAPES))
    entries = st.lists(st.integers(low, high), min_size=m * n, max_size=m * n)
    return tuple(np.array(draw(entries), np.float64).reshape(m, n) for _ in range(2))


def solved(first, second, *, highest=True):
    """The selected equilibrium of a single game."""
    first, second = np.array(first, np.float64), np.array(second, np.float64)
    found = mixed_equilibria(first[None], second[None], highest=highest)
    return found.rows[0], found.columns[0]


def welfare(first, second, x, y):
    return float(x @ (np.array(first) + np.array(second)) @ y)


def regret(first, second, x, y):
    """The most that either player could gain by playing something else."""
    own, others = np.array(first) @ y, x @ np.array(second)
    return max(own.max() - x @ own, others.max() - others @ y)


def is_mixture(x):
    return x.min() >= 0 and x.sum() == pytest.approx(1.0)


# --- pure ------------------------------------------------------------------------------------


@few
@given(game=games())
def test_pure_equilibria_are_those_from_which_nobody_gains_by_leaving(game):
    first, second = (payoffs.tolist() for payoffs in game)
    m, n = game[0].shape
    expected = [
        [
            all(first[i][j] >= first[k][j] for k in range(m))
            and all(second[i][j] >= second[i][k] for k in range(n))
            for j in range(n)
        ]
        for i in range(m)
    ]
    assert pure_equilibria(*game).tolist() == expected


@few
@given(many=st.lists(games(shape=(3, 3)), min_size=1, max_size=4))
def test_many_games_are_solved_as_each_alone_along_any_axes(many):
    first, second = (np.stack(payoffs) for payoffs in zip(*many, strict=True))
    alone = np.stack([pure_equilibria(*game) for game in many])
    assert np.array_equal(pure_equilibria(first, second), alone)
    last = [np.moveaxis(payoffs, 0, -1) for payoffs in (first, second)]
    turned = pure_equilibria(*last, rows=-3, columns=-2)
    assert np.array_equal(np.moveaxis(turned, -1, 0), alone)
    for highest in (True, False):
        together = mixed_equilibria(first, second, highest=highest)
        for index, game in enumerate(many):
            x, y = solved(*game, highest=highest)
            assert np.array_equal(together.rows[index], x)
            assert np.array_equal(together.columns[index], y)


def test_payoffs_that_differ_by_rounding_alone_are_ties():
    noise = TOLERANCE / 2
    first = np.array([[1.0, 0.0], [1.0 + noise, 0.0]])
    assert pure_equilibria(first, np.zeros((2, 2))).all()
    assert not pure_equilibria(first + np.array([[0.0], [TOLERANCE]]), np.zeros((2, 2)))[0, 0]


@pytest.mark.parametrize(("highest", "chosen"), [(True, 1), (False, 0)])
def test_of_equals_the_first_is_taken(highest, chosen):
    worth = np.array([0.0, 5.0, 5.0 + TOLERANCE / 2, 0.0])
    allowed = np.ones(4, bool)
    assert first_best(worth, allowed, highest=highest, axis=0) == chosen


def test_what_is_not_allowed_is_never_taken():
    worth = np.array([[9.0, 1.0, 2.0], [9.0, 1.0, 2.0]])
    allowed = np.array([[False, True, True], [False, False, False]])
    assert first_best(worth, allowed, highest=True, axis=1).tolist() == [2, 0]
    assert first_best(worth, allowed, highest=False, axis=1).tolist() == [1, 0]


# --- mixed: by hand --------------------------------------------------------------------------


def test_matching_pennies_is_played_half_and_half():
    first = [[1, -1], [-1, 1]]
    x, y = solved(first, -np.array(first))
    assert x == pytest.approx([0.5, 0.5])
    assert y == pytest.approx([0.5, 0.5])


@pytest.mark.parametrize(
    ("highest", "x", "y"),
    [(True, [1, 0], [1, 0]), (False, [3 / 5, 2 / 5], [2 / 6, 4 / 6])],
)
def test_in_the_battle_of_the_sexes_the_mixed_equilibrium_is_the_worst(highest, x, y):
    found = solved([[4, 0], [0, 2]], [[2, 0], [0, 3]], highest=highest)
    assert found[0] == pytest.approx(x)
    assert found[1] == pytest.approx(y)


def test_rock_paper_scissors_is_played_in_thirds():
    first = np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]])
    x, y = solved(first, -first)
    assert x == pytest.approx([1 / 3] * 3)
    assert y == pytest.approx([1 / 3] * 3)


def test_an_equilibrium_may_need_more_actions_of_one_than_of_the_other():
    # The third column is as good as the mixture of the others, so it is a third best reply to
    # (1/2, 1/2); the extreme equilibria mix two columns, two or one of three.
    first = [[1, -1, 0], [-1, 1, 0]]
    second = [[-1, 1, 0], [1, -1, 0]]
    x, y = solved(first, second)
    assert x == pytest.approx([0.5, 0.5])
    assert regret(first, second, x, y) <= 1e-12


def test_an_equilibrium_with_supports_of_unequal_size_is_found_where_there_is_no_other():
    # The third column is the only best reply to rows near the middle; against it both rows earn
    # the same. So the column player plays one action and the row player must mix two.
    first = [[2, 0, 1], [0, 2, 1]]
    second = [[0, 4, 3], [4, 0, 3]]
    assert not pure_equilibria(np.array(first, float), np.array(second, float)).any()
    for highest in (True, False):
        x, y = solved(first, second, highest=highest)
        assert y == pytest.approx([0, 0, 1])
        assert x.max() <= 0.75 + 1e-9
        assert regret(first, second, x, y) <= 1e-12


def test_the_welfare_of_a_degenerate_game_ranges_over_all_its_equilibria():
    # The row player does not care; the column player follows. Welfare is 1 to 10.
    first = [[0, 0], [0, 0]]
    second = [[10, 0], [0, 1]]
    assert welfare(first, second, *solved(first, second, highest=True)) == 10
    lowest = welfare(first, second, *solved(first, second, highest=False))
    assert lowest == pytest.approx(10 / 11)


@pytest.mark.parametrize("value", [0.0, -7.0, 1e9, 1e-12])
def test_where_all_payoffs_are_equal_the_first_vertices_will_do(value):
    payoffs = np.full((3, 3), value)
    assert pure_equilibria(payoffs, payoffs).all()
    for highest in (True, False):
        x, y = solved(payoffs, payoffs, highest=highest)
        assert is_mixture(x)
        assert is_mixture(y)
        assert sorted(x) == sorted(y) == [0, 0, 1]


def test_no_games_have_no_equilibria():
    found = mixed_equilibria(np.zeros((0, 3, 2)), np.zeros((0, 3, 2)), highest=True)
    assert found.rows.shape == (0, 3)
    assert found.columns.shape == (0, 2)


# --- mixed: laws -----------------------------------------------------------------------------


@few
@given(game=games(), highest=st.booleans())
def test_what_is_returned_is_an_equilibrium(game, highest):
    x, y = solved(*game, highest=highest)
    assert is_mixture(x)
    assert is_mixture(y)
    assert regret(*game, x, y) <= 1e-9


@few
@given(game=games(), highest=st.booleans())
def test_no_pure_equilibrium_beats_the_selected_one(game, highest):
    pure = [
        float((game[0] + game[1])[place])
        for place in zip(*np.nonzero(pure_equilibria(*game)), strict=True)
    ]
    found = welfare(*game, *solved(*game, highest=highest))
    sign = 1 if highest else -1
    assert all(sign * found >= sign * other - 1e-9 for other in pure)


@few
@given(
    game=games(shape=(3, 3)),
    scale=st.sampled_from([1e-6, 1e-3, 1.0, 157.0, 1e6]),
    shift=st.sampled_from([0.0, -1e3, 500.0]),
)
def test_equilibria_stay_so_when_all_payoffs_are_scaled_and_shifted(game, scale, shift):
    first, second = game
    x, y = solved(first * scale + shift, second * scale - shift)
    assert regret(first, second, x, y) <= 1e-7


@few
@given(game=games(shape=(3, 3)), ruin=st.sampled_from([10.0, 1e3, 1e6]))
def test_ruinous_actions_that_nobody_takes_do_not_blur_the_rest(game, ruin):
    first, second = (np.pad(payoffs, ((0, 1), (0, 1))) for payoffs in game)
    first[-1, :], second[:, -1] = -ruin, -ruin
    x, y = solved(first, second)
    assert x[-1] == 0
    assert y[-1] == 0
    assert regret(first, second, x, y) <= 1e-7


@pytest.mark.parametrize("ruin", [10.0, 1e3, 1e6])
def test_a_mixture_is_found_beside_a_ruinous_action(ruin):
    first = np.array([[1.0, -1, 0], [-1, 1, 0], [-ruin] * 3])
    second = np.array([[-1.0, 1, -ruin], [1, -1, -ruin], [0, 0, -ruin]])
    for highest in (True, False):
        x, y = solved(first, second, highest=highest)
        assert x == pytest.approx([0.5, 0.5, 0])
        assert y == pytest.approx([0.5, 0.5, 0])


# --- mixed: other solvers --------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # nashpy divides by zero on its way
@few
@given(seed=st.integers(0, 10**6), shape=st.sampled_from([(3, 3), (2, 3)]))
def test_the_range_of_welfare_is_that_of_nashpy_on_games_without_ties(seed, shape):
    nashpy = pytest.importorskip("nashpy")
    rng = np.random.default_rng(seed)
    first, second = rng.normal(size=shape), rng.normal(size=shape)
    found = nashpy.Game(first, second).vertex_enumeration()
    all_of_them = [welfare(first, second, x, y) for x, y in found]
    for highest, best in ((True, max), (False, min)):
        x, y = solved(first, second, highest=highest)
        assert welfare(first, second, x, y) == pytest.approx(best(all_of_them), abs=1e-7)


@few
@given(game=games())
def test_the_range_of_welfare_is_that_of_gambit_on_games_full_of_ties(game):
    gambit = pytest.importorskip("pygambit")
    # Gambit adds the extreme equilibria up in rational numbers: nothing is lost to rounding.
    played = gambit.Game.from_arrays(*(payoffs.astype(int) for payoffs in game))
    by_hand = []
    for profile in gambit.nash.enummixed_solve(played, rational=True).equilibria:
        x, y = ([float(chance) for _, chance in own] for _, own in profile.mixed_strategies())
        by_hand.append(welfare(*game, np.array(x), np.array(y)))
    for highest, best in ((True, max), (False, min)):
        found = welfare(*game, *solved(*game, highest=highest))
        assert found == pytest.approx(best(by_hand), abs=1e-9)


def test_all_two_by_two_games_of_ties_are_solved():
    payoffs = [np.array(p, np.float64).reshape(2, 2) for p in product((0, 1), repeat=4)]
    first, second = (np.stack(p) for p in zip(*product(payoffs, payoffs), strict=True))
    found = mixed_equilibria(first, second, highest=True)
    for game in zip(first, second, *found, strict=True):
        assert regret(*game) <= 1e-9
