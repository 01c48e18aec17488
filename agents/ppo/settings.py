"""Every number of a training run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

ALGORITHMS = ("maskable-ppo", "ppo")


@dataclass(frozen=True, kw_only=True)
class PPOSettings:
    """Hyper-parameters of proximal policy optimization (Schulman et al. 2017, arXiv:1707.06347).

    An agent-step is one action of one seat. A rollout is `num_lanes` x seats x `n_steps`
    agent-steps; training makes whole rollouts, so it ends at the first multiple of that at or
    above `total_agent_steps`. Wrong values raise one `ValueError` that has a line for each.
    """

    algorithm: str = "maskable-ppo"  # or "ppo": without masks, the game falls back as it says
    total_agent_steps: int = 200_000  # agent-steps of experience in the whole training
    num_lanes: int = 32  # environments stepped side by side
    n_steps: int = 50  # environment steps of each lane in a rollout
    batch_size: int = 800  # agent-steps in a gradient step
    n_epochs: int = 4  # passes over a rollout
    learning_rate: float = 3e-3  # of Adam
    anneal: bool = False  # let the learning rate fall towards 0, in equal steps from chunk to chunk
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
    evaluate_every_rollouts: int = 10  # rollouts of a chunk, after which all episodes start afresh

    def __post_init__(self) -> None:
        wrong = [
            f"{name} = {getattr(self, name)!r}: expected {expected}"
            for name, (is_allowed, expected) in _ALLOWED.items()
            if not is_allowed(getattr(self, name))
        ]
        if wrong:
            raise ValueError("\n".join(wrong))

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> PPOSettings:
        """Read what `to_dict` wrote, or a table of a configuration file; what it omits is default.

        A list counts as the tuple of its items. Raises one `ValueError` that has a line for each
        unknown name and each wrong value.
        """
        names = [field.name for field in fields(cls)]
        wrong = [
            f"{name} = {value!r}: expected a setting, one of {', '.join(names)}"
            for name, value in values.items()
            if name not in names
        ]
        known: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in values.items()
            if name in names
        }
        try:
            settings = cls(**known)
        except ValueError as error:
            wrong.append(str(error))
        if wrong:
            raise ValueError("\n".join(wrong))
        return settings

    def to_dict(self) -> dict[str, Any]:
        """Return every setting by name, as JSON values; equal settings give equal JSON."""
        real = {field.name for field in fields(self) if field.type == "float"}
        values = {n: float(v) if n in real else v for n, v in asdict(self).items()}
        return {**values, "hidden_sizes": list(self.hidden_sizes)}


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _is_number(value: Any) -> bool:
    real = isinstance(value, int | float) and not isinstance(value, bool)
    return real and float("-inf") < value < float("inf")


_COUNT = (_is_count, "an integer of at least 1")
_POSITIVE = (lambda value: _is_number(value) and value > 0, "a number above 0")
_FRACTION = (lambda value: _is_number(value) and 0 <= value <= 1, "a number from 0 to 1")
_AT_LEAST_0 = (lambda value: _is_number(value) and value >= 0, "a number of at least 0")

_ALLOWED: dict[str, tuple[Callable[[Any], bool], str]] = {
    "algorithm": (
        lambda value: isinstance(value, str) and value in ALGORITHMS,
        "one of " + ", ".join(repr(name) for name in ALGORITHMS),
    ),
    "total_agent_steps": _COUNT,
    "num_lanes": _COUNT,
    "n_steps": _COUNT,
    # Advantages are normalised within a minibatch.
    "batch_size": (lambda value: _is_count(value) and value >= 2, "an integer of at least 2"),
    "n_epochs": _COUNT,
    "learning_rate": _POSITIVE,
    "anneal": (lambda value: isinstance(value, bool), "True or False"),
    "gamma": _FRACTION,
    "gae_lambda": _FRACTION,
    "clip_range": _POSITIVE,
    "ent_coef": _AT_LEAST_0,
    "vf_coef": _AT_LEAST_0,
    "max_grad_norm": _POSITIVE,
    "reward_scale": _POSITIVE,
    "hidden_sizes": (
        lambda value: isinstance(value, tuple) and all(_is_count(size) for size in value),
        "a tuple of integers of at least 1",
    ),
    "bootstrap_truncation": (lambda value: isinstance(value, bool), "True or False"),
    "torch_threads": _COUNT,
    "evaluate_every_rollouts": _COUNT,
}
