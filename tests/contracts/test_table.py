"""Contracts as arrays: what kernels read says what contracts move."""

from __future__ import annotations

import numpy as np
import pytest
from contract_worlds import AGENTS, FEATURES, PUBLIC, contracts
from hypothesis import given
from hypothesis import strategies as st

from cleanup_icn.contracts import (
    Condition,
    Contract,
    ContractEncoder,
    ContractError,
    Duration,
    LumpSum,
    NaturalLanguageContract,
    Quota,
    Share,
    Wage,
    transfers,
)
from cleanup_icn.contracts.clauses import OPERATORS
from cleanup_icn.contracts.table import NEVER, NO_CONDITION, NO_QUOTA, ContractTable

QUANTITIES = (*PUBLIC, *FEATURES)
ENCODER = ContractEncoder(agents=AGENTS, feature_names=FEATURES, public_names=QUANTITIES)

values = st.lists(
    st.lists(st.decimals(0, 100, places=3).map(float), min_size=3, max_size=3),
    min_size=3,
    max_size=3,
).map(np.array)


def table_of(*given_contracts, agents=AGENTS, encoder=ENCODER):
    return ContractTable.of(
        given_contracts,
        agents=agents,
        feature_names=FEATURES,
        public_names=QUANTITIES,
        encoder=encoder,
    )


def holds(terms, place, public):
    index = terms.public[place]
    if index == NO_CONDITION:
        return True
    name, sign = QUANTITIES[index], OPERATORS[terms.operator[place]]
    return Condition(name, sign, terms.value[place]).holds(public)


def gains(terms, k, features, public):
    """What each agent gains in the first booking, worked out from the arrays alone."""
    total = terms.lump_sums[k].copy()
    for c in range(terms.num_clauses[k]):
        if holds(terms, (k, c), public):
            values, quota = features[:, terms.feature[k, c]], terms.quota[k, c]
            due = terms.price[k, c] * (values if quota == NO_QUOTA else values < quota)
            moved = (due * terms.moved[k, c]).sum()
            part = min(1.0, terms.cap[k, c] / moved) if moved else 1.0
            total += part * (due @ terms.parts[k, c])
    return total


@given(st.lists(contracts(), min_size=1, max_size=3), values, st.integers(-50, 50))
def test_the_arrays_move_what_the_contracts_move(given_contracts, features, pollution):
    table = table_of(*given_contracts)
    public = {"pollution": float(pollution)}
    listed = {
        agent: dict(zip(FEATURES, row, strict=True))
        for agent, row in zip(AGENTS, features.tolist(), strict=True)
    }
    for k, contract in enumerate(table.contracts):
        expected = list(transfers(contract, listed, public).values())
        assert gains(table.terms, k, features, public) == pytest.approx(expected, abs=1e-9)


@given(contracts())
def test_what_anybody_gains_somebody_pays(contract):
    terms = table_of(contract).terms
    assert terms.parts.sum(axis=-1) == pytest.approx(0.0, abs=1e-15)
    assert terms.lump_sums.sum(axis=-1) == pytest.approx(0.0, abs=1e-9)


@given(contracts())
def test_every_agent_has_its_own_row(contract):
    table = table_of(contract)
    assert table.rows.dtype == np.float32
    for k, each in enumerate(table.contracts):
        for i, agent in enumerate(AGENTS):
            assert np.array_equal(table.rows[k, i], ENCODER.encode(each, agent))


def test_the_null_contract_can_always_be_looked_up():
    gift = Contract([LumpSum(payer="agent_0", payee="agent_1", amount=1)])
    short = Contract(duration=Duration("step", 2))
    added, among = table_of(gift, short), table_of(gift, Contract(), gift)
    assert (added.null_index, added.num_given, len(added.contracts)) == (2, 2, 3)
    assert (among.null_index, among.num_given, len(among.contracts)) == (1, 3, 3)
    assert added.contracts[2] == among.contracts[1] == Contract()


def test_a_third_of_a_unit_is_a_third_of_a_unit():
    agents = tuple(f"agent_{i}" for i in range(4))
    encoder = ContractEncoder(agents=agents, feature_names=FEATURES, public_names=QUANTITIES)
    share = Share(payer="agent_3", payee="others", of="harvested", fraction=1)
    terms = table_of(Contract([share]), agents=agents, encoder=encoder).terms
    assert terms.parts[0, 0, 3].tolist() == [1 / 3, 1 / 3, 1 / 3, -1.0]
    assert terms.moved[0, 0].tolist() == [0, 0, 0, 1]


def test_what_an_agent_pays_itself_is_not_moved():
    wage = Wage(payer="all", payee="all", per="cleaned", rate=2)
    terms = table_of(Contract([wage])).terms
    assert terms.moved[0, 0] == pytest.approx([2 / 3] * 3)
    assert terms.price[0, 0] == 2


def test_a_quota_is_laid_out_beside_its_price_and_other_clauses_have_none():
    quota = Quota(payer="all", payee="others", per="cleaned", at_least=1.5, amount=2)
    wage = Wage(payer="others", payee="all", per="cleaned", rate=3)
    terms = table_of(Contract([quota, wage])).terms
    assert terms.price[0].tolist() == [2, 3]
    assert terms.quota[0].tolist() == [1.5, NO_QUOTA]
    assert terms.parts[0, 0, 0].tolist() == [-1, 0.5, 0.5]


def test_durations_are_steps_and_flags():
    wage = Wage(payer="others", payee="all", per="cleaned", rate=1)
    durations = (Duration(), Duration("step", 7), Duration("change"), Duration("step", 10**30))
    terms = table_of(*(Contract([wage], each) for each in durations)).terms
    assert terms.end_step.tolist() == [NEVER, 7, NEVER, NEVER, NEVER]
    assert terms.until_change.tolist() == [False, False, True, False, False]


def test_the_arrays_cannot_be_written_to():
    table = table_of(Contract())
    for array in (*table.terms, table.rows):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0


def lump_sum(**values):
    return Contract([LumpSum(**{"payer": "agent_0", "payee": "agent_1", "amount": 1, **values})])


def wage(**values):
    terms = {"payer": "agent_0", "payee": "agent_1", "per": "cleaned", "rate": 1.0, **values}
    return Contract([Wage(**terms)])


def quota(**values):
    terms = {"payer": "all", "payee": "others", "per": "cleaned", "at_least": 1, "amount": 1}
    return Contract([Quota(**{**terms, **values})])


@pytest.mark.parametrize(
    ("given_contracts", "message"),
    [
        ((), r"contracts = \(\): expected a list of at least one contract"),
        ((Contract(), NaturalLanguageContract("be nice")), r"contracts\[1\] = .*made of clauses"),
        (("wage",), r"contracts\[0\] = 'wage'"),
        ((lump_sum(payee="agent_10"),), r"contracts\[0\]\.agents = 'agent_10': .*agent_0, agent_1"),
        ((wage(per="sung"),), r"contracts\[0\]\.features = 'sung'"),
        ((wage(when=Condition("weather", ">", 1)),), r"contracts\[0\]\.public = 'weather'"),
        (
            (wage(rate=1e13),),
            r"contracts\[0\]\.clauses\[0\]\.rate = 10000000000000.0: .*at most 1e\+12",
        ),
        ((lump_sum(amount=1e13),), r"contracts\[0\]\.clauses\[0\]\.amount"),
        ((quota(amount=1e13),), r"contracts\[0\]\.clauses\[0\]\.amount"),
        ((quota(per="sung"),), r"contracts\[0\]\.features = 'sung'"),
        ((Contract([*wage().clauses] * 5),), r"contracts\[0\]\.clauses = 5: .*at most 4"),
    ],
)
def test_a_contract_that_cannot_be_laid_out_is_named(given_contracts, message):
    with pytest.raises(ContractError, match=message):
        table_of(*given_contracts)


def test_an_encoder_may_know_more_than_the_game_but_the_game_decides():
    encoder = ContractEncoder(
        agents=("agent_9", *AGENTS), feature_names=("sung", *FEATURES), public_names=QUANTITIES
    )
    table = table_of(wage(), encoder=encoder)
    assert table.terms.feature[0, 0] == FEATURES.index("cleaned")
    with pytest.raises(ContractError, match="sung"):
        table_of(wage(per="sung"), encoder=encoder)
