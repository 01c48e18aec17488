"""`commonweal study critical-change`, as people and programs call it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from benchmarks.study import place
from benchmarks.study import play as playing
from benchmarks.study import suite as grid


@pytest.fixture
def study(command, small_suite, tmp_path, monkeypatch):
    """Play the small suite; returns the exit code, stdout and what was said beside bars."""
    monkeypatch.setattr(playing, "save_figures", lambda _study, folder: [folder / "course.svg"])

    def run(*arguments, out="run", whole=False):
        if not whole:
            monkeypatch.setattr(grid, "study_suite", lambda *_, **__: small_suite)
        where = ("--out", tmp_path / out, "--workers", "0")
        code, stdout, stderr = command("study", "critical-change", *where, *arguments)
        return code, stdout, [line for line in stderr.splitlines() if line.startswith("commonweal")]

    return run


def test_the_answer_and_nothing_else_is_on_stdout(study, tmp_path):
    code, out, said = study("--size", "quick", "--json")
    told = json.loads(out)
    assert (code, said) == (0, [])
    assert told["n"] == 3 * 7 * place.DRAWN_EPISODES + 4  # treatments in three worlds, in one
    assert {"never-any", "least-wage", "least-wage-change"} <= set(told["conditions"])
    kept = json.loads((tmp_path / "run" / "study.json").read_text())
    assert told["critical_magnitudes"] == kept["critical_magnitudes"] != []
    code, table, _ = study("--size", "quick", "--resume")
    assert code == 0
    assert "linear-threshold" in table
    assert "least-wage" in table


def test_an_interrupted_study_says_how_to_go_on(study, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("benchmarks.executors.local.play_task", interrupted)
    code, out, (line,) = study("--size", "quick")
    assert (code, out) == (1, "")
    assert "--resume" in line


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--size", "huge"), "quick, full"),
        (("--groups", "main,side"), "tradeoff"),
        (("--agents", "nobody"), "contract-follower"),
        (("--executor", "clouds"), "processes, ray"),
        (("--model", "m"), "--base-url"),
        (("--workers", "-1"), "workers"),
        (("--kind", "threshold"), "--groups"),
    ],
)
def test_wrong_usage_gets_one_line_and_begins_no_run(arguments, told, study, tmp_path):
    code, out, said = study(*arguments, whole=True)
    assert (code, out, len(said)) == (2, "", 1)
    assert told in said[0]
    assert not (tmp_path / "run").exists()


def test_a_folder_is_needed(command):
    code, _, err = command("study", "critical-change")
    assert code == 2
    assert "--out" in err


def test_another_suites_folder_is_not_gone_on_with(study, small_suite, monkeypatch):
    assert study("--size", "quick")[0] == 0
    fewer = replace(small_suite, arenas=small_suite.arenas[1:])
    monkeypatch.setattr(grid, "study_suite", lambda *_, **__: fewer)
    code, out, (said,) = study("--resume", whole=True)
    assert (code, out) == (2, "")
    assert "arenas = (3 entries): expected (4 entries), as the run in" in said


@pytest.mark.slow
def test_the_quick_study_is_whole(command, tmp_path):
    out = tmp_path / "run"
    where = ("--out", out, "--workers", "2")
    code, told, _ = command("study", "critical-change", "--size", "quick", *where, "--json")
    answer = json.loads(told)
    assert code == 0
    assert answer["n"] > 60
    assert {name.split("/")[-1] for name in answer["figures"]} >= {"course.svg", "judges.png"}
    study = json.loads((out / "study.json").read_text())
    assert {row["group"] for row in study["rows"]} == set(place.GROUPS)
    assert command("report", out)[0] == 0
    assert command("export", out)[0] == 0
    assert command("replay", out, "0")[0] == 0
