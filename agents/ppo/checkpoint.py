"""Learners of Stable-Baselines3: made from settings, saved and read again."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import torch
from sb3_contrib import MaskablePPO
from sb3_contrib.common.maskable.policies import MaskableActorCriticPolicy
from stable_baselines3 import PPO
from stable_baselines3.common.save_util import load_from_zip_file

from agents.ppo.scored_actions import ScoredActions
from agents.ppo.scored_policy import ScoredActionsPolicy
from agents.ppo.settings import PPOSettings
from agents.ppo.vec_env import BatchVecEnv

Model = Any
"""`MaskablePPO` or `PPO`, with an attribute `reward_scale`."""

_OF_THE_MOMENT = ("_last_obs", "_last_episode_starts", "ep_info_buffer", "ep_success_buffer")


def new_model(
    rows: BatchVecEnv, settings: PPOSettings, *, seed: int, scoring: ScoredActions | None = None
) -> Model:
    """Return a learner that knows nothing yet; `scoring` makes it score actions by features."""
    policy: Any = "MlpPolicy"
    policy_kwargs: dict[str, Any] = {"net_arch": list(settings.hidden_sizes)}
    if scoring is None:
        policy_kwargs["activation_fn"] = torch.nn.Tanh
    else:
        policy, policy_kwargs["layout"] = ScoredActionsPolicy, scoring
    kind = PPO if settings.algorithm == "ppo" else MaskablePPO
    model: Model = kind(
        policy,
        rows,
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
        policy_kwargs=policy_kwargs,
        seed=seed,
        device="cpu",
    )
    model.reward_scale = settings.reward_scale
    return model


def load_model(checkpoint: Path | str, rows: BatchVecEnv | None = None) -> Model:
    """Read a learner that `save_model` wrote, to go on in `rows` or only to be played."""
    data, _, _ = load_from_zip_file(checkpoint, device="cpu")
    is_masked = data is not None and issubclass(data["policy_class"], MaskableActorCriticPolicy)
    kind = MaskablePPO if is_masked else PPO
    return kind.load(checkpoint, env=rows, device="cpu")


def save_model(model: Model, checkpoint: Path) -> None:
    """Write a learner; the file is whole at every moment."""
    # The suffix stays: to a name without it, the library would append one.
    unfinished = checkpoint.with_name("." + checkpoint.name)
    model.save(unfinished, exclude=_OF_THE_MOMENT)
    os.replace(unfinished, checkpoint)
