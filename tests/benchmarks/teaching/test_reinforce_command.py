"""`commonweal reinforce-lm`: what it refuses, and what it prints."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("torch", reason="needs commonweal[lm]")
pytest.importorskip("transformers", reason="needs commonweal[lm]")


@pytest.fixture
def model(tmp_path):
    """Something that looks like a model's folder until it is loaded."""
    folder = tmp_path / "start"
    folder.mkdir()
    for file in ("config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors"):
        (folder / file).write_text("{}")
    return folder


def reinforce(command, folder, out, *more):
    return command("reinforce-lm", folder, "--out", out, *more)


@pytest.mark.parametrize(
    ("option", "value", "allowed"),
    [
        ("lessons", "negotiation", "one of cleanup"),
        ("iterations", 0, "an integer of at least 1"),
        ("groups", 0, "an integer of at least 1"),
        ("group-size", 1, "an integer of at least 2"),
        ("horizon-steps", 0, "an integer of at least 1"),
        ("credit", "turn", "one of step, episode"),
        ("reward", "fame", "one of return, welfare"),
        ("discount", 1.5, "a number from 0 to 1"),
        ("examined", 0, "an integer of at least 1"),
        ("seed", -1, "an integer of at least 0"),
        ("learning-rate", 0, "a number above 0"),
        ("kl", -1, "a number from 0"),
    ],
)
def test_a_wrong_value_is_told_with_what_is_allowed(
    command, model, tmp_path, option, value, allowed
):
    out = tmp_path / "out"
    code, printed, remarks = reinforce(command, model, out, f"--{option}", value)
    assert (code, printed) == (2, "")
    assert option.replace("-", "_") in remarks
    assert allowed in remarks
    assert not out.exists()


def test_a_folder_without_a_model_is_refused(command, tmp_path):
    code, _, remarks = reinforce(command, tmp_path / "nothing", tmp_path / "out")
    assert code == 2
    assert "nothing" in remarks
    assert not (tmp_path / "out").exists()


def test_neither_the_start_nor_a_folder_with_something_else_is_written_to(command, model, tmp_path):
    code, _, remarks = reinforce(command, model, model)
    assert code == 2
    assert "expected another folder than the start's" in remarks
    full = tmp_path / "full"
    full.mkdir()
    (full / "thesis.txt").write_text("mine")
    code, _, remarks = reinforce(command, model, full)
    assert code == 2
    assert "expected a new folder" in remarks
    assert (full / "thesis.txt").read_text() == "mine"


def test_before_after_and_the_curve_are_printed(command, model, tmp_path, monkeypatch):
    examined = {"efficiency": 0.5, "low": 0.4, "high": 0.6, "n": 3, "valid": 1.0, "seconds": 1.0}
    point = {**examined, "iteration": 1, "mean_return": 7.25, "kl": 0.125, "entropy": 1.5}
    told = {
        "before": {**examined, "drawn": examined},
        "after": {**examined, "efficiency": 0.875, "drawn": examined},
        "curve": [{**point, "learned": 10, "answers": 20}],
        "seconds": 3.0,
        "start": "digest",
    }
    monkeypatch.setattr(
        "benchmarks.teaching.reinforcement.Reinforcement.run", lambda _self, **_told: told
    )
    code, printed, _ = reinforce(command, model, tmp_path / "out", "--json")
    assert code == 0
    assert json.loads(printed) == {name: told[name] for name in told if name != "start"}
    code, printed, remarks = reinforce(command, model, tmp_path / "other")
    assert code == 0
    for shown in ("0.875", "0.125", "7.2", "iteration 1"):
        assert shown in printed
    assert str(tmp_path / "other") in remarks


def test_an_interruption_says_how_to_go_on(command, model, tmp_path, monkeypatch):
    def interrupted(_self, **_told):
        raise KeyboardInterrupt

    monkeypatch.setattr("benchmarks.teaching.reinforcement.Reinforcement.run", interrupted)
    code, printed, remarks = reinforce(command, model, tmp_path / "out")
    assert (code, printed) == (1, "")
    assert "--resume goes on" in remarks
