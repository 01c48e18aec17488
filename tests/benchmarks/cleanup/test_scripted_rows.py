"""Scripted policies over rows of vectors: they do what they do with words."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.cleanup.arena import wage_for_cleaning
from benchmarks.cleanup.conditions import Fixed, Negotiated
from benchmarks.cleanup.scripted_rows import ROW_POLICIES, ScriptedRows, row_policy
from cleanup_icn import CleanupConfig, ConfigError
from cleanup_icn.contracts import Contract, LumpSum, Share
from cleanup_icn.policies import FOR_ANY_NUMBER, scripted_policy

SHORT = CleanupConfig.create(
    preset="linear", horizon_steps=16, schedule=[(8, {"pollution_threshold": 12})]
)
THREE = CleanupConfig.create(num_agents=3, horizon_steps=12, prob_fruit_growth=0.7)
WAGES = tuple(map(wage_for_cleaning, (0.5, 1.0, 2.0)))
TO_AGENT_0 = Contract([LumpSum(payer="agent_1", payee="agent_0", amount=3.0)])
TO_AGENT_1 = Contract([LumpSum(payer="agent_0", payee="agent_1", amount=3.0)])


def until(duration, contract=WAGES[2]):
    return Contract.from_dict({**contract.to_dict(), "duration": duration})


CONDITIONS = {
    "none": Fixed(name="none", contract=Contract()),
    "fixed": Fixed(name="fixed", contract=WAGES[1]),
    "until a step": Fixed(name="step", contract=until({"until": "step", "step": 5})),
    "until the change": Fixed(name="change", contract=until({"until": "change"})),
    "two clauses": Fixed(
        name="two",
        contract=Contract(
            [
                *WAGES[1].clauses,
                Share(payer="agent_0", payee="others", of="harvested", fraction=0.4),
            ]
        ),
    ),
    "talks at the change": Negotiated(name="icn", judge="change", menu=(Contract(), *WAGES)),
    "talks again and again": Negotiated(
        name="often",
        judge="every:4",
        menu=(TO_AGENT_0, TO_AGENT_1, until({"until": "step", "step": 6}), WAGES[1]),
        initial_contract=WAGES[0],
        negotiation_cost_steps=2,
        disagreement="void",
    ),
}
SEED = 5


def play_with_words(name, condition, config):
    """Return every agent's actions of one episode, step by step."""
    env = condition.make_env(config)
    policy = scripted_policy(name, env)
    seen, _ = env.reset(seed=SEED)
    actions = []
    while env.agents:
        chosen = {agent: policy(seen[agent]) for agent in env.agents}
        actions.append(list(chosen.values()))
        seen, *_ = env.step(chosen)
    return actions


def play_in_rows(name, condition, config):
    """Do so in lanes, in the second of three."""
    lanes = condition.make_batch(config, 3)
    policy = row_policy(name, lanes)
    rows, masks = lanes.reset([9, SEED, 10])
    actions, is_over = [], False
    while not is_over:
        flat = rows.reshape(-1, rows.shape[-1]), masks.reshape(-1, masks.shape[-1])
        chosen = policy.act(*flat, None).reshape(lanes.num_lanes, lanes.num_agents)
        assert np.take_along_axis(masks, chosen[..., None], axis=2).all()
        actions.append(chosen[1].tolist())
        rows, _, ended, masks, _ = lanes.step(chosen)
        is_over = ended[1]
    return actions


@pytest.mark.parametrize("condition", CONDITIONS)
@pytest.mark.parametrize("name", FOR_ANY_NUMBER)
def test_a_policy_does_in_rows_what_it_does_with_words(name, condition):
    made = CONDITIONS[condition]
    assert play_in_rows(name, made, SHORT) == play_with_words(name, made, SHORT)


@pytest.mark.parametrize("condition", ["fixed", "talks at the change", "talks again and again"])
def test_it_does_so_where_more_than_two_play(condition):
    made, name = CONDITIONS[condition], "contract-follower"
    assert play_in_rows(name, made, THREE) == play_with_words(name, made, THREE)


def test_talks_are_held_in_lanes_by_those_who_haggle_alone():
    condition = CONDITIONS["talks at the change"]
    haggling = play_in_rows("contract-follower", condition, SHORT)
    passing = play_in_rows("all-harvest", condition, SHORT)
    most = {name: max(map(max, acts)) for name, acts in (("h", haggling), ("p", passing))}
    assert most == {"h": most["h"], "p": 2}
    assert most["h"] > 3


def test_random_rows_take_any_legal_action():
    lanes = CONDITIONS["none"].make_batch(SHORT, 200)
    rows, masks = lanes.reset(np.arange(200))
    uniforms = np.random.default_rng(0).random(400)
    flat = rows.reshape(400, -1), masks.reshape(400, -1)
    actions = row_policy("random", lanes).act(*flat, uniforms)
    assert set(actions) == set(np.flatnonzero(masks[0, 0]))


@pytest.mark.parametrize("name", ["ppo", "stub-selfish", "equilibrium", "nobody"])
def test_what_cannot_play_rows_is_refused_with_what_can(name):
    with pytest.raises(ConfigError, match=f"partners = '{name}': expected one of all-harvest"):
        row_policy(name, CONDITIONS["none"].make_batch(SHORT, 1))


def test_every_policy_that_plays_rows_can_be_made():
    lanes = CONDITIONS["fixed"].make_batch(SHORT, 1)
    assert (*FOR_ANY_NUMBER, "random") == ROW_POLICIES
    assert all(isinstance(row_policy(name, lanes), ScriptedRows) for name in FOR_ANY_NUMBER)
