"""A whole comparison, small."""

from __future__ import annotations

import json
from dataclasses import replace

from benchmarks import training
from benchmarks.compare import compare, without_missing_extras
from benchmarks.store import EPISODES, FIGURES, RUN, TABLE, RunFolder


def table_of(suite, out):
    compare(suite, folder=RunFolder(out), num_workers=0)
    return json.loads((out / TABLE).read_text())


def test_a_run_leaves_its_records_table_and_figure(tiny_suite, tmp_path):
    rows = compare(tiny_suite, folder=RunFolder(tmp_path), num_workers=0, command=["compare"])
    assert [row.to_dict() for row in rows] == json.loads((tmp_path / TABLE).read_text())
    records = [json.loads(line) for line in (tmp_path / EPISODES).read_text().splitlines()]
    assert len(records) == len(rows) * tiny_suite.num_episodes
    assert all((tmp_path / name).stat().st_size > 1000 for name in FIGURES)
    about = json.loads((tmp_path / RUN).read_text())
    assert (about["status"], about["suite"]["name"]) == ("complete", tiny_suite.name)
    assert about["command"] == ["compare"]


def test_the_same_seed_gives_the_same_table_and_figure(tiny_suite, tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    assert table_of(tiny_suite, first) == table_of(tiny_suite, second)
    svg = FIGURES[0]
    assert (first / svg).read_bytes() == (second / svg).read_bytes()


def test_a_cell_does_not_depend_on_the_others(tiny_suite, tmp_path):
    whole = table_of(tiny_suite, tmp_path / "whole")
    conditions = tiny_suite.conditions[1:]
    part = table_of(
        replace(tiny_suite, policies=("stub-erratic",), conditions=conditions), tmp_path / "part"
    )
    names = {condition.name for condition in conditions}
    assert part == [
        row for row in whole if row["policy"] == "stub-erratic" and row["contract"] in names
    ]


def test_a_rerun_replaces_the_table(tiny_suite, tmp_path):
    suite = replace(tiny_suite, policies=("all-harvest",))
    table_of(suite, tmp_path)
    assert table_of(replace(suite, num_episodes=1), tmp_path)[0]["n"] == 1


def test_selfish_agents_need_a_contract_and_the_planner_none(tiny_suite, tmp_path):
    policies = ("all-harvest", "contract-follower", "planner")
    rows = table_of(replace(tiny_suite, policies=policies, num_episodes=6), tmp_path)
    found = {(row["policy"], row["contract"]): row for row in rows}
    assert found["all-harvest", "icn"]["efficiency"] < 0.1
    assert found["contract-follower", "none"]["efficiency"] < 0.1
    assert found["planner", "none"]["deterministic"]
    fixed, icn = (found["contract-follower", name] for name in ("fixed", "icn"))
    assert icn["efficiency_after_change"] > fixed["efficiency_after_change"]
    assert icn["efficiency"] > fixed["efficiency"] > 0.75


def test_learned_policies_are_left_out_where_they_cannot_be_trained(tiny_suite, monkeypatch):
    suite = replace(tiny_suite, policies=("all-harvest", "ppo"))
    monkeypatch.setattr(training, "is_available", lambda: False)
    assert without_missing_extras(suite).policies == ("all-harvest",)
    monkeypatch.setattr(training, "is_available", lambda: True)
    assert without_missing_extras(suite).policies == suite.policies
