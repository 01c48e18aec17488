"""`commonweal transcript`: which episode it writes, what stays secret, and what it refuses."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from built_reports import small_arena, small_suite
from run_folders import begin_run, play_run

CANARY = "canary-in-the-scratchpad"
PLAN = "canary-in-the-plan"
SPOKEN = f"<SCRATCHPAD>{CANARY}</SCRATCHPAD>I weigh a | b.\n<PLAN>{PLAN}</PLAN>\nAction: wait"
BROKEN = f'{{"scratchpad": "{CANARY}", "action": '
AS_JSON = f'{{"scratchpad": "{CANARY}", "plan": "{PLAN}", "action": "harvest"}}'


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Twenty episodes of both games."""
    out = tmp_path_factory.mktemp("run")
    play_run(small_suite(), out)
    return out


@pytest.fixture(scope="module")
def spoken(fake_model, models_of, tmp_path_factory):
    """An episode under negotiated contracts of a model that has secrets."""
    out = tmp_path_factory.mktemp("spoken")
    arena = small_arena("cleanup-smoke", 1, ("all-harvest",), ("icn",))
    arena = replace(arena.with_models(models_of("wise")), name="river")
    say = lambda _text, rng: rng.choice([SPOKEN, SPOKEN, BROKEN, AS_JSON])  # noqa: E731
    play_run(arena, out, clients={"wise": fake_model(say=say)})
    return out


def test_an_episode_goes_to_stdout_and_remarks_to_stderr(command, run):
    code, out, err = command("transcript", run, "--policy", "contract-follower")
    assert code == 0
    assert out.startswith("contract-follower under none, episode 0 (number 0 of the run, seed ")
    assert out.endswith("\n")
    (line,) = err.splitlines()
    assert "the first of 6 episodes" in line
    assert "--condition (none, fixed, icn), --episode (0 to 1)" in line
    assert "--policy" not in line


def test_one_episode_that_is_named_in_full_needs_no_remark(command, run):
    chosen = ("--arena", "cleanup-smoke", "--policy", "stub-erratic", "--condition", "icn")
    code, out, err = command("transcript", run, *chosen, "--episode", "1")
    assert (code, err) == (0, "")
    assert out.startswith("stub-erratic under icn, episode 1 ")


def test_the_number_is_that_of_replay_and_of_the_report(command, run):
    _, replayed, _ = command("replay", run, "5", "--json")
    assert '"contract": "icn", "episode": 1' in replayed
    code, out, err = command("transcript", run, "--number", "5")
    assert (code, err) == (0, "")
    assert out.startswith("contract-follower under icn, episode 1 (number 5 of the run")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--arena", "sea"], "--arena: 'sea': expected one of "),
        (["--policy", "planer"], "expected one of contract-follower, stub-erratic, best-guess"),
        (["--condition", "base/cooperative", "--policy", "contract-follower"], "none, fixed, icn"),
        (["--episode", "9"], "9: expected 0 to 1"),
        (["--number", "99"], "99: expected 0 to 19"),
        (["--number", "3", "--episode", "0"], "3: expected one of 0, 2, 4, "),
        (["--steps", "some"], "expected FROM..TO"),
        (["--steps", ".."], "expected FROM..TO"),
        (["--steps", "9..3"], "expected FROM..TO"),
        (["--steps", "50..60"], "expected steps from 0 to 49"),
        (["--steps", "9" * 5000], "expected FROM..TO"),
        (["--policy", "best-guess", "--steps", "99"], "expected turns from 0 to 25"),
        (["--format", "html"], "expected text or markdown"),
        (["--scratchpads", "--no-answers"], "--scratchpads"),
    ],
)
def test_a_wrong_argument_names_what_there_is_in_one_line(command, run, arguments, told):
    code, out, err = command("transcript", run, *arguments)
    assert (code, out) == (2, "")
    (line,) = err.splitlines()
    assert told in line


def test_a_folder_without_a_run_or_a_run_without_an_episode_is_refused(command, tmp_path):
    code, _, err = command("transcript", tmp_path)
    assert code == 2
    assert "run.db" in err
    begin_run(small_suite(), tmp_path)
    code, _, err = command("transcript", tmp_path)
    assert code == 2
    assert "a run that has kept an episode" in err


@pytest.mark.parametrize(
    ("steps", "shown"),
    [("3..5", [3, 4, 5]), ("48..", [48, 49]), ("..1", [0, 1]), ("7", [7]), ("49..90", [49])],
)
def test_steps_may_be_chosen(command, run, steps, shown):
    _, out, _ = command("transcript", run, "--number", "0", "--steps", steps)
    assert [int(step) for step in re.findall(r"^ *(\d+) +\d+/\d+ ", out, re.MULTILINE)] == shown


@pytest.mark.parametrize("file_format", ["text", "markdown"])
@pytest.mark.parametrize("option", ["--answers", "--no-answers"])
def test_scratchpads_and_plans_appear_only_where_they_are_asked_for(
    command, spoken, file_format, option
):
    chosen = ("transcript", spoken, "--policy", "wise", "--format", file_format)
    code, out, _ = command(*chosen, option)
    assert code == 0
    assert CANARY not in out
    assert PLAN not in out
    assert ("I weigh a" in out) == (option == "--answers")
    _, secret, _ = command(*chosen, "--scratchpads")
    assert CANARY in secret
    assert PLAN in secret


def test_a_negotiators_sheet_appears_only_where_it_is_asked_for(command, run):
    chosen = (
        "transcript",
        run,
        "--policy",
        "stub-erratic",
        "--arena",
        "negotiation-smoke",
        "--answers",
    )
    _, out, _ = command(*chosen)
    assert " | " in out
    for secret in ("My minimum is", "Notes for its next turn", "threshold"):
        assert secret not in out
    _, out, _ = command(*chosen, "--scratchpads")
    for secret in ("My minimum is", "Notes for its next turn", "threshold", "worth to it"):
        assert secret in out


def test_a_pipe_in_an_answer_does_not_break_a_markdown_table(command, spoken):
    chosen = ("--policy", "wise", "--answers", "--format", "markdown")
    _, out, _ = command("transcript", spoken, *chosen)
    assert r"a \| b" in out
    rows = [line for line in out.splitlines() if line.startswith("|")]
    (borders,) = {len(re.findall(r"(?<!\\)\|", row)) for row in rows if "garden" in row}
    head = next(row for row in rows if row.startswith("| step"))
    assert head.count("|") == borders


def test_markdown_has_headings_and_a_table_between_two_notes(command, run):
    _, out, _ = command("transcript", run, "--number", "4", "--format", "markdown")
    assert out.startswith("# contract-follower under icn")
    assert out.count("| step | pollution |") == 2
    assert "**The world has changed: pollution_threshold from 6 to 12.**" in out
    assert "### Talks before step 25\n\n- agent" in out


def test_it_may_go_to_a_file(command, run, tmp_path):
    file = tmp_path / "episode.md"
    code, out, err = command("transcript", run, "--number", "0", "--out", file)
    assert (code, out) == (0, "")
    assert f"written: {file}" in err
    assert file.read_text(encoding="utf-8") == command("transcript", run, "--number", "0")[1]


def test_neither_a_folder_nor_the_runs_own_file_is_written_over(command, run, tmp_path):
    before = (run / "run.db").read_bytes()
    for out in (run / "run.db", tmp_path, tmp_path / "nowhere" / "file"):
        code, _, err = command("transcript", run, "--out", out)
        assert code == 2
        assert "--out" in err
    assert (run / "run.db").read_bytes() == before
