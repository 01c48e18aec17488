"""Negotiators of negmas as parties of a comparison."""

from __future__ import annotations

from dataclasses import replace

import pytest

pytest.importorskip("negmas", reason="the extra [negmas] is not installed")

from agents.negmas_agent import NEGOTIATORS, Ballot, Heard, NegmasAgent
from benchmarks.arena import Cell
from benchmarks.cells import play_cell
from benchmarks.negotiation import negmas_players
from benchmarks.negotiation.negmas_players import (
    NEGMAS_POLICIES,
    NEGMAS_PREFIX,
    heard_by,
    negmas_party,
)
from benchmarks.negotiation.policies import make_agents
from cleanup_icn import ConfigError
from negotiation_games import load_game, raw_env

GAME = load_game("base")
P1, P2 = (GAME.party_names[index] for index in (GAME.proposer_index, GAME.veto_index))


def test_every_negotiator_is_a_policy():
    assert tuple(NEGMAS_PREFIX + name for name in NEGOTIATORS) == NEGMAS_POLICIES


def played(arena, policy):
    contract = arena.conditions[0].name
    return list(play_cell(arena, Cell(policy=policy, contract=contract), episodes=[0, 1]))


@pytest.mark.parametrize("policy", NEGMAS_POLICIES)
def test_it_plays_whole_episodes_the_same_each_time(tiny_suite, policy):
    first = played(tiny_suite, policy)
    assert played(tiny_suite, policy) == first
    assert {turn.status for result in first for turn in result.turns} == {"ok"}
    assert all(turn.deal for result in first for turn in result.turns)
    assert not any(turn.illegal for result in first for turn in result.turns)


def test_one_plays_a_seat_among_partners_that_play_as_ever(tiny_suite):
    seated = replace(tiny_suite, seat="veto", partners="best-guess", policies=("negmas-tough",))
    for result in played(seated, "negmas-tough"):
        best = max(GAME.party(P2).score(deal) for deal in GAME.deals())
        asked = {turn.own_score for turn in result.turns if turn.party == P2}
        assert asked == {best}
    agents = {type(agent).__name__ for agent in make_agents("best-guess", raw_env()).values()}
    assert agents == {"ScriptedAgent"}


def test_a_party_after_something_else_plays_its_incentives_script():
    env = raw_env(game=load_game("base", incentives={P2: "greedy"}))
    agents = make_agents("negmas-linear", env)
    kinds = {party: isinstance(agent, NegmasAgent) for party, agent in agents.items()}
    assert kinds == {party: party != P2 for party in env.possible_agents}


def record_of(env, party, *, seed):
    """Play with scripts; returns what the party saw in its turns."""
    agents, seen = make_agents("best-guess", env), []
    env.reset(seed=seed)
    while not env.terminations[env.agent_selection]:
        speaker = env.agent_selection
        observation = env.observe(speaker)
        if speaker == party:
            seen.append(observation)
        env.step(agents[speaker].act(observation).action)
    return seen


def with_other_secrets(party):
    """Return the game with the sheets of all others exchanged for the party's own."""
    own = GAME.party(party)
    others = [
        each if each is own else replace(each, scores=own.scores, threshold=own.threshold - 1)
        for each in GAME.parties
    ]
    return replace(GAME, parties=tuple(others))


@pytest.mark.parametrize("policy", NEGMAS_POLICIES)
@pytest.mark.parametrize("party", [P1, P2])
def test_what_it_does_depends_on_no_others_secrets(policy, party):
    seen = record_of(raw_env(game=GAME), party, seed=3)
    actions = []
    for game in (GAME, with_other_secrets(party)):
        agent = negmas_party(policy, raw_env(game=game), party)
        agent.reset(seed=1)
        actions.append([agent.act(observation).action for observation in seen])
    assert actions[0] == actions[1]


def test_it_hears_what_others_proposed_since_its_own_last_turn():
    env = raw_env(game=GAME)
    env.reset(seed=0)
    proposed, since = 100, [GAME.deal_number(GAME.initial_deal)]
    while env.agent_selection != P2:
        env.step(proposed)
        since.append(proposed)
        proposed += 1
    assert heard(env, P2) == Heard(tuple(since))
    env.step(7)
    env.step(GAME.num_deals)  # speaks without a proposal
    if env.agent_selection != P2:
        env.step(9)
        assert heard(env, P2) == Heard((9,))


def heard(env, party):
    return heard_by(party, env.observe(party), parties=GAME.party_names)


@pytest.mark.parametrize("party", [P1, P2])
def test_its_last_turn_is_the_end_of_its_time(party):
    env = raw_env(game=GAME)
    env.reset(seed=0)
    agent, asked = negmas_party("negmas-linear", env, party), []
    while not env.terminations[party]:
        own_turn = env.agent_selection == party
        env.step(agent.act(env.observe(party)).action if own_turn else GAME.num_deals)
        if own_turn:
            asked.append(GAME.party(party).score(env.record[-1].deal))
    own = GAME.party(party)
    least = min(each for each in map(own.score, GAME.deals()) if each >= own.threshold)
    assert asked[-1] == least < asked[-2] < asked[0]
    assert len(asked) == (5 if party == P1 else 4)


@pytest.mark.parametrize("is_enough", [True, False])
def test_it_votes_for_what_reaches_its_threshold(is_enough):
    own = GAME.party(P2)
    final = next(
        GAME.deal_number(deal)
        for deal in GAME.deals()
        if (own.score(deal) >= own.threshold) == is_enough
    )
    env = raw_env(game=GAME, voting="explicit")
    env.reset(seed=0)
    agent = negmas_party("negmas-linear", env, P2)
    while env.agent_selection != P2 or env.infos[P2]["phase"] != "vote":
        own_turn, is_vote = env.agent_selection == P2, env.infos[P2]["phase"] == "vote"
        others = GAME.num_deals + 1 if is_vote else final
        env.step(agent.act(env.observe(P2)).action if own_turn else others)
    deals = GAME.num_deals
    assert heard(env, P2).ballot == Ballot(final, deals + 1, deals + 2)
    assert agent.act(env.observe(P2)).action == deals + (1 if is_enough else 2)


def test_without_negmas_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(negmas_players, "find_spec", lambda _name: None)
    assert not negmas_players.is_available()
    with pytest.raises(ConfigError, match=r"negmas-linear.*commonweal\[negmas\]"):
        make_agents("negmas-linear", raw_env(game=GAME))
