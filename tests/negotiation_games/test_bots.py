"""Bots: what each rule of thumb proposes, from what its party knows."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from negotiation_worlds import ferry
from small_games import base, small_games

from negotiation_games.bots import (
    BOTS,
    BOULWARE,
    CONCEDER,
    LINEAR,
    accepts,
    aspiration,
    concede,
    planner,
)
from negotiation_games.game import Incentive
from negotiation_games.reading import View
from negotiation_games.scoring import BONUS, judge, payoffs
from negotiation_games.state import Phase
from negotiation_games.text import Said

NUM_TURNS = 4


def view(game, index, *, record=(), turns_left=0, final_deal=None):
    """What a party of the game knows; ``record`` holds pairs of a party's index and a deal."""
    party = game.parties[index]
    return View(
        party=party.name,
        parties=game.party_names,
        proposer=game.party_names[game.proposer_index],
        veto=game.party_names[game.veto_index],
        num_turns=NUM_TURNS * game.num_parties,
        scores=party.scores,
        threshold=party.threshold,
        record=tuple(Said(game.party_names[i], "", deal) for i, deal in record),
        num_said=len(record),
        phase=Phase.DISCUSS if final_deal is None else Phase.VOTE,
        turns_left=turns_left,
        final_deal=final_deal,
    )


@st.composite
def views(draw):
    """A game, one of its parties and what it knows in some turn of its own."""
    game = draw(small_games())
    index = draw(st.integers(0, game.num_parties - 1))
    deals = st.one_of(st.none(), st.sampled_from(list(game.deals())))
    record = draw(st.lists(st.tuples(st.integers(0, game.num_parties - 1), deals), max_size=8))
    return game, view(game, index, record=record, turns_left=draw(st.integers(0, NUM_TURNS - 1)))


@settings(max_examples=40, deadline=None)
@given(known=views())
@pytest.mark.parametrize("name", BOTS)
def test_every_bot_proposes_a_deal_of_the_game_and_the_same_one_again(name, known):
    game, seen = known
    number = BOTS[name](seen)
    assert 0 <= number < game.num_deals
    assert BOTS[name](seen) == number


@settings(max_examples=40, deadline=None)
@given(known=views())
@pytest.mark.parametrize(
    "name", ["stubborn", "boulware", "linear", "conceder", "best-guess", "greedy", "amender"]
)
def test_who_does_not_sabotage_never_proposes_below_its_threshold(name, known):
    game, seen = known
    deal = game.deal_at(BOTS[name](seen))
    assert game.party(seen.party).score(deal) >= seen.threshold


@settings(max_examples=40, deadline=None)
@given(known=views())
@pytest.mark.parametrize("exponent", [BOULWARE, LINEAR, CONCEDER])
def test_a_concession_reaches_the_aspiration_of_its_turn(exponent, known):
    game, seen = known
    deal = game.deal_at(concede(exponent)(seen))
    assert game.party(seen.party).score(deal) >= aspiration(seen, exponent) - 1e-9


def test_aspirations_fall_from_the_best_to_the_threshold_late_evenly_or_early():
    game = base()
    union = 2
    best, threshold = 100, 50
    steps = {
        exponent: [
            aspiration(view(game, union, turns_left=left), exponent) for left in (3, 2, 1, 0)
        ]
        for exponent in (BOULWARE, LINEAR, CONCEDER)
    }
    for falling in steps.values():
        assert falling[0] == best
        assert falling[-1] == pytest.approx(threshold)
        assert falling == sorted(falling, reverse=True)
    assert steps[BOULWARE][2] > steps[LINEAR][2] > steps[CONCEDER][2]


def test_the_stubborn_insist_whatever_was_said():
    game = ferry()
    seen = view(game, 0, record=[(1, (0, 0)), (2, (0, 1))])
    assert game.deal_at(BOTS["stubborn"](seen)) == (1, 2)


def test_a_conceding_party_takes_up_what_others_proposed_last():
    game = ferry()
    town = game.party_names.index("Town")
    seen = view(game, town, record=[(1, (0, 0)), (3, (0, 1)), (1, (0, 2)), (3, (0, 2))])
    assert game.deal_at(BOTS["conceder"](seen)) == (0, 2)


@pytest.mark.parametrize(
    ("offer", "proposed"),
    [
        ((0, 1), (0, 1)),  # good enough as it is
        ((0, 2), (0, 0)),  # 20 points: 30 are missing on the second issue
        ((1, 1), (1, 0)),  # 25 points: 15 are missing on the second issue, 10 on the first
    ],
)
def test_p1_amends_what_p2_proposed_last_and_no_more_than_it_must(offer, proposed):
    game = ferry()
    line = game.party_names.index("Line")
    record = [(3, (0, 0)), (3, offer), (0, (1, 2)), (line, (0, 0))]
    assert game.deal_at(BOTS["amender"](view(game, line, record=record))) == proposed


def test_all_others_amend_what_p1_proposed_last():
    game = ferry()
    farm, line, port = (game.party_names.index(name) for name in ("Farm", "Line", "Port"))
    record = [(line, (0, 0)), (line, (0, 1)), (port, (0, 2))]
    assert game.deal_at(BOTS["amender"](view(game, farm, record=record))) == (1, 1)
    enough = [*record, (line, (0, 2))]  # worth Farm's threshold and no more
    assert game.deal_at(BOTS["amender"](view(game, farm, record=enough))) == (0, 2)
    assert game.deal_at(BOTS["amender"](view(game, port, record=record))) == (0, 1)


def test_who_amends_insists_before_its_last_turn_and_without_an_offer():
    game = ferry()
    line, port = game.party_names.index("Line"), game.party_names.index("Port")
    for left in (1, NUM_TURNS):
        early = view(game, line, record=[(port, (0, 1))], turns_left=left)
        assert game.deal_at(BOTS["amender"](early)) == (0, 0)
    assert game.deal_at(BOTS["amender"](view(game, line, record=[(0, (1, 1))]))) == (0, 0)


def test_the_greedy_take_the_best_offer_in_their_last_turn_and_insist_before():
    game = ferry()
    farm = game.party_names.index("Farm")
    offers = [(1, (0, 0)), (2, (1, 0)), (3, (1, 1))]
    early, late = (view(game, farm, record=offers, turns_left=left) for left in (1, 0))
    assert game.deal_at(BOTS["greedy"](early)) == (1, 2)
    assert game.deal_at(BOTS["greedy"](late)) == (1, 1)
    assert game.deal_at(BOTS["greedy"](view(game, farm, record=offers[:1]))) == (1, 2)


def test_a_saboteur_proposes_what_nobody_asked_for():
    game = ferry()
    record = [(0, (1, 2)), (1, (1, 2)), (2, (1, 1)), (3, (1, 1))]
    seen = view(game, 3, record=record)
    assert game.deal_at(BOTS["saboteur"](seen)) == (0, 0)


def test_a_targeted_saboteur_hurts_its_target_with_what_the_others_like():
    game = ferry()
    farm, line, town, port = range(4)
    record = [(line, (0, 0)), (town, (1, 2)), (farm, (0, 1))]
    seen = replace(
        view(game, port, record=record), incentive=Incentive.TARGETED_SABOTAGE, target="Town"
    )
    deal = game.deal_at(BOTS["target-saboteur"](seen))
    assert deal[0] == 0
    assert deal[1] in (0, 1)


def test_whoever_is_not_told_a_target_works_against_the_veto_party():
    game = ferry()
    _, line, town, port = range(4)
    record = [(line, (0, 0)), (port, (1, 2))]
    deal = game.deal_at(BOTS["target-saboteur"](view(game, town, record=record)))
    assert deal == (0, 0)


@settings(max_examples=60, deadline=None)
@given(game=small_games())
def test_the_planner_earns_p1_what_no_passable_deal_exceeds(game):
    p1 = game.proposer_index
    paid = {
        deal: payoffs(game, judge(game, deal))[p1]
        for deal in game.deals()
        if judge(game, deal).passed
    }
    chosen = game.deal_at(planner(game)(view(game, 0)))
    if paid:
        assert paid[chosen] == max(paid.values())
    else:
        assert game.parties[p1].score(chosen) + BONUS >= max(
            game.parties[p1].score(deal) for deal in game.deals()
        )


def test_the_planner_finds_the_best_deal_of_the_base_game():
    game = base()
    deal = game.deal_at(planner(game)(view(game, 0)))
    assert judge(game, deal).unanimous
    assert game.parties[3].score(deal) + BONUS == 55 + 25


@settings(max_examples=60, deadline=None)
@given(known=views(), data=st.data())
def test_refusing_a_deal_that_meets_its_threshold_never_pays(known, data):
    game, seen = known
    index = game.party_names.index(seen.party)
    deal = data.draw(st.sampled_from(list(game.deals())))
    if not accepts(replace(seen, final_deal=deal)):
        return
    votes = data.draw(st.lists(st.booleans(), min_size=game.num_parties, max_size=game.num_parties))
    paid = []
    for vote in (True, False):
        votes[index] = vote
        paid.append(payoffs(game, judge(game, deal, votes))[index])
    assert paid[0] >= paid[1]


def test_a_vote_is_for_whatever_reaches_the_threshold_and_nothing_else():
    game = ferry()
    for deal in game.deals():
        for index, party in enumerate(game.parties):
            seen = view(game, index, final_deal=deal)
            assert accepts(seen) == (party.score(deal) >= party.threshold)
    assert not accepts(view(game, 0))
