"""Contracts as English: one sentence for each, and back."""

from __future__ import annotations

import pytest
from contract_worlds import any_contracts
from hypothesis import given
from hypothesis import strategies as st

from cleanup_icn.contracts import (
    Condition,
    Contract,
    ContractError,
    Duration,
    Fine,
    LumpSum,
    Quota,
    Share,
    Wage,
    contract_line,
)

FOUR_CLAUSES = (
    Share(payer="agent_0", payee="others", of="harvested", fraction=0.4),
    Wage(payer="others", payee="agent_1", per="cleaned", rate=0.6, cap=40),
    Fine(
        payer="all", payee="others", per="harvested", rate=1, when=Condition("pollution", ">=", 6)
    ),
    LumpSum(payer="agent_0", payee="agent_1", amount=5),
)
CANONICAL = [
    (
        Contract(FOUR_CLAUSES),
        "Until the end: agent_0 pays the others 0.4 of each unit harvested by the payer; "
        "the others pay agent_1 0.6 for each unit cleaned by the payee, at most 40 in total; "
        "every agent pays the others a fine of 1 for each unit harvested by the payer "
        "while pollution >= 6; agent_0 pays agent_1 5 once.",
    ),
    (
        Contract([Quota(payer="all", payee="others", per="cleaned", at_least=3, amount=2)]),
        "Until the end: every agent pays the others 2 in each step with less than 3 units cleaned "
        "by the payer.",
    ),
    (
        Contract(
            [
                Quota(
                    payer="others",
                    payee="agent_1",
                    per="cleaned",
                    at_least=1,
                    amount=0.5,
                    cap=40,
                    when=Condition("pollution", ">=", 6),
                )
            ]
        ),
        "Until the end: the others pay agent_1 0.5 in each step with less than 1 unit cleaned by "
        "the payer, at most 40 in total while pollution >= 6.",
    ),
    (Contract(), "Until the end: no payments."),
    (Contract(duration=Duration("step", 30)), "Until step 30: no payments."),
    (
        Contract(FOUR_CLAUSES[3:], Duration("change"), ["agent_0", "agent_1"]),
        "Between agent_0 and agent_1, until the world changes: agent_0 pays agent_1 5 once.",
    ),
    (
        Contract(parties=["a", "b", "c"]),
        "Between a, b and c, until the end: no payments.",
    ),
    (Contract(parties=["a"]), "Between a, until the end: no payments."),
    (
        Contract([LumpSum(payer="all", payee="all", amount=1e-7)]),
        "Until the end: every agent pays every agent 0.0000001 once.",
    ),
    (
        Contract([LumpSum(payer="a", payee="others", amount=1e21)]),
        "Until the end: a pays the others 1000000000000000000000 once.",
    ),
]


@pytest.mark.parametrize(("contract", "sentence"), CANONICAL)
def test_a_contract_has_one_canonical_sentence(contract, sentence):
    assert contract.to_text() == sentence
    assert Contract.from_text(sentence) == contract


@given(any_contracts())
def test_reading_english_inverts_writing_it(contract):
    assert Contract.from_text(contract.to_text()) == contract


@given(st.floats(0, 1e300))
def test_every_number_is_read_back_exactly(amount):
    contract = Contract([LumpSum(payer="a", payee="b", amount=amount)])
    assert "e" not in contract.to_text().split(" pays b ")[1].split(" once")[0]
    assert Contract.from_text(contract.to_text()) == contract


@pytest.mark.parametrize(
    "text",
    [
        "until the end: agent_0 pays agent_1 5 once",
        "  UNTIL  THE END :\n agent_0   PAYS agent_1\t5.0 Once .  ",
        "Until the end: agent_0 pay agent_1 5 once.",
    ],
)
def test_case_spacing_and_the_final_stop_are_forgiven(text):
    assert Contract.from_text(text) == Contract(FOUR_CLAUSES[3:])


def test_the_number_of_units_of_a_quota_is_forgiven_its_plural():
    said = "until the end: a pays b 2 in each step with less than {} x by the payer"
    one, two = (Contract.from_text(said.format(units)) for units in ("1 units", "1.5 unit"))
    assert [each.clauses[0].at_least for each in (one, two)] == [1, 1.5]
    assert "less than 1 unit x" in one.to_text()
    assert "less than 1.5 units x" in two.to_text()


def test_names_keep_their_case():
    contract = Contract([LumpSum(payer="Ann", payee="ann", amount=1)])
    assert Contract.from_text("UNTIL THE END: Ann PAYS ann 1 ONCE") == contract


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "beginning = '': expected 'Until the end:'"),
        ("agent_0 pays agent_1 5 once.", "beginning = .*Until step N"),
        ("Until noon: no payments.", "beginning = 'Until noon': expected"),
        ("Until the end: agent_0 is kind.", r"clauses\[0\] = 'agent_0 is kind': .*PAYER pays"),
        ("Until the end: a pays b 1 once; and more.", r"clauses\[1\] = 'and more'"),
        ("Until the end: a pays b -1 once.", r"clauses\[0\]\.amount = -1.0"),
        ("Until the end: a pays b 2 of each unit x by the payer.", r"clauses\[0\]\.fraction = 2"),
        ("Until the end: a pays b 2 for each unit x by the payer.", r"clauses\[0\] = "),
        (
            "Until the end: a pays b 2 in each step with less than 0 units x by the payer.",
            r"clauses\[0\]\.at_least = 0.0: expected a finite number above 0",
        ),
        (
            "Until the end: a pays b 2 in each step with less than 3 units x by the payee.",
            r"clauses\[0\] = .*'N in each step with less than N units FEATURE by the payer'",
        ),
        ("Until the end: a pays b 1e3 once.", r"clauses\[0\] = 'a pays b 1e3 once'"),
        ("Until the end: a pays b 1 once while p = 3.", r"clauses\[0\] = "),
        ("Until the end: a pays b 1 once. Also this.", r"clauses\[0\] = "),
        ("Until the end:", r"clauses\[0\] = ''"),
        ("Between a and a, until the end: no payments.", "parties = .*none twice"),
        ("Between a and b, until the end: c pays b 1 once.", r"clauses\[0\]\.payer = 'c'"),
        (None, "contract = None: expected text"),
    ],
)
def test_what_is_not_understood_is_named_with_what_is_allowed(text, message):
    with pytest.raises(ContractError, match=message):
        Contract.from_text(text)


@given(st.text(max_size=60))
def test_any_other_text_is_refused_by_the_one_error(text):
    with pytest.raises(ContractError):
        Contract.from_text(text)


def test_the_line_in_observations_tells_the_contract_or_that_there_is_none():
    contract = Contract(FOUR_CLAUSES[3:])
    line = "Contract in force: Until the end: agent_0 pays agent_1 5 once."
    assert contract_line(contract) == line
    assert contract_line(Contract()) == contract_line(None) == "Contract in force: none."
