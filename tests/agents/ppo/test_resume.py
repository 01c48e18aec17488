import json
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from agents.ppo import MaskedPolicy, OneSeat, play_episodes, train, train_independent
from agents.ppo.checkpoint import load_model

KILLED_TRAINING = """
import os, signal, sys
sys.path.insert(0, {tests!r})
from functools import partial
from pathlib import Path
from conftest import SymbolGame
from agents.ppo import PPOSettings, PythonLanes, train

def kill(agent_steps):
    if agent_steps == 1200:
        os.kill(os.getpid(), signal.SIGKILL)

lanes = PythonLanes(partial(SymbolGame, horizon_steps=20), 10, auto_reset=True)
settings = PPOSettings.from_dict({settings!r})
train(lanes, settings, seed=3, out=Path({out!r}), on_progress=kill)
"""


class KilledError(Exception):
    pass


class Bomb:
    """Goes off the given number of times that it is asked."""

    def __init__(self, fuse):
        self.fuse = fuse

    def __call__(self, *_):
        self.fuse -= 1
        if self.fuse < 0:
            raise KilledError
        return {"score": 0.0}


@pytest.fixture(scope="module")
def settings(tiny_settings):
    return replace(tiny_settings, evaluate_every_rollouts=2)


@pytest.fixture(scope="module")
def whole(tmp_path_factory, lanes_of, settings):
    """A training that was not killed."""
    return train(lanes_of(), settings, seed=3, out=tmp_path_factory.mktemp("whole"), evaluate=judge)


def judge(policy):
    observations = np.random.default_rng(0).normal(size=(9, 5))
    return {"score": float(policy.probabilities(observations)[:, 0].sum())}


def everything_learned(checkpoint):
    """Parameters and the state of the optimizer."""
    model = load_model(checkpoint)
    moments = model.policy.optimizer.state_dict()["state"].values()
    return [*model.policy.state_dict().values(), *(m for each in moments for m in each.values())]


def assert_equally_learned(first, second):
    pairs = zip(everything_learned(first), everything_learned(second), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


def assert_equal_trainings(first, second):
    assert_equally_learned(first.checkpoint, second.checkpoint)
    assert_equally_learned(first.best_checkpoint, second.best_checkpoint)
    assert [(row.chunk, row.agent_steps, row.evaluation) for row in first.progress] == [
        (row.chunk, row.agent_steps, row.evaluation) for row in second.progress
    ]


@pytest.mark.parametrize("fuse", range(5))
def test_a_training_killed_in_a_rollout_ends_as_if_it_had_not_been(
    tmp_path, lanes_of, settings, whole, fuse
):
    options = {"seed": 3, "out": tmp_path, "evaluate": judge}
    told = []
    with pytest.raises(KilledError):
        train(lanes_of(), settings, **options, on_progress=Bomb(fuse))
    resumed = train(lanes_of(), settings, **options, on_progress=told.append)
    assert_equal_trainings(resumed, whole)
    chunks = fuse // 2
    assert told == [400 * (rollout + 1) for rollout in range(2 * chunks, 5)]


@pytest.mark.parametrize("fuse", range(3))
def test_a_training_killed_in_an_evaluation_ends_as_if_it_had_not_been(
    tmp_path, lanes_of, settings, whole, fuse
):
    bomb, told = Bomb(fuse), []
    with pytest.raises(KilledError):
        train(
            lanes_of(), settings, seed=3, out=tmp_path, evaluate=lambda p: {**bomb(p), **judge(p)}
        )
    resumed = train(
        lanes_of(), settings, seed=3, out=tmp_path, evaluate=judge, on_progress=told.append
    )
    assert_equal_trainings(resumed, whole)
    assert told == [400 * (rollout + 1) for rollout in range(2 * (fuse + 1), 5)]


def test_a_training_whose_process_was_killed_goes_on(tmp_path, lanes_of, settings, whole):
    program = KILLED_TRAINING.format(
        tests=str(Path(__file__).parents[1]), settings=settings.to_dict(), out=str(tmp_path)
    )
    killed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert json.loads((tmp_path / "last.json").read_text())["agent_steps"] == 800
    resumed = train(lanes_of(), settings, seed=3, out=tmp_path)
    assert_equally_learned(resumed.checkpoint, whole.checkpoint)


def test_a_finished_training_is_not_made_again(lanes_of, settings, whole):
    told = []
    again = train(
        lanes_of(),
        settings,
        seed=3,
        out=whole.checkpoint.parent,
        evaluate=Bomb(0),
        on_progress=told.append,
    )
    assert told == []
    assert again.progress == whole.progress
    assert_equal_trainings(again, whole)


def test_without_its_last_checkpoint_a_training_begins_anew(tmp_path, lanes_of, settings, whole):
    options = {"seed": 3, "out": tmp_path, "evaluate": judge}
    train(lanes_of(), settings, **options)
    (tmp_path / "last.zip").unlink()
    told = []
    again = train(lanes_of(), settings, **options, on_progress=told.append)
    assert told == [400, 800, 1200, 1600, 2000]
    assert_equal_trainings(again, whole)


def test_time_goes_on_where_it_stopped(tmp_path, lanes_of, settings):
    with pytest.raises(KilledError):
        train(lanes_of(), settings, seed=3, out=tmp_path, evaluate=Bomb(1))
    rows = [json.loads(line) for line in (tmp_path / "progress.jsonl").read_text().splitlines()]
    rows[0]["seconds"] = 1000.0
    (tmp_path / "progress.jsonl").write_text(json.dumps(rows[0]) + "\n")
    resumed = train(lanes_of(), settings, seed=3, out=tmp_path, evaluate=judge)
    assert [row.seconds >= 1000 for row in resumed.progress] == [True] * 3
    assert resumed.progress[1].seconds > 1000


@pytest.mark.parametrize(
    ("changes", "seed", "meta", "message"),
    [
        ({}, 4, None, "seed = 4: expected 3"),
        ({"gamma": 0.5, "n_epochs": 1}, 3, None, "settings.n_epochs = 1: expected 4\nsettings.gam"),
        ({}, 3, {"preset": "harsh"}, "meta.preset = 'harsh': expected None"),
    ],
)
def test_the_folder_of_another_training_is_refused(
    lanes_of, settings, whole, changes, seed, meta, message
):
    out = whole.checkpoint.parent
    before = {path.name: path.read_bytes() for path in out.glob("*.*")}
    with pytest.raises(ValueError, match="holds another training") as raised:
        train(lanes_of(), replace(settings, **changes), seed=seed, out=out, meta=meta)
    assert message in str(raised.value)
    assert "config_hash" not in str(raised.value)
    assert {path.name: path.read_bytes() for path in out.glob("*.*")} == before


def test_no_file_is_left_half_written(lanes_of, whole):
    names = {path.name for path in whole.checkpoint.parent.iterdir()}
    assert names == {
        *(f"{name}.{end}" for name in ("last", "best", "policy") for end in ("zip", "json")),
        "progress.jsonl",
        "tensorboard",
    }


@pytest.fixture(scope="module")
def seats(tmp_path_factory, lanes_of, settings):
    """Two policies that learned beside each other, not killed."""
    out = tmp_path_factory.mktemp("seats")
    shorter = replace(settings, total_agent_steps=1000)
    return train_independent(lanes_of(), shorter, seed=3, out=out, evaluate=judge_seats)


def judge_seats(policies):
    scores = [judge(policy)["score"] for policy in policies]
    return {"score": scores[0] - scores[1]}


def test_every_seat_learns_a_policy_of_its_own(seats, lanes_of):
    first, second = seats
    assert [each.checkpoint.parent.name for each in seats] == ["seat-0", "seat-1"]
    assert first.agent_steps == second.agent_steps == 1000
    assert not torch.equal(*(everything_learned(each.checkpoint)[0] for each in seats))
    sidecars = [json.loads(each.checkpoint.with_suffix(".json").read_text()) for each in seats]
    assert [sidecar["seat"] for sidecar in sidecars] == [0, 1]
    out = first.checkpoint.parents[1]
    lines = [json.loads(line) for line in (out / "progress.jsonl").read_text().splitlines()]
    assert [line["evaluation"]["score"] for line in lines] == [row.score for row in first.progress]
    best = [json.loads((each.checkpoint.parent / "best.json").read_text()) for each in seats]
    assert best[0]["chunk"] == best[1]["chunk"]
    assert best[0]["evaluation"] == best[1]["evaluation"]


@pytest.mark.parametrize("fuse", range(6))
def test_seats_that_were_killed_end_as_if_they_had_not_been(
    tmp_path, lanes_of, settings, seats, fuse
):
    shorter = replace(settings, total_agent_steps=1000)
    options = {"seed": 3, "out": tmp_path, "evaluate": judge_seats}
    told = []
    with pytest.raises(KilledError):
        train_independent(lanes_of(), shorter, **options, on_progress=Bomb(fuse))
    resumed = train_independent(lanes_of(), shorter, **options, on_progress=told.append)
    for one, other in zip(resumed, seats, strict=True):
        assert_equal_trainings(one, other)
    assert told[-1] == 2000
    assert told == sorted(set(told))


def test_while_a_seat_learns_the_others_play_what_they_have_learned_so_far(
    tmp_path, lanes_of, settings
):
    lanes = lanes_of()
    reset, step, seeds, taken = lanes.reset, lanes.step, [], []
    lanes.reset = lambda given: seeds.append(given) or reset(given)
    lanes.step = lambda actions: taken.append(actions) or step(actions)
    shorter = replace(settings, total_agent_steps=400)
    first, _ = train_independent(lanes, shorter, seed=3, out=tmp_path)
    second_learns = taken[40:]
    assert len(second_learns) == 40
    assert not np.isin(seeds[1], seeds[0]).any()

    replayed = []
    game = lanes_of()
    game_step = game.step
    game.step = lambda actions: replayed.append(actions) or game_step(actions)
    beside = OneSeat(game, 1, {0: first.policy})
    beside.reset(seeds[1])
    for actions in second_learns:
        beside.step(actions[:, [1]])
    assert np.array_equal(replayed, second_learns)


def test_one_folder_holds_trainings_of_one_kind(lanes_of, settings, whole, seats):
    of_one, of_seats = whole.checkpoint.parent, seats[0].checkpoint.parents[1]
    with pytest.raises(ValueError, match=r"holds another training, which left seat-0"):
        train(lanes_of(), settings, seed=3, out=of_seats)
    with pytest.raises(ValueError, match=r"holds another training, which left last\.json"):
        train_independent(lanes_of(), settings, seed=3, out=of_one)


def test_policies_of_seats_are_played_together(seats, lanes_of):
    policies = [MaskedPolicy.load(each.checkpoint) for each in seats]
    played = play_episodes(lanes_of(3), policies, seeds=[1, 2, 3], action_seed=0)
    assert played.steps.tolist() == [20, 20, 20]
