"""What scripted players think: true to what they then do, and only where there is a choice."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cleanup_icn
from cleanup_icn import ConfigError, icn
from cleanup_icn.contracts import Contract, Wage
from cleanup_icn.icn.observe import ACCEPT, FIRST_PROPOSAL
from cleanup_icn.icn.text import render_answer
from cleanup_icn.policies import scripted_policy
from cleanup_icn.state import CLEAN, HARVEST, MOVE, WAIT
from cleanup_icn.text import parse_action
from cleanup_icn.thoughts import THINKERS, thought_of

FAIR = Contract([Wage(payer="others", payee="all", per="cleaned", rate=0.5)])
MENU = (Contract(), FAIR)


def first_words(env, agent="agent_0"):
    observations, _ = env.reset(seed=0)
    return observations[agent]["text"]


@pytest.fixture
def talks():
    return icn.parallel_env(menu=MENU, judge="start", horizon_steps=12)


def test_it_names_the_numbers_it_rests_on_and_who_is_to_clean():
    env = cleanup_icn.parallel_env(
        num_agents=3, pollution_initial=9, clean_per_action=5, pollution_growth_per_step=4
    )
    for agent in env.possible_agents:  # whoever thinks, for all of them think alike
        thought = thought_of("division-of-labour", first_words(env, agent))
        assert thought == "Pollution 9, +4, -5 a cleaning: 2 to clean, agent_1, agent_2."


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(sorted(THINKERS)),
    st.integers(2, 5),
    st.integers(0, 30),
    st.integers(1, 8),
    st.integers(0, 12),
    st.integers(0, 20),
)
def test_who_is_named_goes_to_the_river_and_nobody_else_does(
    policy, agents, dirt, growth, cleaned, tenths
):
    env = cleanup_icn.parallel_env(
        num_agents=agents,
        pollution_initial=dirt,
        pollution_growth_per_step=growth,
        clean_per_action=cleaned,
    )
    wage = Wage(payer="others", payee="all", per="cleaned", rate=tenths / 10)
    env = cleanup_icn.contracts.ContractWrapper(env, Contract([wage]))
    play = scripted_policy(policy, env)
    observations, _ = env.reset(seed=0)
    for agent in env.possible_agents:  # all of them are in the garden
        words = observations[agent]["text"]
        named = re.findall(r"agent_\d+", thought_of(policy, words))
        assert play(words) == (MOVE if agent in named else HARVEST)


def test_who_is_paid_for_nothing_says_so():
    env = cleanup_icn.parallel_env()
    thought = thought_of("contract-follower", first_words(env))
    assert re.fullmatch(
        r"At pollution 3 grow [\d.]+ fruit, a fair part is [\d.]+, cleaning pays 0\. "
        r"Nobody cleans for that\.",
        thought,
    )


def test_who_follows_a_contract_names_what_it_pays_for():
    env = cleanup_icn.contracts.ContractWrapper(cleanup_icn.parallel_env(), FAIR)
    thought = thought_of("contract-follower", first_words(env))
    level, fair, pay = re.fullmatch(
        r"At pollution (\d+) grow [\d.]+ fruit, a fair part is ([\d.]+), cleaning pays ([\d.]+)\. "
        r"Pollution \d+, \+\d+ is \d+, -\d+ a cleaning: "
        r"\d to clean, (?:nobody, agent_1 to stand by|agent_.)\.",
        thought,
    ).groups()
    assert float(pay) >= float(fair)
    assert int(level) < env.unwrapped.config.pollution_threshold


@pytest.mark.parametrize(
    ("world", "ending"),
    [
        ({"clean_per_action": 0}, "Nothing can be cleaned."),
        ({"clean_per_action": 1}, "They cannot keep up."),
        ({"pollution_growth_per_step": 8, "pollution_threshold": 6}, "grows no fruit. Nobody"),
    ],
)
def test_it_is_said_why_nobody_cleans_though_all_are_well_paid(world, ending):
    env = cleanup_icn.parallel_env(**{"pollution_growth_per_step": 3, **world})
    rich = Contract([Wage(payer="others", payee="all", per="cleaned", rate=2)])
    env = cleanup_icn.contracts.ContractWrapper(env, rich)
    words = first_words(env)
    assert ending in thought_of("contract-follower", words)
    assert scripted_policy("contract-follower", env)(words) == HARVEST


def test_where_nothing_grows_dirty_nobody_needs_to_be_paid():
    env = cleanup_icn.parallel_env(pollution_growth_per_step=0)
    assert "cleaning needs nobody" in thought_of("contract-follower", first_words(env))


def test_the_contract_that_is_thought_of_is_the_one_that_is_proposed(talks):
    words = first_words(talks)
    play = scripted_policy("division-of-labour", talks)
    fair = MENU.index(FAIR)
    assert play(words) == FIRST_PROPOSAL + fair
    assert re.fullmatch(
        rf"All have at least [\d.]+ a step by menu {fair}\.",
        thought_of("division-of-labour", words),
    )


def test_who_answers_a_proposal_compares_it_with_the_alternatives(talks):
    talks.reset(seed=0)
    observations, *_ = talks.step({"agent_0": FIRST_PROPOSAL + MENU.index(FAIR), "agent_1": WAIT})
    words = observations["agent_1"]["text"]
    assert scripted_policy("contract-follower", talks)(words) == ACCEPT
    mine, without, best = re.fullmatch(
        r"I have ([\d.]+) a step by this, ([\d.]+) without, ([\d.]+) by menu 1\.",
        thought_of("contract-follower", words),
    ).groups()
    assert float(mine) == float(best) > float(without)


def test_nothing_is_thought_where_nothing_can_be_chosen(talks):
    observations, _ = talks.reset(seed=0)
    assert thought_of("division-of-labour", observations["agent_1"]["text"]) == ""  # not its turn
    observations, *_ = talks.step({"agent_0": FIRST_PROPOSAL, "agent_1": WAIT})
    assert thought_of("division-of-labour", observations["agent_0"]["text"]) == ""  # it proposed
    env = cleanup_icn.parallel_env(horizon_steps=1)
    env.reset(seed=0)
    observations, *_ = env.step(dict.fromkeys(env.possible_agents, WAIT))
    assert thought_of("division-of-labour", observations["agent_0"]["text"]) == ""


@pytest.mark.parametrize("action", [WAIT, MOVE, HARVEST, CLEAN])
def test_an_answer_with_a_thought_is_read_as_the_same_without(action):
    thought = "Action: wait. 2 to clean, agent_0, agent_1."
    answer = render_answer(action, thought=thought)
    assert thought in answer
    assert parse_action(answer) == parse_action(render_answer(action))


def test_a_policy_without_thoughts_is_refused_with_those_that_have_some():
    words = first_words(cleanup_icn.parallel_env())
    with pytest.raises(ConfigError, match="policy = 'planner': expected one of division-of-lab"):
        thought_of("planner", words)
