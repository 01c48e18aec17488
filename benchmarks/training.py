"""Training of learned policies, one for each condition."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.arena import Arena, Condition
from benchmarks.seeds import seed_of

if TYPE_CHECKING:
    from agents.ppo import Batch

INSTALL_HINT = 'pip install "commonweal[ppo]"'
_NEEDED = ("torch", "stable_baselines3", "sb3_contrib")


def is_available() -> bool:
    """Whether the packages of the extra `[ppo]` are installed; imports none of them."""
    return all(find_spec(package) is not None for package in _NEEDED)


def checkpoint_folder(folder: Path, arena: str, policy: str, condition: Condition) -> Path:
    """Return where in a run's folder the policy trained under a condition is kept."""
    in_arena, under_condition = (name.replace("/", "-") for name in (arena, condition.name))
    return folder / policy / in_arena / under_condition


def finished_checkpoint(folder: Path) -> Path | None:
    """Return the checkpoint that an earlier part of the same run left in its folder, if any."""
    checkpoint, about = folder / "policy.zip", folder / "policy.json"
    return checkpoint if checkpoint.exists() and about.exists() else None


def train_on(
    make_batch: Callable[[int], Batch],
    arena: Arena[Any],
    *,
    out: Path,
    on_agent_steps: Callable[[int], None],
    meta: Mapping[str, Any],
    hyper_parameters: Mapping[str, Any] | None = None,
) -> Path:
    """Train as the arena says, going on from what is in `out`; returns the checkpoint.

    The seed follows from the arena's, so a condition is trained alike whatever else is played.

    Args:
        make_batch: makes so many lanes that restart by themselves.
        arena: says how long, and the seed.
        out: folder of the checkpoint.
        on_agent_steps: is told, now and then, how many agent-steps were made since last told.
        meta: what the checkpoint shall say about itself.
        hyper_parameters: of `agents.ppo.PPOSettings`, in place of its own.

    """
    from agents.ppo import PPOSettings, train

    made = 0

    def on_progress(agent_steps: int) -> None:
        nonlocal made
        on_agent_steps(agent_steps - made)
        made = agent_steps

    settings = PPOSettings(total_agent_steps=arena.training_agent_steps, **(hyper_parameters or {}))
    trained = train(
        make_batch(settings.num_lanes),
        settings,
        seed=seed_of(arena.seed),
        out=out,
        on_progress=on_progress,
        meta=meta,
    )
    return trained.checkpoint
