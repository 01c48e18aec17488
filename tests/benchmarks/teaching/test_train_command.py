"""`commonweal train-lm`: a recipe in, an ordinary model's folder out."""

from __future__ import annotations

import json

import pytest

from benchmarks.model_file import load_models

pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("accelerate")

RECIPE = """
description = "small"
[lessons]
name = "cleanup"
episodes = 6
[data]
per_episode = 4
held_out = 0.3
wording = "varied"
[student]
layers = 1
width = 32
heads = 1
vocab_size = 300
[teaching]
steps = 4
batch_size = 4
precision = "float32"
"""


@pytest.fixture
def recipe(tmp_path):
    file = tmp_path / "small.toml"
    file.write_text(RECIPE)
    return file


@pytest.mark.parametrize("style", ["direct", "chain-of-thought"])
def test_lessons_are_played_and_taught_and_nothing_but_the_model_is_left(
    recipe, tmp_path, command, style
):
    recipe.write_text(RECIPE.replace("[student]", f'style = "{style}"\n[student]'))
    out = tmp_path / "taught"
    code, told, said = command("train-lm", "--config", recipe, "--out", out, "--json")
    assert code == 0, said
    result = json.loads(told)
    assert result["pairs"] > 0
    assert result["steps"] == 4
    assert {"config.json", "model.safetensors", "teaching.json", "models.toml", "curve.svg"} <= {
        each.name for each in out.iterdir()
    }
    assert not [each for each in out.iterdir() if each.is_dir()]
    about = json.loads((out / "teaching.json").read_text())["about"]
    assert (about["lessons"], about["record_lines"]) == ("cleanup", 0)
    assert (about["wording"], about["style"]) == ("varied", style)
    asked = load_models(out / "models.toml").models["taught"]
    assert (asked.wording, asked.style) == ("own", style)
    assert (asked.record_lines, asked.structured, asked.temperature) == (0, "off", 0.0)


def test_pairs_of_ones_own_are_taught_in_the_lessons_place(recipe, tmp_path, command):
    lessons, pairs, out = tmp_path / "lessons", tmp_path / "pairs.jsonl", tmp_path / "taught"
    assert command("lessons", "cleanup", "--out", lessons, "--episodes", 4)[0] == 0
    assert command("dataset", lessons, "--per-episode", 3, "--held-out", 0, "--out", pairs)[0] == 0
    given = ("train-lm", "--config", recipe, "--data", pairs, "--out", out, "--json")
    code, told, said = command(*given)
    assert code == 0, said
    assert json.loads(told)["pairs"] == len(pairs.read_text().splitlines())
    assert command(*given)[0] == 2  # a model is not replaced unasked
    (out / "notes.txt").write_text("mine")
    assert command(*given, "--overwrite")[0] == 0
    assert (out / "notes.txt").read_text() == "mine"


def test_a_student_is_not_asked_for_thoughts_that_it_was_not_taught(recipe, tmp_path, command):
    lessons, pairs = tmp_path / "lessons", tmp_path / "pairs.jsonl"
    assert command("lessons", "cleanup", "--out", lessons, "--episodes", 4)[0] == 0
    relabelled = ("dataset", lessons, "--relabel", "division-of-labour", "--per-episode", 3)
    assert command(*relabelled, "--out", pairs)[0] == 0
    given = ("train-lm", "--preset", "cleanup", "--data", pairs, "--out", tmp_path / "taught")
    code, _, said = command(*given)
    assert code == 2
    assert "--data" in said
    assert "pairs that ask for thoughts and have some, as dataset --style chain-of-thought" in said
    assert command(*relabelled, "--style", "chain-of-thought", "--out", pairs)[0] == 0
    code, _, said = command("train-lm", "--config", recipe, *given[3:])
    assert code == 2
    assert "pairs that ask for no thoughts" in said


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--preset", "cleenup"), "did you mean cleanup"),
        (("--preset", "cleanup", "--config", "mine.toml"), "not both"),
        (("--data", "none.jsonl"), "a file of pairs"),
    ],
)
def test_wrong_options_are_refused_before_anything_is_made(options, said, tmp_path, command):
    code, _, remarks = command("train-lm", *options, "--out", tmp_path / "taught")
    assert code == 2
    assert said in remarks
    assert not (tmp_path / "taught").exists()


def test_a_folder_with_other_files_is_left_alone(recipe, tmp_path, command):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("precious")
    code, _, remarks = command(
        "train-lm", "--config", recipe, "--out", tmp_path / "mine", "--overwrite"
    )
    assert code == 2
    assert "a new folder" in remarks
    assert (tmp_path / "mine" / "thesis.tex").read_text() == "precious"
