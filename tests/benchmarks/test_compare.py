"""A whole comparison of policies that ask no model, small."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace

import pytest
from run_folders import about_run, begin_run, kept_in, outcome_of, play_run, records_in

from benchmarks.store import FIGURES, TABLE


class KilledError(Exception):
    """Stands for whatever ends a process."""


def table_of(suite, out):
    play_run(suite, out)
    return json.loads((out / TABLE).read_text())


def play_until(suite, out, episodes, *, resume=False):
    """Play until so many more episodes are kept, then die."""
    told = []

    def die(kind, amount):
        told.append((kind, amount))
        if len(told) > episodes:  # the first time it is told what earlier parts have
            raise KilledError

    with pytest.raises(KilledError):
        play_run(suite, out, resume=resume, report=die)


@pytest.fixture(scope="module")
def undisturbed(tiny_suite, tmp_path_factory):
    """The folder of a run that nothing happened to."""
    out = tmp_path_factory.mktemp("undisturbed")
    play_run(tiny_suite, out)
    return out


def test_a_run_leaves_its_records_table_and_figure(tiny_suite, tmp_path):
    done = play_run(tiny_suite, tmp_path, command=["compare"])
    (table,) = done.tables
    assert table.to_dicts() == json.loads((tmp_path / TABLE).read_text())
    assert len(records_in(tmp_path)) == len(done.rows) * tiny_suite.num_episodes
    assert all((tmp_path / name).stat().st_size > 1000 for name in FIGURES)
    about = about_run(tmp_path)
    assert (about["status"], about["suite"]["name"]) == ("complete", tiny_suite.name)
    assert about["command"] == ["compare"]
    assert (about["stopped"], about["failures"], about["serving"]) == (None, [], None)


def test_a_run_without_models_that_is_over_lacks_nothing(tiny_suite, tmp_path):
    done = play_run(replace(tiny_suite, policies=("all-harvest",)), tmp_path)
    assert done.is_complete
    assert (done.missing, done.failures, done.stopped, done.serving) == (0, (), None, None)


def test_the_same_seed_gives_the_same_table_records_and_figure(tiny_suite, undisturbed, tmp_path):
    play_run(tiny_suite, tmp_path)
    found, wanted = (outcome_of(out, TABLE, FIGURES[0]) for out in (tmp_path, undisturbed))
    assert found == wanted


def test_a_cell_does_not_depend_on_the_others(tiny_suite, undisturbed, tmp_path):
    conditions = tiny_suite.conditions[1:]
    part = table_of(
        replace(tiny_suite, policies=("stub-erratic",), conditions=conditions), tmp_path
    )
    names = {condition.name for condition in conditions}
    assert part == [
        row
        for row in json.loads((undisturbed / TABLE).read_text())
        if row["policy"] == "stub-erratic" and row["contract"] in names
    ]


def test_a_rerun_replaces_the_table(tiny_suite, tmp_path):
    suite = replace(tiny_suite, policies=("all-harvest",))
    table_of(suite, tmp_path)
    assert table_of(replace(suite, num_episodes=1), tmp_path)[0]["n"] == 1
    assert len(records_in(tmp_path)) == 3


@pytest.mark.parametrize("episodes", [0, 1, 17])
def test_a_run_that_died_goes_on_where_it_was(episodes, tiny_suite, undisturbed, tmp_path):
    play_until(tiny_suite, tmp_path, episodes)
    assert len(kept_in(tmp_path)) == episodes
    reported = Counter()
    done = play_run(
        tiny_suite, tmp_path, resume=True, report=lambda kind, n: reported.update({kind: n})
    )
    assert done.is_complete
    assert reported == {"episodes": 18}  # those of the part before count as made
    found, wanted = (outcome_of(out, TABLE, FIGURES[0]) for out in (tmp_path, undisturbed))
    assert found == wanted


def test_a_run_may_die_again_and_again(tiny_suite, undisturbed, tmp_path):
    play_until(tiny_suite, tmp_path, 3)
    for died in range(1, 4):
        play_until(tiny_suite, tmp_path, 3, resume=True)
        kept = records_in(tmp_path)
        assert len({(r["policy"], r["contract"], r["episode"]) for r in kept}) == 3 + 3 * died
    play_run(tiny_suite, tmp_path, resume=True)
    assert records_in(tmp_path) == records_in(undisturbed)


def test_what_is_missing_in_the_middle_is_played_and_put_in_its_place(
    tiny_suite, undisturbed, tmp_path
):
    begin_run(tiny_suite, tmp_path, kept_in(undisturbed)[::-2])
    assert play_run(tiny_suite, tmp_path, resume=True).is_complete
    assert outcome_of(tmp_path, TABLE) == outcome_of(undisturbed, TABLE)


def test_resuming_a_complete_run_plays_nothing_and_changes_no_result(
    tiny_suite, undisturbed, tmp_path
):
    play_run(tiny_suite, tmp_path)
    (tmp_path / FIGURES[0]).unlink()
    done = play_run(tiny_suite, tmp_path, resume=True)
    assert done.is_complete
    found, wanted = (outcome_of(out, TABLE, FIGURES[0]) for out in (tmp_path, undisturbed))
    assert found == wanted
    assert about_run(tmp_path)["status"] == "complete"


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
