"""`commonweal report`: where it writes, what it says, and what it refuses."""

from __future__ import annotations

import json

import pytest
import typer
from built_reports import small_arena, transcripts_in, value_in
from run_folders import begin_run, kept_in, play_run

from benchmarks.compare import open_folder
from benchmarks.suite import Suite


@pytest.fixture(scope="module")
def arena():
    return small_arena("cleanup-smoke", 1, ("all-harvest",), ("none", "fixed"))


@pytest.fixture(scope="module")
def run(arena, tmp_path_factory):
    out = tmp_path_factory.mktemp("run")
    play_run(arena, out)
    return out


def test_it_says_where_the_report_is_and_nothing_else_on_stdout(command, run):
    code, out, err = command("report", run, "--json")
    assert code == 0
    told = json.loads(out)
    assert told["report"] == str(run / "report" / "index.html")
    assert (told["episodes"], told["status"]) == (2, "complete")
    size = sum(file.stat().st_size for file in (run / "report").rglob("*") if file.is_file())
    assert told["bytes"] == size
    assert "commonweal: " not in err


def test_people_get_a_table(command, run):
    code, out, _ = command("report", run)
    assert code == 0
    assert "complete" in out
    assert "index.html" in out


def test_another_folder_can_be_named(command, run, tmp_path):
    code, out, _ = command("report", run, "--out", tmp_path / "elsewhere", "--json")
    assert code == 0
    assert json.loads(out)["report"] == str(tmp_path / "elsewhere" / "index.html")
    assert len(transcripts_in(tmp_path / "elsewhere")) == 2


def test_a_run_that_is_not_over_is_reported_and_said_to_be_so(command, arena, run, tmp_path):
    begin_run(arena, tmp_path, kept_in(run)[:1])
    code, out, err = command("report", tmp_path, "--json")
    assert code == 0
    assert json.loads(out)["status"] == "killed"
    assert "the run ended before all its episodes were played" in err
    assert value_in(tmp_path / "report" / "data" / "run.js")["num_episodes"] == 1


def test_a_run_that_goes_on_is_reported_meanwhile(command, arena, run, tmp_path):
    first, second = kept_in(run)
    with open_folder(tmp_path, Suite.of(arena)) as folder:
        folder.keep_episode(first)
        code, out, err = command("report", tmp_path, "--json")
        folder.keep_episode(second)
    assert (code, json.loads(out)["episodes"]) == (0, 1)
    assert "the run goes on" in err


def test_a_folder_without_a_run_is_wrong_usage_told_in_one_line(command, tmp_path):
    code, out, err = command("report", tmp_path)
    assert (code, out) == (2, "")
    (line,) = [line for line in err.splitlines() if line.strip()]
    assert "run = " in line
    assert "run.db" in line


def test_a_folder_of_something_else_is_not_written_over(command, run, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    code, out, err = command("report", run, "--out", tmp_path)
    assert (code, out) == (2, "")
    assert "that of a report" in err
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_open_shows_the_page_in_a_browser(command, run, monkeypatch):
    opened = []
    monkeypatch.setattr(typer, "launch", opened.append)
    assert command("report", run, "--open")[0] == 0
    assert opened == [(run / "report" / "index.html").resolve().as_uri()]
