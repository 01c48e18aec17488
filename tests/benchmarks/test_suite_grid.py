"""Grids: an arena as written, for every point of the product of some values."""

from __future__ import annotations

from copy import deepcopy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.checked import NAME
from benchmarks.sections import SectionReader
from benchmarks.suite_grid import points

ARENA = {
    "seed": 3,
    "world": {"num_agents": 2, "schedule": [[25, {"threshold": 12}]]},
    "contracts": [
        {"kind": "none"},
        {"kind": "fixed", "wage": 1.0},
        {"name": "talks", "kind": "icn", "judge": "change"},
    ],
}


def expand(grid, written=ARENA):
    """Return the points and what is said to be wrong."""
    reader = SectionReader({}, source="")
    found = points(reader, "arena", {**written, "grid": grid})
    return found, [str(problem) for problem in reader.problems]


def test_an_arena_without_a_grid_stands_for_itself():
    reader = SectionReader({}, source="")
    assert points(reader, "arena", ARENA) == [("", ARENA)]
    assert not reader.problems


def test_the_last_key_changes_fastest_and_everything_else_is_as_written():
    found, _ = expand({"seed": [1, 2], "world.num_agents": [2, 3]})
    told = [(point.written["seed"], point.written["world"]["num_agents"]) for point in found]
    assert told == [(1, 2), (1, 3), (2, 2), (2, 3)]
    assert all(point.written["contracts"] == ARENA["contracts"] for point in found)


@pytest.mark.parametrize(
    ("key", "value_in"),
    [
        (
            "world.schedule.0.1.threshold",
            lambda arena: arena["world"]["schedule"][0][1]["threshold"],
        ),
        ("world.schedule.0.0", lambda arena: arena["world"]["schedule"][0][0]),
        ("contracts.1.wage", lambda arena: arena["contracts"][1]["wage"]),
        ("contracts.fixed.wage", lambda arena: arena["contracts"][1]["wage"]),
        ("contracts.talks.judge", lambda arena: arena["contracts"][2]["judge"]),
        ("world.starts.fruit", lambda arena: arena["world"]["starts"]["fruit"]),
        ("partners", lambda arena: arena["partners"]),
    ],
)
def test_a_value_is_put_where_its_key_leads(key, value_in):
    before = deepcopy(ARENA)
    found, problems = expand({key: [7, 8]})
    assert [value_in(point.written) for point in found] == [7, 8]
    assert not problems
    assert before == ARENA


def test_keys_may_be_written_as_nested_tables():
    one, _ = expand({"world.num_agents": [2, 3]})
    assert expand({"world": {"num_agents": [2, 3]}}) == (one, [])


@pytest.mark.parametrize(
    "key", ["contracts.icn.menu", "contracts.9.wage", "world.schedule.x", "seed.", "world."]
)
def test_a_key_that_leads_nowhere_is_refused_and_changes_nothing(key):
    found, problems = expand({key: [1]})
    assert [point.written for point in found] == [point.written for point in expand({})[0]]
    assert problems == [
        f"arena.grid = {key!r}: expected a key of the arena, entries of lists by number or name"
    ]


@pytest.mark.parametrize("grid", [3, {"seed": 3}, {"seed": []}, {"world": {"x": "y"}}])
def test_what_is_no_list_of_values_is_refused(grid):
    _, (problem,) = expand(grid)
    assert "list" in problem


@pytest.mark.parametrize(
    ("grid", "labels"),
    [
        ({"world.x": [1, 2.5]}, ["x-1", "x-2.5"]),
        ({"world.x": [True, False]}, ["x-true", "x-false"]),
        ({"world.x": ["some", "a b"]}, ["x-some", "x-2"]),
        ({"world.x": [[1, 2], {"y": 1}]}, ["x-1", "x-2"]),
        ({"a.x": [1], "b.x": [2], "c.y": [3]}, ["a.x-1/b.x-2/y-3"]),
        ({"world.schedule.0.0": [5]}, ["schedule-5"]),
    ],
)
def test_a_point_is_labelled_with_its_values(grid, labels):
    found, _ = expand(grid)
    assert [point.label for point in found] == labels


values = st.one_of(
    st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(), st.lists(st.integers())
)


@given(st.lists(values, min_size=1, max_size=5))
def test_every_label_can_be_part_of_a_name(drawn):
    found, _ = expand({"world.x": drawn})
    assert len(found) == len(drawn)
    assert all(NAME.fits(f"suite/{point.label}") for point in found)
