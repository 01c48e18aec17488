"""The agent that asks a chat model what to do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from agents.llm.chat import ChatClient, ChatReply, Message
from agents.protocol import Decision, Usage

Parse = Callable[[str], Any]


class ChatAgent:
    """Asks `client` and lets the game's `parse` read the answer.

    The system message is `rules` (what never changes comes first, so that servers can reuse it),
    the user message the observation: a string, or the `text` of a dict. `parse` takes the answer
    and returns an object with `action` and `status` (a string, or an enum whose value is one); it
    does not raise, whatever the answer. `ChatError` from the client passes through: a server that
    is down is no move in the game.
    """

    def __init__(self, client: ChatClient, *, parse: Parse, rules: str = "") -> None:
        self._client = client
        self._parse = parse
        self._preamble = (Message("system", rules),) if rules else ()
        self.reset(seed=0)

    def reset(self, *, seed: int) -> None:
        """Begin a new episode: the seed of its k-th question follows from `seed` and k."""
        self._seed = seed
        self._num_calls = 0

    def act(self, observation: Any) -> Decision:
        """Ask and wait for the answer."""
        messages = self._messages(observation)
        return self._decision(self._client.complete(messages, seed=self._next_seed()))

    async def act_async(self, observation: Any) -> Decision:
        """Ask and leave the event loop free until the answer is there."""
        messages = self._messages(observation)
        return self._decision(await self._client.complete_async(messages, seed=self._next_seed()))

    def _messages(self, observation: Any) -> tuple[Message, ...]:
        text = observation.get("text") if isinstance(observation, Mapping) else observation
        if not isinstance(text, str):
            raise TypeError(
                f"observation = {type(observation).__name__} without text: expected a string or "
                'a dict with a string under "text"'
            )
        return (*self._preamble, Message("user", text))

    def _next_seed(self) -> int:
        """Return a 32-bit seed that no other call of this episode has."""
        sequence = np.random.SeedSequence((self._seed, self._num_calls))
        self._num_calls += 1
        return int(sequence.generate_state(1)[0])

    def _decision(self, reply: ChatReply) -> Decision:
        parsed = self._parse(reply.text)
        return Decision(
            action=parsed.action,
            said=reply.text,
            status=str(getattr(parsed.status, "value", parsed.status)),
            usage=Usage(reply.prompt_tokens, reply.completion_tokens, reply.latency_s),
        )
