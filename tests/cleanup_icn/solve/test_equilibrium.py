"""Equilibria: stated figures, plain recursion, deviations, and play that earns them."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_cleanup import PlainEquilibrium, PlainGame, configs, contracts, legal_actions, reachable

import cleanup_icn
from cleanup_icn import CleanupConfig, ConfigError
from cleanup_icn.contracts import (
    Condition,
    Contract,
    ContractWrapper,
    Duration,
    Fine,
    LumpSum,
    NaturalLanguageContract,
    Quota,
    Share,
    Wage,
)
from cleanup_icn.solve import Play, equilibria, equilibrium, social_optimum, worlds
from cleanup_icn.state import MOVE, CleanupState

few = settings(deadline=None, max_examples=25)
either = st.sampled_from(["high", "low"])
START = CleanupState(0, 0, 10)


def wage(rate, **terms):
    return Wage(payer="others", payee="all", per="cleaned", rate=rate, **terms)


def share(fraction, **terms):
    return Share(payer="all", payee="others", of="harvested", fraction=fraction, **terms)


# --- stated figures --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("contract", "selection", "welfare"),
    [
        (None, "high", 76),
        (None, "low", 13),
        (wage(0.6), "high", 157),
        (wage(0.6), "low", 157),
        (share(0.4), "high", 157),
    ],
)
def test_the_default_game_has_the_equilibria_that_were_searched_for(contract, selection, welfare):
    terms = Contract([contract] if contract else [])
    solved = equilibrium(CleanupConfig(), terms, selection=selection)
    assert solved.welfare == pytest.approx(welfare)
    assert solved.selection == selection
    assert solved.contract == terms


def test_under_a_wage_the_optimum_is_shared_nearly_equally():
    solved = equilibrium(CleanupConfig(), Contract([wage(0.6)]))
    assert solved.payoffs == pytest.approx([77.2, 79.8])


@pytest.mark.parametrize(
    ("threshold", "rate", "is_optimal"),
    [(6, 0.6, False), (6, 1.0, True), (6, 2.0, True), (12, 1.0, False), (12, 1.2, True)],
)
def test_in_the_linear_preset_it_takes_a_larger_wage_the_more_there_is_to_clean(
    threshold, rate, is_optimal
):
    config = CleanupConfig.create(preset="linear", pollution_threshold=threshold)
    solved = equilibrium(config, Contract([wage(rate)]))
    optimum = social_optimum(config).welfare
    assert (solved.welfare == pytest.approx(optimum)) is is_optimal


def test_all_states_are_solved_and_those_without_a_pure_equilibrium_counted():
    high, low = (equilibrium(CleanupConfig(), selection=each) for each in ("high", "low"))
    assert high.num_states == low.num_states == 50 * 4 * 31 * 21
    assert (high.num_without_pure, low.num_without_pure) == (558, 0)


def test_the_low_selection_may_be_worth_more_than_the_high_one():
    config = CleanupConfig(prob_pollution_growth=0.9, prob_fruit_growth=0.8)
    high, low = (equilibrium(config, selection=each).welfare for each in ("high", "low"))
    assert high < low < social_optimum(config).welfare


# --- plain recursion -------------------------------------------------------------------------


def assert_same(solved, plain):
    for state, step in reachable(solved.config):
        strategies = solved.strategies(state, step)
        assert strategies == pytest.approx(plain.strategies(state, step), abs=1e-7), (state, step)
        assert solved.value(state, step) == pytest.approx(plain.value(state, step), abs=1e-7)


@few
@given(config=configs(), contract=contracts(), selection=either)
def test_backward_induction_is_plain_recursion_over_the_rule_book(config, contract, selection):
    solved = equilibrium(config, contract, selection=selection)
    assert_same(solved, PlainEquilibrium(config, contract, selection=selection))


CONTRACTS = {
    "wage": Contract([wage(0.6)]),
    "wage of one": Contract([Wage(payer="agent_0", payee="agent_1", per="cleaned", rate=0.7)]),
    "share": Contract([share(0.4)]),
    "fine": Contract([Fine(payer="all", payee="others", per="harvested", rate=0.6)]),
    "in dirt": Contract([wage(1.2, when=Condition("pollution", ">=", 2))]),
    "late": Contract([wage(1.2, when=Condition("step", ">=", 1))]),
    "as long as": Contract([wage(1.2, when=Condition("pollution_threshold", "<", 3))]),
    "two steps": Contract([share(0.5)], Duration("step", 2)),
    "till a change": Contract([share(0.5)], Duration("change")),
    "quota": Contract([Quota(payer="all", payee="others", per="cleaned", at_least=2, amount=1.0)]),
    "of one party": Contract([share(0.5)], parties=("agent_1",)),
    "of two": Contract([wage(0.6), share(0.2)], parties=("agent_1", "agent_0")),
}
RIVER = {
    "horizon_steps": 3,
    "pollution_max": 6,
    "pollution_threshold": 3,
    "pollution_growth_per_step": 1,
    "pollution_initial": 2,
    "fruit_max": 8,
    "fruit_initial": 3,
}
CHANGE = {"schedule": [(1, {"pollution_threshold": 2}), (2, {"harvest_per_action": 2})]}
WORLDS = {
    "steady": {},
    "surprising": CHANGE,
    "announced": {**CHANGE, "announce_changes": True},
    "stochastic": {"prob_pollution_growth": 0.6, "prob_fruit_growth": 0.9},
    "linear": {"fruit_regrowth": "linear", "fruit_growth_per_step": 6},
}


@pytest.mark.parametrize("world", WORLDS.values(), ids=WORLDS)
@pytest.mark.parametrize("contract", CONTRACTS.values(), ids=CONTRACTS)
def test_every_kind_of_contract_is_solved_in_every_kind_of_world(contract, world):
    config = CleanupConfig(**RIVER, **world)
    for selection in ("high", "low"):
        solved = equilibrium(config, contract, selection=selection)
        assert_same(solved, PlainEquilibrium(config, contract, selection=selection))


def test_a_river_too_large_for_every_amount_is_solved_all_the_same(monkeypatch):
    config = CleanupConfig(**RIVER, **CHANGE)
    full = equilibrium(config, CONTRACTS["share"])
    monkeypatch.setattr(worlds, "FULL_GRID_LIMIT", 0)
    reached = equilibrium(config, CONTRACTS["share"])
    assert reached.num_states < full.num_states
    for state, step in reachable(config):
        assert np.array_equal(reached.strategies(state, step), full.strategies(state, step))
        assert np.array_equal(reached.value(state, step), full.value(state, step))


@few
@given(config=configs(horizons=(2,)), given_contracts=st.lists(contracts(), max_size=4))
def test_many_contracts_are_solved_as_each_alone(config, given_contracts):
    together = equilibria(config, given_contracts)
    assert [each.contract for each in together] == given_contracts
    for solved in together:
        alone = equilibrium(config, solved.contract)
        assert np.array_equal(solved.values, alone.values)
        for both in zip(solved.policies, alone.policies, strict=True):
            assert np.array_equal(both[0].probs, both[1].probs)


def test_more_contracts_than_are_solved_at_a_time_come_back_in_order():
    rates = [round(0.05 * k, 2) for k in range(20)]
    solved = equilibria(CleanupConfig(**RIVER), [Contract([wage(rate)]) for rate in rates])
    assert [each.contract.clauses[0].rate for each in solved] == rates
    assert solved[17].payoffs == pytest.approx(
        equilibrium(CleanupConfig(**RIVER), Contract([wage(0.85)])).payoffs
    )


# --- laws ------------------------------------------------------------------------------------


def foreseen(config):
    """The same world with its changes announced: values are then what agents expect."""
    return CleanupConfig(**{**config.to_dict(), "announce_changes": True})


@few
@given(config=configs(horizons=(2, 4)), contract=contracts(), selection=either)
def test_nobody_gains_by_deviating_once_at_any_state(config, contract, selection):
    config = foreseen(config)
    solved, play = equilibrium(config, contract, selection=selection), Play(config, contract)
    first, second = (policy.probs for policy in solved.policies)
    for step in range(config.horizon_steps):
        worth = play.payoffs(step) + play.tables(step).expected(solved.values[step + 1])
        by_row = np.einsum("sabp,spb->sap", worth[0], second[step])
        by_column = np.einsum("sabp,spa->sbp", worth[1], first[step])
        assert (by_row.max(axis=1) <= solved.values[step, 0] + 1e-7).all()
        assert (by_column.max(axis=1) <= solved.values[step, 1] + 1e-7).all()


@few
@given(config=configs(), contract=contracts(), selection=either)
def test_nobody_gains_by_deviating_once_by_the_rule_book(config, contract, selection):
    config = foreseen(config)
    solved, game = equilibrium(config, contract, selection=selection), PlainGame(config, contract)
    for state, step in reachable(config):
        worth = game.stage(state, step, solved.value)
        rows, columns = legal_actions(state)
        x, y = solved.strategies(state, step)
        value = solved.value(state, step)
        assert (worth[0] @ y[columns]).max() <= value[0] + 1e-7
        assert (x[rows] @ worth[1]).max() <= value[1] + 1e-7
        assert x.sum() == pytest.approx(1)
        assert y.sum() == pytest.approx(1)


@few
@given(config=configs(), contract=contracts(), selection=either)
def test_the_course_of_play_earns_what_the_start_is_worth(config, contract, selection):
    solved = equilibrium(config, contract, selection=selection)
    start = CleanupState(0, config.pollution_initial, config.fruit_initial)
    for state, step in [(start, 0), (start._replace(at_shore=1), 1)]:
        course = solved.course(state, step)
        assert course.returns == pytest.approx(solved.value(state, step), abs=1e-9)
        assert course.transfers.sum() == pytest.approx(0, abs=1e-9)
    assert solved.course().returns == pytest.approx(solved.value(start, 0), abs=1e-9)


@few
@given(config=configs(announced=True), contract=contracts(), selection=either)
def test_no_equilibrium_is_worth_more_than_the_optimum(config, contract, selection):
    solved = equilibrium(config, contract, selection=selection)
    assert -1e-9 <= solved.welfare <= social_optimum(config).welfare + 1e-7


@few
@given(config=configs(horizons=(3,), announced=False), selection=either)
def test_until_a_surprise_agents_play_as_if_none_would_come(config, selection):
    calm = CleanupConfig(**{**config.to_dict(), "schedule": ()})
    first = min((step for step in config.change_steps if step), default=config.horizon_steps)
    if 0 in config.change_steps:
        calm = CleanupConfig(**{**calm.to_dict(), "schedule": config.to_dict()["schedule"][:1]})
    surprised = equilibrium(config, selection=selection)
    unaware = equilibrium(calm, selection=selection)
    for state, step in reachable(config):
        if step < first:
            assert np.array_equal(
                surprised.strategies(state, step), unaware.strategies(state, step)
            )


# --- play ------------------------------------------------------------------------------------


PLAYED = {
    "wage": (CleanupConfig(), Contract([wage(0.6)])),
    "share and a lump sum": (
        CleanupConfig.create(preset="linear"),
        Contract([share(0.5), LumpSum(payer="agent_0", payee="agent_1", amount=12.5)]),
    ),
    "till a surprise": (
        CleanupConfig.create(preset="linear", schedule=[(20, {"pollution_threshold": 12})]),
        Contract([share(0.5)], Duration("change")),
    ),
    "while dirty": (
        CleanupConfig.create(preset="costly-cleaning"),
        Contract([wage(1.5, when=Condition("pollution", ">=", 2))], Duration("step", 30)),
    ),
    "over before it began": (
        CleanupConfig(),
        Contract([LumpSum(payer="agent_0", payee="agent_1", amount=5)], Duration("step", 0)),
    ),
}


@pytest.mark.parametrize(("config", "contract"), PLAYED.values(), ids=PLAYED)
def test_play_under_the_contract_earns_the_payoffs(config, contract):
    solved = equilibrium(config, contract)
    env = ContractWrapper(cleanup_icn.parallel_env(**config.to_dict()), contract)
    env.reset(seed=0)
    returns = np.zeros(2)
    while env.agents:
        strategies = solved.strategies(env.unwrapped.cleanup_state, env.unwrapped.num_steps)
        assert set(strategies.ravel()) == {0.0, 1.0}  # on the way, no one mixes
        joint = dict(zip(env.agents, strategies.argmax(axis=1), strict=True))
        returns += list(env.step(joint)[1].values())
    assert returns == pytest.approx(solved.payoffs)
    assert solved.welfare == pytest.approx(solved.payoffs.sum())


def test_a_state_that_was_not_solved_is_a_key_error():
    solved = equilibrium(CleanupConfig(**RIVER))
    with pytest.raises(KeyError):
        solved.strategies(CleanupState(0, 7, 0), 0)


def test_everything_ends_at_the_horizon():
    solved = equilibrium(CleanupConfig())
    assert solved.value(START, 50).tolist() == [0, 0]
    assert not solved.strategies(START._replace(fruit=20), 49)[:, MOVE].any()


# --- refusals --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("contract", "told"),
    [
        (Contract([wage(0.6, cap=10.0)]), r"clauses\[0\].cap = 10.0: expected no cap"),
        (NaturalLanguageContract("agent_0 pays"), "not plain language"),
        (Contract([Wage(payer="agent_2", payee="all", per="cleaned", rate=1.0)]), "agent_1"),
        (Contract([], parties=("agent_0", "agent_2")), "agent_2"),
        (Contract([Fine(payer="all", payee="others", per="illegal", rate=1.0)]), "illegal"),
        (Contract([Fine(payer="all", payee="others", per="noise", rate=1.0)]), "harvested"),
        (Contract([wage(0.6, when=Condition("weather", ">", 1))]), "pollution_threshold"),
    ],
)
def test_a_contract_that_cannot_be_solved_is_refused_with_words(contract, told):
    for solve in (equilibrium, lambda *args: Play(*args).payoffs(0)):
        with pytest.raises(ConfigError, match=told):
            solve(CleanupConfig(**RIVER), contract)


def test_more_agents_than_two_or_another_selection_are_refused():
    with pytest.raises(ConfigError, match="num_agents = 3: expected 2"):
        equilibrium(CleanupConfig(num_agents=3))
    with pytest.raises(ConfigError, match="num_agents"):
        Play(CleanupConfig(num_agents=4))
    with pytest.raises(ConfigError, match="selection = 'best': expected one of high, low"):
        equilibrium(CleanupConfig(), selection="best")


def test_no_contracts_have_no_equilibria():
    assert equilibria(CleanupConfig(), []) == ()


@pytest.mark.parametrize("selection", ["high", "low"])
def test_of_equally_good_equilibria_the_first_joint_action_is_played(selection):
    # Nothing can be harvested, so all is worth nothing and waiting comes first.
    idle = equilibrium(CleanupConfig(harvest_per_action=0, horizon_steps=3), selection=selection)
    assert idle.welfare == 0
    for places, step in product(range(4), range(3)):
        state = CleanupState(places, 4, 5)
        assert idle.strategies(state, step).tolist() == [[1, 0, 0, 0], [1, 0, 0, 0]]
