"""`commonweal dataset`: what it answers, and what it refuses."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from stored_episodes import play_alone

from agents.lm.pairs import read_pairs
from benchmarks.suite import Suite


@pytest.fixture(scope="module")
def run(tiny_suite, tmp_path_factory):
    """The folder of a small run."""
    out = tmp_path_factory.mktemp("runs") / "run"
    arena = replace(
        tiny_suite, policies=("all-harvest",), conditions=tiny_suite.conditions[:1], num_episodes=3
    )
    play_alone(Suite.of(arena), out)
    return out


def test_the_json_says_how_much_there_is_and_where(command, run, tmp_path):
    out = tmp_path / "data.jsonl"
    code, told, err = command("dataset", run, "--held-out", 0.5, "--out", out, "--json")
    assert code == 0
    answered = json.loads(told)
    assert answered.pop("seconds") >= 0
    assert answered == {
        "train": len(read_pairs(out)),
        "held_out": len(read_pairs(tmp_path / "data.held-out.jsonl")),
        "questions": 300,
        "episodes": 3,
        "out": str(out),
        "card": str(tmp_path / "data.md"),
    }
    assert f"written: {out}" in err


def test_people_get_a_table_and_options_are_heeded(command, run, tmp_path):
    out = tmp_path / "data.jsonl"
    code, told, err = command(
        *("dataset", run, "--out", out, "--format", "prompt-completion", "--held-out", 0),
        *("--filter", "agent=agent_0", "--filter", "return>=0", "--relabel", "division-of-labour"),
        *(
            "--record-lines",
            "all",
            "--wording",
            "varied",
            "--style",
            "chain-of-thought",
            "--per-episode",
            7,
            "--without-scratchpads",
            "--seed",
            4,
        ),
    )
    assert code == 0, err
    assert "pairs to teach from" in told
    assert "nothing is held out" not in err
    assert len(read_pairs(out)) == 21
    assert {"prompt", "completion", "about"} == set(json.loads(out.read_text().split("\n")[0]))
    card = (tmp_path / "data.md").read_text(encoding="utf-8")
    assert (
        "--record-lines all --wording varied --style chain-of-thought --held-out 0.0 "
        "--per-episode 7 --seed 4 --filter agent=agent_0" in card
    )
    assert "division-of-labour does in each place" in card


def test_where_no_seed_was_drawn_to_be_held_out_it_is_said(command, run, tmp_path):
    code, _, err = command("dataset", run, "--held-out", 1e-9, "--out", tmp_path / "data.jsonl")
    assert code == 0
    assert "nothing is held out" in err
    assert (tmp_path / "data.held-out.jsonl").read_bytes() == b""


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--filter", "colour=red"), "a key that is one of arena, policy"),
        (("--filter", "player=nobody"), "a player that is one of all-harvest"),
        (("--filter", "status=missing"), "status=missing took 300 of them"),
        (("--relabel", "nobody"), "--relabel = 'nobody': expected one of all-harvest"),
        (("--record-lines", "some"), "expected a number from 0, or all"),
        (("--held-out", "1.5"), "a share from 0 to below 1"),
        (("--wording", "latin"), "wording = 'latin': expected one of own, synonyms"),
        (("--format", "alpaca"), "one of chat, prompt-completion"),
        (("--per-episode", "0"), "an integer of at least 1"),
    ],
)
def test_what_cannot_be_is_wrong_usage_and_says_what_is_allowed(
    command, run, tmp_path, options, message
):
    code, told, err = command("dataset", run, *options, "--out", tmp_path / "data.jsonl")
    assert (code, told) == (2, "")
    assert message in err
    assert list(tmp_path.iterdir()) == []


def test_a_folder_without_a_run_and_a_file_of_another_name_are_refused(command, run, tmp_path):
    code, _, err = command("dataset", tmp_path, "--out", tmp_path / "data.jsonl")
    assert code == 2, err
    code, _, err = command("dataset", run, "--out", run / "run.db")
    assert code == 2
    assert "a file whose name ends in .jsonl" in err
