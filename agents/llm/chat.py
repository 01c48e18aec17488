"""The one interface behind which every chat model stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

Role = Literal["system", "user", "assistant"]


class ChatError(Exception):
    """No reply could be had (server down, time out, refused request): never a matter of play."""


@dataclass(frozen=True)
class Message:
    """One message of a conversation."""

    role: Role
    content: str


@dataclass(frozen=True)
class ChatReply:
    """What a model answered and what it cost.

    `finish_reason` is `"stop"` where the model ended by itself and `"length"` where it was cut.
    """

    text: str
    prompt_tokens: int
    completion_tokens: int
    latency_s: float
    finish_reason: str


class ChatClient(Protocol):
    """A chat model: messages in, reply out.

    How to sample (temperature, longest answer) is fixed when a client is made; `seed` makes one
    call repeatable. Both methods give the same reply and raise `ChatError` where none can be had.
    """

    def complete(self, messages: Sequence[Message], *, seed: int) -> ChatReply:
        """Return the reply, blocking until it is there."""
        ...

    async def complete_async(self, messages: Sequence[Message], *, seed: int) -> ChatReply:
        """Return the reply without blocking the event loop."""
        ...
