"""What an agent is: something that answers an observation with a decision."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

OK_STATUS = "ok"


@dataclass(frozen=True)
class Usage:
    """What decisions cost; add usages to sum them, starting from `Usage()`.

    Tokens are counted as the model's own tokenizer counts them, latency in seconds.
    """

    prompt_tokens: int = 0
    completion_tokens: int = 0
    latency_s: float = 0.0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            prompt_tokens=self.prompt_tokens + other.prompt_tokens,
            completion_tokens=self.completion_tokens + other.completion_tokens,
            latency_s=self.latency_s + other.latency_s,
        )


@dataclass(frozen=True)
class Decision:
    """One answer to one observation.

    `action` is what the environment's `step` takes for that seat. `said` is the full answer of an
    agent that speaks. `status` is `"ok"`, or says why `action` is a fallback.
    """

    action: Any
    said: str | None = None
    status: str = OK_STATUS
    usage: Usage = Usage()


@runtime_checkable
class Agent(Protocol):
    """A player of one seat in any environment.

    `observation` is what the environment returned for the seat: in this project's environments a
    dict with `observation` (float32 vector), `text` (str) and `action_mask` (int8, one per action).
    """

    def reset(self, *, seed: int) -> None:
        """Begin a new episode; all chance in it follows from `seed` (a non-negative integer)."""
        ...

    def act(self, observation: Any) -> Decision:
        """Decide, waiting for whatever the decision needs."""
        ...

    async def act_async(self, observation: Any) -> Decision:
        """Decide like `act`, leaving the event loop free while a model is at work."""
        ...


class ImmediateAgent(ABC):
    """Base of agents that wait for nothing: write `act`, the rest follows."""

    def reset(self, *, seed: int) -> None:  # noqa: B027  # an agent without memory or chance needs none
        """Begin a new episode."""

    @abstractmethod
    def act(self, observation: Any) -> Decision:
        """Decide."""

    async def act_async(self, observation: Any) -> Decision:
        """Decide like `act`: there is nothing to wait for."""
        return self.act(observation)
