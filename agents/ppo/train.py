"""Training: from a function that makes lanes to a policy and its checkpoint."""

from __future__ import annotations

import json
import platform
import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sb3_contrib import MaskablePPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.logger import Logger

from agents.ppo.network import MaskedPolicy
from agents.ppo.settings import PPOSettings
from agents.ppo.vec_env import LaneVecEnv, MakeLane, ResetOptions

CHECKPOINT_NAME = "policy.zip"
SIDECAR_NAME = "policy.json"


@dataclass(frozen=True, eq=False)
class TrainedPolicy:
    """What a training leaves: the policy, its checkpoint's path, and the agent-steps it took."""

    policy: MaskedPolicy
    checkpoint: Path
    agent_steps: int


def train(
    make_lane: MakeLane,
    settings: PPOSettings,
    *,
    seed: int,
    out: Path,
    reset_options: ResetOptions | None = None,
    on_progress: Callable[[int], None] | None = None,
    meta: Mapping[str, Any] | None = None,
) -> TrainedPolicy:
    """Train one policy for all seats with masked proximal policy optimization.

    The same seed, settings and versions give the same parameters; global random state and
    PyTorch's thread count are afterwards as they were. Into the folder `out` go `policy.zip` and
    `policy.json`: settings, seed, versions, shapes, and the caller's `meta` (JSON values).

    Args:
        make_lane: makes one environment; see `LaneVecEnv` for what it must be.
        settings: every hyper-parameter.
        seed: a non-negative integer of at most 32 bits.
        out: folder for the checkpoint, made if missing.
        reset_options: draws the `options` of every episode's reset.
        on_progress: is told the agent-steps made so far, once a rollout.
        meta: what else the sidecar shall say.
    """
    with _restored_global_state():
        torch.set_num_threads(settings.torch_threads)
        lanes = LaneVecEnv(
            make_lane,
            settings.num_lanes,
            seed=seed,
            reset_options=reset_options,
            bootstrap_truncation=settings.bootstrap_truncation,
            reward_scale=settings.reward_scale,
        )
        model = _learner(lanes, settings, seed)
        model.learn(settings.total_agent_steps, callback=_Progress(on_progress))
        lanes.close()
        out.mkdir(parents=True, exist_ok=True)
        checkpoint = out / CHECKPOINT_NAME
        model.save(checkpoint)
    sidecar = _sidecar(lanes, settings, seed=seed, agent_steps=model.num_timesteps, meta=meta or {})
    (out / SIDECAR_NAME).write_text(json.dumps(sidecar, indent=2) + "\n", encoding="utf-8")
    return TrainedPolicy(MaskedPolicy.from_sb3(model.policy), checkpoint, model.num_timesteps)


def _learner(lanes: LaneVecEnv, settings: PPOSettings, seed: int) -> MaskablePPO:
    model = MaskablePPO(
        "MlpPolicy",
        lanes,
        learning_rate=settings.learning_rate,
        n_steps=settings.n_steps,
        batch_size=settings.batch_size,
        n_epochs=settings.n_epochs,
        gamma=settings.gamma,
        gae_lambda=settings.gae_lambda,
        clip_range=settings.clip_range,
        ent_coef=settings.ent_coef,
        vf_coef=settings.vf_coef,
        max_grad_norm=settings.max_grad_norm,
        policy_kwargs={
            "net_arch": list(settings.hidden_sizes),
            "activation_fn": torch.nn.Tanh,
        },
        seed=seed,
        device="cpu",
    )
    # The default logger makes a folder in the system's temporary directory.
    model.set_logger(Logger(folder=None, output_formats=[]))
    return model


class _Progress(BaseCallback):
    def __init__(self, on_progress: Callable[[int], None] | None) -> None:
        super().__init__()
        self._on_progress = on_progress

    def _on_step(self) -> bool:
        return True

    def _on_rollout_end(self) -> None:
        if self._on_progress is not None:
            self._on_progress(self.model.num_timesteps)


@contextmanager
def _restored_global_state() -> Iterator[None]:
    """Undo on leaving what seeding by Stable-Baselines3 does to generators nobody here owns."""
    python_state = random.getstate()
    numpy_state = np.random.get_state()  # noqa: NPY002  # the legacy generator is what gets seeded
    torch_state, num_threads = torch.get_rng_state(), torch.get_num_threads()
    try:
        yield
    finally:
        random.setstate(python_state)
        np.random.set_state(numpy_state)  # noqa: NPY002
        torch.set_rng_state(torch_state)
        torch.set_num_threads(num_threads)


def _sidecar(
    lanes: LaneVecEnv,
    settings: PPOSettings,
    *,
    seed: int,
    agent_steps: int,
    meta: Mapping[str, Any],
) -> dict[str, Any]:
    return {
        "settings": asdict(settings),
        "seed": seed,
        "agent_steps": agent_steps,
        "agents": list(lanes.agents),
        "observation_shape": list(lanes.observation_space.shape or ()),
        "num_actions": lanes.num_actions,
        "versions": {"python": platform.python_version(), **_versions()},
        "meta": dict(meta),
    }


def _versions() -> dict[str, str]:
    found = {}
    for name in ("commonweal", "numpy", "sb3-contrib", "stable-baselines3", "torch"):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue  # run from a source folder, the project itself is not installed
    return found
