"""What a run may cost and ask at once, dealt out to workers, and what they did, summed up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from typing import Any

from benchmarks.model_config import AUTO, Budget, ModelsConfig
from benchmarks.serving import Serving

_SPENT: Mapping[str, Any] = {
    "requests": lambda serving: serving.requests,
    "tokens": lambda serving: serving.prompt_tokens + serving.completion_tokens,
    "money": lambda serving: serving.money,
}
"""What is dealt out, and how much of it models have used."""

_IN_PROCESS = ("vllm", "transformers")


class Purse:
    """What is left of a budget while workers spend shares of it."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._left = {name: getattr(budget, name) for name in _SPENT}

    def take(self, *, one_of: int, elapsed_s: float) -> Budget | None:
        """Take one of so many equal shares; None if there is nothing to spend any more.

        Seconds are everybody's, and so are not divided.
        """
        share = {name: _part(left, one_of) for name, left in self._left.items()}
        if self._budget.seconds is not None:
            share["seconds"] = self._budget.seconds - elapsed_s
        if any(amount is not None and amount <= 0 for amount in share.values()):
            return None
        for name in self._left:
            if share[name] is not None:
                self._left[name] -= share[name]
        return Budget(**share)

    def give_back(self, share: Budget, used: Serving) -> None:
        """Return a share of which this much was used."""
        for name, spent in _SPENT.items():
            if self._left[name] is not None:
                self._left[name] += getattr(share, name) - spent(used)


def num_shares(models: ModelsConfig, *, at_most: int) -> int:
    """Return among how many workers a run can be divided so that each may ask something."""
    budget, in_flight = models.budget, models.run.max_in_flight
    limits = [budget.requests, budget.tokens, models.run.max_episodes_in_flight]
    limits.append(None if in_flight == AUTO else int(in_flight))
    return min(limit for limit in (*limits, at_most) if limit is not None)


def divided(models: ModelsConfig, *, by: int, budget: Budget) -> ModelsConfig:
    """Return what one of so many workers is told: its share of what is asked at a time."""
    run = models.run
    in_flight = run.max_in_flight if run.max_in_flight == AUTO else int(run.max_in_flight) // by
    episodes = _part(run.max_episodes_in_flight, by)
    share = replace(run, max_in_flight=in_flight, max_episodes_in_flight=episodes)
    return replace(models, run=share, budget=budget)


def runs_models(models: ModelsConfig) -> bool:
    """Whether some clients hold the model themselves, on the machine of whoever asks."""
    return any(spec.client.kind in _IN_PROCESS for spec in models.models.values())


def gpus_of_worker(models: ModelsConfig) -> int:
    """Return how many GPUs a worker needs for the models that it runs itself."""
    own = {
        (spec.client, spec.model)
        for spec in models.models.values()
        if spec.client.kind in _IN_PROCESS
    }
    return sum(client.gpus or int(client.kind == "vllm") for client, _ in own)


def summed(parts: Iterable[Serving], *, seconds: float) -> Serving:
    """Return what all workers' models did in so many seconds."""
    counted = [field.name for field in fields(Serving) if field.name != "seconds"]
    kept = list(parts)
    return Serving(
        seconds=seconds, **{name: sum(getattr(each, name) for each in kept) for name in counted}
    )


def _part(amount: float | None, one_of: int) -> Any:
    if amount is None:
        return None
    return amount // one_of if isinstance(amount, int) else amount / one_of
