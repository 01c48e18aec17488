"""All pure equilibrium payoffs of tiny games, against every choice of continuations."""

from __future__ import annotations

from itertools import product
from math import inf, prod

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from plain_cleanup import CLOSE, PlainGame, configs, contracts, legal_actions, reachable

from cleanup_icn import CleanupConfig, ConfigError
from cleanup_icn.contracts import Contract, Fine, LumpSum, Quota, Wage
from cleanup_icn.solve import enumeration, equilibrium, equilibrium_payoffs
from cleanup_icn.state import CleanupState

few = settings(deadline=None, max_examples=25)
WAGE = Contract([Wage(payer="others", payee="all", per="cleaned", rate=0.6)])


def stable(worth):
    """Payoffs of the pure equilibria of one stage game, (2, 3, 3), as a set."""
    return {
        tuple((worth[:, i, j] + 0.0).round(7))
        for i, j in product(range(3), repeat=2)
        if worth[0, i, j] >= worth[0, :, j].max() - CLOSE
        and worth[1, i, j] >= worth[1, i, :].max() - CLOSE
    }


def plain_payoffs(config, contract, most=3000):
    """Payoffs of two steps: the last solved after each history, then every way to go on."""
    game = PlainGame(config, contract)
    start = CleanupState(0, config.pollution_initial, config.fruit_initial)
    histories = [  # (actions' places in the table, chance, gains, equilibria after)
        (place, chance, gains, stable(game.stage(after, 1, lambda *_: np.zeros(2))))
        for place, joint in zip(
            product(range(3), repeat=2), product(*legal_actions(start)), strict=True
        )
        for chance, after, gains in game.outcomes(start, joint, 0)
    ]
    assume(prod(len(after) for *_, after in histories) <= most)
    found = set()
    for ways in product(*(after for *_, after in histories)):
        worth = np.zeros((2, 3, 3))
        for (place, chance, gains, _), ahead in zip(histories, ways, strict=True):
            worth[(slice(None), *place)] += chance * (gains + ahead)
        found |= stable(worth)
    return np.array(sorted(found)).reshape(-1, 2)


@few
@given(config=configs(horizons=(2,), announced=True), contract=contracts())
def test_they_are_the_payoffs_of_every_way_to_go_on(config, contract):
    by_step = [clause for clause in contract.clauses if not isinstance(clause, LumpSum)]
    contract = Contract(by_step, contract.duration, contract.parties)
    found = equilibrium_payoffs(config, contract).payoffs
    plain = plain_payoffs(config, contract)
    assert {tuple(p.round(5)) for p in found} == {tuple(p.round(5)) for p in plain}


@few
@given(
    config=configs(horizons=(2, 3), announced=True),
    contract=contracts(),
    selection=st.sampled_from(["high", "low"]),
)
def test_a_selection_that_is_pure_is_one_of_them(config, contract, selection):
    solved = equilibrium(config, contract, selection=selection)
    played = [solved.strategies(*place) for place in reachable(config)]
    assume(all(np.isin(each, (0.0, 1.0)).all() for each in played))
    found = equilibrium_payoffs(config, contract)
    assert np.abs(found.payoffs - solved.payoffs).max(axis=1).min() <= 1e-7
    assert (found.payoffs.sum(axis=1) <= found.social_optimum + 1e-7).all()


def test_the_default_game_of_eight_steps_has_four_payoffs():
    found = equilibrium_payoffs(CleanupConfig(horizon_steps=8))
    assert found.payoffs.shape == (4, 2)
    assert found.social_optimum == 31
    assert found.price_of_anarchy == pytest.approx(31 / 13)
    assert found.price_of_stability == pytest.approx(31 / 16)


def test_neither_selection_bounds_the_rest_and_low_may_be_above_high():
    config = CleanupConfig(horizon_steps=5)
    welfares = equilibrium_payoffs(config, WAGE).payoffs.sum(axis=1)
    assert welfares.min() == pytest.approx(16)
    assert welfares.max() == pytest.approx(20)
    assert equilibrium(config, WAGE, selection="high").welfare == pytest.approx(16)
    assert equilibrium(config, WAGE, selection="low").welfare == pytest.approx(20)


def test_a_lump_sum_moves_every_payoff_alike():
    once = LumpSum(payer="agent_0", payee="agent_1", amount=3.0)
    config = CleanupConfig(horizon_steps=5)
    with_it = equilibrium_payoffs(config, Contract([*WAGE.clauses, once])).payoffs
    without = equilibrium_payoffs(config, WAGE).payoffs
    assert with_it == pytest.approx(without + np.array([-3, 3]))


# --- prices ----------------------------------------------------------------------------------


def test_where_nothing_can_be_earned_anarchy_costs_nothing():
    barren = equilibrium_payoffs(CleanupConfig(horizon_steps=3, harvest_per_action=0))
    assert barren.payoffs.tolist() == [[0, 0]]
    assert barren.price_of_anarchy == barren.price_of_stability == 1.0


STILL_RIVER = CleanupConfig(
    horizon_steps=3, pollution_initial=6, fruit_initial=0, pollution_growth_per_step=0
)


def test_where_somebody_may_clean_for_nothing_the_worst_and_the_best_are_far_apart():
    found = equilibrium_payoffs(STILL_RIVER)
    assert found.payoffs.tolist() == [[0, 0], [0, 3], [3, 0]]
    assert found.price_of_anarchy == inf
    assert found.price_of_stability == 1.0


def test_where_cleaning_is_fined_no_equilibrium_earns_anything_of_what_there_is():
    fine = Contract([Fine(payer="all", payee="others", per="cleaned", rate=0.5)])
    wasted = equilibrium_payoffs(STILL_RIVER, fine)
    assert wasted.payoffs.tolist() == [[0, 0]]
    assert wasted.social_optimum == 3
    assert wasted.price_of_anarchy == wasted.price_of_stability == inf


@pytest.mark.parametrize("horizon", [1, 2])
def test_where_no_pure_equilibrium_exists_there_is_no_price(horizon):
    # Two units of fruit: agent_0 is fined so much that it harvests only to spoil agent_1's quota,
    # which agent_1 can meet only alone.
    spoiling = Contract(
        [
            Fine(payer="agent_0", payee="agent_1", per="harvested", rate=1.5),
            Quota(payer="agent_1", payee="agent_0", per="harvested", at_least=2, amount=1),
        ]
    )
    # It is enough that this is so after one of the first actions: when both wait.
    config = CleanupConfig(
        horizon_steps=horizon, fruit_initial=2, harvest_per_action=2, fruit_growth_per_step=0
    )
    last = equilibrium(config, spoiling).strategies(CleanupState(0, 0, 2), horizon - 1)
    assert last.max() < 1
    found = equilibrium_payoffs(config, spoiling)
    assert found.payoffs.shape == (0, 2)
    assert found.price_of_anarchy is None
    assert found.price_of_stability is None


# --- refusals --------------------------------------------------------------------------------


def test_a_surprise_is_refused_and_an_announcement_is_not():
    change = {"horizon_steps": 2, "schedule": [(1, {"harvest_per_action": 0})]}
    with pytest.raises(ConfigError, match="announce_changes = False"):
        equilibrium_payoffs(CleanupConfig(**change))
    announced = CleanupConfig(**change, announce_changes=True)
    assert equilibrium_payoffs(announced).payoffs.tolist() == [[4, 4]]


def test_a_change_before_the_first_step_surprises_nobody():
    config = CleanupConfig(horizon_steps=2, schedule=[(0, {"harvest_per_action": 1})])
    assert equilibrium_payoffs(config).payoffs.tolist() == [[2, 2]]


def test_more_payoffs_than_can_be_kept_are_refused(monkeypatch):
    monkeypatch.setattr(enumeration, "MOST_PAYOFFS", 200)
    config = CleanupConfig(horizon_steps=7, prob_pollution_growth=0.6)
    with pytest.raises(ConfigError, match="horizon_steps = 7: expected fewer steps"):
        equilibrium_payoffs(config)


def test_three_agents_are_refused():
    with pytest.raises(ConfigError, match="num_agents"):
        equilibrium_payoffs(CleanupConfig(num_agents=3))
