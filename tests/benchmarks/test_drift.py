"""Where two runs are not the same."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.drift import DriftError, differences, refuse_drift

values = st.recursive(
    st.integers(0, 3) | st.text(max_size=2),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3)
    ),
    max_leaves=6,
)


def test_differences_are_named_by_where_they_are():
    before = {"a": {"b": [1, {"c": 2}]}, "d": 1, "e": [1]}
    now = {"a": {"b": [1, {"c": 3}]}, "f": 1, "e": [1, 2]}
    assert list(differences(before, now)) == [
        ("a.b[1].c", 2, 3),
        ("d", 1, None),
        ("e", [1], [1, 2]),
        ("f", None, 1),
    ]


@given(values, values)
def test_two_values_differ_somewhere_unless_they_are_equal(before, now):
    assert (list(differences(before, now)) == []) == (before == now)


def test_what_drifted_is_told_line_by_line_also_by_another_process():
    before, now = {"a": 1, "b": {"c": 2}}, {"a": 3, "b": {"c": 4}}
    refuse_drift(before, before, path=Path("run"))
    with pytest.raises(DriftError) as refused:
        refuse_drift(before, now, path=Path("run"))
    told = str(refused.value).splitlines()
    assert told == [
        "--resume with a = 3: expected 1, as the run in run was begun",
        "--resume with b.c = 4: expected 2, as the run in run was begun",
    ]
    assert str(pickle.loads(pickle.dumps(refused.value))) == str(refused.value)


def test_a_run_may_be_resumed_with_another_budget_and_description(tmp_path):
    earlier = {"name": "s", "budget": {"tokens": 1}, "description": "old", "arenas": []}
    now = {"name": "s", "budget": {"tokens": 2}, "description": "new", "arenas": []}
    refuse_drift(earlier, now, path=tmp_path)
    with pytest.raises(DriftError, match="name"):
        refuse_drift(earlier, {**now, "name": "t"}, path=tmp_path)
