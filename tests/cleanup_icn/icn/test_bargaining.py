"""Talks between two who know all payoffs: the equilibrium of the protocol as it is."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleanup_icn.icn import talk_rules
from cleanup_icn.icn.bargaining import Said, Stakes, bargain, offers
from cleanup_icn.icn.protocol import Speech

PIE = np.array([[3.0, 1.0], [2.0, 2.0], [1.0, 3.0]])
NOTHING = np.zeros(2)
ACCEPT, REJECT, PASS = Said(Speech.ACCEPT), Said(Speech.REJECT), Said(Speech.PASS)
CODES = {
    Speech.PASS: talk_rules.PASS,
    Speech.PROPOSE: talk_rules.PROPOSE,
    Speech.ACCEPT: talk_rules.ACCEPT,
    Speech.REJECT: talk_rules.REJECT,
}


def propose(menu_index):
    return Said(Speech.PROPOSE, menu_index)


class Tree:
    """The whole game tree of talks; a node is (proposer, rounds completed, proposal or None)."""

    def __init__(self, payoffs, disagreement, max_rounds):
        self.payoffs, self.disagreement = payoffs, disagreement
        self.max_rounds = max_rounds

    def nodes(self):
        for rounds in range(self.max_rounds):
            for proposer in (0, 1):
                for proposal in (None, *range(len(self.payoffs))):
                    yield proposer, rounds, proposal

    def mover(self, node):
        proposer, _, proposal = node
        return proposer if proposal is None else 1 - proposer

    def choices(self, node):
        named = [propose(k) for k in range(len(self.payoffs))]
        return [PASS, *named] if node[2] is None else [PASS, ACCEPT, REJECT, *named]

    def equilibrium(self, node):
        _, rounds, proposal = node
        proposed = None if proposal is None else self.payoffs[proposal]
        stakes = Stakes(self.payoffs, self.disagreement, proposed)
        return bargain(stakes, agent=self.mover(node), rounds_left=self.max_rounds - rounds)

    def after(self, node, said):
        """What it is worth to say this here and to play the equilibrium from then on, (2,)."""
        proposer, rounds, proposal = node
        speeches = [talk_rules.PASS, talk_rules.PASS]
        speeches[self.mover(node)] = CODES[said.speech]
        turn = talk_rules.follow(speeches, proposer, proposal is not None, rounds, self.max_rounds)
        if turn.result == talk_rules.RATIFIED:
            return self.payoffs[proposal]
        if turn.result == talk_rules.FAILED:
            return self.disagreement
        to_vote = said.menu_index if turn.result == talk_rules.TO_VOTE else None
        return self.value((turn.proposer, turn.rounds, to_vote))

    def value(self, node):
        return self.after(node, self.equilibrium(node))


@st.composite
def trees(draw):
    """Talks about up to four contracts, with many ties."""
    amount = st.integers(-2, 3).map(float)
    pair = st.tuples(amount, amount)
    payoffs = np.array(draw(st.lists(pair, max_size=4)), float).reshape(-1, 2)
    return Tree(payoffs, np.array(draw(pair)), draw(st.integers(1, 4)))


@given(trees())
def test_nobody_gains_by_saying_anything_else_anywhere_in_the_tree(tree):
    for node in tree.nodes():
        mover, value = tree.mover(node), tree.value(node)
        assert all(tree.after(node, said)[mover] <= value[mover] for said in tree.choices(node))


@given(trees())
def test_offers_say_what_the_talks_are_worth_from_every_round_on(tree):
    for proposer in (0, 1):
        told = offers(
            Stakes(tree.payoffs, tree.disagreement), proposer=proposer, rounds_left=tree.max_rounds
        )
        for rounds, offer in enumerate(told):
            node = ((proposer + rounds) % 2, rounds, None)
            np.testing.assert_array_equal(offer.value, tree.value(node))
            assert tree.equilibrium(node).menu_index == offer.menu_index


@given(trees())
def test_what_is_proposed_is_accepted_and_nobody_falls_below_disagreement(tree):
    for proposer in (0, 1):
        said = tree.equilibrium((proposer, 0, None))
        if said.speech is Speech.PROPOSE:
            assert tree.equilibrium((proposer, 0, said.menu_index)) == ACCEPT
        assert (tree.value((proposer, 0, None)) >= tree.disagreement).all()


@pytest.mark.parametrize(("rounds", "number"), [(1, 0), (2, 2), (3, 0), (4, 2)])
def test_who_makes_the_last_offer_takes_the_most(rounds, number):
    stakes = Stakes(PIE, NOTHING)
    assert bargain(stakes, agent=0, rounds_left=rounds) == propose(number)
    told = offers(stakes, proposer=0, rounds_left=rounds)
    assert [offer.menu_index for offer in told] == [number] * rounds


def test_an_outside_option_keeps_the_last_offer_modest():
    stakes = Stakes(PIE, np.array([0.0, 1.5]))
    assert bargain(stakes, agent=0, rounds_left=3) == propose(1)


def test_what_is_worth_as_much_as_going_on_is_accepted():
    stakes = Stakes(PIE, NOTHING, proposed=np.array([9.0, 0.0]))
    assert bargain(stakes, agent=1, rounds_left=1) == ACCEPT
    assert bargain(stakes._replace(proposed=PIE[0]), agent=1, rounds_left=3) == ACCEPT


def test_too_little_is_countered_and_in_the_last_round_rejected():
    stakes = Stakes(PIE, NOTHING, proposed=PIE[1])
    assert bargain(stakes, agent=1, rounds_left=2) == propose(2)
    worse_than_nothing = stakes._replace(proposed=np.array([4.0, -1.0]))
    assert bargain(worse_than_nothing, agent=1, rounds_left=1) == REJECT
    assert bargain(worse_than_nothing, agent=1, rounds_left=3) == propose(0)


def test_of_equals_the_other_is_given_more_and_then_the_first_is_taken():
    payoffs = np.array([[2.0, 0.0], [2.0, 1.0], [2.0, 1.0], [1.0, 5.0]])
    assert bargain(Stakes(payoffs, NOTHING), agent=0, rounds_left=1) == propose(1)
    nearly = payoffs + np.array([[1e-12, 0.0], [0.0, -1e-12], [0.0, 0.0], [0.0, 0.0]])
    assert bargain(Stakes(nearly, NOTHING), agent=0, rounds_left=1) == propose(1)


def test_an_agreement_worth_no_more_than_none_is_made_at_once():
    stakes = Stakes(np.zeros((1, 2)), NOTHING)
    assert [offer.menu_index for offer in offers(stakes, proposer=1, rounds_left=3)] == [0, 0, 0]


def test_where_nothing_suits_both_the_proposer_passes():
    for payoffs in (np.array([[-1.0, 5.0]]), np.array([[5.0, -1.0]]), np.zeros((0, 2))):
        stakes = Stakes(payoffs, NOTHING)
        assert bargain(stakes, agent=0, rounds_left=3) == PASS
        told = offers(stakes, proposer=0, rounds_left=2)
        assert all(offer.menu_index is None for offer in told)
        assert all((offer.value == 0.0).all() for offer in told)


def test_what_nobody_can_value_is_neither_proposed_nor_accepted():
    payoffs = np.array([[-np.inf, -np.inf], [1.0, 1.0]])
    stakes = Stakes(payoffs, NOTHING)
    assert bargain(stakes, agent=0, rounds_left=1) == propose(1)
    assert bargain(stakes._replace(proposed=payoffs[0]), agent=1, rounds_left=1) == REJECT


def test_every_further_round_hands_the_power_to_the_other():
    values = [
        offers(Stakes(PIE, NOTHING), proposer=0, rounds_left=rounds)[0].value[0]
        for rounds in range(1, 7)
    ]
    assert all(one + other == 4.0 for one, other in pairwise(values))
    assert values[0] > values[1]
