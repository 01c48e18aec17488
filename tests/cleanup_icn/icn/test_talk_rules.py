"""The rule book of talks on integers, and that the protocol with words and records follows it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cleanup_icn.icn import talk_rules
from cleanup_icn.icn.protocol import Move, Speech, Talks, advance
from cleanup_icn.icn.talk_rules import (
    ACCEPT,
    FAILED,
    NOTHING,
    PASS,
    PROPOSE,
    RATIFIED,
    REJECT,
    TO_PROPOSE,
    TO_VOTE,
    can_say,
    follow,
)


@st.composite
def steps(draw):
    """Arguments of `follow`: what everybody says, and how the talks stand."""
    num_agents = draw(st.integers(2, 6))
    speeches = st.lists(st.sampled_from(range(5)), min_size=num_agents, max_size=num_agents)
    rounds = draw(st.integers(0, 3))
    return (
        draw(speeches),
        draw(st.integers(0, num_agents - 1)),
        draw(st.booleans()),
        rounds,
        draw(st.integers(rounds + 1, 5)),
    )


def test_codes_are_the_places_of_the_words_for_them():
    codes = (PASS, PROPOSE, ACCEPT, REJECT, NOTHING)
    assert [list(Speech)[code] for code in codes] == list(Speech)
    assert [talk_rules.__dict__[speech.name] for speech in Speech] == list(codes)


def test_who_may_say_what_at_which_stage():
    said = (PASS, PROPOSE, ACCEPT, REJECT, NOTHING)
    able = {
        (is_proposer, has_proposal): [s for s in said if can_say(s, is_proposer, has_proposal)]
        for is_proposer in (False, True)
        for has_proposal in (False, True)
    }
    assert able == {
        (False, False): [PASS],
        (True, False): [PASS, PROPOSE],
        (False, True): [PROPOSE, ACCEPT, REJECT],
        (True, True): [PASS],
    }


def test_what_follows_from_a_step_of_talks():
    assert follow([PASS, PROPOSE, PASS], 1, False, 0, 3) == (TO_VOTE, 1, 0)
    assert follow([PASS, PASS, PASS], 2, False, 0, 3) == (TO_PROPOSE, 0, 1)
    assert follow([PASS, PASS, PASS], 2, False, 2, 3) == (FAILED, 2, 3)
    assert follow([ACCEPT, ACCEPT, PASS], 2, True, 2, 3) == (RATIFIED, 2, 3)
    assert follow([ACCEPT, REJECT, PASS], 2, True, 0, 3) == (TO_PROPOSE, 0, 1)
    assert follow([PROPOSE, PROPOSE, PASS], 2, True, 0, 3) == (TO_VOTE, 0, 1)
    assert follow([PROPOSE, PASS, PROPOSE], 1, True, 0, 3) == (TO_VOTE, 2, 1)
    assert follow([PROPOSE, PROPOSE, PASS], 2, True, 2, 3) == (FAILED, 2, 3)


@given(steps())
def test_what_cannot_be_said_is_not_heard(step):
    speeches, proposer, has_proposal, *rounds = step
    heard = [
        speech if can_say(speech, i == proposer, has_proposal) else NOTHING
        for i, speech in enumerate(speeches)
    ]
    assert follow(heard, proposer, has_proposal, *rounds) == follow(*step)


@given(steps())
def test_talks_end_or_come_nearer_to_their_end(step):
    _, _, has_proposal, rounds, max_rounds = step
    turn = follow(*step)
    goes_to_vote = not has_proposal and turn.result == TO_VOTE
    assert turn.rounds == rounds + (not goes_to_vote)
    assert (turn.result == FAILED) == (turn.rounds == max_rounds and turn.result != RATIFIED)


def test_a_proposal_of_no_contract_is_no_proposal():
    empty = Move(Speech.PROPOSE)
    unsaid = advance(Talks(2, 0, 2), [empty, Move(Speech.PASS)])
    assert (unsaid.proposer, unsaid.proposal, unsaid.round_number) == (1, None, 2)
