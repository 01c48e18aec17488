"""A small study, played: its summary is what its episodes say."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from benchmarks import compare
from benchmarks.arena import Cell, cells_of
from benchmarks.cells import play_cell
from benchmarks.cleanup.arena import CleanupArena, Scenario
from benchmarks.cleanup.conditions import Fixed, Negotiated
from benchmarks.store import RunReader
from benchmarks.study import courses, summary
from benchmarks.study.measures import after_change
from benchmarks.study.place import Place
from benchmarks.study.summary import STUDY, plain, seconds_of, summary_of, write_study
from benchmarks.suite import Suite
from benchmarks.work import Task, play_task
from cleanup_icn.contracts import Contract
from cleanup_icn.solve.design import shares, wages

PLAYER = "contract-follower"
WAGE, HIGHER = wages([0.6, 2.0])
REGION = {"kind": "linear-threshold", "magnitude": 8, "overlap": 0.5, "survives": math.nan}


def changed(name, contract, judge="change-only", cost_steps=0):
    """Return the condition under which this contract is talked about, at every change or so."""
    return Negotiated(
        name=name,
        judge=judge,
        menu=(Contract(), HIGHER),
        initial_contract=contract,
        negotiation_cost_steps=cost_steps,
    )


COMPARED = (
    Fixed(name="least-wage", contract=WAGE),
    changed("least-wage-change", WAGE),
    Negotiated(
        name="least-wage-expires",
        judge="change-only",
        menu=(Contract(),),
        initial_contract=WAGE,
        max_rounds=1,
        disagreement="void",
    ),
    Fixed(name="never-any", contract=Contract()),
)


def arena(name, conditions=COMPARED, *, num_episodes=1, seed=0):
    """Return an arena of the study with contracts that were not designed."""
    config = Place.from_name(name).change.config()
    scenario = Scenario(
        name=name,
        config=config,
        pollution_initial=(config.pollution_initial,) * 2,
        fruit_initial=(config.fruit_initial,) * 2,
    )
    return CleanupArena(
        name=name,
        description="",
        conditions=conditions,
        policies=(PLAYER,),
        shown_policy=PLAYER,
        num_episodes=num_episodes,
        seed=seed,
        scenario=scenario,
    )


NOISY = arena("costly-threshold/+8/25/noisy", num_episodes=4)
ARENAS = (
    arena("linear-threshold/+8/25/twice"),
    arena("linear-threshold/+0/25/twice"),
    NOISY,
    arena(
        "tradeoff/linear-threshold/+8/25/sudden",
        (
            changed("least-wage-change-cost0", WAGE, "change"),
            changed("least-wage-every-10-cost5", WAGE, "every:10", 5),
        ),
    ),
    arena(
        "sets/linear-threshold/+8/25/sudden",
        (
            Fixed(name="wage-0.60", contract=WAGE),
            Fixed(name="wage-2.00", contract=HIGHER),
            Fixed(name="share-0.40", contract=shares([0.4])[0]),
        ),
    ),
    arena("learned/seed-0/linear-threshold/+8/25/sudden"),
    arena("learned/seed-1/linear-threshold/+8/25/sudden", seed=1),
)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Play the arenas and keep their episodes."""
    out = tmp_path_factory.mktemp("study")
    suite = Suite(name="study", description="", arenas=ARENAS)
    with compare.open_folder(out, suite) as folder:
        for each in ARENAS:
            for cell in cells_of(each):
                episodes = tuple(range(each.num_episodes))
                for kept in play_task(Task(arena=each, cell=cell, episodes=episodes), folder=out):
                    folder.keep_episode(kept)
        folder.write_run({"seconds": 1.5})
    return out


@pytest.fixture(scope="module")
def study(run):
    """Sum the run up, courses of its one policy and a region among it."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(courses, "POLICY", PLAYER)
        patched.setattr(summary, "kept_regions", lambda *_args, **_named: [REGION])
        return write_study(run, size="quick", command=["study", "critical-change"])


def rows_where(study, **wanted):
    return [row for row in study["rows"] if all(row[k] == v for k, v in wanted.items())]


def test_the_file_is_what_is_returned_and_knows_no_nan(run, study):
    def refuse(constant):
        raise AssertionError(constant)

    assert json.loads((run / STUDY).read_text(), parse_constant=refuse) == study
    assert study["regions"][0]["survives"] is None


def test_the_summary_tells_how_it_came_about(study):
    assert (study["size"], study["command"]) == ("quick", ["study", "critical-change"])
    assert study["n"] == 4 + 4 + 16 + 2 + 3 + 4 + 4
    assert study["seconds"] == 1.5
    assert "python" in study["versions"]


@pytest.mark.parametrize("condition", [condition.name for condition in COMPARED])
def test_rows_are_the_means_of_their_episodes(study, condition):
    results = play_cell(NOISY, Cell(policy=PLAYER, contract=condition))
    found = [after_change(result, 25) for result in results]
    (row,) = rows_where(study, kind="costly-threshold", condition=condition)
    assert (row["n"], row["unit"], row["pace"], row["magnitude"]) == (4, "episode", "noisy", 8)
    for name in ("efficiency", "regret", "transfers", "equality", "optimum"):
        expected = float(np.mean([getattr(each, name) for each in found]))
        assert row[name] == pytest.approx(expected, abs=1e-6)
    assert row["return_1"] == pytest.approx(np.mean([each.returns[1] for each in found]), abs=1e-6)
    assert row["efficiency_low"] <= row["efficiency"] <= row["efficiency_high"]


def test_talks_are_counted_where_there_is_something_to_agree_on(study):
    by_condition = {row["condition"]: row for row in rows_where(study, pace="twice", magnitude=8)}
    talked = by_condition["least-wage-change"]
    (result,) = play_cell(ARENAS[0], Cell(policy=PLAYER, contract="least-wage-change"))
    rounds = [len(each["outcome"]["rounds"]) for each in result.negotiations if each["step"] >= 25]
    assert (talked["negotiations"], talked["rounds"]) == (len(rounds), np.mean(rounds))
    for name in ("least-wage", "least-wage-expires", "never-any"):
        silent = by_condition[name]
        assert (silent["negotiations"], silent["rounds"], silent["ratified"]) == (0.0, None, None)


def test_treatments_of_one_contract_find_the_same_state(study):
    assert all(row["same_state"] for row in rows_where(study, group="main"))


def test_treatments_that_part_before_the_change_are_told(study):
    (often,) = rows_where(study, judge="every-10")
    reached = set()
    for name in ("least-wage-every-10-cost5", "least-wage-change-cost0"):
        (result,) = play_cell(ARENAS[3], Cell(policy=PLAYER, contract=name))
        reached.add(after_change(result).state)
    assert len(reached) == 2
    assert not often["same_state"]


def test_training_seeds_in_arenas_of_their_own_are_the_units_of_one_row(study):
    (row,) = rows_where(study, group="learned", condition="least-wage")
    assert (row["policy"], row["n"], row["unit"]) == (PLAYER, 2, "training seed")


def test_critical_magnitudes_come_from_the_rows(study):
    (noisy,) = [
        each
        for each in study["critical_magnitudes"]
        if each["kind"] == "costly-threshold" and each["level"] == 0.05
    ]
    fixed, renegotiated = (
        rows_where(study, kind="costly-threshold", condition=name)[0]["efficiency"]
        for name in ("least-wage", "least-wage-change")
    )
    ((magnitude, difference, low, high),) = noisy["curve"]
    assert magnitude == 8
    assert difference == pytest.approx(renegotiated - fixed, abs=2e-6)
    assert low <= difference <= high
    exact = [
        each
        for each in study["critical_magnitudes"]
        if (each["group"], each["kind"], each["level"]) == ("main", "linear-threshold", 0.05)
    ]
    assert [point[0] for point in exact[0]["curve"]] == [0, 8]


def test_every_list_of_the_summary_has_what_the_run_can_say(study):
    assert {each["judge"] for each in study["tradeoff"]} == {"change", "every-10"}
    assert {each["cost"] for each in study["best_judge"]} == {0, 5}
    by_family = {each["family"]: each["num_before"] for each in study["sets"]}
    assert by_family == {"wage": 2, "share": 1}
    assert {each["kind"] for each in study["gains"]} == {"linear-threshold", "costly-threshold"}
    assert {each["kind"] for each in study["stale"]} == {"linear-threshold", "costly-threshold"}
    assert study["history"] == []


def test_courses_show_the_contracts_of_the_run(study):
    (course,) = study["courses"]
    (row,) = rows_where(study, pace="twice", magnitude=8, condition="least-wage")
    by_condition = {each["condition"]: each for each in course["treatments"]}
    assert set(by_condition) == {"least-wage", "least-wage-change", "least-wage-expires"}
    assert by_condition["least-wage-expires"]["contracts"] == [
        [0, 25, "wage 0.6"],
        [25, 50, "no contract"],
    ]
    assert by_condition["least-wage"]["contracts"] == [[0, 50, "wage 0.6"]]
    assert by_condition["least-wage-change"]["contracts"][0][2] in ("wage 0.6", "wage 2")
    assert sum(by_condition["least-wage"]["welfare"][25:]) == pytest.approx(row["welfare"])
    assert sum(course["optimum"][25:]) == pytest.approx(row["optimum"], abs=1e-4)


def test_lists_are_sorted_whatever_the_order_of_the_run(tmp_path, run, study):
    suite = Suite(name="study", description="", arenas=ARENAS[::-1])
    with compare.open_folder(tmp_path, suite) as folder:
        with RunReader(run) as reader:
            for kept in reader.episodes():
                folder.keep_episode(kept)
        folder.write_run({"seconds": 1.5})
        with folder.reader() as reader:
            other = summary_of(reader, size="quick")
    for name in ("rows", "critical_magnitudes", "tradeoff", "best_judge", "sets", "gains"):
        assert other[name] == study[name]


def test_seconds_are_those_of_all_parts_of_a_run():
    assert seconds_of({"earlier": [{"seconds": 2.0}, {}], "seconds": 1.25}) == 3.25


def test_numbers_are_rounded_and_what_is_not_finite_is_missing():
    told = {"a": [1.23456789, -1e-9, math.inf], "b": (True, None, 3, "x")}
    assert plain(told) == {"a": [1.234568, 0.0, None], "b": [True, None, 3, "x"]}
    assert str(plain(-1e-9)) == "0.0"


def test_a_folder_of_another_run_is_refused(tmp_path):
    other = Suite.of(replace(ARENAS[0], name="cleanup-smoke"))
    with compare.open_folder(tmp_path, other) as folder:
        task = Task(
            arena=other.arenas[0],
            cell=Cell(policy=PLAYER, contract="never-any"),
            episodes=(0,),
        )
        for kept in play_task(task, folder=tmp_path):
            folder.keep_episode(kept)
        with folder.reader() as reader, pytest.raises(ValueError, match="change = 'cleanup-smoke'"):
            summary_of(reader, size="quick")
