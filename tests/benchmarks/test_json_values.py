"""Results as JSON values."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from enum import StrEnum

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents import Call
from benchmarks.json_values import to_json_values
from cleanup_icn.contracts import Contract, Wage


@dataclass(frozen=True)
class One:
    only: object


@dataclass(frozen=True)
class Two:
    first: object
    second: object = None


class Nothing(dict):
    """A mapping of another type."""


class Word(StrEnum):
    OK = "ok"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(json_values)
def test_json_values_stay_as_they_are(value):
    assert to_json_values(value) == value


@given(json_values, json_values)
def test_frozen_values_become_objects_with_all_of_their_fields(one, other):
    value = Two(One(one), (other, Two(other)))
    assert to_json_values(value) == asdict(value) | {
        "second": [other, {"first": other, "second": None}]
    }


def test_a_call_becomes_an_object_as_json_writes_it():
    call = Call(text="Action: wait", status="ok", prompt_tokens=3, cached_tokens=None)
    assert to_json_values([call]) == [asdict(call)]
    assert list(to_json_values(call)) == list(asdict(call))


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (np.float64(0.5), 0.5),
        (np.int64(3), 3),
        (np.bool_(True), True),
        ((np.int32(1), (2,)), [1, [2]]),
        ({3: (1, 2)}, {"3": [1, 2]}),
        (Nothing(a=One((1,))), {"a": {"only": [1]}}),
    ],
)
def test_numbers_tuples_and_mappings_become_those_of_json(value, told):
    found = to_json_values(value)
    assert found == told
    assert json.loads(json.dumps(found)) == told
    assert type(found) is type(told)


def test_contracts_and_named_words_are_written_out():
    contract = Contract([Wage(payer="others", payee="all", per="cleaned", rate=1.0)])
    assert to_json_values(One(contract)) == {"only": contract.to_dict()}
    assert json.dumps(to_json_values((Word.OK,))) == '["ok"]'
