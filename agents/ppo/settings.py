"""Every number of a training run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class PPOSettings:
    """Hyper-parameters of proximal policy optimization (Schulman et al. 2017, arXiv:1707.06347).

    An agent-step is one action of one seat. A rollout is `num_lanes` x seats x `n_steps`
    agent-steps; training makes whole rollouts, so it ends at the first multiple of that at or
    above `total_agent_steps`. A value outside its range raises `ValueError`.
    """

    total_agent_steps: int = 200_000  # agent-steps of experience in the whole training
    num_lanes: int = 32  # environments stepped side by side
    n_steps: int = 50  # environment steps of each lane in a rollout
    batch_size: int = 800  # agent-steps in a gradient step
    n_epochs: int = 4  # passes over a rollout
    learning_rate: float = 3e-3  # of Adam, constant
    gamma: float = 1.0  # discount per step; 1 counts an episode's reward in full
    gae_lambda: float = 0.95  # weight of long returns in the advantage (Schulman et al. 2016)
    clip_range: float = 0.2  # largest change of an action's probability ratio that is rewarded
    ent_coef: float = 0.02  # reward for entropy, per nat
    vf_coef: float = 0.5  # weight of the value loss
    max_grad_norm: float = 0.5  # longest gradient of a gradient step
    reward_scale: float = 0.1  # rewards are multiplied by it before learning
    hidden_sizes: tuple[int, ...] = (64, 64)  # tanh units a layer, in actor and critic alike
    bootstrap_truncation: bool = False  # value what lies past a truncation; not if it ends the game
    torch_threads: int = 1  # processor threads; more than the cores given costs a factor of 20

    def __post_init__(self) -> None:
        for name in _COUNTS:
            _require(self, name, _is_count(getattr(self, name)), "an integer of at least 1")
        minibatch = self.batch_size >= 2  # advantages are normalised within one
        _require(self, "batch_size", minibatch, "an integer of at least 2")
        for name in _POSITIVE:
            _require(self, name, _is_number(getattr(self, name), above=0.0), "a number above 0")
        for name in _FRACTIONS:
            value = getattr(self, name)
            _require(self, name, _is_number(value) and 0 <= value <= 1, "a number from 0 to 1")
        for name in ("ent_coef", "vf_coef"):
            value = getattr(self, name)
            _require(self, name, _is_number(value) and value >= 0, "a number of at least 0")
        sizes = self.hidden_sizes
        _require(
            self,
            "hidden_sizes",
            isinstance(sizes, tuple) and all(_is_count(size) for size in sizes),
            "a tuple of integers of at least 1",
        )
        flag = self.bootstrap_truncation
        _require(self, "bootstrap_truncation", isinstance(flag, bool), "True or False")


_COUNTS = ("total_agent_steps", "num_lanes", "n_steps", "batch_size", "n_epochs", "torch_threads")
_POSITIVE = ("learning_rate", "clip_range", "max_grad_norm", "reward_scale")
_FRACTIONS = ("gamma", "gae_lambda")


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _is_number(value: Any, *, above: float = float("-inf")) -> bool:
    real = isinstance(value, int | float) and not isinstance(value, bool)
    return real and above < value < float("inf")


def _require(settings: PPOSettings, name: str, allowed: bool, expected: str) -> None:
    if not allowed:
        raise ValueError(f"{name} = {getattr(settings, name)!r}: expected {expected}")
