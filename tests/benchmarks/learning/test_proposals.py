"""Who accepts what, and which contract is in force in the end: solved exactly."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from benchmarks.learning.proposals import ContractValues, in_force
from cleanup_icn import ConfigError

NULL = 0


def table_of(values, null_index=NULL):
    values = np.asarray(values, float)
    names = tuple(f"wage {k}" for k in range(values.shape[1]))
    return ContractValues(contracts=names, null_index=null_index, values=values)


@st.composite
def tables(draw, num_agents=None):
    shape = (
        draw(st.integers(1, 3)),
        draw(st.integers(1, 5)),
        num_agents or draw(st.integers(2, 4)),
    )
    # Small integers: ties are common.
    values = draw(arrays(np.float64, shape, elements=st.integers(-2, 3)))
    return table_of(values, null_index=draw(st.integers(0, shape[1] - 1)))


def outcome(table, start, proposer, proposed, votes):
    everybody = all(votes[i] for i in range(table.num_agents) if i != proposer)
    return proposed if everybody else table.null_index


@given(tables())
def test_no_voter_gains_by_another_vote_whatever_is_proposed(table):
    for start, proposed in product(range(table.num_starts), range(len(table.contracts))):
        votes = table.accepted[start, proposed]
        for proposer, voter in product(range(table.num_agents), repeat=2):
            if voter == proposer:
                continue
            other = votes.copy()
            other[voter] = not votes[voter]
            kept = outcome(table, start, proposer, proposed, votes)
            left = outcome(table, start, proposer, proposed, other)
            assert table.values[start, kept, voter] >= table.values[start, left, voter]


@given(tables())
def test_no_proposer_gains_by_another_proposal(table):
    for proposer in range(table.num_agents):
        chosen = table.solve(proposer)
        for start, proposed in product(range(table.num_starts), range(len(table.contracts))):
            votes = table.accepted[start, proposed]
            could = outcome(table, start, proposer, proposed, votes)
            own = table.values[start, :, proposer]
            assert own[chosen[start]] >= own[could]
            assert table.passes(proposer)[start, chosen[start]]


@given(tables())
def test_nobody_is_worse_off_than_without_a_contract(table):
    null = table.values[:, table.null_index]
    starts = np.arange(table.num_starts)
    for proposer in range(table.num_agents):
        assert (table.values[starts, table.solve(proposer)] >= null).all()
    assert (table.values[starts, table.best_accepted()] >= null).all()


@given(tables())
def test_no_contract_that_all_accept_has_more_welfare_than_the_best_accepted(table):
    best = table.best_accepted()
    for start in range(table.num_starts):
        for k in range(len(table.contracts)):
            if table.accepted[start, k].all():
                assert table.welfare[start, k] <= table.welfare[start, best[start]]


def test_whoever_expects_the_same_accepts():
    table = table_of([[[1.0, 1.0], [3.0, 1.0], [3.0, 0.99]]])
    assert table.accepted[0, :, 1].tolist() == [True, True, False]
    assert table.solve(0).tolist() == [1]


def test_the_proposer_takes_the_most_for_itself_that_the_others_accept():
    #                 null        generous    greedy      too greedy
    table = table_of([[[1.0, 1.0], [2.0, 4.0], [4.0, 2.0], [6.0, 0.0]]])
    assert table.solve(0).tolist() == [2]
    assert table.solve(1).tolist() == [1]


def test_ties_go_to_the_larger_welfare_then_to_the_null_contract():
    by_welfare = table_of([[[1.0, 1.0], [2.0, 1.0], [2.0, 5.0]]])
    assert by_welfare.solve(0).tolist() == [2]
    all_alike = table_of([[[1.0, 1.0], [1.0, 1.0], [1.0, 1.0]]], null_index=1)
    assert all_alike.solve(0).tolist() == [1]
    assert all_alike.best_accepted().tolist() == [1]


@pytest.mark.parametrize("refuses", [1, 2, 3])
def test_of_four_agents_any_single_other_blocks(refuses):
    values = np.ones((1, 2, 4))
    values[0, 1] = 10.0
    values[0, 1, refuses] = 0.5
    table = table_of(values)
    assert not table.passes(0)[0, 1]
    assert table.solve(0).tolist() == [NULL]
    assert table.solve(refuses).tolist() == [NULL]  # it may propose, but would lose by it
    votes = np.ones((1, 4), bool)
    votes[0, refuses] = False
    assert in_force([1], votes, [0], null_index=NULL).tolist() == [NULL]


def test_what_the_proposer_votes_does_not_count():
    votes = [[False, True, True, True]]
    assert in_force([1], votes, [0], null_index=NULL).tolist() == [1]
    assert in_force([1], votes, [2], null_index=NULL).tolist() == [NULL]


@given(st.integers(2, 12), st.data())
def test_a_proposal_is_in_force_exactly_if_all_others_accept(num_agents, data):
    votes = data.draw(arrays(np.bool_, (num_agents,)))
    proposer = data.draw(st.integers(0, num_agents - 1))
    others = [votes[i] for i in range(num_agents) if i != proposer]
    (found,) = in_force([3], votes[None], [proposer], null_index=NULL)
    assert found == (3 if all(others) else NULL)


def test_every_start_may_have_its_own_proposer():
    values = [[[1.0, 1.0], [4.0, 2.0], [2.0, 4.0]]] * 2
    assert table_of(values).solve([0, 1]).tolist() == [1, 2]


def test_a_table_keeps_its_numbers():
    values = np.zeros((1, 2, 2))
    table = table_of(values)
    values[:] = 7.0
    assert not table.values.any()
    with pytest.raises(ValueError, match="read-only"):
        table.values[0, 0, 0] = 1.0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"values": np.zeros((1, 3, 2))}, r"values shape = \(1, 3, 2\): expected .*2 contracts"),
        ({"values": np.zeros((1, 2, 1))}, "at least 2 agents"),
        ({"values": np.full((1, 2, 2), np.nan)}, "values = 'not finite'"),
        ({"null_index": 2}, "null_index = 2: expected an integer from 0 to 1"),
        ({"null_index": -1}, "null_index = -1"),
    ],
)
def test_a_table_that_does_not_fit_is_refused(change, message):
    fields = {"contracts": ("none", "wage"), "null_index": 0, "values": np.zeros((1, 2, 2))}
    with pytest.raises(ConfigError, match=message):
        ContractValues(**{**fields, **change})


@pytest.mark.parametrize("proposer", [-1, 2])
def test_a_proposer_that_does_not_exist_is_refused(proposer):
    with pytest.raises(ConfigError, match=r"proposers = .*: expected integers from 0 to 1"):
        table_of(np.zeros((1, 2, 2))).solve(proposer)
