"""The course of a negotiation and what it pays, by the published rules."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from negotiation_worlds import at_random, conclude, ferry, games, make, play, short

from negotiation_games import GameError, Incentive

law = settings(max_examples=40, deadline=None)
ACCEPT, REJECT = 7, 8  # of the ferry, which has 6 deals: 6 is no proposal
OTHERS = ("Farm", "Town", "Port")
A1B1, A1B2, A1B3, A2B1, A2B2, A2B3, SILENCE = range(7)


def speakers(env, seed):
    """Who spoke in an episode, the opening first."""
    play(env, at_random(np.random.default_rng(0), env), seed=seed)
    return [said.party for said in env.unwrapped.record]


def expected_votes(game, deal):
    """Who accepts, by the words of the rule: at or above the threshold; p1 with a bonus of 10 when
    all others accept."""
    votes = [p.score(deal) >= p.threshold for p in game.parties]
    p1 = next(i for i, p in enumerate(game.parties) if p.role == "p1")
    if sum(votes[:p1] + votes[p1 + 1 :]) == len(votes) - 1:
        votes[p1] = game.parties[p1].score(deal) + 10 >= game.parties[p1].threshold
    return votes


def expected_payoffs(game, deal, votes, no_deal):
    """What each party earns, by the words of the rule."""
    favour = {p.role: vote for p, vote in zip(game.parties, votes, strict=True)}
    if sum(votes) >= len(votes) - 1 and favour["p1"] and favour["p2"]:
        return {p.name: p.score(deal) + 10 * (p.role == "p1" and all(votes)) for p in game.parties}
    failure = {p.name: p.threshold if no_deal == "threshold" else 0 for p in game.parties}
    saboteurs = {p.name for p in game.parties if p.incentive.endswith("_adv")}
    return failure | dict.fromkeys(saboteurs, 150)


# --- turns -----------------------------------------------------------------------------------


@law
@given(game=games(max_options=2), blocks=st.integers(1, 6), seed=st.integers(0, 999))
def test_everybody_speaks_in_blocks_and_nobody_twice_in_a_row(game, blocks, seed):
    num_parties = len(game.parties)
    env = make(game, num_turns=blocks * num_parties)
    p1 = next(party.name for party in game.parties if party.role == "p1")
    spoke = speakers(env, seed)
    assert len(spoke) == blocks * num_parties + 2
    assert spoke[0] == spoke[-1] == p1
    assert all(earlier != later for earlier, later in pairwise(spoke))
    for start in range(1, len(spoke) - 1, num_parties):
        block = spoke[start : start + num_parties]
        assert sorted(block) == sorted(env.possible_agents)
        assert block[-1] != p1


def test_p1_opens_with_the_initial_deal():
    env = make()
    env.reset(seed=0)
    (opening,) = env.unwrapped.record
    assert (opening.party, opening.deal) == ("Line", (0, 0))


def test_there_are_four_turns_a_party_unless_told_otherwise():
    assert len(speakers(make(), 0)) == 1 + 4 * 4 + 1
    assert len(speakers(make(num_turns=8), 0)) == 1 + 8 + 1


def test_every_order_that_the_rule_allows_is_as_likely_as_any_other():
    env = make(num_turns=8)
    first, second = Counter(), Counter()
    num_games = 3000
    for seed in range(num_games):
        env.reset(seed=seed)
        order = env.unwrapped.negotiation_state.order
        first[order[:4]] += 1
        second[(order[3], order[4:8])] += 1
    # p1 (1) has two of four places; then the others have 3! orders.
    assert len(first) == 2 * 6
    assert all(abs(n - num_games / 12) < 5 * (num_games / 12) ** 0.5 for n in first.values())
    # Then p1 may open: of three of four places times 3!, the 4 that repeat the speaker are out.
    assert len(second) == 3 * (3 * 6 - 4)
    assert all(abs(n - num_games / 42) < 5 * (num_games / 42) ** 0.5 for n in second.values())


@pytest.mark.parametrize("num_turns", [0, -4, 3, 5, 6, 4.0, 8.5, "8", True, [4], float("nan")])
def test_turns_that_are_no_multiple_of_the_parties_are_refused(num_turns):
    with pytest.raises(GameError, match=r"num_turns.*multiple of 4"):
        make(num_turns=num_turns)


# --- who accepts, what passes, what it pays --------------------------------------------------


@pytest.mark.parametrize(
    ("deal", "accepted", "unanimous"),
    [
        (A1B2, {"Line", "Town", "Port"}, False),
        (A1B3, {"Line", "Town", "Port", "Farm"}, True),
        (A2B2, {"Line", "Town", "Port", "Farm"}, True),
    ],
)
def test_a_deal_passes_with_all_but_one_if_p1_and_p2_are_in_favour(deal, accepted, unanimous):
    env = short()
    env.reset(seed=0)
    infos = final_infos(env, deal)
    assert infos["passed"] is True
    assert infos["unanimous"] is unanimous
    assert set(infos["accepted"]) == accepted


@pytest.mark.parametrize("deal", [A1B1, A2B1, A2B3])
def test_a_deal_fails_without_p1_or_p2_or_two_others(deal):
    infos = final_infos(short(), deal)
    assert infos["passed"] is infos["unanimous"] is False


def final_infos(env, final, votes=None):
    """What everybody is told of the outcome."""

    def choose(agent, observation, info):
        if info["phase"] == "vote":
            return votes[agent]
        return final if info["phase"] == "final" else SILENCE

    told = [step.info for step in play(env, choose) if step.is_over]
    assert len({(i["deal"], i["passed"], i["unanimous"], i["accepted"]) for i in told}) == 1
    return told[0]


def test_p1_has_ten_points_more_only_when_all_accept():
    assert conclude(short(), A1B2) == {"Line": 35, "Port": 35, "Town": 30, "Farm": 10}
    assert conclude(short(), A1B3) == {"Line": 30, "Port": 50, "Town": 50, "Farm": 20}


def test_without_a_deal_everybody_has_its_threshold():
    thresholds = {"Line": 30, "Port": 20, "Town": 30, "Farm": 20}
    assert conclude(short(), A2B3) == thresholds
    assert conclude(short(), SILENCE) == thresholds


def test_without_a_deal_nobody_has_anything_if_failure_pays_zero():
    assert set(conclude(short(no_deal="zero"), A2B3).values()) == {0.0}
    assert set(conclude(short(no_deal="zero"), SILENCE).values()) == {0.0}


@pytest.mark.parametrize("kind", [Incentive.SABOTAGE, Incentive.TARGETED_SABOTAGE])
@pytest.mark.parametrize("no_deal", ["threshold", "zero"])
def test_a_saboteur_has_150_when_nothing_passes_and_its_score_when_something_does(kind, no_deal):
    env = short(ferry(Farm=kind), no_deal=no_deal)
    assert conclude(env, A2B3)["Farm"] == 150
    assert conclude(env, A1B2)["Farm"] == 10


def test_a_saboteur_cannot_refuse_under_the_implicit_vote():
    saboteurs = ferry(Port=Incentive.SABOTAGE, Farm=Incentive.SABOTAGE)
    assert final_infos(short(saboteurs), A2B2)["unanimous"] is True


@law
@given(
    game=games(least_score=-10),
    no_deal=st.sampled_from(["threshold", "zero"]),
    data=st.data(),
)
def test_every_deal_is_judged_and_paid_by_the_implicit_rule(game, no_deal, data):
    env = short(game, no_deal=no_deal)
    number = data.draw(st.integers(0, game.num_deals - 1))
    deal = list(game.deals())[number]
    votes = expected_votes(game, deal)
    assert conclude(env, number) == expected_payoffs(game, deal, votes, no_deal)


# --- the explicit vote -----------------------------------------------------------------------


@law
@given(game=games(), no_deal=st.sampled_from(["threshold", "zero"]), data=st.data())
def test_every_vote_is_counted_as_it_was_cast(game, no_deal, data):
    env = short(game, no_deal=no_deal, voting="explicit")
    number = data.draw(st.integers(0, game.num_deals - 1))
    cast = {p.name: p.role == "p1" or data.draw(st.booleans(), label=p.name) for p in game.parties}
    accept = game.num_deals + 1
    actions = {name: accept if favour else accept + 1 for name, favour in cast.items()}
    deal = list(game.deals())[number]
    expected = expected_payoffs(game, deal, list(cast.values()), no_deal)
    assert conclude(env, number, actions) == expected


def test_p1_is_not_asked_for_its_vote_and_everybody_else_once():
    env = short(voting="explicit")
    steps = play(env, lambda a, o, info: ACCEPT if info["phase"] == "vote" else A2B3)
    voters = [s.agent for s in steps if not s.is_over and s.info["phase"] == "vote"]
    assert sorted(voters) == sorted(OTHERS)


def test_p1s_proposal_is_its_own_yes_even_below_its_threshold():
    infos = final_infos(short(voting="explicit"), A2B3, dict.fromkeys(OTHERS, ACCEPT))
    assert infos["passed"] is infos["unanimous"] is True
    returns = conclude(short(voting="explicit"), A2B3, dict.fromkeys(OTHERS, ACCEPT))
    assert returns["Line"] == 10 + 10


def test_the_bonus_follows_the_votes_and_not_the_scores():
    votes = {"Port": ACCEPT, "Town": ACCEPT, "Farm": REJECT}
    assert conclude(short(voting="explicit"), A2B2, votes)["Line"] == 25
    assert conclude(short(voting="explicit"), A1B1, dict.fromkeys(OTHERS, ACCEPT))["Line"] == 60


@pytest.mark.parametrize("abstention", [SILENCE, A2B2, -1, 99, None, "accept", 7.0])
def test_who_does_not_vote_does_not_accept(abstention):
    votes = {"Port": ACCEPT, "Town": ACCEPT, "Farm": abstention}
    infos = final_infos(short(voting="explicit"), A2B2, votes)
    assert set(infos["accepted"]) == {"Line", "Port", "Town"}
    votes["Town"] = abstention
    assert final_infos(short(voting="explicit"), A2B2, votes)["passed"] is False


@pytest.mark.parametrize("final", [SILENCE, -1, 99, "A2,B2"])
@pytest.mark.parametrize("voting", ["implicit", "explicit"])
def test_without_a_final_proposal_nothing_is_voted_on_and_nothing_passes(final, voting):
    env = short(voting=voting)
    steps = play(env, lambda a, o, i: final if i["phase"] == "final" else A2B2)
    assert "vote" not in {step.info["phase"] for step in steps}
    last = steps[-1].info
    assert last["deal"] is None
    assert last["passed"] is last["unanimous"] is False
    assert last["accepted"] == ()


@pytest.mark.parametrize("incentive", [Incentive.COOPERATIVE, Incentive.GREEDY])
def test_nobody_gains_by_refusing_a_deal_that_meets_its_threshold(incentive):
    game = ferry(**dict.fromkeys(("Farm", "Line", "Town", "Port"), incentive))
    env = short(game, voting="explicit")
    compared = 0
    for number, deal in enumerate(game.deals()):
        for name, *others in (OTHERS, OTHERS[1:] + OTHERS[:1], OTHERS[2:] + OTHERS[:2]):
            if game.party(name).score(deal) < game.party(name).threshold:
                continue
            for votes in product((ACCEPT, REJECT), repeat=2):
                cast = dict(zip(others, votes, strict=True))
                accepting = conclude(env, number, {**cast, name: ACCEPT})[name]
                assert accepting >= conclude(env, number, {**cast, name: REJECT})[name]
                compared += 1
    assert compared == 4 * sum(
        game.party(name).score(deal) >= game.party(name).threshold
        for deal in game.deals()
        for name in OTHERS
    )


@law
@given(game=games(), data=st.data())
def test_nobody_gains_by_refusing_in_any_game(game, data):
    env = short(game, voting="explicit")
    number = data.draw(st.integers(0, game.num_deals - 1))
    deal = list(game.deals())[number]
    accept = game.num_deals + 1
    votes = {p.name: accept + data.draw(st.integers(0, 1)) for p in game.parties}
    for party in game.parties:
        honest = party.incentive in ("cooperative", "greedy") and party.role != "p1"
        if honest and party.score(deal) >= party.threshold:
            accepting = conclude(env, number, {**votes, party.name: accept})
            refusing = conclude(env, number, {**votes, party.name: accept + 1})
            assert accepting[party.name] >= refusing[party.name]


def test_a_saboteur_can_gain_by_refusing_under_the_explicit_vote():
    env = short(ferry(Port=Incentive.SABOTAGE), voting="explicit")
    votes = dict.fromkeys(OTHERS, ACCEPT)
    assert conclude(env, A2B2, votes)["Port"] == 25
    assert conclude(env, A2B2, {**votes, "Port": REJECT})["Port"] == 150
