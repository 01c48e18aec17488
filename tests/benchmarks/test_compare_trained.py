"""`commonweal compare --trained`: trainings as policies, a training seed a sample."""

from __future__ import annotations

import json
import math
import re
import shutil
from dataclasses import replace
from io import StringIO

import numpy as np
import pytest
from rich.console import Console

pytest.importorskip("sb3_contrib")

from run_folders import about_run, kept_in, outcome_of, play_run, records_in

from agents.ppo import PPOAgent
from benchmarks import training
from benchmarks.arena import Cell
from benchmarks.cleanup import figure
from benchmarks.cleanup.metrics import over_training_seeds, summarize
from benchmarks.cleanup.runner import begin, from_record
from benchmarks.cleanup.table import render_tables
from benchmarks.driver import play
from benchmarks.learning.config_file import load_experiment
from benchmarks.learning.folder import RESULT, TrainingFolder
from benchmarks.learning.runs import train_seeds
from benchmarks.seated_training import SeatedTraining
from benchmarks.store import FIGURES, TABLE

WORLD = """
game = "cleanup"
[world]
preset = "linear"
schedule = [[25, { pollution_threshold = 12 }]]
[world.starts]
pollution_initial = [0, 5]
fruit_initial = [0, 24]
"""
WAGE = """
[contract]
kind = "fixed"
clauses = [{ type = "wage", payer = "others", payee = "all", per = "cleaned", rate = 1.0 }]
"""
TALKS = """
[contract]
kind = "icn"
judge = "change"
menu = [0.5, 1.0, 1.5, 2.0, 3.0]
"""
SHORT = """
[training]
total_agent_steps = 800
num_lanes = 8
n_steps = 50
batch_size = 200
hidden_sizes = [8]
[evaluation]
episodes = 2
every = 1
"""
OWN = SHORT.replace("[training]", '[training]\nsharing = "independent"').replace(
    "[evaluation]", '[evaluation]\ndeterministic = true\ncheckpoint = "best"'
)


def train(text, path, seeds):
    file = path.with_suffix(".toml")
    file.write_text(text)
    experiment, written = load_experiment(str(file), game="cleanup")
    folder = TrainingFolder(path, experiment.to_dict(), name=path.name, written=written)
    train_seeds(experiment, folder, seeds, num_workers=0)


@pytest.fixture(scope="module")
def trained_once(tmp_path_factory):
    """Two trainings of two seeds, in the world of `tiny`; to be copied, not changed."""
    folder = tmp_path_factory.mktemp("trained")
    train(WORLD + WAGE + SHORT, folder / "wage", [0, 1])
    train(WORLD + TALKS + OWN, folder / "talks", [0, 1])
    return folder


@pytest.fixture
def trained(trained_once, tmp_path):
    """A copy of those folders."""
    return shutil.copytree(trained_once, tmp_path / "trained")


@pytest.fixture
def run(tiny, command, tmp_path, monkeypatch):
    """Run `compare tiny`; returns exit code, stdout and the lines that are no progress bars."""
    monkeypatch.setattr(figure, "save_figure", lambda *_: None)

    def begun(*arguments, out="run"):
        words = ("compare", "tiny", "--out", tmp_path / out, *arguments)
        code, stdout, stderr = command(*words)
        return code, stdout, [line for line in stderr.splitlines() if line.startswith("commonweal")]

    return begun


ONE = ("--policies", "all-harvest", "--episodes", "2")


def by_policy(records):
    found = {}
    for record in records:
        found.setdefault((record["policy"], record["contract"]), []).append(record)
    return found


def test_a_training_is_a_row_whose_samples_are_its_training_seeds(run, trained, tmp_path):
    code, out, _ = run(*ONE, "--trained", trained / "wage", "--json")
    assert code == 0
    *scripted, row = json.loads(out)
    assert [(r["policy"], r["n"], r["unit"], r["episodes"]) for r in scripted] == [
        ("all-harvest", 2, "episode", 2)
    ] * 3
    told = [row[key] for key in ("policy", "contract", "n", "unit", "episodes")]
    assert told == ["wage", "fixed", 2, "training seed", 2]

    played = by_policy(records_in(tmp_path / "run"))
    rows = [
        summarize([from_record(record) for record in played[f"wage/{seed}", "fixed"]], seed=0)
        for seed in (0, 1)
    ]
    assert rows[0].estimates["transfers"].mean != rows[1].estimates["transfers"].mean
    for measure in ("efficiency", "transfers", "illegal"):
        first, second = (each.estimates[measure].mean for each in rows)
        assert row[measure] == pytest.approx((first + second) / 2)
        # Student's t with one degree of freedom: tan(0.475 pi) times the standard error.
        half_width = math.tan(0.475 * math.pi) * abs(first - second) / 2
        low, high = row["intervals"][measure]
        assert (low, high) == pytest.approx((row[measure] - half_width, row[measure] + half_width))
    assert [row["ci_low"], row["ci_high"]] == row["intervals"]["efficiency"]


def test_every_training_seed_plays_the_episodes_of_all_other_policies(run, trained, tmp_path):
    folders = ("--trained", trained / "wage", "--trained", trained / "talks")
    assert run(*ONE, *folders)[0] == 0
    played = by_policy(records_in(tmp_path / "run"))
    seeds = [
        (f"{name}/{seed}", c) for name, c in (("wage", "fixed"), ("talks", "icn")) for seed in "01"
    ]
    assert list(played) == [*(("all-harvest", c) for c in ("none", "fixed", "icn")), *seeds]
    drawn = {
        key: [(r["episode"], r["seed"], r["start"], r["agent_seeds"]) for r in records]
        for key, records in played.items()
    }
    assert all(each == drawn["all-harvest", "none"] for each in drawn.values())
    assert {
        row["policy"]: row["contract"]
        for row in json.loads((tmp_path / "run" / TABLE).read_text())[3:]
    } == {
        "wage": "fixed",
        "talks": "icn",
    }


def actions_of(suite, contract, files, *, deterministic):
    """What checkpoints, one a seat, do in the first episode of a condition."""
    condition = suite.condition(contract)
    env = condition.make_env(suite.scenario.config)
    agents = {
        seat: PPOAgent.load(file, deterministic=deterministic)
        for seat, file in zip(env.possible_agents, files, strict=True)
    }
    cell = Cell(policy="", contract=contract)
    result = play(begin(suite, cell, 0, env=env, agents=agents), agents)
    return [list(step.actions) for step in result.steps]


def test_all_seats_are_played_by_what_one_training_seed_learned_as_it_was_tested(
    run, tiny, trained, tmp_path
):
    folders = ("--trained", trained / "wage", "--trained", trained / "talks")
    assert run(*ONE, *folders)[0] == 0
    played = by_policy(records_in(tmp_path / "run"))
    for seed in (0, 1):
        record, *_ = played[f"wage/{seed}", "fixed"]
        files = [trained / "wage" / f"seed-{seed}" / "policy.zip"] * 2
        acted = [step["actions"] for step in record["steps"]]
        assert acted == actions_of(tiny, "fixed", files, deterministic=False)

        record, *_ = played[f"talks/{seed}", "icn"]
        files = [trained / "talks" / f"seed-{seed}" / f"seat-{k}" / "best.zip" for k in (0, 1)]
        acted = [step["actions"] for step in record["steps"]]
        assert acted == actions_of(tiny, "icn", files, deterministic=True)


def test_a_training_plays_whether_or_not_it_is_among_the_policies_asked_for(run, trained):
    folders = ("--trained", trained / "wage", "--episodes", "1", "--json")
    for wanted, found in (
        ("stub-erratic", {"stub-erratic", "wage"}),
        ("all-harvest,wage", {"all-harvest", "wage"}),
        ("wage", {"wage"}),
    ):
        code, out, _ = run("--policies", wanted, *folders)
        assert code == 0
        assert {row["policy"] for row in json.loads(out)} == found
    assert run("--policies", "talks", *folders)[0] == 2


@pytest.fixture
def suite(tiny, trained):
    """A script and both trainings."""
    seated = [SeatedTraining.of(trained / name, tiny) for name in ("wage", "talks")]
    return replace(tiny, policies=("all-harvest",), shown_policy="wage").with_trained(seated)


class KilledError(Exception):
    """Stands for whatever ends a process."""


def test_a_killed_run_goes_on_as_if_nothing_had_happened(suite, tmp_path):
    whole, half = tmp_path / "whole", tmp_path / "half"
    play_run(suite, whole)
    heard = []

    def die(kind, amount):
        heard.append((kind, amount))
        if len(heard) == 9:  # in the second training seed of the first training
            raise KilledError

    with pytest.raises(KilledError):
        play_run(suite, half, report=die)
    assert 0 < len(kept_in(half)) < len(kept_in(whole))
    assert play_run(suite, half, resume=True).is_complete
    assert outcome_of(half, TABLE, FIGURES[0]) == outcome_of(whole, TABLE, FIGURES[0])


def test_a_run_is_not_resumed_with_a_training_that_went_on(run, trained, tmp_path):
    given = (*ONE, "--trained", trained / "wage")
    assert run(*given)[0] == 0
    before = kept_in(tmp_path / "run")
    assert run(*given, "--resume")[0] == 0
    checkpoint = trained / "wage" / "seed-1" / "policy.zip"
    checkpoint.write_bytes((trained / "wage" / "seed-1" / "best.zip").read_bytes() + b"\0")
    code, _, (said,) = run(*given, "--resume")
    assert code == 2
    assert "arenas[0].trained[0].checkpoints.1" in said
    assert run(*ONE, "--resume")[0] == 2
    assert kept_in(tmp_path / "run") == before


def test_a_run_replays_without_the_trainings_from_the_checkpoints_it_kept(
    run, command, trained, tmp_path
):
    assert run(*ONE, "--trained", trained / "wage", "--trained", trained / "talks")[0] == 0
    shutil.rmtree(trained)
    code, out, _ = command("replay", tmp_path / "run", "--json")
    replayed = json.loads(out)
    assert code == 0
    assert len(replayed) == 2 * (3 + 2 + 2)
    assert {each["difference"] for each in replayed} == {None}
    kept = tmp_path / "run" / "trained" / "wage"
    shutil.copyfile(kept / "seed-0" / "policy.zip", kept / "seed-1" / "policy.zip")
    code, _, said = command("replay", tmp_path / "run")
    assert code == 2
    assert "training seed 1 of wage" in said
    (kept / "seed-1" / "policy.zip").unlink()
    assert command("replay", tmp_path / "run")[0] == 2


def test_a_new_run_leaves_no_checkpoint_of_an_earlier_one(run, trained, tmp_path):
    assert run(*ONE, "--trained", trained / "wage", "--trained", trained / "talks")[0] == 0
    assert len(list((tmp_path / "run").rglob("*.zip"))) == 2 + 4
    assert run(*ONE, "--trained", trained / "wage")[0] == 0
    assert len(list((tmp_path / "run").rglob("*.zip"))) == 2
    assert len(list(trained.rglob("policy.zip"))) == 2 + 4


def test_a_training_that_goes_on_while_a_run_begins_is_refused(suite, trained, tmp_path):
    (trained / "talks" / "seed-0" / "seat-1" / "best.zip").write_bytes(b"another")
    with pytest.raises(ValueError, match=r"training seed 0 of talks .* expected the checkpoint"):
        play_run(suite, tmp_path / "run")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("threshold = 12", "threshold = 13", r"world\.schedule.* 13.*: expected .*12"),
        (
            'preset = "linear"',
            'preset = "linear"\nnum_agents = 3',
            r"world\.num_agents = 3: expected 2",
        ),
        ("= [0, 24]", "= [0, 20]", r"world\.starts\.fruit_initial = \[0, 20\]: expected \[0, 24\]"),
        ("pollution_initial = [0, 5]\n", "", r"world\.starts\.pollution_initial = \[0, 0\]"),
        (
            "rate = 1.0",
            "rate = 0.9",
            "contract = .*expected that of a condition of tiny: none, fixed",
        ),
    ],
)
def test_a_training_of_something_else_is_refused_before_anything_runs(
    run, tmp_path, old, new, told
):
    text = (WORLD + WAGE + SHORT).replace(old, new)
    assert text != WORLD + WAGE + SHORT
    other = tmp_path / "other"
    train(text, other, [])
    (other / "seed-0").mkdir()
    (other / "seed-0" / RESULT).write_text("{}")
    code, out, said = run(*ONE, "--trained", other)
    assert (code, out, len(said)) == (2, "", 1)
    assert re.search(f"--trained .*other: {told}", said[0])
    assert not (tmp_path / "run").exists()


def test_what_is_no_finished_training_is_refused(run, trained, tmp_path):
    code, _, (said,) = run(*ONE, "--trained", tmp_path / "nowhere")
    assert (code, "nowhere" in said) == (2, True)
    for seed in "01":
        (trained / "wage" / f"seed-{seed}" / RESULT).unlink()
    code, _, (said,) = run(*ONE, "--trained", trained / "wage")
    assert (code, "at least one finished seed" in said) == (2, True)
    (trained / "talks" / "seed-1" / "seat-0" / "best.zip").unlink()
    code, _, (said,) = run(*ONE, "--trained", trained / "talks")
    assert (code, "a readable checkpoint" in said) == (2, True)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("name", ["ppo", "all-harvest", "wage"])
def test_a_folder_with_the_name_of_another_policy_is_refused(run, trained, tmp_path, name):
    shutil.copytree(trained / "wage", tmp_path / "more" / name)
    code, _, (said,) = run("--trained", trained / "wage", "--trained", tmp_path / "more" / name)
    assert (code, repr(name) in said, "no other policy" in said) == (2, True, True)


def test_a_folder_whose_name_no_policy_may_have_is_refused(run, trained, tmp_path):
    shutil.copytree(trained / "wage", tmp_path / "my wage")
    code, _, (said,) = run("--trained", tmp_path / "my wage")
    assert (code, "'my wage'" in said, "letters, digits" in said) == (2, True, True)


def test_a_training_inside_the_folder_of_the_run_is_left_alone(run, trained, tmp_path):
    assert run(*ONE, out="trained/run")[0] == 0
    (trained / "wage").rename(trained / "run" / "wage")
    code, _, (said,) = run("--trained", trained / "run" / "wage", out="trained/run")
    assert (code, "outside" in said) == (2, True)
    assert (trained / "run" / "wage" / "seed-0" / "policy.zip").exists()


def test_negotiation_seats_no_training_and_says_so(command, trained, tmp_path):
    words = ("compare", "negotiation-smoke", "--out", tmp_path / "run")
    code, out, said = command(*words, "--trained", trained / "wage")
    assert (code, out) == (2, "")
    assert "expected an arena of Cleanup" in said
    assert not (tmp_path / "run").exists()


def test_without_the_packages_the_reason_is_said(run, trained, tmp_path, monkeypatch):
    monkeypatch.setattr(training, "is_available", lambda: False)
    code, _, (said,) = run(*ONE, "--trained", trained / "wage")
    assert (code, training.INSTALL_HINT in said) == (1, True)
    assert not (tmp_path / "run").exists()


def rows_of(make_result, make_step, *rewards):
    return [
        summarize(
            [make_result(make_step(game_rewards=(r, 0.0)), policy=f"wage/{k}") for r in each],
            seed=0,
        )
        for k, each in enumerate(rewards)
    ]


def printed(row, width):
    console = Console(file=StringIO(), width=width)
    console.print(render_tables([row], title="title", width=width))
    return " ".join(console.file.getvalue().split())


@pytest.mark.parametrize("width", [80, 140])
def test_the_table_says_what_n_counts(make_result, make_step, width):
    rows = rows_of(make_result, make_step, (2.0, 4.0), (6.0, 8.0), (8.0, 8.0))
    text = printed(over_training_seeds("wage", rows), width)
    assert "3 seeds x" in text
    assert "2 episodes" in text
    # means 3, 7, 8 of 20: R: t.test(c(.15, .35, .4))
    assert "0.30 [-0.03, 0.63]" in text
    assert "by Student's t" in text
    assert "Student" not in printed(rows[0], width)


def test_one_training_seed_has_no_interval(make_result, make_step):
    row = over_training_seeds("wage", rows_of(make_result, make_step, (2.0, 4.0)))
    assert "0.15 one training seed" in printed(row, 140)
    assert "1 seed x" in printed(row, 140)
    assert (row.to_dict()["ci_low"], row.to_dict()["n"], row.to_dict()["episodes"]) == (None, 1, 2)


def test_courses_are_means_over_training_seeds(make_result, make_step):
    rows = rows_of(make_result, make_step, (2.0, 4.0), (6.0, 8.0))
    merged = over_training_seeds("wage", rows)
    assert merged.welfare_by_step == (5.0, 0.0)
    assert np.allclose(
        merged.pollution_by_step, np.mean([r.pollution_by_step for r in rows], axis=0)
    )


def test_the_figure_shows_the_training_and_what_it_is_a_mean_of(suite, tmp_path):
    play_run(suite, tmp_path / "run")
    svg = re.sub("<!--.*?-->", "", (tmp_path / "run" / FIGURES[0]).read_text(), flags=re.DOTALL)
    assert "wage, mean of 2 seeds x 2 episodes" in svg
    assert svg.count("2 seeds x 2 episodes") == 1 + 2  # beside the name of each training too
    assert "talks" in svg


def test_a_suite_without_trainings_tells_nothing_of_them(tiny, suite):
    assert "trained" not in tiny.to_dict()
    told = suite.to_dict()["trained"]
    assert [each["name"] for each in told] == ["wage", "talks"]
    assert all(str(suite.trained[0].source.parent) not in json.dumps(each) for each in told)


@pytest.mark.slow
def test_several_processes_play_the_same(suite, tmp_path):
    for workers, out in ((0, "one"), (2, "two")):
        assert play_run(suite, tmp_path / out, num_workers=workers).is_complete
    assert records_in(tmp_path / "one") == records_in(tmp_path / "two")
    assert about_run(tmp_path / "two")["status"] == "complete"
