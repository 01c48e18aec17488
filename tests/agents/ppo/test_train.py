import json
import random
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from sb3_contrib import MaskablePPO

from agents.ppo import PPOAgent, PPOSettings, train


def parameters(checkpoint):
    return MaskablePPO.load(checkpoint, device="cpu").policy.state_dict()


def seed_globally(seed):
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002  # the generator in question
    torch.manual_seed(seed)


def draw_globally():
    return random.random(), np.random.random(), torch.rand(1).item()  # noqa: NPY002


def share_named(policy, make_lane):
    """Share of symbols that the likeliest actions name in one episode."""
    lane = make_lane()
    agent = PPOAgent(policy, deterministic=True)
    observations, infos = lane.reset(seed=99)
    total = 0.0
    while lane.agents:
        actions = {
            name: agent.act({"observation": observations[name], **infos[name]}).action
            for name in lane.agents
        }
        observations, rewards, _, _, infos = lane.step(actions)
        total += sum(rewards.values())
    return total / (lane.horizon_steps * len(lane.possible_agents))


def test_training_learns_to_name_the_symbol(tmp_path, symbol_game, tiny_settings):
    settings = replace(tiny_settings, total_agent_steps=12_000, reward_scale=1.0)
    learned = train(symbol_game, settings, seed=0, out=tmp_path)
    assert share_named(learned.policy, symbol_game) > 0.95


def test_the_same_seed_trains_the_same_parameters(tmp_path, symbol_game, tiny_settings, trained):
    again = train(symbol_game, tiny_settings, seed=3, out=tmp_path / "again")
    other = train(symbol_game, tiny_settings, seed=4, out=tmp_path / "other")
    first, second, third = map(parameters, (trained.checkpoint, again.checkpoint, other.checkpoint))
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not all(torch.equal(first[name], third[name]) for name in first)


def test_options_of_resets_reach_the_training(tmp_path, symbol_game, tiny_settings):
    drawn = []

    def draw(rng):
        drawn.append(int(rng.integers(3)))
        return {"first_symbol": drawn[-1]}

    train(symbol_game, tiny_settings, seed=0, out=tmp_path, reset_options=draw)
    assert len(drawn) > tiny_settings.num_lanes
    assert set(drawn) == {0, 1, 2}


def test_training_leaves_global_state_as_it_was(tmp_path, symbol_game, tiny_settings):
    seed_globally(1)
    num_threads = torch.get_num_threads()
    expected = draw_globally()
    seed_globally(1)
    train(symbol_game, tiny_settings, seed=0, out=tmp_path)
    assert draw_globally() == expected
    assert torch.get_num_threads() == num_threads


def test_progress_counts_agent_steps_rollout_by_rollout(tmp_path, symbol_game):
    settings = PPOSettings(
        total_agent_steps=250, num_lanes=5, n_steps=10, batch_size=50, n_epochs=1, hidden_sizes=(8,)
    )
    told = []
    done = train(symbol_game, settings, seed=0, out=tmp_path, on_progress=told.append)
    assert told == [100, 200, 300]
    assert done.agent_steps == 300


def test_the_sidecar_says_how_the_checkpoint_came_about(trained, tiny_settings):
    sidecar = json.loads(trained.checkpoint.with_suffix(".json").read_text())
    restored = {**sidecar["settings"], "hidden_sizes": tuple(sidecar["settings"]["hidden_sizes"])}
    assert PPOSettings(**restored) == tiny_settings
    assert sidecar["versions"]["torch"] == torch.__version__
    assert {"seed", "agent_steps", "agents", "observation_shape", "num_actions", "meta"} < set(
        sidecar
    )
    assert sidecar["seed"] == 3
    assert sidecar["agent_steps"] == trained.agent_steps == 2000
    assert sidecar["agents"] == ["agent_0", "agent_1"]
    assert (sidecar["observation_shape"], sidecar["num_actions"]) == ([5], 3)
    assert sidecar["meta"] == {"preset": "default"}


@pytest.mark.parametrize("missing", ["torch", "stable_baselines3", "sb3_contrib"])
def test_without_the_extra_the_import_says_what_to_install(missing):
    program = f"import sys; sys.modules[{missing!r}] = None; import agents.ppo"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert run.returncode == 1
    assert "ImportError: agents.ppo needs PyTorch and Stable-Baselines3" in run.stderr
    assert 'pip install "commonweal[ppo]"' in run.stderr
