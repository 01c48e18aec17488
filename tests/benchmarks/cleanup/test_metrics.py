"""What episodes come to, on results written by hand."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.cleanup import metrics


def test_welfare_counts_game_rewards_and_efficiency_divides_by_the_optimum(make_result, make_step):
    result = make_result(
        make_step(step=0, game_rewards=(4.0, 0.0), transfers=(-1.0, 1.0)),
        make_step(step=1, game_rewards=(5.0, 1.0)),
    )
    assert metrics.welfare(result) == 10.0
    assert metrics.efficiency(result) == 0.5


def test_efficiency_after_the_change_looks_at_the_steps_from_it_on(make_result, make_step):
    result = make_result(
        make_step(step=0, game_rewards=(10.0, 0.0)),
        make_step(step=1, game_rewards=(1.0, 1.0)),
        change_step=1,
    )
    assert metrics.efficiency_after_change(result) == 0.2


def test_talks_belong_to_the_play_step_they_precede(make_result, make_step):
    result = make_result(
        make_step(step=0, pollution=3, phase="propose"),
        make_step(step=0, pollution=3, game_rewards=(2.0, 0.0)),
        make_step(step=1, pollution=6, game_rewards=(1.0, 0.0)),
    )
    assert metrics.welfare_by_step(result).tolist() == [2.0, 1.0]
    assert metrics.pollution_by_step(result).tolist() == [3.0, 6.0]


@pytest.mark.parametrize(
    ("returns", "expected"),
    [((5.0, 5.0), 1.0), ((0.0, 0.0), 1.0), ((4.0, 0.0), 0.5), ((3.0, -3.0), 0.0), ((-1, -2), 0.0)],
)
def test_equality_is_one_minus_gini_and_defined_for_debts(
    returns, expected, make_result, make_step
):
    assert metrics.equality(make_result(make_step(game_rewards=returns))) == expected


def test_equality_is_that_of_returns_after_transfers(make_result, make_step):
    result = make_result(make_step(game_rewards=(6.0, 0.0), transfers=(-3.0, 3.0)))
    assert metrics.equality(result) == 1.0
    assert metrics.transferred(result) == 3.0


returns = st.lists(st.floats(0.1, 100), min_size=2, max_size=6)


@settings(max_examples=50, deadline=None)
@given(returns)
def test_equality_of_positive_returns_is_between_one_over_n_and_one(make, values):
    result = make(values)
    assert 1 / len(values) - 1e-9 <= metrics.equality(result) <= 1.0


@pytest.fixture(scope="session")
def make(make_result, make_step):
    def of(values):
        nothing = tuple(0.0 for _ in values)
        step = make_step(game_rewards=tuple(values), transfers=nothing)
        return make_result(step, agents=tuple(f"agent_{i}" for i, _ in enumerate(values)))

    return of


def test_counts_add_up_over_steps_and_agents(make_result, make_step):
    result = make_result(
        make_step(illegal=2, statuses=("ok", "missing")),
        make_step(illegal=1, statuses=("unknown_action", "missing")),
        negotiations=({}, {}),
    )
    measured = {name: measure(result) for name, measure in metrics.MEASURES.items()}
    assert (measured["illegal"], measured["malformed"], measured["negotiations"]) == (3, 3, 2)


def test_where_nothing_is_to_be_had_nobody_could_do_better(make_result, make_step):
    assert metrics.efficiency(make_result(make_step(), optimum_by_step=(0.0, 0.0))) == 1.0


def test_a_row_has_an_interval_for_every_mean_it_gives(make_result, make_step):
    results = [make_result(make_step(game_rewards=(g, 0.0)), episode=g) for g in (2.0, 4.0)]
    row = metrics.summarize(results, seed=0).to_dict()
    assert (row["n"], row["welfare"], row["deterministic"]) == (2, 3.0, False)
    assert row["ci_low"] < row["efficiency"] < row["ci_high"]
    assert row["intervals"].keys() == metrics.MEASURES.keys() - {"own_return"} <= row.keys()


def test_a_row_of_equal_episodes_is_deterministic(make_result, make_step):
    results = [make_result(make_step(game_rewards=(2.0, 0.0)))] * 3
    row = metrics.summarize(results, seed=0).to_dict()
    assert row["deterministic"] is True
    assert row["ci_low"] == row["ci_high"] == row["efficiency"]


def test_a_row_tells_the_interquartile_mean_of_the_efficiency(make_result, make_step):
    results = [make_result(make_step(game_rewards=(r, 0.0))) for r in (2.0, 4.0, 6.0, 20.0)]
    row = metrics.summarize(results, seed=0)
    told = row.to_dict()
    assert (told["iqm"], told["efficiency"]) == (0.25, 0.4)
    assert told["iqm_low"] < 0.25 < told["iqm_high"]
    seeds = metrics.over_training_seeds("trained", [row, row])
    assert (seeds.iqm.mean, seeds.iqm.unit, seeds.iqm.n) == (0.4, "training seed", 2)


def test_the_own_return_is_what_the_seat_keeps_after_transfers(make_result, make_step):
    steps = (
        make_step(game_rewards=(4.0, 0.0), transfers=(-1.5, 1.5)),
        make_step(game_rewards=(2.0, 1.0), transfers=(0.0, 0.0)),
    )
    assert metrics.own_return(make_result(*steps, seat="agent_0")) == 4.5
    assert metrics.own_return(make_result(*steps, seat="agent_1")) == 2.5


def test_where_all_seats_are_played_nobody_has_an_own_return(make_result, make_step):
    result = make_result(make_step(game_rewards=(4.0, 0.0)))
    assert metrics.own_return(result) is None
    assert "own_return" not in metrics.summarize([result], seed=0).to_dict()
