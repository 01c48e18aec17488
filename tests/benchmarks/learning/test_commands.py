"""`commonweal train` and `commonweal evaluate-policy`."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("sb3_contrib")

from benchmarks.learning import runs
from benchmarks.learning.cleanup import CleanupExperiment
from benchmarks.learning.config_file import load_experiment
from benchmarks.learning.folder import TrainingFolder
from benchmarks.learning.runs import train_seeds
from benchmarks.learning.seeds import TEST, VALIDATION, episode_seeds


@pytest.fixture
def train(command, tmp_path):
    """Train a tiny experiment in this process; returns exit code, stdout and stderr."""

    def run(file, *options, out="out", seeds=2):
        options = ("--config", file, "--out", tmp_path / out, "--seeds", seeds, *options)
        return command("train", "cleanup", *options, "--workers", 0)

    return run


def results(folder, *, seeds=2):
    """Return the results of a training, but for how long it took."""
    found = [json.loads((folder / f"seed-{k}" / "result.json").read_text()) for k in range(seeds)]
    for each in found:
        del each["row"]["seconds"]
    return found


def test_training_prints_a_row_a_seed_and_nothing_else(train, trained, tiny_file):
    code, out, err = train(tiny_file(), "--json")
    rows = json.loads(out)
    assert code == 0
    assert [row["seed"] for row in rows] == [0, 1]
    assert list(rows[0]) == [
        *("seed", "agent_steps", "seconds", "n", "efficiency", "efficiency_fixed_start"),
    ]
    assert {(row["agent_steps"], row["n"]) for row in rows} == {(320, 6)}
    assert "training seed 1" in err
    assert json.loads((trained / "table.json").read_text()) == rows
    for name in ("curves.svg", "curves.png", "experiment.json", "seed-1/best.zip"):
        assert (trained / name).exists()


def test_people_get_a_table_with_the_mean_over_training_seeds(train, trained, tiny_file):
    _, out, _ = train(tiny_file())
    assert out.startswith("tiny\n")
    assert "mean of 2" in out


def test_training_seeds_differ_and_each_is_repeatable(train, trained, tiny_file, tmp_path):
    train(tiny_file(), out="again", seeds=1)
    first = results(trained)
    assert first[:1] == results(tmp_path / "again", seeds=1)
    assert first[0]["episodes"] != first[1]["episodes"]


def test_checkpoints_are_chosen_on_validation_episodes_and_tested_on_others(
    train, tiny_file, monkeypatch
):
    played = []
    evaluate = CleanupExperiment.evaluate

    def noted(experiment, policy, seeds, *, complete=True):
        played.append((complete, list(seeds)))
        return evaluate(experiment, policy, seeds, complete=complete)

    monkeypatch.setattr(CleanupExperiment, "evaluate", noted)
    train(tiny_file(), seeds=1)
    validation, test = (list(episode_seeds(family, 6)) for family in (VALIDATION, TEST))
    assert played == [(False, validation)] * 2 + [(True, test)]


def test_a_finished_seed_is_not_trained_again(train, trained, tiny_file, monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("trained again")

    before = (trained / "table.json").read_text()
    monkeypatch.setattr(runs, "train_seed", refuse)
    code, out, _ = train(tiny_file(), "--json")
    assert code == 0
    assert json.loads(out) == json.loads(before)


def test_more_seeds_may_be_added(train, trained, tiny_file, monkeypatch):
    asked = []
    monkeypatch.setattr(runs, "train_seed", lambda _, seed, __, **___: asked.append(seed))
    _, out, _ = train(tiny_file(), "--json", seeds=3)
    assert asked == [2]
    assert [row["seed"] for row in json.loads(out)] == [0, 1]  # the third left nothing


def test_an_interrupted_training_ends_as_if_nothing_had_happened(
    train, trained, tiny_file, tmp_path
):
    experiment, written = load_experiment(str(tiny_file()), game="cleanup")
    folder = TrainingFolder(
        tmp_path / "cut", experiment.to_dict(), name=experiment.name, written=written
    )

    def interrupt(seed, agent_steps):
        if (seed, agent_steps) == (1, 240):  # in the second chunk of two
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_seeds(experiment, folder, range(2), num_workers=0, report=interrupt)
    assert folder.finished_seeds() == [0]
    assert len(folder.progress(1)) == 1
    assert train(tiny_file(), out="cut")[0] == 0
    assert results(tmp_path / "cut") == results(trained)


def test_the_folder_of_another_experiment_is_refused_with_all_that_differs(
    train, trained, tiny_file
):
    other = tiny_file(("num_lanes = 4", "num_lanes = 8"), ("episodes = 6", "episodes = 7"))
    code, out, err = train(other)
    assert (code, out) == (2, "")
    assert [line.partition("/out: ")[2] for line in err.splitlines()] == [
        "training.num_lanes = 8: expected 4, as its training was begun with",
        "evaluation.episodes = 7: expected 6, as its training was begun with",
    ]


def test_a_folder_of_something_else_is_refused(train, tiny_file, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "letter.txt").write_text("dear")
    code, _, err = train(tiny_file())
    assert code == 2
    assert "expected a new folder" in err


@pytest.mark.slow
def test_several_processes_come_to_the_same(command, trained, tiny_file, tmp_path):
    code, _, _ = command(
        *("train", "cleanup", "--config", tiny_file(), "--out", tmp_path / "many"),
        *("--seeds", 2, "--workers", 2),
    )
    assert code == 0
    assert results(tmp_path / "many") == results(trained)


def test_a_policy_for_each_seat_is_trained_and_tested(train, tiny_file, command, tmp_path):
    file = tiny_file(("[training]", '[training]\nsharing = "independent"'))
    code, out, _ = train(file, "--json", seeds=1)
    (row,) = json.loads(out)
    assert code == 0
    assert row["agent_steps"] == 2 * 320
    assert (tmp_path / "out" / "seed-0" / "seat-1" / "best.zip").exists()
    assert command("evaluate-policy", tmp_path / "out")[0] == 0


def test_a_negotiator_that_judges_deals_by_features_is_trained_and_reproduced(command, tmp_path):
    file = tmp_path / "talks.toml"
    file.write_text(
        """
        game = "negotiation"
        [world]
        game = "base"
        sheets = "fresh"
        [policy]
        deals = "features"
        [training]
        total_agent_steps = 40
        num_lanes = 4
        n_steps = 5
        batch_size = 20
        n_epochs = 1
        [evaluation]
        episodes = 4
        every = 2
        """
    )
    out = tmp_path / "out"
    words = ("--config", file, "--out", out, "--seeds", 1, "--workers", 0, "--json")
    code, told, _ = command("train", "negotiation", *words)
    (row,) = json.loads(told)
    assert code == 0
    assert row["regret"] == pytest.approx(row["planner_score"] - row["own_score"])
    assert command("evaluate-policy", out)[0] == 0


def test_a_checkpoint_reproduces_its_test(trained, command):
    code, out, _ = command("evaluate-policy", trained, "--json")
    assert code == 0
    assert [(each["seed"], each["same"], each["differences"]) for each in json.loads(out)] == [
        (0, True, []),
        (1, True, []),
    ]


def test_a_checkpoint_that_plays_otherwise_is_found_out(trained, command):
    (trained / "seed-0" / "policy.zip").write_bytes(
        (trained / "seed-1" / "policy.zip").read_bytes()
    )
    code, out, err = command("evaluate-policy", trained)
    assert code == 1
    assert "numbers differ" in out
    assert "training seed 0: episodes.drawn." in err
    assert "is on record" in err
    assert "training seed 1: episodes" not in err


@pytest.mark.parametrize("left", [None, b"", b"half a checkpoint"])
def test_a_checkpoint_that_is_lost_or_damaged_is_named(trained, command, left):
    checkpoint = trained / "seed-1" / "policy.zip"
    checkpoint.unlink()
    if left is not None:
        checkpoint.write_bytes(left)
    code, _, err = command("evaluate-policy", trained)
    assert code == 2
    assert f"checkpoint = '{checkpoint}': expected what training left there, whole" in err


def test_a_number_changed_on_record_is_found_out(trained, command):
    file = trained / "seed-0" / "result.json"
    result = json.loads(file.read_text())
    result["row"]["efficiency"] += 1e-12
    file.write_text(json.dumps(result))
    code, _, err = command("evaluate-policy", trained)
    assert code == 1
    assert "training seed 0: row.efficiency = " in err


def test_a_training_that_this_version_would_do_otherwise_is_refused(trained, command):
    file = trained / "experiment.json"
    record = json.loads(file.read_text())
    record["experiment"]["training"]["gamma"] = 0.5
    file.write_text(json.dumps(record))
    code, _, err = command("evaluate-policy", trained)
    assert code == 2
    assert "training.gamma = 1.0: expected 0.5, as its training was begun with" in err


def test_what_is_no_training_cannot_be_evaluated(command, tmp_path):
    code, _, err = command("evaluate-policy", tmp_path)
    assert code == 2
    assert "expected a folder that `train` wrote" in err


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["train"], "expected one of cleanup, negotiation"),
        (["train", "chess"], "'chess': expected one of cleanup, negotiation"),
        (["train", "cleanup"], "--config: expected a TOML file or one of cleanup-"),
        (["train", "cleanup", "--config", "cleanup-wages"], "did you mean cleanup-wage?"),
        (["train", "negotiation", "--config", "cleanup-wage"], "game = 'cleanup': expected"),
    ],
)
def test_a_wrong_argument_says_what_is_allowed(command, words, expected):
    code, out, err = command(*words)
    assert (code, out) == (2, "")
    assert expected in err


def test_the_bundled_files_are_listed(command):
    code, out, _ = command("train", "cleanup", "--list", "--json")
    assert code == 0
    assert "cleanup-wage" in json.loads(out)
    assert not [name for name in json.loads(out) if not name.startswith("cleanup-")]
