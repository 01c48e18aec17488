"""Those nobody can rely on: what a contract is worth to one, and how far the other strays."""

from __future__ import annotations

from itertools import groupby

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cleanup_icn
from cleanup_icn import icn, unreliable
from cleanup_icn.contracts import Contract, ContractWrapper, LumpSum, Wage
from cleanup_icn.icn.observe import ACCEPT, FIRST_PROPOSAL
from cleanup_icn.policies import scripted_policy
from cleanup_icn.state import CLEAN, HARVEST, MOVE, WAIT
from cleanup_icn.unreliable import LONGEST_SPELL, Wavering, break_contracts

FAIR = Contract([Wage(payer="others", payee="all", per="cleaned", rate=0.5)])
GIFT = Contract([LumpSum(payer="agent_1", payee="agent_0", amount=50)])
MENU = (Contract(), GIFT, FAIR)


def play(env, policy, *, seed=0):
    """Play an episode; returns every agent's answers and the last infos."""
    observations, infos = env.reset(seed=seed)
    said = {agent: [] for agent in env.agents}
    while env.agents:
        actions = {agent: int(policy(observations[agent])) for agent in env.agents}
        for agent, action in actions.items():
            said[agent].append(action)
        observations, *_, infos = env.step(actions)
    return said, infos


def talks(**settings):
    return icn.parallel_env(menu=MENU, **{"judge": "start", "horizon_steps": 12} | settings)


@pytest.fixture
def moods(monkeypatch):
    """Set how often spells begin and how often an answer is any legal one."""

    def set_to(*, spells, trembles):
        monkeypatch.setattr(unreliable, "SPELL_RATES", (spells,))
        monkeypatch.setattr(unreliable, "TREMBLE_RATES", (trembles,))

    return set_to


def test_who_breaks_contracts_proposes_the_fair_one_and_accepts_any():
    env = talks()
    observations, _ = env.reset(seed=0)
    proposer = next(a for a in env.agents if f"{a} is to propose." in observations[a]["text"])
    (other,) = {*env.agents} - {proposer}
    assert break_contracts(observations[proposer]) == FIRST_PROPOSAL + MENU.index(FAIR)
    unfair = FIRST_PROPOSAL + MENU.index(GIFT)
    observations, *_ = env.step({proposer: unfair, other: WAIT})
    assert break_contracts(observations[other]) == ACCEPT
    assert break_contracts(observations[proposer]) == WAIT


def test_those_who_break_contracts_sign_and_then_nobody_cleans():
    env = talks(negotiation_cost_steps=1)
    said, infos = play(env, break_contracts)
    assert env.unwrapped.history[0].is_ratified
    assert env.unwrapped.history[0].after == FAIR
    assert all(CLEAN not in answers for answers in said.values())
    assert infos["agent_0"]["illegal"] == 0


def test_who_breaks_contracts_harvests_whatever_it_is_paid_for():
    env = ContractWrapper(cleanup_icn.parallel_env(observation="text"), FAIR)
    observations, _ = env.reset(seed=0)
    assert break_contracts(observations["agent_1"]) == HARVEST
    observations, *_ = env.step({"agent_0": HARVEST, "agent_1": MOVE})
    assert break_contracts(observations["agent_1"]) == MOVE


@given(st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=10)
def test_what_a_wavering_agent_does_follows_from_its_seed_and_not_from_who_was_asked_before(seed):
    env = talks(judge="every:4")
    both, alone = Wavering(), Wavering()
    both.reset(seed=seed)
    alone.reset(seed=seed)
    observations, _ = env.reset(seed=0)
    while env.agents:
        actions = {agent: both(observations[agent]) for agent in reversed(env.agents)}
        assert alone(observations["agent_1"]) == actions["agent_1"]
        observations, *_ = env.step(actions)


def test_wavering_agents_play_otherwise_after_another_seed_and_alike_after_the_same(moods):
    moods(spells=0.1, trembles=0.3)
    env, policy = cleanup_icn.parallel_env(horizon_steps=30), Wavering()
    played = []
    for seed in (1, 2, 1):
        policy.reset(seed=seed)
        played.append(play(env, policy)[0])
    assert played[0] == played[2] != played[1]
    assert played[0]["agent_0"] != played[0]["agent_1"]


def test_who_never_wavers_divides_labour_and_negotiates_as_the_cooperative_do(moods):
    moods(spells=0.0, trembles=0.0)
    env = talks(judge="every:5", num_agents=3)
    cooperative = scripted_policy("division-of-labour", env)
    assert play(env, Wavering())[0] == play(env, cooperative)[0]


def test_who_always_trembles_says_and_does_anything_legal(moods):
    moods(spells=0.0, trembles=1.0)
    policy, met = Wavering(), set()
    for seed in range(12):
        policy.reset(seed=seed)
        env = talks(judge="every:3", max_rounds=3)
        said, _ = play(env, policy, seed=seed)
        met.update(action for answers in said.values() for action in answers)
    assert met == set(range(FIRST_PROPOSAL + len(MENU)))


def test_a_spell_lasts_for_one_to_nine_answers(moods):
    moods(spells=0.006, trembles=0.0)
    env, policy = cleanup_icn.parallel_env(pollution_initial=3), Wavering()
    policy.reset(seed=7)
    observations, _ = env.reset(seed=0)
    # By labour divided agent_1 would go to the river, and to clean it would have to.
    answers = [policy(observations["agent_1"]) for _ in range(10_000)]
    runs = [(action, len(list(run))) for action, run in groupby(answers)]
    for whim in (HARVEST, WAIT):
        lengths = {length for action, length in runs if action == whim}
        assert lengths <= set(range(1, LONGEST_SPELL + 1))
        assert len(lengths) > 4
    assert {length for action, length in runs if action != MOVE} >= {1, LONGEST_SPELL}


def test_by_default_most_answers_are_the_right_ones_and_some_episodes_have_no_others():
    env = cleanup_icn.parallel_env(horizon_steps=30)
    right = scripted_policy("division-of-labour", env)
    policy, shares = Wavering(), []
    for seed in range(60):
        policy.reset(seed=seed)
        observations, _ = env.reset(seed=0)
        kept = []
        while env.agents:
            actions = {agent: policy(observations[agent]) for agent in env.agents}
            kept += [actions[agent] == right(observations[agent]) for agent in env.agents]
            observations, *_ = env.step(actions)
        shares.append(np.mean(kept))
    assert 0.6 < np.mean(shares) < 0.97
    assert max(shares) == 1.0
    assert min(shares) < 0.7


def test_nothing_is_wavered_about_where_waiting_is_forced_or_the_game_is_over(moods):
    moods(spells=0.0, trembles=1.0)
    env, policy = talks(negotiation_cost_steps=3), Wavering()
    observations, _ = env.reset(seed=0)
    forced = []
    while env.agents:
        actions = {agent: policy(observations[agent]) for agent in env.agents}
        if "waiting after talks" in observations["agent_0"]["text"]:
            forced += actions.values()
        observations, *_ = env.step(actions)
    assert len(forced) == 6
    assert set(forced) == {WAIT}
    assert {policy(each) for each in observations.values()} == {WAIT}
