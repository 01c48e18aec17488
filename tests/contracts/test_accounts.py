"""Accounts over many steps: what accrues, what settles, what a debtor cannot pay."""

from __future__ import annotations

import pytest
from contract_worlds import AGENTS, contracts, feature_tables, signed
from hypothesis import given, settings
from hypothesis import strategies as st

from cleanup_icn.contracts import Accounts, Contract, ContractError, LumpSum, Wage, transfers

WAGE = Contract([Wage(payer="others", payee="agent_1", per="cleaned", rate=1)])
NO_REWARDS = dict.fromkeys(AGENTS, 0.0)
steps = st.lists(
    st.tuples(feature_tables(), st.dictionaries(st.sampled_from(AGENTS), signed)), max_size=6
)


def opened(contract, **options):
    accounts = Accounts(AGENTS, **options)
    accounts.sign(contract)
    return accounts


def cleaned(units, agents=AGENTS):
    return {agent: {"cleaned": units if agent == "agent_1" else 0.0} for agent in agents}


def test_what_accrues_stays_open_until_it_is_settled():
    accounts = opened(WAGE)
    assert accounts.book(cleaned(2), game_rewards=NO_REWARDS)["agent_1"] == 2.0
    accounts.book(cleaned(4), game_rewards=NO_REWARDS)
    assert accounts.balances == {"agent_0": -3.0, "agent_1": 6.0, "agent_2": -3.0}
    assert accounts.total_transfers == dict.fromkeys(AGENTS, 0.0)

    assert accounts.settle().transfers == {"agent_0": -3.0, "agent_1": 6.0, "agent_2": -3.0}
    assert accounts.balances == dict.fromkeys(AGENTS, 0.0)
    assert accounts.total_transfers == {"agent_0": -3.0, "agent_1": 6.0, "agent_2": -3.0}
    assert accounts.settle().transfers == dict.fromkeys(AGENTS, 0.0)


def test_a_lump_sum_is_due_once():
    accounts = opened(Contract([LumpSum(payer="agent_0", payee="agent_1", amount=5)]))
    first = accounts.book(cleaned(0), game_rewards=NO_REWARDS)
    second = accounts.book(cleaned(0), game_rewards=NO_REWARDS)
    assert (first["agent_1"], second["agent_1"]) == (5.0, 0.0)


def test_a_cap_holds_over_the_life_of_the_contract_and_a_new_contract_has_a_fresh_one():
    capped = Contract([Wage(payer="agent_0", payee="agent_1", per="cleaned", rate=1, cap=5)])
    accounts = opened(capped)
    paid = [accounts.book(cleaned(2), game_rewards=NO_REWARDS)["agent_1"] for _ in range(4)]
    assert paid == [2.0, 2.0, 1.0, 0.0]
    back = accounts.book(cleaned(-20), game_rewards=NO_REWARDS)["agent_1"]
    assert back == -10.0
    accounts.sign(capped)
    assert accounts.book(cleaned(9), game_rewards=NO_REWARDS)["agent_1"] == 5.0


def test_what_accrued_under_a_replaced_contract_stays_due():
    accounts = opened(WAGE)
    accounts.book(cleaned(2), game_rewards=NO_REWARDS)
    accounts.sign(Contract())
    accounts.book(cleaned(2), game_rewards=NO_REWARDS)
    assert accounts.contract.is_null
    assert accounts.settle().transfers["agent_1"] == 2.0


def test_a_debtor_pays_no_more_than_it_has_and_the_shortfall_is_shared_and_recorded():
    contract = Contract(
        [
            LumpSum(payer="agent_0", payee="agent_1", amount=9),
            LumpSum(payer="agent_0", payee="agent_2", amount=3),
        ]
    )
    accounts = opened(contract, limited_liability=True)
    accounts.book(cleaned(0), game_rewards={"agent_0": 4.0, "agent_1": 0.0, "agent_2": 0.0})
    settlement = accounts.settle()
    assert settlement.transfers == {"agent_0": -4.0, "agent_1": 3.0, "agent_2": 1.0}
    assert settlement.unpaid == {"agent_0": 8.0, "agent_1": 0.0, "agent_2": 0.0}
    assert settlement.unreceived == {"agent_0": 0.0, "agent_1": 6.0, "agent_2": 2.0}
    accounts.book(cleaned(0), game_rewards={"agent_0": 100.0})
    assert accounts.settle().transfers["agent_0"] == 0.0, "what could not be paid is forgiven"


def test_what_was_received_can_be_paid_and_what_was_paid_cannot_be_paid_again():
    accounts = opened(WAGE, limited_liability=True)
    accounts.book(cleaned(4), game_rewards={"agent_0": 2.0, "agent_2": 5.0})
    assert accounts.settle().transfers == {"agent_0": -2.0, "agent_1": 4.0, "agent_2": -2.0}
    accounts.book(cleaned(-8), game_rewards={})
    assert accounts.settle().transfers == {"agent_0": 2.0, "agent_1": -4.0, "agent_2": 2.0}


def test_an_agent_in_the_red_pays_nothing_under_limited_liability():
    accounts = opened(WAGE, limited_liability=True)
    accounts.book(cleaned(4), game_rewards={"agent_0": -3.0, "agent_2": 5.0})
    settlement = accounts.settle()
    assert settlement.transfers == {"agent_0": 0.0, "agent_1": 2.0, "agent_2": -2.0}


def test_absent_agents_are_not_booked_but_keep_their_balance():
    accounts = opened(WAGE)
    accounts.book(cleaned(2), game_rewards=NO_REWARDS)
    accounts.book(cleaned(2, agents=("agent_1", "agent_2")), game_rewards=NO_REWARDS)
    assert accounts.balances == {"agent_0": -1.0, "agent_1": 4.0, "agent_2": -3.0}


def test_strangers_are_refused():
    accounts = Accounts(AGENTS)
    with pytest.raises(ContractError, match="'nobody': expected agents among agent_0"):
        accounts.sign(Contract([LumpSum(payer="nobody", payee="all", amount=1)]))
    with pytest.raises(ContractError, match="'nobody'"):
        accounts.book({"nobody": {}}, game_rewards={})
    with pytest.raises(ContractError, match="each agent once"):
        Accounts(["a", "a"])


@given(contracts(), steps, st.booleans())
def test_every_booking_and_every_settlement_sums_to_zero(contract, played, limited):
    accounts = opened(contract, limited_liability=limited)
    for features, rewards in played:
        accrued = accounts.book(features, game_rewards=rewards, public={"pollution": 3})
        assert sum(accrued.values()) == pytest.approx(0.0, abs=1e-9)
        assert sum(accounts.balances.values()) == pytest.approx(0.0, abs=1e-9)
        if len(features) == 2:
            settlement = accounts.settle()
            assert sum(settlement.transfers.values()) == pytest.approx(0.0, abs=1e-9)
            lost = sum(settlement.unpaid.values())
            assert lost == pytest.approx(sum(settlement.unreceived.values()), abs=1e-9)


@given(contracts(), steps)
def test_settling_every_step_comes_to_the_same_as_settling_at_the_end(contract, played):
    often, once = opened(contract), opened(contract)
    for features, rewards in played:
        for accounts in (often, once):
            accounts.book(features, game_rewards=rewards)
        often.settle()
    once.settle()
    assert often.total_transfers == pytest.approx(once.total_transfers, abs=1e-9)


@given(contracts(caps=False), steps)
def test_uncapped_unit_clauses_book_what_transfers_says(contract, played):
    recurring = Contract(
        [clause for clause in contract.clauses if not isinstance(clause, LumpSum)],
        contract.duration,
        contract.parties,
    )
    accounts = opened(recurring)
    for features, rewards in played:
        assert accounts.book(features, game_rewards=rewards) == transfers(recurring, features)


@settings(max_examples=200)
@given(contracts(), steps)
def test_under_limited_liability_nobody_pays_more_than_it_has(contract, played):
    accounts = opened(contract, limited_liability=True)
    has = dict.fromkeys(AGENTS, 0.0)
    for features, rewards in played:
        accounts.book(features, game_rewards=rewards)
        has = {agent: has[agent] + rewards.get(agent, 0.0) for agent in AGENTS}
        due = accounts.balances
        settlement = accounts.settle()
        fractions = set()
        for agent in AGENTS:
            paid = -settlement.transfers[agent]
            assert paid <= max(0.0, has[agent]) + 1e-9
            assert settlement.unpaid[agent] == pytest.approx(
                max(0.0, -due[agent] - max(0.0, has[agent])), abs=1e-9
            )
            if due[agent] > 1e-3:
                fractions.add(round(settlement.unreceived[agent] / due[agent], 6))
            has[agent] -= paid
        assert max(fractions, default=0) - min(fractions, default=0) <= 2e-6


@given(contracts(), steps)
def test_a_cap_is_never_passed(contract, played):
    capped = [c for c in contract.clauses if getattr(c, "cap", None) is not None]
    for clause in capped:
        accounts = opened(Contract([clause], parties=contract.parties))
        for features, rewards in played:
            accounts.book(features, game_rewards=rewards, public={"pollution": 1})
            owed = sum(amount for amount in accounts.balances.values() if amount > 0)
            if clause.payer in AGENTS and clause.payee in AGENTS:
                assert owed <= clause.cap + 1e-9
