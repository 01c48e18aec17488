"""The study's page: filled in from results, current, and without a number typed by hand."""

from __future__ import annotations

import json
import re
from pathlib import Path
from statistics import fmean

import pytest

from benchmarks.arena import Cell
from benchmarks.cells import play_cell
from benchmarks.study import suite as grid
from benchmarks.study.changes import WorldChange
from benchmarks.study.figures import save_figures
from benchmarks.study.measures import after_change
from benchmarks.study.page import answer_to, filled_in, joined, kept_of, write_page
from benchmarks.study.treatments import Treatment
from cleanup_icn import ConfigError

DOCS = Path(__file__).resolve().parents[3] / "docs"
PAGE = (DOCS / "study.md").read_text(encoding="utf-8")
RESULTS = json.loads((DOCS / "study" / "results.json").read_text(encoding="utf-8"))

STUDY = {
    "n": 1200,
    "seconds": 3.5,
    "tradeoff": [
        {"judge": "never", "cost": 0, "efficiency": 0.61234, "negotiations": 0.0, "policy": "a"},
        {"judge": "never", "cost": 2, "efficiency": 0.5, "negotiations": 0.0, "policy": "a"},
        {"judge": "change", "cost": 0, "efficiency": 1.0, "negotiations": None, "policy": "a"},
    ],
}


def mark(query, shown=""):
    return f"<!-- study: {query} -->{shown}<!-- /study -->"


@pytest.mark.parametrize(
    ("query", "answer"),
    [
        ("n as=,", "1,200"),
        ("tradeoff.efficiency judge=never cost=0 as=.2f", "0.61"),
        ("tradeoff.efficiency judge=never pick=max as=.1f", "0.6"),
        ("tradeoff.efficiency judge=never|change pick=count", "3"),
        ("tradeoff.negotiations judge=change", "-"),
    ],
)
def test_a_query_is_answered_from_the_results(query, answer):
    assert answer_to(query, STUDY) == answer
    assert filled_in(f"It is {mark(query, 'old')}.", STUDY) == f"It is {mark(query, answer)}."


def test_a_table_stands_between_its_marks():
    page = filled_in(mark("table judges policy=a"), STUDY)
    assert "| never | 0.612 | 0.500 | 0 |" in page
    assert filled_in(page, STUDY) == page


@pytest.mark.parametrize(
    ("query", "allowed"),
    [
        ("tradeof.efficiency", "a name among n, seconds, tradeoff"),
        ("tradeoff.efficiency judge=never", "filters that leave 1 entry, not 2"),
        ("tradeoff.speed", "with fields judge, cost"),
        ("tradeoff.efficiency judge=nobody", "an entry that there is"),
        ("tradeoff.efficiency pick=most", "pick= one of max, min"),
        ("table nothing", "a table of critical, "),
        ("two names", "LIST.FIELD"),
    ],
)
def test_a_query_that_cannot_be_answered_says_what_there_is(query, allowed):
    with pytest.raises(ConfigError, match=re.escape(allowed)):
        answer_to(query, STUDY)


def test_two_runs_are_joined_without_an_entry_twice():
    other = {**STUDY, "n": 3, "tradeoff": [*STUDY["tradeoff"], {"judge": "start"}]}
    whole = joined([STUDY, other])
    assert (whole["n"], whole["seconds"], len(whole["tradeoff"])) == (1203, 7.0, 4)


def test_a_folder_without_a_summary_or_a_page_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"study\.json"):
        write_page([tmp_path], DOCS)
    with pytest.raises(ConfigError, match=r"study\.md"):
        write_page([tmp_path], tmp_path)


def test_a_quick_run_does_not_fill_in_the_page(tmp_path):
    (tmp_path / "study.json").write_text(json.dumps({**STUDY, "size": "quick"}))
    with pytest.raises(ConfigError, match="size = 'quick': expected full"):
        write_page([tmp_path], DOCS)


# --- the page itself ---------------------------------------------------------------------------


def test_the_page_says_what_its_results_say():
    assert filled_in(PAGE, RESULTS) == PAGE


def test_no_number_on_the_page_is_typed_by_hand():
    prose = re.sub(r"<!-- study: .+?<!-- /study -->", "", PAGE, flags=re.DOTALL)
    prose = re.sub(r"```.*?```|`[^`]+`|\]\([^)]+\)", "", prose, flags=re.DOTALL)
    assert re.findall(r"\d+\.\d+|\d+ ?%|\d{3,}", prose) == []


def test_every_figure_on_the_page_is_there():
    shown = re.findall(r"!\[[^\]]*\]\((study/[^)]+)\)", PAGE)
    assert len(shown) == 4
    assert all((DOCS / name).stat().st_size > 0 for name in shown)


def test_the_figure_of_what_is_kept_is_the_figure_on_the_page(tmp_path):
    save_figures({**RESULTS, "rows": [], "courses": []}, tmp_path)
    kept = DOCS / "study" / "acceptance.svg"
    assert (tmp_path / "acceptance.svg").read_bytes() == kept.read_bytes()


def test_what_is_kept_is_kept_whole():
    again = kept_of({**RESULTS, "courses": []})
    assert {**again, "captions": RESULTS["captions"]} == RESULTS


@pytest.mark.slow
@pytest.mark.parametrize("magnitude", [2, 12])
def test_a_part_of_the_study_played_anew_comes_out_as_on_the_page(magnitude):
    change = WorldChange(kind="linear-threshold", magnitude=magnitude, moment=25, pace="sudden")
    names = ("least-wage", "least-wage-expires", "least-wage-change")
    treatments = [Treatment.from_name(name) for name in names]
    arena = grid.arena_of("main", change, treatments, policies=("equilibrium",))
    reached = {}
    for name in names:
        played = play_cell(arena, Cell(policy="equilibrium", contract=name))
        reached[name] = fmean(after_change(result).efficiency for result in played)
    where = {
        "group": "main",
        "kind": change.kind,
        "moment": 25,
        "pace": "sudden",
        "policy": "equilibrium",
        "family": "least-wage",
    }
    (stale,) = entries("stale", **where, magnitude=magnitude)
    curve = {point[0]: point[1] for point in entries("critical_magnitudes", **where)[0]["curve"]}
    assert stale["fixed"] == pytest.approx(reached["least-wage"], abs=1e-4)
    assert stale["expires"] == pytest.approx(reached["least-wage-expires"], abs=1e-4)
    gain = reached["least-wage-change"] - reached["least-wage"]
    assert curve[magnitude] == pytest.approx(gain, abs=2e-4)


def entries(name, **fields):
    return [
        entry
        for entry in RESULTS[name]
        if all(entry[field] == value for field, value in fields.items())
    ]
