"""Any two Markov policies: what they are worth, and the course that play takes under them."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_cleanup import PlainGame, configs, contracts, reachable

from cleanup_icn import CleanupConfig
from cleanup_icn.contracts import Contract, Share
from cleanup_icn.solve import MarkovPolicy, Play, course_of, values_of
from cleanup_icn.solve.two_agents import LEGAL, NUM_PLACES, state_index
from cleanup_icn.state import CLEAN, HARVEST, MOVE, CleanupState

few = settings(deadline=None, max_examples=25)


def random_policies(config, seed, *, is_pure=False):
    """Two policies that mix at random in every state, or choose at random."""
    num_pairs = Play(config).tables(0).num_pairs
    shape = (config.horizon_steps, NUM_PLACES, num_pairs)
    rng = np.random.default_rng(seed)
    return tuple(
        MarkovPolicy(
            i,
            np.eye(3)[rng.integers(3, size=shape)] if is_pure else rng.dirichlet([1, 1, 1], shape),
        )
        for i in range(2)
    )


def plain_value(game, policies, state, step):
    """What both get, by recursion over the rule book."""
    if step == game.config.horizon_steps:
        return np.zeros(2)
    places, pair = state_index(Play(game.config).tables(step).grid, state)
    first, second = (policy.action_probs(step, places, pair) for policy in policies)
    total = np.zeros(2)
    for a, b in product(np.flatnonzero(first), np.flatnonzero(second)):
        for chance, after, gains in game.outcomes(state, (int(a), int(b)), step):
            ahead = plain_value(game, policies, after, step + 1)
            total += first[a] * second[b] * chance * (gains + ahead)
    return total


@few
@given(config=configs(horizons=(2,)), contract=contracts(), seed=st.integers(0, 9))
def test_values_are_those_of_recursion_over_the_rule_book(config, contract, seed):
    policies = random_policies(config, seed)
    values = values_of(Play(config, contract), policies)
    game = PlainGame(config, contract)
    assert not values[-1].any()
    for state, step in reachable(config):
        places, pair = state_index(Play(config).tables(step).grid, state)
        plain = plain_value(game, policies, state, step)
        assert values[step, :, places, pair] == pytest.approx(plain, abs=1e-9)


@few
@given(
    config=configs(horizons=(3, 5)),
    contract=contracts(),
    seed=st.integers(0, 9),
    step=st.integers(0, 2),
)
def test_the_course_adds_up_to_the_values(config, contract, seed, step):
    play, policies = Play(config, contract), random_policies(config, seed)
    state = CleanupState(2, config.pollution_initial, config.fruit_initial)
    course = course_of(play, policies, state=state, step=step)
    places, pair = state_index(play.tables(step).grid, state)
    value = values_of(play, policies)[step, :, places, pair]
    steps = config.horizon_steps - step
    assert course.first_step == step
    assert course.rewards.shape == course.transfers.shape == (steps, 2)
    assert course.moved.shape == course.welfare_by_step.shape == (steps,)
    assert course.returns == pytest.approx(value, abs=1e-9)
    assert course.welfare_by_step.sum() == pytest.approx(value.sum(), abs=1e-9)
    assert course.states[0] == {(places, pair): 1.0}
    assert [sum(reached.values()) for reached in course.states] == pytest.approx([1.0] * steps)


@few
@given(config=configs(chance=False), contract=contracts(), seed=st.integers(0, 9))
def test_where_nothing_is_left_to_chance_half_of_what_changes_hands_is_moved(
    config, contract, seed
):
    play, policies = Play(config, contract), random_policies(config, seed, is_pure=True)
    course = course_of(play, policies)
    assert all(len(reached) == 1 for reached in course.states)
    assert course.moved == pytest.approx(np.abs(course.transfers).sum(axis=1) / 2)


def test_what_is_moved_counts_where_gains_cancel_in_expectation():
    config = CleanupConfig(horizon_steps=1)
    contract = Contract([Share(payer="all", payee="others", of="harvested", fraction=0.5)])
    probs = np.zeros((1, NUM_PLACES, Play(config).tables(0).num_pairs, 3))
    probs[..., [0, 2]] = 0.5  # waits or harvests
    policies = [MarkovPolicy(i, probs) for i in range(2)]
    course = course_of(Play(config, contract), policies)
    assert course.transfers.tolist() == [[0, 0]]
    assert course.moved.tolist() == [1.0]  # 2 of 4 units, when just one harvests: half the time


def test_a_policy_speaks_of_the_actions_that_are_legal_where_its_agent_stands():
    probs = np.tile([0.2, 0.3, 0.5], (1, NUM_PLACES, 1, 1))
    assert LEGAL[0][1:] == (MOVE, HARVEST)
    assert LEGAL[1][1:] == (MOVE, CLEAN)
    for agent, places in product(range(2), range(NUM_PLACES)):
        at_shore = places >> agent & 1
        expected = [0.2, 0.3, 0.0, 0.5] if at_shore else [0.2, 0.3, 0.5, 0.0]
        assert MarkovPolicy(agent, probs).action_probs(0, places, 0).tolist() == expected
