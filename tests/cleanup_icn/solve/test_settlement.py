"""What solvers take contracts to move, against what the wrapper around the real game moves."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_cleanup import AGENTS, configs, contracts

import cleanup_icn
from cleanup_icn import CleanupConfig
from cleanup_icn.contracts import (
    Condition,
    Contract,
    ContractWrapper,
    Duration,
    LumpSum,
    Share,
    Wage,
)
from cleanup_icn.solve import Play
from cleanup_icn.solve.settlement import Settlement
from cleanup_icn.solve.two_agents import LEGAL, lump_sums, state_index, tables_for

few = settings(deadline=None, max_examples=60)
CHANGED = CleanupConfig(
    horizon_steps=6, schedule=[(2, {"harvest_per_action": 2}), (4, {"harvest_per_action": 4})]
)
HALF = Share(payer="agent_0", payee="agent_1", of="harvested", fraction=0.5)


@few
@given(
    config=configs(horizons=(4, 6)),
    contract=contracts(),
    choices=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=6, max_size=6),
    seed=st.integers(0, 99),
)
def test_every_step_of_the_real_game_moves_what_the_tables_say(config, contract, choices, seed):
    play, once = Play(config, contract), lump_sums(contract)
    env = ContractWrapper(cleanup_icn.parallel_env(**config.to_dict()), contract, settle="step")
    env.reset(seed=seed)
    for step in range(config.horizon_steps):
        places, pair = state_index(play.tables(step).grid, env.unwrapped.cleanup_state)
        joint = {agent: LEGAL[places >> i & 1][choices[step][i]] for i, agent in enumerate(AGENTS)}
        infos = env.step(joint)[4]
        here = (slice(None), places, *choices[step], pair)
        moved = play.transfers(step)[here] + (once if step == 0 else 0.0)
        assert [infos[a]["transfer"] for a in AGENTS] == pytest.approx(moved, abs=1e-9)
        earned = play.tables(step).rewards[here]
        assert [infos[a]["game_reward"] for a in AGENTS] == pytest.approx(earned)
        assert play.payoffs(step)[here] == pytest.approx(earned + play.transfers(step)[here])


def test_two_who_clean_together_are_paid_for_half_each():
    wage = Wage(payer="agent_0", payee="agent_1", per="cleaned", rate=2.0)
    play = Play(CleanupConfig(), Contract([wage]))
    both, alone = (0b11, 2, 2), (0b11, 0, 2)
    for pollution, together, apart in [(9, 6, 6), (4, 4, 6), (1, 1, 2), (0, 0, 0)]:
        pair = play.tables(0).grid.index_of[pollution, 5]
        assert play.transfers(0)[(1, *both, pair)] == together
        assert play.transfers(0)[(1, *alone, pair)] == apart


@few
@given(config=configs(), contract=contracts())
def test_no_contract_creates_or_destroys_reward(config, contract):
    play = Play(config, contract)
    for step in range(config.horizon_steps):
        assert np.abs(play.transfers(step).sum(axis=0)).max() <= 1e-12
    assert lump_sums(contract).sum() == 0


def moves_anything(config, contract, step, **beliefs):
    tables = tables_for(config, step if not beliefs else beliefs["believed_from"])
    return bool(Settlement(config, [contract], tables).at(step, **beliefs).any())


@pytest.mark.parametrize(
    ("duration", "covered"),
    [
        (Duration(), [0, 1, 2, 3, 4, 5]),
        (Duration("step", 3), [0, 1, 2]),
        (Duration("step", 0), []),
        (Duration("change"), [0, 1]),
    ],
)
def test_a_contract_moves_something_as_long_as_it_binds(duration, covered):
    contract = Contract([HALF], duration)
    assert [step for step in range(6) if moves_anything(CHANGED, contract, step)] == covered


def test_a_surprise_ends_a_contract_that_is_not_foreseen_to_end():
    contract = Contract([HALF], Duration("change"))
    assert moves_anything(CHANGED, contract, 3, believed_from=0)
    assert not moves_anything(CHANGED, contract, 3, believed_from=2)
    told = CleanupConfig(**{**CHANGED.to_dict(), "announce_changes": True})
    assert not moves_anything(told, contract, 3, believed_from=0)
    assert moves_anything(told, contract, 1, believed_from=0)


def test_a_condition_on_a_parameter_holds_as_long_as_that_is_believed_in_force():
    few_harvested = Contract(
        [
            Share(
                payer="agent_0",
                payee="agent_1",
                of="harvested",
                fraction=0.5,
                when=Condition("harvest_per_action", "<", 3),
            )
        ]
    )
    assert [step for step in range(6) if moves_anything(CHANGED, few_harvested, step)] == [2, 3]
    assert not moves_anything(CHANGED, few_harvested, 2, believed_from=0)


@pytest.mark.parametrize(
    ("contract", "gained"),
    [
        (Contract([HALF]), [0, 0]),
        (Contract([LumpSum(payer="agent_0", payee="others", amount=3)]), [-3, 3]),
        (Contract([LumpSum(payer="all", payee="agent_1", amount=3)]), [-1.5, 1.5]),
        (
            Contract([LumpSum(payer="agent_0", payee="agent_1", amount=3)], Duration("change")),
            [-3, 3],
        ),
        (
            Contract([LumpSum(payer="agent_0", payee="agent_1", amount=3)], Duration("step", 1)),
            [-3, 3],
        ),
        (
            Contract([LumpSum(payer="agent_0", payee="agent_1", amount=3)], Duration("step", 0)),
            [0, 0],
        ),
        (
            Contract([LumpSum(payer="agent_0", payee="others", amount=3)], parties=("agent_0",)),
            [0, 0],
        ),
    ],
)
def test_a_lump_sum_is_gained_once_where_the_contract_ever_binds(contract, gained):
    assert lump_sums(contract).tolist() == gained
