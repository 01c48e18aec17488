import json
import random
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from sb3_contrib import MaskablePPO
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from agents.ppo import MaskedPolicy, PPOAgent, PPOSettings, PythonLanes, play_episodes, train


def parameters(checkpoint):
    return MaskablePPO.load(checkpoint, device="cpu").policy.state_dict()


def equal(first, second):
    return all(torch.equal(first[name], second[name]) for name in first)


def seed_globally(seed):
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002  # the generator in question
    torch.manual_seed(seed)


def draw_globally():
    return random.random(), np.random.random(), torch.rand(1).item()  # noqa: NPY002


def share_named(policy, make_lane):
    """Share of symbols that the likeliest actions name."""
    lanes = PythonLanes(make_lane, 4)
    played = play_episodes(lanes, policy, seeds=range(4), action_seed=0, deterministic=True)
    return played.returns.sum() / played.steps.sum() / lanes.num_agents


class Scores:
    """An evaluation that gives one score after the other, and keeps whom it judged."""

    def __init__(self, *scores):
        self.scores, self.judged = list(scores), []

    def __call__(self, policy):
        self.judged.append(policy)
        return {"score": self.scores[len(self.judged) - 1], "cleaned": 2}


@pytest.mark.parametrize("algorithm", ["maskable-ppo", "ppo"])
def test_training_learns_to_name_the_symbol(
    tmp_path, symbol_game, lanes_of, tiny_settings, algorithm
):
    settings = replace(
        tiny_settings, total_agent_steps=12_000, reward_scale=1.0, algorithm=algorithm
    )
    learned = train(lanes_of(), settings, seed=0, out=tmp_path)
    assert share_named(learned.policy, symbol_game) > 0.95
    agent = PPOAgent.load(learned.checkpoint, deterministic=True)
    rng = np.random.default_rng(0)
    observations, masks = rng.random((50, 5)), np.ones((50, 3))
    expected = learned.policy.act(observations, masks, None)
    assert np.array_equal(agent.act_batch(observations, masks), expected)


def test_plain_ppo_takes_illegal_actions_in_training(tmp_path, lanes_of, tiny_settings):
    taken = {"maskable-ppo": 0, "ppo": 0}
    for algorithm in taken:
        lanes = lanes_of()
        step, legal = lanes.step, [lanes.reset(range(10))[1]]

        def counted(actions, algorithm=algorithm, step=step, legal=legal):
            chosen = np.take_along_axis(legal[-1], actions[..., None], axis=-1)
            taken[algorithm] += int((chosen == 0).sum())
            made = step(actions)
            legal.append(made[3])
            return made

        reset = lanes.reset
        lanes.reset = lambda seeds, reset=reset, legal=legal: _noted(reset(seeds), legal)
        lanes.step = counted
        settings = replace(tiny_settings, algorithm=algorithm)
        train(lanes, settings, seed=0, out=tmp_path / algorithm)
    assert taken["maskable-ppo"] == 0
    assert taken["ppo"] > 100


def _noted(start, legal):
    legal.append(start[1])
    return start


def test_the_same_seed_trains_the_same_parameters(tmp_path, lanes_of, tiny_settings, trained):
    again = train(lanes_of(), tiny_settings, seed=3, out=tmp_path / "again")
    other = train(lanes_of(), tiny_settings, seed=4, out=tmp_path / "other")
    first, second, third = map(parameters, (trained.checkpoint, again.checkpoint, other.checkpoint))
    assert equal(first, second)
    assert not equal(first, third)


def test_no_chunk_repeats_the_episodes_of_another(tmp_path, lanes_of, tiny_settings):
    lanes = lanes_of()
    reset, given = lanes.reset, []

    def noted(seeds):
        given.append(np.array(seeds))
        return reset(seeds)

    lanes.reset = noted
    train(lanes, replace(tiny_settings, evaluate_every_rollouts=1), seed=3, out=tmp_path)
    seeds = np.concatenate(given)
    assert len(given) == 5
    assert np.unique(seeds).size == seeds.size == 5 * 10
    assert seeds.min() >= 2**31


def test_training_leaves_global_state_as_it_was(tmp_path, lanes_of, tiny_settings):
    seed_globally(1)
    num_threads = torch.get_num_threads()
    expected = draw_globally()
    seed_globally(1)
    train(lanes_of(), tiny_settings, seed=0, out=tmp_path)
    assert draw_globally() == expected
    assert torch.get_num_threads() == num_threads


def test_progress_counts_agent_steps_rollout_by_rollout(tmp_path, lanes_of):
    settings = PPOSettings(
        total_agent_steps=250,
        num_lanes=5,
        n_steps=10,
        batch_size=50,
        n_epochs=1,
        hidden_sizes=(8,),
        evaluate_every_rollouts=2,
    )
    told = []
    done = train(lanes_of(5), settings, seed=0, out=tmp_path, on_progress=told.append)
    assert told == [100, 200, 300]
    assert done.agent_steps == 300
    assert [row.agent_steps for row in done.progress] == [200, 300]


def test_every_chunk_is_judged_and_the_best_is_kept(tmp_path, lanes_of, tiny_settings):
    settings = replace(tiny_settings, evaluate_every_rollouts=1)
    scores = Scores(1.0, 4.0, 3.0, 4.0, 2.0)
    done = train(lanes_of(), settings, seed=0, out=tmp_path, evaluate=scores)
    lines = [json.loads(line) for line in (tmp_path / "progress.jsonl").read_text().splitlines()]
    assert [line["evaluation"] for line in lines] == [
        {"score": score, "cleaned": 2.0} for score in scores.scores
    ]
    assert [line["agent_steps"] for line in lines] == [400, 800, 1200, 1600, 2000]
    seconds = [line["seconds"] for line in lines]
    assert seconds == sorted(seconds)
    assert seconds[0] > 0
    assert [row.score for row in done.progress] == scores.scores
    best = json.loads((tmp_path / "best.json").read_text())
    assert (best["chunk"], best["agent_steps"]) == (1, 800)
    assert best["evaluation"] == {"score": 4.0, "cleaned": 2.0}
    observations = np.random.default_rng(0).normal(size=(20, 5))
    for policy in (done.best, MaskedPolicy.load(tmp_path / "best.zip")):
        given = policy.probabilities(observations)
        assert np.array_equal(given, scores.judged[1].probabilities(observations))
    assert np.array_equal(
        done.policy.probabilities(observations), scores.judged[4].probabilities(observations)
    )
    assert json.loads((tmp_path / "policy.json").read_text())["evaluation"]["score"] == 2.0
    assert done.best_checkpoint == tmp_path / "best.zip"


def test_without_evaluation_the_last_is_the_best(trained):
    assert trained.best_checkpoint == trained.checkpoint
    assert trained.best is trained.policy
    assert [row.evaluation for row in trained.progress] == [None]


@pytest.mark.parametrize("evaluation", [{"score": float("nan")}, {"cleaned": 1.0}])
def test_an_evaluation_needs_a_finite_score(tmp_path, lanes_of, tiny_settings, evaluation):
    with pytest.raises(ValueError, match=r"score = .*: expected a finite number"):
        train(lanes_of(), tiny_settings, seed=0, out=tmp_path, evaluate=lambda _: evaluation)


def test_scalars_of_every_rollout_and_evaluation_go_to_tensorboard(
    tmp_path, lanes_of, tiny_settings
):
    settings = replace(tiny_settings, evaluate_every_rollouts=2)
    train(lanes_of(), settings, seed=0, out=tmp_path, evaluate=Scores(1.0, 4.0, 3.0))
    events = EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()

    def scalars(tag):
        return {event.step: event.value for event in events.Scalars(tag)}

    rollouts = [400, 800, 1200, 1600, 2000]
    for name in ("loss", "entropy_loss", "explained_variance", "value_loss"):
        assert list(scalars(f"train/{name}")) == rollouts
    returns = scalars("rollout/episode_return")
    assert list(returns) == rollouts
    assert all(0 < value < 20 for value in returns.values())
    assert scalars("evaluation/score") == {800: 1.0, 1600: 4.0, 2000: 3.0}


def test_scalars_of_the_last_rollout_of_a_chunk_are_written_without_evaluation_too(
    tmp_path, lanes_of, tiny_settings
):
    train(lanes_of(), replace(tiny_settings, evaluate_every_rollouts=2), seed=0, out=tmp_path)
    events = EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    steps = [event.step for event in events.Scalars("train/loss")]
    assert steps == [400, 800, 1200, 1600, 2000]


def test_the_sidecar_says_how_the_checkpoint_came_about(trained, tiny_settings):
    for name in ("policy.json", "last.json"):
        sidecar = json.loads((trained.checkpoint.parent / name).read_text())
        assert PPOSettings.from_dict(sidecar["settings"]) == tiny_settings
        assert sidecar["versions"]["torch"] == torch.__version__
        assert (sidecar["seed"], sidecar["seat"], sidecar["chunk"]) == (3, None, 0)
        assert sidecar["agent_steps"] == trained.agent_steps == 2000
        assert (sidecar["num_agents"], sidecar["num_actions"]) == (2, 3)
        assert sidecar["observation_shape"] == [5]
        assert sidecar["meta"] == {"preset": "default"}
        assert len(sidecar["config_hash"]) == 64


def test_the_hash_stands_for_settings_and_meta(tmp_path, lanes_of, tiny_settings):
    def hash_of(name, *, seed=0, n_epochs=1, meta=None):
        settings = replace(tiny_settings, n_epochs=n_epochs)
        train(lanes_of(), settings, seed=seed, out=tmp_path / name, meta=meta)
        return json.loads((tmp_path / name / "policy.json").read_text())["config_hash"]

    meta = {"a": 1, "b": [2, 3]}
    first = hash_of("first", meta=meta)
    assert first == hash_of("other order", seed=1, meta={"b": (2, 3), "a": 1})
    assert first != hash_of("other settings", n_epochs=2, meta=meta)
    assert first != hash_of("other meta", meta={"a": 2, "b": [2, 3]})


@pytest.mark.parametrize(
    ("changes", "seed", "message"),
    [
        ({"num_lanes": 9}, 0, "num_lanes = 9: expected 10, as the batch has"),
        ({"batch_size": 399}, 0, "batch_size = 399: expected one that leaves no minibatch"),
        ({}, -1, "seed = -1: expected an integer from 0"),
        ({}, 2**32, "seed = 4294967296: expected an integer from 0"),
    ],
)
def test_what_cannot_be_trained_is_refused(
    tmp_path, lanes_of, tiny_settings, changes, seed, message
):
    with pytest.raises(ValueError, match=message):
        train(lanes_of(), replace(tiny_settings, **changes), seed=seed, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("missing", ["torch", "stable_baselines3", "sb3_contrib"])
def test_without_the_extra_the_import_says_what_to_install(missing):
    program = f"import sys; sys.modules[{missing!r}] = None; import agents.ppo"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert run.returncode == 1
    assert "ImportError: agents.ppo needs PyTorch and Stable-Baselines3" in run.stderr
    assert 'pip install "commonweal[ppo]"' in run.stderr


def test_an_annealed_learning_rate_falls_in_equal_steps_towards_zero(
    tmp_path, lanes_of, tiny_settings
):
    rates = {}
    for name, anneal in (("constant", False), ("falling", True)):
        settings = replace(tiny_settings, anneal=anneal, evaluate_every_rollouts=1)
        out = tmp_path / name
        learned = []

        def note(_policy, out=out, learned=learned):
            optimizer = MaskablePPO.load(out / "last.zip", device="cpu").policy.optimizer
            learned.append(optimizer.param_groups[0]["lr"])
            return {"score": 0.0}

        train(lanes_of(), settings, seed=0, out=out, evaluate=note)
        rates[name] = [rate / settings.learning_rate for rate in learned]
    chunks = len(rates["falling"])
    assert chunks > 1
    assert rates["constant"] == [1.0] * chunks
    assert rates["falling"] == pytest.approx([1.0 - k / chunks for k in range(chunks)])
