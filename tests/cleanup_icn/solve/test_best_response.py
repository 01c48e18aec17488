"""Best responses and exploitability: laws, plain recursion, enumeration, and play that earns it."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_cleanup import PlainGame, configs, contracts, legal_actions, reachable

import cleanup_icn
from cleanup_icn import CleanupConfig, ConfigError
from cleanup_icn.contracts import Contract, ContractWrapper, LumpSum, Wage
from cleanup_icn.policies import FOR_ANY_NUMBER, FOR_TWO
from cleanup_icn.solve import (
    Exploitability,
    MarkovPolicy,
    Play,
    best_response,
    equilibrium,
    exploitability,
    social_optimum,
    values_of,
)
from cleanup_icn.solve.tabulate import tabulate_scripted, uniform_policy
from cleanup_icn.state import CleanupState

settle = settings(deadline=None, max_examples=25)

WAGE = Contract([Wage(payer="others", payee="all", per="cleaned", rate=0.6)])
GIFT = Contract([*WAGE.clauses, LumpSum(payer="agent_0", payee="agent_1", amount=3)])
SHORT = CleanupConfig(horizon_steps=12)


def random_policy(play, agent, seed):
    """A policy that is sure of itself in some states and draws in others."""
    rng = np.random.default_rng(seed)
    shape = (play.config.horizon_steps, 4, play.tables(0).num_pairs)
    drawn = rng.dirichlet([1.0, 1.0, 1.0], size=shape)
    sure = np.eye(3)[rng.integers(3, size=shape)]
    return MarkovPolicy(agent, np.where(rng.random((*shape, 1)) < 0.5, drawn, sure))


def start(config):
    return CleanupState(0, config.pollution_initial, config.fruit_initial)


# --- best responses ----------------------------------------------------------------------------


@given(configs(), contracts(), st.integers(0, 1), st.integers(0, 99))
@settle
def test_a_best_response_is_worth_what_plain_recursion_in_the_true_world_finds(
    config, contract, agent, seed
):
    play, game = Play(config, contract), PlainGame(config, contract)
    other = random_policy(play, 1 - agent, seed)
    found = best_response(play, other)

    def ahead(state, step):
        values = np.zeros(2)
        if step < config.horizon_steps:
            values[agent] = found.value(state, step)
        return values

    for state, step in reachable(config):
        worth = game.stage(state, step, ahead)[agent]
        places, pair = state.at_shore, play.tables(0).grid.index_of[state.pollution, state.fruit]
        theirs = other.probs[step, places, pair]
        by_action = worth @ theirs if agent == 0 else theirs @ worth
        assert found.value(state, step) == pytest.approx(by_action.max(), abs=1e-9)
        first = next(i for i, each in enumerate(by_action) if each >= by_action.max() - 1e-9)
        assert found.policy.probs[step, places, pair].tolist() == np.eye(3)[first].tolist()


@given(
    configs(horizons=(2,)),
    contracts(),
    st.integers(0, 1),
    st.integers(0, 99),
)
@settings(deadline=None, max_examples=10)
def test_no_pure_markov_policy_earns_more_and_one_earns_as_much(config, contract, agent, seed):
    play, game = Play(config, contract), PlainGame(config, contract)
    other = random_policy(play, 1 - agent, seed)
    grid = play.tables(0).grid

    def worth(state, step, mine, ahead):
        total = 0.0
        theirs = other.action_probs(step, state.at_shore, grid.index_of[state[1:]])
        for action in np.flatnonzero(theirs):
            joint = (mine, int(action)) if agent == 0 else (int(action), mine)
            for chance, after, gains in game.outcomes(state, joint, step):
                total += theirs[action] * chance * (gains[agent] + ahead(after))
        return total

    second = sorted({state for state, step in reachable(config) if step == 1})
    best_second = {
        state: max(worth(state, 1, mine, lambda _: 0.0) for mine in legal_actions(state)[agent])
        for state in second
    }
    # The states of a step do not meet: the best of all policies is the best action in each.
    best = max(
        worth(start(config), 0, mine, best_second.__getitem__)
        for mine in legal_actions(start(config))[agent]
    )
    assert best_response(play, other).value(start(config)) == pytest.approx(best, abs=1e-9)


def test_enumerating_all_policies_of_a_two_step_game_finds_none_that_earns_more():
    config = CleanupConfig(horizon_steps=2, pollution_initial=5)
    play, game = Play(config, WAGE), PlainGame(config, WAGE)
    other = tabulate_scripted(config, 0, "all-harvest", contract=WAGE)
    found = best_response(play, other)
    grid, begun = play.tables(0).grid, start(config)
    second = sorted(
        {
            after
            for mine in legal_actions(begun)[1]
            for _, after, _ in game.outcomes(begun, (2, mine), 0)
        }
    )
    earned = []
    for first, *later in product(range(3), repeat=1 + len(second)):
        table = np.tile(np.eye(3)[0], (2, 4, len(grid.pairs), 1))
        table[0, 0, grid.index_of[begun[1:]]] = np.eye(3)[first]
        for state, action in zip(second, later, strict=True):
            table[1, state.at_shore, grid.index_of[state[1:]]] = np.eye(3)[action]
        values = values_of(play, [other, MarkovPolicy(1, table)])
        earned.append(values[0, 1, 0, grid.index_of[begun[1:]]])
    assert len(earned) == 3 ** (1 + len(second))
    assert found.payoff == pytest.approx(max(earned))


def test_beside_one_who_cleans_all_is_to_be_had_and_beside_one_who_harvests_half_of_what_there_is():
    play = Play(CleanupConfig())
    cleaner, harvester = (
        tabulate_scripted(play.config, 1, name) for name in ("cleaner", "all-harvest")
    )
    assert best_response(play, cleaner).payoff == 157.0
    # 10 fruit: 4 each, then 3 grow and 5 are shared; from then on the river is too dirty.
    assert best_response(play, harvester).payoff == 4.0 + 2.5


@pytest.mark.parametrize("contract", [None, WAGE])
@pytest.mark.parametrize("partner", ["conditional-cooperator", "planner"])
def test_no_scripted_policy_earns_more_than_the_best_response(partner, contract):
    play = Play(SHORT, contract)
    other = tabulate_scripted(SHORT, 0, partner, contract=contract)
    best = best_response(play, other)
    for name in (*FOR_ANY_NUMBER, *FOR_TWO):
        own = tabulate_scripted(SHORT, 1, name, contract=contract)
        values = values_of(play, [other, own])[:, 1]
        assert (best.values >= values - 1e-9).all()


@pytest.mark.parametrize("agent", [0, 1])
@pytest.mark.parametrize("partner", ["conditional-cooperator", "division-of-labour"])
def test_what_a_best_response_promises_is_earned_in_the_environment(partner, agent):
    config = CleanupConfig(horizon_steps=30)
    play = Play(config, GIFT)
    other = tabulate_scripted(config, 1 - agent, partner, contract=GIFT)
    found = best_response(play, other)
    seated = sorted([found.policy, other], key=lambda policy: policy.agent_index)
    env = ContractWrapper(cleanup_icn.parallel_env(**config.to_dict()), GIFT, settle="step")
    env.reset(seed=0)
    earned, grid = 0.0, play.tables(0).grid
    while env.agents:
        state, step = env.unwrapped.cleanup_state, env.unwrapped.num_steps
        actions = {
            name: int(policy.action_probs(step, state.at_shore, grid.index_of[state[1:]]).argmax())
            for name, policy in zip(env.agents, seated, strict=True)
        }
        earned += env.step(actions)[1][f"agent_{agent}"]
    assert earned == pytest.approx(found.payoff)
    assert found.payoff - found.value(start(config)) == (3.0 if agent else -3.0)


# --- exploitability ----------------------------------------------------------------------------


@given(configs(horizons=(2, 3, 5), announced=True), contracts(), st.sampled_from(["high", "low"]))
@settle
def test_an_equilibrium_cannot_be_exploited(config, contract, selection):
    solved = equilibrium(config, contract, selection=selection)
    found = exploitability(Play(config, contract), solved.policies)
    assert found.gains.tolist() == [0.0, 0.0]
    assert found.nash_conv == 0.0
    assert found.per_agent_over_optimum == 0.0
    assert found.payoffs == pytest.approx(solved.payoffs)


@pytest.mark.parametrize("contract", [None, WAGE, GIFT])
@pytest.mark.parametrize("selection", ["high", "low"])
def test_the_equilibria_of_the_default_game_cannot_be_exploited(selection, contract):
    solved = equilibrium(CleanupConfig(), contract, selection=selection)
    found = exploitability(Play(CleanupConfig(), contract), solved.policies)
    assert found.nash_conv == 0.0
    assert found.best_responses == pytest.approx(solved.payoffs)


@given(configs(), contracts(), st.integers(0, 99))
@settle
def test_nobody_loses_by_responding_best(config, contract, seed):
    play = Play(config, contract)
    found = exploitability(play, [random_policy(play, i, seed + i) for i in range(2)])
    assert (found.gains >= 0.0).all()


def test_exploitability_is_the_mean_gain_over_the_optimum():
    config = CleanupConfig()
    cleaners = [tabulate_scripted(config, i, "cleaner") for i in range(2)]
    found = exploitability(Play(config), cleaners)
    assert found.payoffs.tolist() == [0.0, 0.0]
    assert found.gains.tolist() == [157.0, 157.0]
    assert found.nash_conv == 314.0
    assert found.per_agent_over_optimum == 314.0 / 2 / 157.0


def test_several_starts_count_alike():
    play = Play(SHORT)
    policies = [tabulate_scripted(SHORT, i, "division-of-labour") for i in range(2)]
    starts = [CleanupState(0, 0, 10), CleanupState(0, 20, 3), CleanupState(2, 8, 20)]
    each = [exploitability(play, policies, starts=[state]) for state in starts]
    found = exploitability(play, policies, starts=starts)
    assert found.payoffs == pytest.approx(np.mean([one.payoffs for one in each], axis=0))
    expected = np.mean([one.best_responses for one in each], axis=0)
    assert found.best_responses == pytest.approx(expected)
    optima = [social_optimum(SHORT).value(state, 0) for state in starts]
    assert found.optimum == pytest.approx(np.mean(optima))
    assert exploitability(play, policies).payoffs == pytest.approx(each[0].payoffs)


def test_no_starts_at_all_are_refused():
    policies = [uniform_policy(SHORT, i) for i in range(2)]
    with pytest.raises(ConfigError, match="starts"):
        exploitability(Play(SHORT), policies, starts=[])


def test_where_nothing_grows_there_is_nothing_to_exploit_but_transfers():
    barren = CleanupConfig(horizon_steps=4, fruit_initial=0, pollution_threshold=0)
    idle = [tabulate_scripted(barren, i, "all-harvest") for i in range(2)]
    assert exploitability(Play(barren), idle).per_agent_over_optimum == 0.0
    paid = exploitability(Play(barren, WAGE), idle)
    assert paid.gains.tolist() == pytest.approx([5.4, 5.4])  # three times 3 units at 0.6
    assert paid.per_agent_over_optimum is None


def test_who_is_surprised_by_a_change_can_be_exploited_and_who_knows_of_it_cannot():
    change = {"horizon_steps": 20, "schedule": [(8, {"pollution_threshold": 2})]}
    nash_conv = {}
    for announced in (True, False):
        config = CleanupConfig(**change, announce_changes=announced)
        solved = equilibrium(config, WAGE)
        nash_conv[announced] = exploitability(Play(config, WAGE), solved.policies).nash_conv
    assert nash_conv[True] == 0.0
    assert nash_conv[False] > 0.1


def test_gains_within_rounding_are_none():
    found = Exploitability(np.array([1.0, 2.0]), np.array([1.0 - 1e-12, 2.0 + 1e-12]), 10.0)
    assert found.gains.tolist() == [0.0, 0.0]
