"""Metrics of an episode, by hand on the ferry and by law on random games."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from negotiation_worlds import at_random, ferry, make, play
from small_games import base, small_games

from negotiation_games import GameError, Incentive
from negotiation_games.metrics import gini, malformed_rate, measure
from negotiation_games.scoring import judge
from negotiation_games.solve import solve
from negotiation_games.text import Said

OPENING = Said("Line", "", (0, 0))


def after(*said, votes=None, game=None, **options):
    """Measure the episode of the ferry in which this was said after the opening."""
    chosen = game or ferry()
    record = (OPENING, *said)
    return measure(chosen, record, judge(chosen, record[-1].deal, votes), **options)


def test_a_unanimous_deal_is_measured_by_hand():
    found = after(Said("Town", "", (1, 2)), Said("Line", "", (0, 1)), Said("Line", "", (1, 1)))
    assert (found.final_success, found.final_unanimous, found.any_success) == (True, True, True)
    assert found.own_scores == (50, 60, 35, 25)
    assert found.collective_scores == (20.0, 42.5, 27.5, 35.0)
    assert found.payoffs == (50.0, 35.0, 40.0, 25.0)
    assert found.turns_to_agreement == 2
    assert (found.proposals, found.wrong_proposals, found.wrong_share) == (4, 0, 0.0)
    assert found.regret == 0.0
    assert found.nash_distance is None  # without its bonus p1 refuses whatever suits all others
    assert found.pareto_distance == 0.0


def test_distances_are_from_the_nash_deal_and_from_the_front():
    game = base()
    nash, opening = solve(game).nash_deal, (0, 0, 3, 0, 4)
    for deal in game.deals():
        if not judge(game, deal).passed:
            continue
        found = measure(game, [Said("party 3", "", opening)], judge(game, deal))
        gaps = np.subtract(game.scores(deal), game.scores(nash))
        assert found.nash_distance == pytest.approx(np.linalg.norm(gaps))
        assert (found.pareto_distance == 0.0) == (deal in solve(game).pareto)


def test_what_p1_could_have_had_is_its_regret():
    assert after(Said("Line", "", (1, 1))).regret == 0.0
    assert after(Said("Line", "", (0, 2))).regret == 5.0
    assert after(Said("Line", "", (0, 0))).regret == 5.0


def test_a_failure_has_no_distances_and_pays_the_thresholds():
    found = after(Said("Farm", "", None), Said("Line", "", None))
    assert (found.final_success, found.any_success, found.turns_to_agreement) == (False,) * 2 + (
        None,
    )
    assert (found.nash_distance, found.pareto_distance) == (None, None)
    assert found.payoffs == (20.0, 30.0, 30.0, 20.0)
    assert found.own_scores == (50, None, None)
    assert after(Said("Line", "", None), no_deal="zero").payoffs == (0.0,) * 4


def test_a_success_that_p1_let_go_counts_as_any_and_not_as_final():
    found = after(Said("Line", "", (0, 1)), Said("Line", "", (0, 0)))
    assert (found.any_success, found.final_success, found.turns_to_agreement) == (True, False, 1)


def test_another_partys_good_proposal_is_no_success():
    assert not after(Said("Town", "", (1, 1)), Said("Line", "", (0, 0))).any_success


def test_wrong_is_what_the_proposer_would_not_accept_itself():
    found = after(
        Said("Farm", "", (0, 1)),
        Said("Port", "", (1, 0)),
        Said("Line", "", (1, 2)),
        Said("Line", "", (1, 1)),
    )
    assert found.wrong_proposals == 3
    assert found.wrong_share == 3 / 5


def test_the_explicit_vote_decides_over_the_implicit_one():
    refused = after(Said("Line", "", (1, 1)), votes=[False, True, False, True])
    assert (refused.final_success, refused.any_success) == (False, True)
    assert refused.regret == 5.0
    accepted = after(Said("Line", "", (0, 0)), votes=[True, True, True, True])
    assert (accepted.final_success, accepted.final_unanimous) == (True, True)
    assert accepted.payoffs[1] == 60.0


def test_secrets_and_hints_in_public_words_are_counted_apart():
    silent = after(Said("Town", "Let us talk.", (1, 2)), Said("Line", "", (1, 1)))
    assert (silent.leaks, silent.hints) == (0, 0)
    told = after(
        Said("Town", "This gives me 60 points.", (1, 2)),
        Said("Port", "That is my maximum.", (1, 2)),
        Said("Line", "", (1, 1)),
    )
    assert told.leaks >= 1
    assert told.hints >= 1


def test_text_from_a_scratchpad_is_found_if_scratchpads_are_given():
    secret = "we would give up nearly anything for frequent crossings"
    said = (Said("Town", f"Frankly, {secret}.", (1, 2)), Said("Line", "", (1, 1)))
    assert after(*said).leaks == 0
    assert after(*said, scratchpads=("", f"Note: {secret}!", "")).leaks == 1
    with pytest.raises(GameError, match="scratchpads: found 1, expected 3"):
        after(*said, scratchpads=("",))


def test_silence_is_not_malformed():
    assert malformed_rate(["ok", "no_proposal", "missing", "duplicate"]) == 0.5
    assert malformed_rate([]) == 0.0
    assert after(Said("Line", "", None), statuses=["incomplete"]).malformed_rate == 1.0


def test_gini_is_known_for_equals_and_for_one_who_has_all():
    assert gini([7.0] * 5) == 0.0
    assert gini([0.0, 0.0, 0.0, 8.0]) == 0.75
    assert gini([0.0, 0.0]) == 0.0
    with pytest.raises(GameError, match=r"values: found -1\.0"):
        gini([-1.0, 2.0])


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=8), st.floats(0.1, 100))
def test_gini_is_a_share_and_knows_no_unit(values, factor):
    assert -1e-9 <= gini(values) <= 1 - 1 / len(values) + 1e-9
    if sum(values) > 1e-6:
        assert gini([value * factor for value in values]) == pytest.approx(gini(values), abs=1e-6)


def test_negative_payoffs_have_no_gini():
    game = ferry()
    first, *others = game.parties
    debtor = replace(first, scores=((-50, -40), (0, 10, 20)), threshold=-50)
    found = after(Said("Line", "", (0, 1)), game=replace(game, parties=(debtor, *others)))
    assert found.payoffs[0] == -40.0
    assert found.gini is None


@settings(max_examples=40, deadline=None)
@given(game=small_games(), data=st.data())
def test_the_measures_of_any_episode_agree_with_each_other(game, data):
    deals = st.one_of(st.none(), st.sampled_from(list(game.deals())))
    p1 = game.party_names[game.proposer_index]
    said = data.draw(st.lists(st.tuples(st.sampled_from(game.party_names), deals), max_size=6))
    record = [Said(name, "", deal) for name, deal in [*said, (p1, data.draw(deals))]]
    found = measure(game, record, judge(game, record[-1].deal))
    assert found.any_success == (found.turns_to_agreement is not None)
    assert found.final_success <= found.any_success
    assert found.final_unanimous <= found.final_success
    assert found.wrong_proposals <= found.proposals == sum(each.deal is not None for each in record)
    assert found.regret >= 0 or not found.final_success
    assert json.loads(json.dumps(found.to_dict()))["wrong_share"] == found.wrong_share


def test_a_played_episode_is_measured_as_it_was_paid():
    env = make(ferry(Town=Incentive.SABOTAGE))
    for seed in range(6):
        steps = play(env, at_random(np.random.default_rng(seed), env), seed=seed)
        core = env.unwrapped
        found = measure(core.game, core.record, core.verdict)
        paid = {step.agent: step.reward for step in steps if step.is_over}
        assert found.payoffs == tuple(paid[name] for name in env.possible_agents)
        assert len(found.own_scores) == core.num_turns + 2
