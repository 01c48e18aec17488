"""The table of reading and memory: its rows, its numbers, and how it is written."""

from __future__ import annotations

import json

import pytest

from agents.llm import StubClient
from benchmarks.store import open_run
from benchmarks.teaching import reading_command
from benchmarks.teaching.examination import STUDENT, Questioning, examine
from benchmarks.teaching.lessons import lessons_named
from benchmarks.teaching.reading_table import (
    ReadingTest,
    agreement_with,
    columns_of,
    render_markdown,
    trials_of,
)
from cleanup_icn.personas import persona
from cleanup_icn.wordings import EXAMINED_WORDINGS

CLEANUP = lessons_named("cleanup")
COOPERATIVE = persona("cooperative").answer


def literal(text, rng):
    """Play as the teacher does where the game's own words are found, and say nothing elsewhere."""
    try:
        return COOPERATIVE(text, rng)
    except ValueError:
        return "What?"


@pytest.fixture(scope="module")
def readings():
    test = ReadingTest(
        folder="nowhere",
        lessons=CLEANUP,
        asked=Questioning(),
        episodes=1,
        clients=lambda _trial: {STUDENT: StubClient(literal)},
    )
    return list(test.readings())


def test_the_rows_are_kinds_of_settings_other_words_and_drawn_answers():
    trials = trials_of(CLEANUP)
    assert [trial.kind for trial in trials if trial.wording == "own"] == [*CLEANUP.kinds, "taught"]
    others = [trial.wording for trial in trials if trial.wording != "own"]
    assert others == list(EXAMINED_WORDINGS)
    assert [trial.temperature for trial in trials] == [0.0] * (len(trials) - 1) + [1.0]
    assert len({trial.name for trial in trials}) == len(trials)
    thinking = trials_of(CLEANUP, style="chain-of-thought")
    (at_once,) = [trial for trial in thinking if trial.style is not None]
    assert (at_once.style, at_once.kind) == ("direct", "taught")
    assert [trial for trial in thinking if trial != at_once] == trials
    negotiation = trials_of(lessons_named("negotiation"))
    assert {trial.wording for trial in negotiation} == {"own"}


def test_a_model_that_only_knows_the_own_words_is_found_out(readings):
    by_wording = {each.trial.wording: each for each in readings if each.trial.kind == "taught"}
    assert (by_wording["paraphrased"].valid, by_wording["paraphrased"].agreement) == (0.0, 0.0)
    assert by_wording["paraphrased"].student.main.mean == 0.0
    assert by_wording["distracted"].agreement == 1.0
    assert [each.agreement for each in readings if each.trial.wording == "own"] == [1.0] * 6


def test_rows_of_one_kind_are_compared_with_the_same_policies(readings):
    first, *others = (each.policies for each in readings if each.trial.kind == "taught")
    assert {"planner", "division-of-labour"} <= set(first)
    assert all(each == first for each in others)


def test_beside_partners_the_own_seat_is_held_against_the_teachers(readings):
    by_kind = {each.trial.kind: each for each in readings}
    assert by_kind["partners"].own_by_teachers == pytest.approx(1.0)
    assert by_kind["held-out"].own_by_teachers is None


def test_the_table_has_a_line_a_row(readings):
    rows = [each.to_dict() for each in readings]
    lines = render_markdown(rows).splitlines()
    columns = columns_of(rows)
    assert columns[:2] == ("what is asked", "efficiency")
    assert lines[0] == f"| {' | '.join(columns)} |"
    assert len(lines) == len(readings) + 2
    assert {line.count("|") for line in lines} == {len(columns) + 1}
    assert lines[2].startswith("| taught settings | ")
    kept = json.loads(json.dumps(rows, allow_nan=False))
    assert render_markdown(kept) == render_markdown(rows)


def test_agreement_counts_what_the_teacher_would_have_said_in_the_same_place(tmp_path):
    turn = iter(range(10**6))

    def half(text, rng):
        return COOPERATIVE(text, rng) if next(turn) % 2 else "Action: dance"

    suite = CLEANUP.examination_suite("taught", episodes=1, seed=1)
    examine("nowhere", suite, clients={STUDENT: StubClient(half)}, out=tmp_path)
    with open_run(tmp_path) as reader:
        assert agreement_with("division-of-labour", reader) == pytest.approx(0.5, abs=0.01)


def test_the_command_prints_the_table_and_writes_it(readings, command, monkeypatch, tmp_path):
    for name in ("config.json", "model.safetensors", "tokenizer.json"):
        (tmp_path / name).write_text("{}")
    monkeypatch.setattr(reading_command, "_measured", lambda _test: readings)
    monkeypatch.setattr(reading_command, "require_packages", lambda: None)
    asked = ("reading-table", tmp_path, "--lessons", "cleanup")
    code, out, err = command(*asked, "--json", "--out", tmp_path / "table.md")
    rows = [each.to_dict() for each in readings]
    assert (code, json.loads(out)) == (0, rows)
    assert (tmp_path / "table.md").read_text("utf-8") == render_markdown(rows)
    code, out, err = command(*asked, "--out", tmp_path / "table.json")
    assert code == 0
    assert "partners never met" in out
    assert json.loads((tmp_path / "table.json").read_text("utf-8"))[0]["kind"] == "taught"
    code, _, err = command(*asked, "--out", tmp_path / "nowhere" / "table.md")
    assert (code, "--out" in err) == (2, True)
