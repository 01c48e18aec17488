"""The page about taught students: filled in from results, and without a number typed by hand."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from run_folders import play_run
from stored_episodes import all_kept, open_folder

from benchmarks.database import FILE
from benchmarks.page_marks import queries_on
from benchmarks.store import open_run
from benchmarks.suite_file import suite_named
from benchmarks.teaching.lessons import LESSONS
from benchmarks.teaching.reading_table import render_markdown, trials_of
from benchmarks.teaching.results_files import gathered, keep_run
from benchmarks.teaching.results_page import (
    PAGE,
    TAG,
    answer_to,
    draw_reinforcement,
    filled_in,
    write_results,
)
from cleanup_icn import ConfigError

DOCS = Path(__file__).resolve().parents[3] / "docs"
TAUGHT = (DOCS / PAGE).read_text(encoding="utf-8")
KEPT = DOCS / "taught"
NOT_YET = "the page has no results yet: `commonweal taught-page` writes them"

CLEANUP_STUDENTS = {
    **{name: name for name in LESSONS if name != "negotiation"},
    "cleanup-seed1": "cleanup",
    "cleanup-at-once": "cleanup",
    "cleanup-varied": "cleanup",
}
"""The lessons of every student of Cleanup, by its name."""

_SERVED_RUNS = (
    "served",
    "served-at-once",
    "served-structured",
    "served-at-once-structured",
    "in-process",
    "smollm2",
)
"""The comparisons that the page shows."""


def score(mean, **more):
    return {"efficiency": mean, "low": mean - 0.0501, "high": mean + 0.0501, "n": 60, **more}


def evaluation(lessons, kind, mean):
    policies = {"planner": score(1.0), LESSONS[lessons].teacher: score(0.99)}
    about = {"kind": kind, "lessons": lessons, "answers": 6804, "seconds": 31.14159}
    return score(mean, valid=0.99951, policies=policies, **about)


def negotiation(kind):
    return {
        **evaluation("negotiation", kind, 0.6),
        "success": 0.75,
        "baseline": "no-communication",
        "baseline_success": 0.5,
        "difference": 0.25,
        "difference_low": 0.1,
        "difference_high": 0.4,
        "own_score": 61.26,
        "baseline_own_score": 50.0,
        "own_score_difference": 11.26,
        "own_score_difference_low": None,
        "own_score_difference_high": None,
    }


def reading(agreement):
    rows = []
    for index, trial in enumerate(trials_of(LESSONS["cleanup"])):
        policies = {"planner": score(1.0), "division-of-labour": score(0.99)}
        own = {"own_by_teachers": 0.5 if trial.kind == "partners" else None}
        told = {"valid": 1.0, "answers": 9, "agreement": agreement / (index + 1)}
        rows.append(
            {
                **trial._asdict(),
                **score(0.9),
                **told,
                **own,
                "teacher": "division-of-labour",
                "policies": policies,
            }
        )
    return rows


def teaching(seconds):
    settings = {"steps": 1200, "batch_size": 32, "learning_rate": 0.00002}
    counted = {"num_pairs": 30080, "parameters": 819072, "held_out_exact": 0.972}
    about = {"data": "/home/somebody/pairs.jsonl"}
    return {"seconds": seconds, "teaching": settings, "about": about, "curve": [[1, 7.5]]} | counted


def reinforcement():
    examined = {
        when: score(mean, valid=1.0, policies={"division-of-labour": score(0.99)})
        | {"drawn": score(mean - 0.1, valid=0.98)}
        for when, mean in (("before", 0.6), ("after", 0.8))
    }
    points = [score(0.6 + k / 50, iteration=k, kl=0.01 * k) for k in (1, 2, 3)]
    plan = {"lessons": "cleanup", "groups": 6, "group_size": 8}
    return {"plan": plan, "settings": {"learning_rate": 0.00003}, "curve": points, **examined}


def compared(model):
    measured = {"own_return": 51.23456, "efficiency": 0.81239}
    row = {
        "n": 20,
        "unit": "episode",
        **measured,
        "intervals": {"own_return": [50.0, 52.5], "efficiency": [0.81239, 0.81239]},
    }
    return [
        {"arena": "cleanup", "policy": policy, "contract": condition, **row}
        for policy in (model, "ppo")
        for condition in ("none", "icn")
    ] + [
        {
            "arena": "negotiation",
            "policy": model,
            "contract": "base/cooperative",
            "n": 1,
            "unit": "episode",
            "final_success": 1.0,
            "intervals": {"final_success": [None, None]},
        }
    ]


SERVED = {
    "seconds": 2.0,
    "requests": 40,
    "prompt_tokens": 3000,
    "completion_tokens": 1000,
    "cached_tokens": 1500,
    "decisions": 40,
    "malformed": 1,
    "repaired": 2,
    "prefix_cache_hit_rate": None,
}


def spoken_arena():
    """Return an arena of one episode with talks, in which all players speak."""
    arena = suite_named("cleanup-smoke").arenas[0]
    (talks,) = (each for each in arena.conditions if each.name == "icn")
    speaker = "stub-cooperative"
    only = {"policies": (speaker,), "shown_policy": speaker, "conditions": (talks,)}
    return replace(arena, num_episodes=1, **only)


def write_json(path, value):
    path.write_text(json.dumps(value) + "\n", encoding="utf-8")


def write_served(path, folder):
    """Write the file of a run in two parts, the second of which went on with the first."""
    for is_first in (True, False):
        with open_folder(folder, resume=not is_first) as run:
            for kept in all_kept() if is_first else ():
                run.keep_episode(kept)
            run.write_run({"serving": SERVED}, is_complete=not is_first)
    shutil.copyfile(folder / FILE, path)


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """A folder of results made up by hand: as many as the page asks for."""
    folder = tmp_path_factory.mktemp("results")
    for student, lessons in CLEANUP_STUDENTS.items():
        for k, kind in enumerate(("taught", "held-out", "icn")):
            mean = 0.98126 - 0.1 * k - 0.05 * (student != "cleanup")
            told = evaluation(lessons, kind, mean)
            write_json(folder / f"evaluation.{student}.{kind}.json", told)
        write_json(folder / f"teaching.{student}.json", teaching(164.098123))
    for kind in LESSONS["negotiation"].kinds:
        write_json(folder / f"evaluation.negotiation.{kind}.json", negotiation(kind))
    write_json(folder / "reading.cleanup.json", reading(0.9))
    write_json(folder / "reading.cleanup-at-once.json", reading(0.7))
    write_json(folder / "reading.cleanup-varied.json", reading(0.8))
    write_json(folder / "reinforcement.json", reinforcement())
    for name in _SERVED_RUNS:
        model = "SmolLM2-135M" if name == "smollm2" else "taught"
        write_json(folder / f"compare.{name}.json", compared(model))
        write_served(folder / f"compare.{name}.db", tmp_path_factory.mktemp(name))
    play_run(spoken_arena(), folder / "transcript")
    return folder


@pytest.fixture(scope="module")
def kept(results):
    return gathered(results)


@pytest.fixture
def docs(tmp_path):
    """A documentation with nothing but the page, its marks empty."""
    empty = re.sub(r"(<!-- taught: .+? -->).*?(<!-- /taught -->)", r"\1\2", TAUGHT, flags=re.DOTALL)
    (tmp_path / PAGE).write_text(empty, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("query", "answer"),
    [
        ("evaluation cleanup taught efficiency as=.3f", "0.981"),
        ("evaluation cleanup taught policies.planner.efficiency", "1"),
        ("evaluation cleanup|cleanup-seed* held-out efficiency pick=min as=.2f", "0.83"),
        ("evaluation cleanup* held-out efficiency pick=count", "7"),
        ("teaching cleanup num_pairs as=,", "30,080"),
        ("teaching cleanup teaching.learning_rate", "2e-05"),
        ('reading cleanup "taught settings" agreement as=.0%', "90%"),
        ('reading cleanup "taught settings" own_by_teachers as=.2f', "-"),
        ("reinforcement after.drawn.valid as=.0%", "98%"),
        ("compare served cleanup taught icn efficiency as=.2f", "0.81"),
        ("serving smollm2 tokens_per_s as=.0f", "2000"),
    ],
)
def test_a_value_is_found_by_the_names_that_lead_to_it(query, answer, kept, results):
    assert answer_to(query, kept, results / "transcript") == answer


@pytest.mark.parametrize(
    ("query", "row"),
    [
        (
            "table evaluations students=cleanup-seed*,cleanup kinds=held-out",
            "| cleanup-seed1, held-out | 0.831 [0.781, 0.881] | 99.95% | 60 | 0.990 | 1.000 |",
        ),
        (
            "table personas",
            "| cleanup-breaking | `breaking` | 0.931 [0.881, 0.981] | 0.990 "
            "| 0.831 [0.781, 0.881] | 0.990 | - |",
        ),
        (
            "table negotiations students=negotiation",
            "| negotiation, held-out | no-communication | 0.75 and 0.50 | +0.25 [+0.10, +0.40] "
            "| 61.3 and 50.0 | +11.3 | 99.95% | 60 |",
        ),
        ("table reinforcement", "| after, drawn answers | 0.700 [0.650, 0.750] | 98.00% | 60 |"),
        (
            "table compare name=served",
            "| taught | cleanup, icn | 51.2 [50.0, 52.5] | 0.812 | - | 20 episodes |",
        ),
        (
            "table compare name=served,smollm2 arena=cleanup policy=taught,*mol* condition=none",
            "| smollm2, SmolLM2-135M | cleanup, none | 51.2 [50.0, 52.5] | 0.812 | 20 episodes |",
        ),
        (
            "table compare name=served arena=negotiation",
            "| taught | negotiation, base/cooperative | 1.000 | 1 episode |",
        ),
        (
            "table serving names=in-process",
            "| in-process | 2,000 | 500 | 2.00 | 6,000 | 2,000 | 50% | 2.50% | 8 |",
        ),
    ],
)
def test_a_table_has_a_row_for_what_was_measured(query, row, kept, results):
    assert row in answer_to(query, kept, results / "transcript")


def test_rows_come_in_the_order_that_is_asked_for_and_kinds_in_that_of_the_lessons(kept, results):
    shown = answer_to("table evaluations students=cleanup-varied,cleanup", kept, results)
    names = re.findall(r"^\| (cleanup\S*), (\S+) \|", shown, re.MULTILINE)
    kinds = ("taught", "held-out", "icn")
    assert names == [(name, kind) for name in ("cleanup-varied", "cleanup") for kind in kinds]


def test_the_table_of_reading_is_that_of_its_command(kept, results):
    shown = answer_to("table reading student=cleanup", kept, results)
    assert shown == "\n" + render_markdown(reading(0.9))


def test_a_transcript_shows_the_steps_that_are_asked_for_and_what_was_said(kept, results):
    run = results / "transcript"
    shown = answer_to("transcript steps=0..2", kept, run)
    assert shown.startswith("\n```text\n")
    assert shown.endswith("```\n")
    assert "steps 0 to 2 of 0 to 49" in shown
    silent = answer_to("transcript steps=0..2 condition=icn answers=no", kept, run)
    assert "Action: " in shown
    assert "Action: " not in silent
    assert len(answer_to("transcript", kept, run)) > len(shown)


@pytest.mark.parametrize(
    ("query", "allowed"),
    [
        ("evalution cleanup", "in the place of 'evalution' one of evaluation, reading, teaching"),
        ("evaluation nobody taught efficiency", "one of cleanup, cleanup-abiding"),
        ("evaluation cleanup taught speed", "one of efficiency, low, high"),
        ("evaluation cleanup taught efficiency.mean", "nothing, for it is a value"),
        ("evaluation cleanup taught policies", "further one of planner"),
        ("evaluation cleanup|cleanup-seed1 taught efficiency", "1 value, or pick="),
        ("evaluation cleanup taught efficiency pick=most", "pick= one of max, min"),
        ("evaluation cleanup taught kind as=.2f", "a format for 'taught'"),
        ("evaluation cleanup taught efficiency of=1", "PART NAME"),
        ("table nothing", "a table of evaluations, "),
        ("table reading student=nobody", "one of cleanup, cleanup-at-once, cleanup-varied"),
        ("table evaluations students=cleanup,nobody", "one of cleanup, "),
        ("table compare name=served policy=nobody", "policies: ppo, taught"),
        ("table compare name=served measures=speed", "some of efficiency, final_success"),
        ("table serving names=nobody", "one of in-process, served"),
        ("caption nothing", "a figure of reinforcement"),
        ("transcript steps=0..90", "steps=FROM..TO within 0..49"),
        ("transcript steps=few", "within 0..49"),
        ("transcript policy=nobody", "cleanup-smoke stub-cooperative icn 0"),
        ("transcript number=1", "steps=FROM..TO and an episode"),
    ],
)
def test_a_query_that_cannot_be_answered_is_named_with_what_there_is(query, allowed, kept, results):
    with pytest.raises(ConfigError, match=re.escape(allowed)) as error:
        answer_to(query, kept, results / "transcript")
    assert (error.value.name, error.value.value) == ("taught query", query)


def test_without_a_part_of_the_results_its_tables_are_refused(results):
    for query in ("table reinforcement", "caption reinforcement", "table serving", "transcript"):
        with pytest.raises(ConfigError, match="taught query"):
            answer_to(query, {}, results)


@pytest.mark.parametrize(
    ("name", "content", "allowed"),
    [
        ("evaluation.a.taught.json", "{", "one JSON value"),
        ("evaluation.a.taught.json", "[]", "an object with them"),
        ("evaluation.a.taught.json", json.dumps(evaluation("cleanup", "icn", 1.0)), "kind taught"),
        ("reading.a.json", "[]", "a list of objects with agreement"),
        ("teaching.a.json", '{"seconds": 1}', "an object"),
        ("compare.a.json", "{}", "a list of objects"),
        ("notes.txt", "", "files such as evaluation"),
    ],
)
def test_a_file_that_is_something_else_is_refused(name, content, allowed, tmp_path):
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(ConfigError, match=allowed):
        gathered(tmp_path)


def test_a_run_without_models_says_nothing_of_serving(results, tmp_path):
    shutil.copyfile(results / "transcript" / FILE, tmp_path / "compare.a.db")
    with pytest.raises(ConfigError, match="in which a model was asked"):
        gathered(tmp_path)


def test_measured_numbers_are_kept_short_and_settings_as_they_were_given(kept):
    assert kept["teaching"]["cleanup"]["seconds"] == 164.0981
    assert kept["teaching"]["cleanup"]["teaching"]["learning_rate"] == 0.00002
    assert kept["reinforcement"]["settings"]["learning_rate"] == 0.00003
    assert "/home" not in json.dumps(kept)


def test_a_run_is_kept_without_the_folders_that_it_names(tmp_path):
    suite = {"name": "s", "models": {"m": {"model": "/home/somebody/taught"}}}
    with open_folder(tmp_path / "run", suite) as folder:
        for each in all_kept():
            folder.keep_episode(each)
        folder.write_run({"command": ["--out", "/home/somebody/run"]})
    keep_run(tmp_path / "run", tmp_path / "kept")
    with open_run(tmp_path / "kept") as reader, open_run(tmp_path / "run") as original:
        assert reader.about["suite"]["models"] == {"m": {"model": "taught"}}
        assert "/home" not in json.dumps(reader.about)
        assert list(reader.episodes()) == list(original.episodes())
    assert [path.name for path in (tmp_path / "kept").iterdir()] == [FILE]


def test_every_mark_of_the_page_is_filled_in_and_stays_as_it_is(results, docs):
    files = write_results(results, docs)
    page = (docs / PAGE).read_text(encoding="utf-8")
    assert [path.relative_to(docs).as_posix() for path in files] == [
        "taught/results.json",
        "taught.md",
        "taught/transcript/run.db",
        "taught/reinforcement.svg",
    ]
    assert all(path.stat().st_size > 0 for path in files)
    assert "--><!-- /taught -->" not in page
    again = json.loads((docs / "taught" / "results.json").read_text(encoding="utf-8"))
    assert filled_in(page, again, docs / "taught" / "transcript") == page


def test_nothing_is_written_where_a_query_cannot_be_answered(results, docs):
    page = (docs / PAGE).read_text(encoding="utf-8") + "<!-- taught: table none --><!-- /taught -->"
    (docs / PAGE).write_text(page, encoding="utf-8")
    with pytest.raises(ConfigError, match="table none"):
        write_results(results, docs)
    assert [path.name for path in docs.iterdir()] == [PAGE]
    assert (docs / PAGE).read_text(encoding="utf-8") == page


def test_the_command_fills_in_the_page_or_says_what_is_missing(results, docs, command):
    code, out, err = command("taught-page", results, "--docs", docs)
    assert (code, out, err.count("written: ")) == (0, "", 4)
    assert command("taught-page", results, "--docs", results)[0] == 2
    code, _, err = command("taught-page", docs / "nowhere", "--docs", docs)
    assert (code, "a folder of results" in err) == (2, True)


# --- the page itself ---------------------------------------------------------------------------


def test_the_page_says_what_its_results_say_and_nothing_without_them():
    if not (KEPT / "results.json").is_file():
        assert TAUGHT.count("--><!-- /taught -->") == len(queries_on(TAUGHT, TAG))
        pytest.skip(NOT_YET)
    told = json.loads((KEPT / "results.json").read_text(encoding="utf-8"))
    assert filled_in(TAUGHT, told, KEPT / "transcript") == TAUGHT


def test_the_figure_on_the_page_is_that_of_what_is_kept(tmp_path):
    if not (KEPT / "results.json").is_file():
        pytest.skip(NOT_YET)
    told = json.loads((KEPT / "results.json").read_text(encoding="utf-8"))
    draw_reinforcement(told, tmp_path / "drawn.svg")
    drawn = (KEPT / "reinforcement.svg").read_bytes()
    assert (tmp_path / "drawn.svg").read_bytes() == drawn


def test_thoughts_are_quoted_only_where_they_are_asked_for():
    if not (KEPT / "results.json").is_file():
        pytest.skip(NOT_YET)
    told = json.loads((KEPT / "results.json").read_text(encoding="utf-8"))
    bare, whole = (
        answer_to(f"transcript steps=0..2{asked}", told, KEPT / "transcript")
        for asked in ("", " scratchpads=yes")
    )
    assert "to clean" in whole
    assert "to clean" not in bare


def test_what_is_kept_names_no_folder_of_a_machine():
    if not (KEPT / "results.json").is_file():
        pytest.skip(NOT_YET)
    with open_run(KEPT / "transcript") as reader:
        about = json.dumps(reader.about)
    assert not re.findall(r'"/\w+/', about + (KEPT / "results.json").read_text(encoding="utf-8"))


def test_no_measured_number_on_the_page_is_typed_by_hand():
    prose = re.sub(r"<!-- taught: .+?<!-- /taught -->", "", TAUGHT, flags=re.DOTALL)
    prose = re.sub(r"```.*?```|`[^`]+`|\]\([^)]+\)", "", prose, flags=re.DOTALL)
    assert re.findall(r"\d+\.\d+|\d+ ?%|\d{2,}", prose) == []
