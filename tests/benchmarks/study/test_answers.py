"""What the rows say, on cells made by hand."""

from __future__ import annotations

import pytest

from benchmarks.statistics import TRAINING_SEED
from benchmarks.study import answers
from benchmarks.study.episodes import Measured, StudyCell, policy_of
from benchmarks.study.measures import AfterChange
from benchmarks.study.place import Place
from benchmarks.study.rows import rows_of
from benchmarks.study.treatments import Treatment
from cleanup_icn.state import CleanupState

ARENA = "linear-threshold/+4/25/sudden"


def after(efficiency, *, returns=(1.0, 2.0), **values):
    """Return what an episode came to, with an optimum of 100."""
    return AfterChange(
        **{
            "since": 25,
            "state": CleanupState(0, 0, 10),
            "optimum": 100.0,
            "welfare": 100.0 * efficiency,
            "recovery_steps": None,
            "negotiations": 0,
            "rounds": None,
            "ratified": None,
            "transfers": 0.0,
            "equality": 1.0,
            "returns": returns,
            "whole_efficiency": efficiency,
            "whole_negotiations": 0,
            **values,
        }
    )


def cell(condition, *found, arena=ARENA, players=None, same_state=True):
    """Return the cell of these episodes, each of a player and an efficiency or what it came to."""
    players = players or ["equilibrium"] * len(found)
    numbers = {}
    episodes = []
    for player, each in zip(players, found, strict=True):
        measured = each if isinstance(each, AfterChange) else after(each)
        number = numbers[player] = numbers.get(player, -1) + 1
        episodes.append(
            Measured(player=player, episode=number, after=measured, measures=measured.measures())
        )
    return StudyCell(
        group=Place.from_name(arena).group,
        change=Place.from_name(arena).change,
        policy=policy_of(players[0]),
        treatment=Treatment.from_name(condition),
        episodes=tuple(episodes),
        same_state=same_state,
    )


def test_a_row_has_the_mean_and_the_bounds_of_every_measure():
    ended = after(0.5, recovery_steps=4, negotiations=2, rounds=1.5, ratified=0.5)
    (row,) = rows_of([cell("fair-share-change-nohistory-void", ended, after(0.7))])
    assert (row["kind"], row["magnitude"], row["moment"], row["pace"]) == (
        "linear-threshold",
        4,
        25,
        "sudden",
    )
    assert (row["family"], row["judge"], row["history"], row["disagreement"], row["cost"]) == (
        "fair-share",
        "change-only",
        False,
        "void",
        0,
    )
    assert row["efficiency"] == pytest.approx(0.6)
    assert row["efficiency_low"] < 0.6 < row["efficiency_high"]
    assert row["recovered"] == 0.5
    assert (row["recovery_steps"], row["rounds"], row["ratified"]) == (4.0, 1.5, 0.5)
    assert (row["n"], row["unit"], row["optimum"], row["same_state"]) == (2, "episode", 100.0, True)


def test_a_measure_that_says_nothing_of_any_episode_is_missing():
    (row,) = rows_of([cell("least-wage", 0.5)])
    assert (row["rounds"], row["rounds_low"], row["rounds_high"]) == (None, None, None)
    assert (row["efficiency"], row["efficiency_low"], row["efficiency_high"]) == (0.5, 0.5, 0.5)


def test_of_a_training_every_seed_is_one_unit():
    players = ["ppo/0", "ppo/0", "ppo/1"]
    (row,) = rows_of([cell("least-wage", 0.2, 0.4, 0.9, players=players)])
    assert row["policy"] == "ppo"
    assert row["efficiency"] == pytest.approx(0.6)  # of 0.3 and 0.9
    assert (row["n"], row["unit"], row["episodes"]) == (2, TRAINING_SEED, 3)


def arena_of(magnitude, kind="linear-threshold"):
    return f"{kind}/{magnitude:+d}/25/sudden"


def pair(magnitude, fixed, renegotiated, *, kind="linear-threshold", family="least-wage"):
    arena = arena_of(magnitude, kind)
    return [cell(family, fixed, arena=arena), cell(f"{family}-change", renegotiated, arena=arena)]


def test_critical_magnitudes_compare_a_family_with_itself_renegotiated():
    cells = [
        *pair(4, 0.97, 0.99),
        *pair(0, 1.0, 1.0),
        *pair(8, 0.6, 0.99),
        *pair(8, 0.99, 0.99, family="fair-wage"),
        cell("never-any", 0.1),
    ]
    found = answers.critical_magnitudes(cells)
    by_family = {(each["family"], each["level"]): each for each in found}
    assert set(by_family) == {
        (f, level) for f in ("least-wage", "fair-wage") for level in (0.05, 0.1)
    }
    least = by_family["least-wage", 0.05]
    assert (least["magnitude"], least["low"], least["high"], least["never"]) == (8, 8, 8, 0.0)
    assert least["crossings"] == [{"from": 4, "to": 8, "direction": "up"}]
    assert [point[0] for point in least["curve"]] == [0, 4, 8]
    assert least["curve"][2][1] == pytest.approx(0.39)
    assert by_family["fair-wage", 0.05]["magnitude"] is None


def test_rises_and_falls_are_two_curves_that_share_the_control():
    kind = "cleaning-rate"
    cells = [
        *pair(-2, 0.5, 0.9, kind=kind),
        *pair(0, 1.0, 1.0, kind=kind),
        *pair(3, 0.9, 0.92, kind=kind),
    ]
    by_sign = {e["sign"]: e for e in answers.critical_magnitudes(cells) if e["level"] == 0.1}
    assert by_sign["-"]["magnitude"] == -2
    assert [point[0] for point in by_sign["-"]["curve"]] == [0, -2]
    assert by_sign["+"]["magnitude"] is None
    assert [point[0] for point in by_sign["+"]["curve"]] == [0, 3]


def test_talks_without_history_or_in_another_group_are_no_part_of_the_curve():
    others = [
        cell("least-wage", 0.5),
        cell("least-wage-change-nohistory", 0.9),
        cell("least-wage-change-void", 0.9),
        cell("least-wage", 0.5, arena=f"history/{ARENA}"),
        cell("least-wage-change", 0.9, arena=f"history/{ARENA}"),
    ]
    assert answers.critical_magnitudes(others) == []
    assert answers.gains(others) == []


def test_a_stale_contract_does_harm_where_none_at_all_would_do_better():
    (found,) = answers.stale([cell("least-wage", 0.5), cell("least-wage-expires", 0.75)])
    assert (found["fixed"], found["expires"], found["harm"]) == (0.5, 0.75, 0.25)
    assert answers.stale([cell("least-wage", 0.5), cell("never-any", 0.9)]) == []


def test_gains_are_what_each_agent_gets_more_when_renegotiated():
    fixed = after(0.5, returns=(10.0, 40.0))
    renegotiated = after(0.9, returns=(55.0, 35.0))
    (found,) = answers.gains([cell("fair-share", fixed), cell("fair-share-change", renegotiated)])
    assert (found["gain_0"], found["gain_1"]) == (45.0, -5.0)


def judged(judge, cost, efficiency, negotiations):
    return cell(
        f"least-wage-{judge}-cost{cost}",
        after(1.0, whole_efficiency=efficiency, whole_negotiations=negotiations),
        arena=f"tradeoff/{ARENA}",
    )


def test_the_best_judge_of_each_cost_is_the_one_that_earns_most_with_the_fewest_talks():
    cells = [
        judged("never", 0, 0.5, 0),
        judged("every-5", 0, 0.99, 9),
        judged("change", 0, 0.99, 2),
        judged("change-only", 0, 0.99, 1),
        judged("never", 5, 0.5, 0),
        judged("every-5", 5, 0.1, 9),
        cell("least-wage", 1.0, arena=f"tradeoff/{ARENA}"),
    ]
    best = {each["cost"]: each["judge"] for each in answers.best_judge(cells)}
    assert best == {0: "change-only", 5: "never"}
    entries = answers.tradeoff(cells)
    assert len(entries) == 6
    assert {each["negotiations"] for each in entries if each["judge"] == "every-5"} == {9.0}
    assert [each["efficiency"] for each in entries] == [0.5, 0.99, 0.99, 0.99, 0.5, 0.1]
    assert {each["after"] for each in entries} == {1.0}


def test_history_is_told_with_its_rounds():
    ended = after(0.9, negotiations=1, rounds=2.0, ratified=1.0)
    (found,) = answers.history(
        [
            cell("least-wage-change-nohistory", ended, arena=f"history/{ARENA}"),
            cell("least-wage", 0.5, arena=f"history/{ARENA}"),
            cell("least-wage-change", ended),
        ]
    )
    assert (found["history"], found["disagreement"]) == (False, "keep")
    assert (found["rounds"], found["rounds_low"], found["ratified"]) == (2.0, 2.0, 1.0)
    assert (found["efficiency"], found["low"], found["high"], found["n"]) == (0.9, 0.9, 0.9, 1)


def test_a_set_counts_the_contracts_that_still_bring_the_optimum_about():
    reached = {"wage-0.50": 1.0, "wage-0.60": 1.0 - 1e-8, "wage-0.70": 0.96, "wage-0.80": 0.2}
    cells = [cell(name, value, arena=f"sets/{ARENA}") for name, value in reached.items()]
    cells.append(cell("share-0.40", 0.3, arena=f"sets/{ARENA}"))
    share, wage = sorted(answers.sets(cells), key=lambda each: each["family"])
    assert (wage["num_before"], wage["num_surviving"], wage["num_within_5"]) == (4, 2, 3)
    assert (wage["fraction"], wage["lowest"], wage["highest"]) == (0.5, 0.2, 1.0)
    assert wage["mean"] == pytest.approx(0.79)
    assert (share["num_before"], share["num_surviving"], share["fraction"]) == (1, 0, 0.0)
