"""Training of learned policies, one for each contract condition."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from benchmarks.conditions import Condition
from benchmarks.suites import Suite

INSTALL_HINT = 'pip install "commonweal[ppo]"'
_NEEDED = ("torch", "stable_baselines3", "sb3_contrib")


def is_available() -> bool:
    """Whether the packages of the extra `[ppo]` are installed; imports none of them."""
    return all(find_spec(package) is not None for package in _NEEDED)


def checkpoint_folder(folder: Path, policy: str, condition: Condition) -> Path:
    """Return where in a run's folder the policy trained under a condition is kept."""
    return folder / policy / condition.name


def train_policy(
    suite: Suite, condition: Condition, *, out: Path, on_agent_steps: Callable[[int], None]
) -> Path:
    """Train on the suite's world from drawn starts, as in evaluation; returns the checkpoint.

    `on_agent_steps` is told, now and then, how many agent-steps were made since it was last told.
    The seed follows from the suite's, so a condition is trained alike whatever else is played.
    """
    from agents.ppo import PPOSettings, train

    config = suite.scenario.config
    made = 0

    def on_progress(agent_steps: int) -> None:
        nonlocal made
        on_agent_steps(agent_steps - made)
        made = agent_steps

    trained = train(
        lambda: condition.make_env(config, observation="vector"),
        PPOSettings(total_agent_steps=suite.training_agent_steps),
        seed=int(np.random.SeedSequence(suite.seed).generate_state(1)[0]),
        out=out,
        reset_options=suite.scenario.draw_start,
        on_progress=on_progress,
        meta={"suite": suite.name, "contract": condition.to_dict(), "config": config.to_dict()},
    )
    return trained.checkpoint
