"""Contracts as JSON: each way inverts the other, and the schema tells the same from the wrong."""

from __future__ import annotations

import copy
import json

import jsonschema
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
    contract_schema,
)

EXAMPLE = {
    "version": 1,
    "clauses": [
        {
            "type": "share",
            "payer": "agent_0",
            "payee": "others",
            "of": "harvested",
            "fraction": 0.4,
        },
        {
            "type": "wage",
            "payer": "others",
            "payee": "agent_1",
            "per": "cleaned",
            "rate": 0.6,
            "cap": 40.0,
        },
        {
            "type": "fine",
            "payer": "all",
            "payee": "others",
            "per": "harvested",
            "rate": 1.0,
            "when": {"feature": "pollution", "op": ">=", "value": 6},
        },
        {"type": "lump_sum", "payer": "agent_0", "payee": "agent_1", "amount": 5.0},
        {
            "type": "quota",
            "payer": "agent_1",
            "payee": "others",
            "per": "cleaned",
            "at_least": 3.0,
            "amount": 2.0,
        },
    ],
    "duration": {"until": "end"},
}
SAME = Contract(
    [
        Share(payer="agent_0", payee="others", of="harvested", fraction=0.4),
        Wage(payer="others", payee="agent_1", per="cleaned", rate=0.6, cap=40),
        Fine(
            payer="all",
            payee="others",
            per="harvested",
            rate=1,
            when=Condition("pollution", ">=", 6),
        ),
        LumpSum(payer="agent_0", payee="agent_1", amount=5),
        Quota(payer="agent_1", payee="others", per="cleaned", at_least=3, amount=2),
    ]
)
SCHEMA = jsonschema.Draft202012Validator(contract_schema())


def changed(path, value):
    """The example with one value replaced, or taken out if the new value is `...`."""
    data = copy.deepcopy(EXAMPLE)
    *way, last = path
    place = data
    for key in way:
        place = place[key]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return data


def test_the_published_example_reads_and_writes_as_published():
    assert Contract.from_json(json.dumps(EXAMPLE)) == SAME
    assert SAME.to_dict() == EXAMPLE


@given(any_contracts())
def test_reading_json_inverts_writing_it(contract):
    assert Contract.from_json(contract.to_json()) == contract


@given(any_contracts())
def test_the_schema_accepts_every_contract(contract):
    assert SCHEMA.is_valid(contract.to_dict())


def test_the_schema_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(contract_schema(["a"], ["x"], ["p"]))


def test_duration_may_be_left_out_and_then_means_to_the_end():
    assert Contract.from_dict(changed(["duration"], ...)) == SAME
    assert SCHEMA.is_valid(changed(["duration"], ...))


BROKEN = [
    (["version"], 2, "version = 2: expected 1"),
    (["version"], True, "version = True"),
    (["version"], ..., "version = None: expected version to be given"),
    (["clauses"], ..., "clauses = None"),
    (["clauses"], {}, "clauses = {}: expected a list"),
    (["title"], "x", "title = 'x': expected only version, clauses, duration, parties"),
    (["clauses", 0], 7, r"clauses\[0\] = 7: expected an object"),
    (["clauses", 0, "type"], "gift", r"clauses\[0\]\.type = 'gift': expected one of share, wage"),
    (["clauses", 0, "type"], ..., r"clauses\[0\] = "),
    (["clauses", 0, "type"], ["share"], r"clauses\[0\]\.type"),
    (["clauses", 0, "rate"], 1, r"clauses\[0\]\.rate = 1: expected only type, payer"),
    (["clauses", 0, "fraction"], 1.1, r"clauses\[0\]\.fraction = 1\.1: .*0 to 1"),
    (["clauses", 1, "rate"], -1, r"clauses\[1\]\.rate = -1: expected"),
    (["clauses", 1, "rate"], "1", r"clauses\[1\]\.rate = '1'"),
    (["clauses", 1, "rate"], False, r"clauses\[1\]\.rate = False"),
    (["clauses", 1, "cap"], None, r"clauses\[1\]\.cap = None"),
    (["clauses", 1, "payer"], "", r"clauses\[1\]\.payer = ''"),
    (["clauses", 1, "payer"], ..., r"clauses\[1\]\.payer = None: expected payer to be given"),
    (["clauses", 2, "when", "op"], "=>", r"clauses\[2\]\.when\.op = '=>'"),
    (["clauses", 2, "when", "value"], None, r"clauses\[2\]\.when\.value = None"),
    (["clauses", 2, "when", "unless"], 1, r"clauses\[2\]\.when\.unless = 1"),
    (["clauses", 2, "when"], "always", r"clauses\[2\]\.when = 'always': expected an object"),
    (["clauses", 3, "cap"], 1, r"clauses\[3\]\.cap = 1: expected only"),
    (["clauses", 4, "at_least"], 0, r"clauses\[4\]\.at_least = 0: expected .* above 0"),
    (["clauses", 4, "at_least"], "3", r"clauses\[4\]\.at_least = '3'"),
    (["clauses", 4, "at_least"], ..., r"clauses\[4\]\.at_least = None: .* to be given"),
    (["clauses", 4, "amount"], -1, r"clauses\[4\]\.amount = -1"),
    (["clauses", 4, "rate"], 1, r"clauses\[4\]\.rate = 1: expected only"),
    (["clauses", 4, "cap"], None, r"clauses\[4\]\.cap = None"),
    (["clauses", 1, "at_least"], 1, r"clauses\[1\]\.at_least = 1: expected only"),
    (["duration"], "end", "duration = 'end': expected an object"),
    (["duration", "until"], "noon", r"duration\.until = 'noon'"),
    (["duration", "until"], "step", r"duration\.step = None"),
    (["duration", "step"], 3, r"duration\.step = 3"),
    (["duration"], {"until": "step", "step": -1}, r"duration\.step = -1"),
    (["duration"], {"until": "step", "step": 1.5}, r"duration\.step = 1\.5"),
    (["parties"], [], "parties = "),
    (["parties"], ["a", "a"], "parties = "),
    (["parties"], ["others"], r"parties\[0\] = 'others'"),
    (["parties"], None, "parties = None"),
]


@pytest.mark.parametrize(("path", "value", "message"), BROKEN)
def test_what_is_no_contract_is_refused_with_its_path_and_by_the_schema(path, value, message):
    broken = changed(path, value)
    with pytest.raises(ContractError, match=message):
        Contract.from_dict(broken)
    assert not SCHEMA.is_valid(broken)


def test_a_step_written_as_a_float_is_the_step():
    data = {"version": 1, "clauses": [], "duration": {"until": "step", "step": 30.0}}
    assert Contract.from_dict(data).duration == Duration("step", 30)
    assert SCHEMA.is_valid(data)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=4))
def test_anything_else_is_refused_by_both(data):
    with pytest.raises(ContractError):
        Contract.from_dict(data)
    assert not SCHEMA.is_valid(data)


@pytest.mark.parametrize("text", ["", "{", "[1", "NaN", '{"version": 1, "version": 1}', 5])
def test_text_that_is_not_json_or_says_a_thing_twice_is_refused(text):
    with pytest.raises(ContractError):
        Contract.from_json(text)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999"])
def test_numbers_that_no_float_holds_are_refused(number):
    text = json.dumps(EXAMPLE).replace('"amount": 5.0', f'"amount": {number}')
    with pytest.raises(ContractError, match=r"clauses\[3\]\.amount"):
        Contract.from_json(text)


def test_the_schema_can_be_narrowed_to_the_names_there_are():
    names = (["agent_0", "agent_1"], ["harvested", "cleaned"], ["pollution"])
    assert jsonschema.Draft202012Validator(contract_schema(*names)).is_valid(EXAMPLE)
    for fewer in (
        (["agent_0"], *names[1:]),
        (names[0], ["cleaned"], names[2]),
        (*names[:2], ["fruit"]),
        (*names[:2], []),
        (names[0], [], names[2]),
    ):
        assert not jsonschema.Draft202012Validator(contract_schema(*fewer)).is_valid(EXAMPLE)
