"""Scripted bots over rows of vectors."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.learning.bot_rows import ROW_POLICIES, BotRows, RandomRows, row_policy
from cleanup_icn import CleanupConfig, ConfigError
from cleanup_icn.bots import BOTS, planner
from cleanup_icn.contracts import Contract, Wage
from cleanup_icn.icn.bots import follow_contract
from cleanup_icn.observe import VectorObserver, action_mask, view
from cleanup_icn.state import CleanupState

WAGE = Contract([Wage(payer="others", payee="all", per="cleaned", rate=0.6)])
WORLDS = (
    CleanupConfig.create(),
    CleanupConfig.create(num_agents=12, pollution_max=47, fruit_max=33),
    CleanupConfig.create(
        preset="linear", schedule=[(25, {"pollution_threshold": 12})], announce_changes=True
    ),
)


def bot_named(name, config):
    if name == "contract-follower":
        return lambda seen: follow_contract(seen, (WAGE,))
    return planner(config) if name == "planner" else BOTS[name]


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from([name for name in ROW_POLICIES if name != "random"]),
    st.sampled_from(WORLDS),
    st.data(),
)
def test_a_bot_does_in_rows_what_it_does_where_it_sees_the_world(name, config, data):
    if name == "planner" and config.num_agents > 2:
        return  # solving twelve agents takes long
    state = CleanupState(
        data.draw(st.integers(0, 2**config.num_agents - 1)),
        data.draw(st.integers(0, config.pollution_max)),
        data.draw(st.integers(0, config.fruit_max)),
    )
    step = data.draw(st.integers(0, config.horizon_steps - 1))
    world = VectorObserver(config).vectors(state, step)
    behind = np.full((config.num_agents, 5), 0.7, np.float32)  # a contract's vector, say
    rows = np.concatenate([world, behind], axis=1)
    bot = bot_named(name, config)
    wanted = [bot(view(config, state, step, index)) for index in range(config.num_agents)]
    assert row_policy(name, config, WAGE).act(rows, None, None).tolist() == wanted


@pytest.mark.parametrize("most", [7, 30, 49, 97, 1000])
def test_every_amount_is_read_as_it_was_written(most):
    config = CleanupConfig.create(
        pollution_max=most, fruit_max=most, fruit_initial=0, horizon_steps=most
    )
    observer = VectorObserver(config)
    amounts = range(most)
    rows = np.concatenate([observer.vectors(CleanupState(0, a, a), a)[:1] for a in amounts])
    for read in (lambda seen: seen.pollution, lambda seen: seen.fruit, lambda seen: seen.step):
        assert BotRows(read, config).act(rows, None, None).tolist() == list(amounts)


def test_the_last_of_twelve_agents_is_not_the_second():
    config = CleanupConfig.create(num_agents=12)
    rows = VectorObserver(config).vectors(CleanupState(0, 3, 10), 0)
    actions = row_policy("division-of-labour", config, WAGE).act(rows, None, None)
    assert actions[11] != actions[1]


def test_a_random_player_takes_each_legal_action_as_often():
    masks = np.tile(action_mask(at_shore=True), (4000, 1))
    chances = np.linspace(0, 1, 4000, endpoint=False)
    actions = RandomRows().act(np.zeros((4000, 1), np.float32), masks, chances)
    counts = np.bincount(actions, minlength=4)
    assert counts[masks[0] == 0].tolist() == [0]
    assert np.ptp(counts[masks[0] == 1]) <= 2


def test_a_random_player_needs_to_know_what_is_legal():
    with pytest.raises(ValueError, match="masks = None"):
        RandomRows().act(np.zeros((1, 1), np.float32), None, None)


def test_an_unknown_policy_is_refused():
    with pytest.raises(ConfigError, match="policy = 'ppo': expected one of all-harvest"):
        row_policy("ppo", CleanupConfig.create(), WAGE)
