"""Thresholds for wanted counts: the published variants, and enumeration of all thresholds."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_games import base, figures, small_games

from negotiation_games.game import GameError
from negotiation_games.solve import score_table, solve
from negotiation_games.tune import tune


def changes(game, thresholds):
    """The order in which `tune` promises to prefer: parties, total, which, how low."""
    pairs = list(zip(game.parties, thresholds, strict=True))
    moved = tuple(i for i, (party, t) in enumerate(pairs) if t != party.threshold)
    total = sum(abs(t - party.threshold) for party, t in pairs)
    return len(moved), total, moved, tuple(thresholds[i] for i in moved)


def counts(game, table, thresholds):
    content = [[s >= t for s, t in zip(row, thresholds, strict=True)] for row in table]
    p1, p2 = game.proposer_index, game.veto_index
    feasible = sum(row.count(False) <= 1 and row[p1] and row[p2] for row in content)
    return feasible, sum(map(all, content))


def all_settings(game):
    """Every setting of thresholds that could matter, and the given one."""
    table = score_table(game).tolist()
    columns = [sorted(set(column)) for column in zip(*table, strict=True)]
    ranges = [
        sorted({party.threshold, *range(column[0], column[-1] + 1)})
        for party, column in zip(game.parties, columns, strict=True)
    ]
    return {t: counts(game, table, t) for t in product(*ranges)}


@pytest.mark.parametrize(("feasible", "unanimous", "parties"), [(30, 4, 1), (17, 2, 2)])
def test_the_base_game_is_tuned_to_the_published_variants(feasible, unanimous, parties):
    tuning = tune(base(), feasible=feasible, unanimous=unanimous)
    assert tuning.found
    assert tuning.searched_all
    assert len(tuning.changed) == parties
    solution = solve(tuning.game)
    assert (solution.feasible, solution.unanimous) == (feasible, unanimous)


def test_nothing_changes_when_the_counts_are_as_wanted_already():
    tuning = tune(base(), feasible=55, unanimous=12)
    assert tuning.game == base()
    assert (tuning.found, tuning.changed, tuning.total_change) == (True, (), 0)


@pytest.mark.parametrize("wanted", [(720, 720), (0, 0), (1, 1), (100, 0)])
def test_extreme_counts_are_met(wanted):
    tuning = tune(base(), feasible=wanted[0], unanimous=wanted[1])
    solution = solve(tuning.game)
    assert (solution.feasible, solution.unanimous) == wanted
    assert (tuning.feasible, tuning.unanimous) == wanted


@settings(deadline=None, max_examples=40)
@given(small_games(max_parties=3, max_issues=2, max_points=4), st.data())
def test_the_thresholds_found_are_the_best_of_all(game, data):
    outcomes = all_settings(game)
    wanted = data.draw(st.sampled_from(sorted(set(outcomes.values()))))
    tuning = tune(game, feasible=wanted[0], unanimous=wanted[1])
    best = min((t for t, has in outcomes.items() if has == wanted), key=lambda t: changes(game, t))
    assert tuple(tuning.thresholds.values()) == best
    assert tuning.total_change == changes(game, best)[1]
    assert len(tuning.changed) == changes(game, best)[0]


@settings(deadline=None, max_examples=40)
@given(small_games(max_parties=4, max_issues=2, max_points=3), st.data())
def test_what_is_found_has_the_wanted_counts_and_what_is_not_cannot_be(game, data):
    feasible = data.draw(st.integers(0, game.num_deals))
    unanimous = data.draw(st.integers(0, feasible))
    tuning = tune(game, feasible=feasible, unanimous=unanimous)
    solution = solve(tuning.game)
    assert (solution.feasible, solution.unanimous) == (tuning.feasible, tuning.unanimous)
    assert tuning.searched_all
    assert tuning.found == ((feasible, unanimous) in all_settings(game).values())
    assert tuning.found == ((tuning.feasible, tuning.unanimous) == (feasible, unanimous))


@pytest.mark.parametrize("cells", [1, 30, 10**6])
def test_the_thresholds_do_not_depend_on_how_many_parties_are_tabulated(cells, monkeypatch):
    usual = tune(base(), feasible=100, unanimous=2)
    monkeypatch.setattr("negotiation_games.tune._TABLE_CELLS", cells)
    assert tune(base(), feasible=100, unanimous=2) == usual


def test_of_equal_parties_the_first_is_changed():
    sheets = [[[0, 1, 2]], [[0, 1, 2]], [[0, 1, 2]]]
    tuning = tune(figures(sheets, [1, 1, 1]), feasible=1, unanimous=1)
    assert tuning.changed == ("party 0",)


def test_counts_that_no_thresholds_give_are_said_to_be_out_of_reach():
    same = figures([[[1, 1, 1]]] * 3, [1, 1, 1])
    tuning = tune(same, feasible=2, unanimous=1)
    assert not tuning.found
    assert tuning.searched_all
    assert tuning.to_dict()["found"] is False
    assert (tuning.feasible, tuning.unanimous) == (3, 3)


def test_a_search_that_is_cut_short_says_so_and_returns_the_nearest_it_saw():
    tuning = tune(base(), feasible=711, unanimous=1, limit=100_000)
    assert not tuning.found
    assert not tuning.searched_all
    solution = solve(tuning.game)
    assert (solution.feasible, solution.unanimous) == (tuning.feasible, tuning.unanimous)


@pytest.mark.parametrize(
    ("feasible", "unanimous", "message"),
    [
        (721, 0, "base: feasible: found 721, expected 0 to 720 deals"),
        (-1, 0, "base: feasible: found -1"),
        (10, 11, "base: unanimous: found 11, expected 0 to 10, the feasible"),
    ],
)
def test_counts_that_contradict_each_other_are_refused(feasible, unanimous, message):
    with pytest.raises(GameError, match=message):
        tune(base(), feasible=feasible, unanimous=unanimous)
