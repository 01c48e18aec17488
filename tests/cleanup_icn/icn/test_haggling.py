"""Talks of those who concede round by round and follow precedent."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleanup_icn.icn.bargaining import Stakes
from cleanup_icn.icn.haggling import Precedent, aspiration, haggle
from cleanup_icn.icn.protocol import Speech

PIE = np.array([[4.0, 0.0], [3.0, 1.0], [2.0, 2.0], [1.0, 3.0], [0.0, 4.0]])
STAKES = Stakes(PIE, np.zeros(2))
NO_PRECEDENT = Precedent()


def say(stakes, agent, round_number, *, max_rounds=3, precedent=NO_PRECEDENT):
    said = haggle(
        stakes,
        agent=agent,
        round_number=round_number,
        max_rounds=max_rounds,
        precedent=precedent,
    )
    return said.menu_index if said.speech is Speech.PROPOSE else said.speech


def talk(stakes, *, first, max_rounds, precedent=None):
    """Return the rounds that two hagglers take and what they agree on, None for nothing."""
    proposer, on_the_table = first, None
    for now in range(1, max_rounds + 1):
        known = Precedent(precedent)
        if on_the_table is None:
            on_the_table = say(stakes, proposer, now, max_rounds=max_rounds, precedent=known)
            on_the_table = None if on_the_table is Speech.PASS else on_the_table
        said = None
        if on_the_table is not None:
            asked = stakes._replace(proposed=stakes.payoffs[on_the_table])
            known = Precedent(precedent, is_proposed=on_the_table == precedent)
            said = say(asked, 1 - proposer, now, max_rounds=max_rounds, precedent=known)
            if said is Speech.ACCEPT:
                return now, on_the_table
        proposer, on_the_table = 1 - proposer, said if isinstance(said, int) else None
    return max_rounds, None


@pytest.mark.parametrize(("round_number", "held_out"), [(1, 4.0), (2, 2.0), (3, 0.0)])
def test_aspirations_fall_from_the_best_to_disagreement(round_number, held_out):
    for agent in (0, 1):
        assert held_out == aspiration(STAKES, agent=agent, round_number=round_number, max_rounds=3)


def test_the_only_round_is_the_last():
    assert aspiration(STAKES, agent=0, round_number=1, max_rounds=1) == 0.0


def test_of_what_is_enough_the_one_best_for_the_other_is_proposed():
    assert [say(STAKES, 0, now) for now in (1, 2, 3)] == [0, 2, 4]
    wasteful = STAKES._replace(payoffs=np.array([[2.0, 0.0], [3.0, 1.0], [5.0, 0.0], [3.0, 1.0]]))
    assert say(wasteful, 0, 2) == 1


def test_what_is_worth_the_aspiration_is_accepted_and_less_is_countered():
    asked = STAKES._replace(proposed=PIE[2])
    assert [say(asked, 1, now) for now in (1, 2, 3)] == [2, Speech.ACCEPT, Speech.ACCEPT]
    bad = STAKES._replace(proposed=np.array([5.0, -1.0]))
    assert [say(bad, 1, now) for now in (1, 2, 3)] == [2, 0, Speech.REJECT]


def test_a_precedent_is_proposed_first_and_accepted_at_once():
    assert [say(STAKES, 0, now, precedent=Precedent(3)) for now in (1, 2, 3)] == [3, 3, 4]
    asked = STAKES._replace(proposed=PIE[1])
    assert say(asked, 1, 1, precedent=Precedent(1, is_proposed=True)) is Speech.ACCEPT
    assert say(asked, 1, 1, precedent=Precedent(2)) == 2


def test_a_precedent_outside_the_menu_is_accepted_but_cannot_be_proposed():
    asked = STAKES._replace(proposed=np.array([0.5, 0.5]))
    assert say(asked, 1, 1, precedent=Precedent(None, is_proposed=True)) is Speech.ACCEPT
    assert say(STAKES, 0, 1, precedent=Precedent(None)) == 0


def test_a_precedent_worse_than_disagreement_is_forgotten():
    stakes = STAKES._replace(disagreement=np.array([1.5, 1.5]))
    assert say(stakes, 0, 1, precedent=Precedent(3)) == 0
    asked = stakes._replace(proposed=PIE[1])
    known = Precedent(1, is_proposed=True)
    assert [say(asked, 1, now, precedent=known) for now in (1, 3)] == [3, Speech.REJECT]


def test_without_anything_acceptable_an_agent_passes_or_rejects():
    poor = Stakes(np.array([[-1.0, -1.0]]), np.zeros(2))
    assert say(poor, 0, 1) is Speech.PASS
    assert say(poor._replace(proposed=poor.payoffs[0]), 1, 1) is Speech.REJECT
    assert say(Stakes(np.zeros((0, 2)), np.zeros(2)), 0, 1) is Speech.PASS


def test_what_nobody_can_value_is_neither_proposed_nor_accepted():
    payoffs = np.array([[-np.inf, -np.inf], [1.0, 1.0]])
    stakes = Stakes(payoffs, np.zeros(2))
    assert say(stakes, 0, 3, precedent=Precedent(0)) == 1
    asked = stakes._replace(proposed=payoffs[0])
    assert say(asked, 1, 3, precedent=Precedent(0, is_proposed=True)) is Speech.REJECT


def test_two_hagglers_meet_in_the_middle_and_with_a_precedent_at_once():
    assert talk(STAKES, first=0, max_rounds=3) == (2, 2)
    assert talk(STAKES, first=0, max_rounds=3, precedent=3) == (1, 3)


@st.composite
def talks(draw):
    pair = st.tuples(*[st.integers(-3, 3).map(float)] * 2)
    payoffs = np.array(draw(st.lists(pair, min_size=1, max_size=5)))
    return Stakes(payoffs, np.array(draw(pair))), draw(st.integers(0, 1)), draw(st.integers(1, 5))


@given(talks())
def test_agreement_comes_whenever_something_suits_both_and_suits_both(told):
    stakes, first, max_rounds = told
    suits = (stakes.payoffs >= stakes.disagreement).all(axis=1)
    _, agreed = talk(stakes, first=first, max_rounds=max_rounds)
    if agreed is None:
        assert not suits.any()
    else:
        assert suits[agreed]


@given(talks(), st.data())
def test_a_precedent_that_suits_both_is_ratified_in_the_first_round(told, data):
    stakes, first, max_rounds = told
    precedent = data.draw(st.integers(0, len(stakes.payoffs) - 1))
    if (stakes.payoffs[precedent] >= stakes.disagreement).all():
        found = talk(stakes, first=first, max_rounds=max_rounds, precedent=precedent)
        assert found == (1, precedent)
