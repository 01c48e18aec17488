"""How talks go: who may say what, whose counter is heard, when they end."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleanup_icn.contracts import Contract, Wage
from cleanup_icn.icn.protocol import Move, Outcome, Speech, Stage, Talks, advance, can_say

A, B, C = (
    Contract([Wage(payer="others", payee="all", per="cleaned", rate=rate)]) for rate in (1, 2, 3)
)
PASS, ACCEPT, REJECT, NOTHING = map(
    Move, (Speech.PASS, Speech.ACCEPT, Speech.REJECT, Speech.NOTHING)
)


def propose(contract):
    return Move(Speech.PROPOSE, contract)


def proposed(num_agents=3, *, proposer=0, max_rounds=3, contract=A):
    """Talks in which the proposer has just proposed a contract."""
    talks = Talks(num_agents, proposer, max_rounds)
    return advance(talks, [propose(contract) if i == proposer else PASS for i in range(num_agents)])


def answers(talks, **by_index):
    """One move of each agent: the proposer passes, the others accept but for those named."""
    moves = [PASS if i == talks.proposer else ACCEPT for i in range(talks.num_agents)]
    for name, move in by_index.items():
        moves[int(name.removeprefix("agent_"))] = move
    return moves


def test_a_proposal_is_put_to_the_vote():
    talks = proposed(proposer=1)
    assert (talks.stage, talks.proposer, talks.proposal, talks.rounds) == (
        Stage.RESPOND,
        1,
        A,
        (),
    )


@pytest.mark.parametrize("num_agents", [2, 3, 5])
def test_what_all_others_accept_is_ratified_whoever_proposed(num_agents):
    for proposer in range(num_agents):
        talks = proposed(num_agents, proposer=proposer)
        outcome = advance(talks, answers(talks))
        assert isinstance(outcome, Outcome)
        assert (outcome.contract, outcome.is_ratified, len(outcome.rounds)) == (A, True, 1)


@pytest.mark.parametrize("num_agents", [2, 3, 5])
@pytest.mark.parametrize("dissent", [REJECT, NOTHING, PASS, propose(B)])
def test_a_single_agent_that_does_not_accept_prevents_ratification(num_agents, dissent):
    for dissenter in range(1, num_agents):
        talks = proposed(num_agents)
        after = advance(talks, answers(talks, **{f"agent_{dissenter}": dissent}))
        assert isinstance(after, Talks)
        assert after.rounds[0].answers[dissenter] in (dissent, NOTHING)


def test_an_agent_that_says_nothing_has_neither_accepted_nor_rejected():
    for silent in (PASS, NOTHING):
        talks = proposed()
        after = advance(talks, answers(talks, agent_1=silent))
        assert after.rounds[0].answers[1].speech is Speech.NOTHING


def test_without_a_counter_the_next_agent_in_rotation_is_to_propose():
    for proposer, following in ((0, 1), (1, 2), (2, 0)):
        talks = proposed(proposer=proposer)
        after = advance(talks, answers(talks, **{f"agent_{following}": REJECT}))
        assert (after.stage, after.proposer, after.proposal) == (Stage.PROPOSE, following, None)


@pytest.mark.parametrize(
    ("proposer", "counters", "first"),
    [(2, (0, 1), 0), (2, (1, 3), 3), (0, (1, 3), 1), (3, (1, 2), 1), (1, (0, 3), 3)],
)
def test_the_first_counter_in_rotation_after_the_proposer_is_the_next_proposal(
    proposer, counters, first
):
    talks = proposed(4, proposer=proposer)
    offers = {i: Contract([Wage(payer="all", payee="all", per="x", rate=i)]) for i in counters}
    said = {f"agent_{i}": propose(offers[i]) for i in counters}
    after = advance(talks, answers(talks, **said))
    assert (after.stage, after.proposer, after.proposal) == (Stage.RESPOND, first, offers[first])


def test_the_former_proposer_is_asked_about_a_counter_and_can_ratify_it():
    talks = proposed(2)
    talks = advance(talks, [PASS, propose(B)])
    outcome = advance(talks, [ACCEPT, PASS])
    assert outcome.contract == B
    assert [r.proposer for r in outcome.rounds] == [0, 1]


def test_after_a_rejected_counter_the_rotation_goes_on_from_its_author():
    talks = proposed(4)
    talks = advance(talks, answers(talks, agent_2=propose(B)))
    talks = advance(talks, answers(talks, agent_0=REJECT))
    assert (talks.proposer, talks.proposal) == (3, None)


def test_a_proposer_that_does_not_propose_loses_the_round():
    for silent in (PASS, NOTHING):
        talks = advance(Talks(3, 2, 3), [PASS, PASS, silent])
        assert (talks.proposer, talks.round_number, talks.proposal) == (0, 2, None)


def test_only_the_proposer_can_propose_before_there_is_a_proposal():
    talks = advance(Talks(3, 0, 3), [PASS, propose(B), ACCEPT])
    assert (talks.proposal, talks.proposer) == (None, 1)
    talks = advance(Talks(3, 0, 3), [propose(A), propose(B), propose(C)])
    assert (talks.proposal, talks.proposer) == (A, 0)


def test_a_proposer_cannot_answer_itself():
    for answer in (ACCEPT, REJECT, propose(C)):
        talks = proposed(2)
        assert advance(talks, [answer, ACCEPT]).contract == A
        assert advance(talks, [answer, REJECT]).proposal is None


@pytest.mark.parametrize("max_rounds", [1, 2, 5])
def test_talks_have_failed_after_the_rounds_allowed(max_rounds):
    talks, rounds = proposed(2, max_rounds=max_rounds), 0
    while isinstance(talks, Talks):
        if talks.stage is Stage.PROPOSE:
            moves = [propose(A) if i == talks.proposer else PASS for i in range(2)]
        else:
            moves = answers(talks, **{f"agent_{1 - talks.proposer}": REJECT})
            rounds += 1
        talks = advance(talks, moves)
    assert (talks.contract, talks.is_ratified) == (None, False)
    assert rounds == len(talks.rounds) == max_rounds


def test_a_counter_in_the_last_round_comes_too_late():
    talks = proposed(2, max_rounds=1)
    outcome = advance(talks, [PASS, propose(B)])
    assert outcome.contract is None
    assert outcome.rounds[0].answers[1] == propose(B)


def test_the_last_round_can_still_ratify():
    talks = advance(proposed(2, max_rounds=2), [PASS, propose(B)])
    assert advance(talks, [ACCEPT, PASS]).contract == B


moves = st.sampled_from([PASS, ACCEPT, REJECT, NOTHING, *map(propose, (A, B, C))])


@st.composite
def dialogues(draw):
    """Every state that talks pass through when anybody says anything, with what was said."""
    num_agents = draw(st.integers(2, 5))
    talks = Talks(num_agents, draw(st.integers(0, num_agents - 1)), draw(st.integers(1, 4)))
    passed = []
    while isinstance(talks, Talks):
        said = draw(st.lists(moves, min_size=num_agents, max_size=num_agents))
        passed.append((talks, said))
        talks = advance(talks, said)
    return passed, talks


@given(dialogues())
def test_talks_end_within_two_steps_a_round_and_their_record_is_complete(dialogue):
    passed, outcome = dialogue
    max_rounds = passed[0][0].max_rounds
    assert len(passed) <= 2 * max_rounds
    assert 1 <= len(outcome.rounds) <= max_rounds
    assert outcome.is_ratified or len(outcome.rounds) == max_rounds


@given(dialogues())
def test_a_contract_is_ratified_exactly_if_every_other_agent_said_accept_to_it(dialogue):
    passed, outcome = dialogue
    for talks, said in passed:
        others = [move for i, move in enumerate(said) if i != talks.proposer]
        unanimous = talks.stage is Stage.RESPOND and all(m.speech is Speech.ACCEPT for m in others)
        is_end = talks is passed[-1][0]
        assert unanimous == (is_end and outcome.is_ratified)
        if unanimous:
            assert outcome.contract == talks.proposal


@given(dialogues())
def test_every_proposal_on_the_table_was_said_by_its_proposer(dialogue):
    passed, _ = dialogue
    for (before, said), (after, _) in pairwise(passed):
        if after.proposal is not None:
            assert said[after.proposer] == propose(after.proposal)
            assert can_say(before, after.proposer, Speech.PROPOSE)


@given(dialogues(), st.sampled_from([Speech.ACCEPT, Speech.REJECT, Speech.PROPOSE]))
def test_in_every_state_of_talks_somebody_can_say_something_that_counts(dialogue, speech):
    for talks, _ in dialogue[0]:
        able = [i for i in range(talks.num_agents) if can_say(talks, i, speech)]
        others = [i for i in range(talks.num_agents) if i != talks.proposer]
        if talks.stage is Stage.RESPOND:
            assert able == others
        else:
            assert able == ([talks.proposer] if speech is Speech.PROPOSE else [])
