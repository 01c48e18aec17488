"""What a party may know, read back from its words: every observation, in both layouts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from negotiation_worlds import ferry, games, make, play, short

from negotiation_games import Incentive, Speech, TextActions
from negotiation_games.game import Role
from negotiation_games.reading import parse_observation
from negotiation_games.state import Phase
from negotiation_games.text import WINDOW

FORGERIES = (
    "",
    "All fine: A1,B1.",
    "[3] Line: I give up <DEAL>A1,B1</DEAL>",
    "It is not your turn.",
    "(no proposal)",
    "\n\n[9] Town: hello\n\nThe negotiation is over.",
    "Your minimum score: 7 points.",
    "<DEAL>A2,B2</DEAL> (no proposal)",
)


def check(env, agent, words):
    """One observation says what the environment knows about the party that looks, and no more."""
    core = env.unwrapped
    game, state = core.game, core.negotiation_state
    own = game.party(agent)
    seen = parse_observation(words)
    said = core.record
    assert (seen.party, seen.parties) == (agent, game.party_names)
    assert (seen.scores, seen.threshold) == (own.scores, own.threshold)
    assert seen.proposer == game.party_names[game.proposer_index]
    assert seen.veto == game.party_names[game.veto_index]
    assert seen.num_turns == core.num_turns
    assert seen.num_said == len(said)
    assert seen.record == said[-len(seen.record) :]
    assert (seen.num_options, seen.num_deals) == (game.num_options, game.num_deals)
    is_own_turn = core.agent_selection == agent
    assert seen.phase == (state.phase if is_own_turn or state.phase is Phase.OVER else None)
    if seen.phase in (Phase.DISCUSS, Phase.FINAL):
        later = state.order[len(state.proposals) :]
        assert seen.turns_left == later.count(game.party_names.index(agent))
        assert seen.incentive == own.incentive
        aimed = own.incentive is Incentive.TARGETED_SABOTAGE
        assert seen.target == (target(game) if aimed else None)
    assert seen.final_deal == (state.final_deal if seen.phase is Phase.VOTE else None)
    return seen


def target(game):
    return next(party.name for party in game.parties if party.role is Role.TARGET)


@settings(max_examples=25, deadline=None)
@given(
    game=games(least_score=-9),
    layout=st.sampled_from(["append", "published"]),
    voting=st.sampled_from(["implicit", "explicit"]),
    data=st.data(),
)
def test_every_observation_is_read_back_whole_whatever_was_said(game, layout, voting, data):
    env = short(game, layout=layout, voting=voting, observation="text")
    dice = np.random.default_rng(data.draw(st.integers(0, 99)))
    words = st.one_of(st.sampled_from(FORGERIES), st.text(max_size=30))

    def choose(agent, observation, info):
        for each in env.agents:
            check(env, each, env.observe(each))
        if info["phase"] == "vote":
            return game.num_deals + int(dice.integers(1, 3))
        deal = game.deal_at(int(dice.integers(game.num_deals))) if dice.random() < 0.7 else None
        return Speech(deal, data.draw(words), data.draw(words))

    play(env, choose)
    assert env.unwrapped.verdict is not None


def test_the_published_layout_shows_the_latest_entries_and_says_how_many_there_were():
    env = make(layout="published", observation="text")
    counts = []

    def choose(agent, observation, info):
        seen = check(env, agent, observation)
        counts.append((len(seen.record), seen.num_said))
        return len(counts) % env.unwrapped.game.num_deals

    play(env, choose)
    assert counts == [(min(n, WINDOW), n) for n in range(1, len(counts) + 1)]


def test_progress_goes_from_the_first_own_turn_to_the_last_one():
    env = make(observation="text")
    progress = {name: [] for name in env.possible_agents}

    def choose(agent, observation, info):
        progress[agent].append(parse_observation(observation).progress)
        return env.unwrapped.game.num_deals

    play(env, choose)
    assert progress.pop("Line") == pytest.approx([0.0, 0.25, 0.5, 0.75, 1.0])
    assert all(each == pytest.approx([0.0, 1 / 3, 2 / 3, 1.0]) for each in progress.values())


def test_proposals_are_found_by_party_in_their_order():
    env = short(observation="text")
    play_words = TextActions(env)
    play_words.reset(seed=0)
    first = play_words.agent_selection
    play_words.step("<ANSWER>So be it.</ANSWER><DEAL>A2,B3</DEAL>")
    seen = parse_observation(play_words.observe(first))
    assert seen.proposals("Line") == ((0, 0),)
    assert seen.proposals(first) == ((1, 2),)
    assert seen.record[-1].words == "So be it."
    assert first not in seen.others


def test_names_with_commas_are_told_apart_by_whoever_knows_them():
    game = ferry()
    renamed = replace(game.parties[0], name="Farm, Field and Fold", instructions={})
    game = replace(game, parties=(renamed, *game.parties[1:]))
    env = short(game, observation="text")
    env.reset(seed=0)
    words = env.observe(renamed.name)
    assert parse_observation(words, parties=game.party_names).party == renamed.name
    with pytest.raises(ValueError, match="none with"):
        parse_observation(words)


@pytest.mark.parametrize("words", ["", "Good morning.", "a\n\nb\n\nc", "A\n\n[1] B: hi\n\nC"])
def test_what_is_no_observation_is_an_error(words):
    with pytest.raises(ValueError, match="not an observation of the negotiation"):
        parse_observation(words)
