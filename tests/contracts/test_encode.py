"""Contracts as vectors."""

from __future__ import annotations

import numpy as np
import pytest
from contract_worlds import AGENTS, FEATURES, PUBLIC, contracts
from hypothesis import given

from cleanup_icn.contracts import (
    Contract,
    ContractEncoder,
    ContractError,
    Duration,
    Fine,
    LumpSum,
    Quota,
    Wage,
)

ENCODER = ContractEncoder(
    agents=AGENTS, feature_names=FEATURES, public_names=(*PUBLIC, *FEATURES), horizon_steps=8
)


@given(contracts())
def test_every_vector_lies_in_its_space(contract):
    for agent in AGENTS:
        vector = ENCODER.encode(contract, agent)
        assert vector.dtype == np.float32
        assert ENCODER.space.contains(vector)


@given(contracts(), contracts())
def test_contracts_that_move_money_differently_for_someone_have_different_vectors(first, second):
    def seen(contract):
        return np.concatenate([ENCODER.encode(contract, agent) for agent in AGENTS])

    def terms(contract):
        sides = [
            (
                type(c),
                *(getattr(c, name, None) for name in ("feature", "price", "amount", "at_least")),
            )
            for c in contract.clauses
        ]
        return sides, contract.duration

    if terms(first) != terms(second):
        assert not np.array_equal(seen(first), seen(second))


def test_a_vector_is_as_long_for_any_contract():
    wage = Wage(payer="others", payee="agent_1", per="cleaned", rate=0.6)
    null, full = Contract(), Contract([wage] * 4, Duration("step", 4))
    assert len(ENCODER.encode(null, "agent_0")) == len(ENCODER.encode(full, "agent_0"))
    assert ENCODER.size == len(ENCODER.encode(null, "agent_0"))


def test_a_quota_stands_where_its_feature_is_named_and_has_no_type_of_its_own():
    encoder = ContractEncoder(agents=AGENTS, feature_names=FEATURES, max_clauses=1)
    quota = Quota(payer="agent_0", payee="others", per="cleaned", at_least=3, amount=2)
    fine = Fine(payer="agent_0", payee="others", per="cleaned", rate=2)
    of_quota, of_fine = (encoder.encode(Contract([c]), "agent_0") for c in (quota, fine))
    assert of_quota[:9].tolist() == [1, 0, 0, 0, 0, 0, 3, 0, 2]
    assert of_fine[:9].tolist() == [1, 0, 0, 1, 0, 0, 1, 0, 2]
    assert of_quota[9:].tolist() == of_fine[9:].tolist()


def test_vectors_are_as_long_as_before_there_were_quotas():
    encoder = ContractEncoder(agents=AGENTS, feature_names=FEATURES, public_names=PUBLIC)
    types, features, public, operators, others = 4, len(FEATURES), len(PUBLIC), 6, 8
    assert encoder.size == 4 * (types + features + public + operators + others) + 4


def test_a_vector_tells_an_agent_its_own_side():
    contract = Contract([LumpSum(payer="agent_0", payee="others", amount=2)])
    small = ContractEncoder(agents=AGENTS, feature_names=(), max_clauses=1)
    sides = {agent: tuple(small.encode(contract, agent)[-6:-4]) for agent in AGENTS}
    assert sides == {"agent_0": (1, 0), "agent_1": (0, 1), "agent_2": (0, 1)}


def test_an_agent_that_is_no_party_has_no_side():
    lump = LumpSum(payer="all", payee="all", amount=2)
    contract = Contract([lump], parties=["agent_0", "agent_1"])
    small = ContractEncoder(agents=AGENTS, feature_names=(), max_clauses=1)
    assert tuple(small.encode(contract, "agent_2")[-6:-4]) == (0, 0)
    assert tuple(small.encode(contract, "agent_1")[-6:-4]) == (1, 1)


def test_numbers_are_clipped_so_that_spaces_stay_finite():
    huge = Contract([LumpSum(payer="agent_0", payee="others", amount=1e12)])
    assert ENCODER.encode(huge, "agent_0").max() == 1e6


@pytest.mark.parametrize(
    ("contract", "message"),
    [
        (Contract([LumpSum(payer="all", payee="all", amount=1)] * 5), "clauses = 5: .*at most 4"),
        (Contract([LumpSum(payer="nobody", payee="all", amount=1)]), "agents = 'nobody'"),
        (Contract([Wage(payer="all", payee="all", per="sung", rate=1)]), "features = 'sung'"),
    ],
)
def test_what_does_not_fit_the_vocabulary_is_refused(contract, message):
    with pytest.raises(ContractError, match=message):
        ENCODER.encode(contract, "agent_0")


@pytest.mark.parametrize("wrong", [{"max_clauses": -1}, {"horizon_steps": 0}])
def test_an_encoder_that_cannot_be_is_refused(wrong):
    with pytest.raises(ContractError, match=next(iter(wrong))):
        ContractEncoder(agents=AGENTS, feature_names=FEATURES, **wrong)
