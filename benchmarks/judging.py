"""A model as the judge of iterated contract negotiation, its every answer on record."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from agents import Call
from agents.llm import ChatClient, Message
from agents.llm.chat import prompt_key
from benchmarks.arena import Arena
from benchmarks.model_config import AUTO, ModelsConfig
from benchmarks.seeds import JUDGE, seed_of
from cleanup_icn import ConfigError
from cleanup_icn.icn import JudgeVerdict


class JudgeAsk:
    """Asks a model what a judge wants to know, for one episode; see `cleanup_icn.contracts.Ask`.

    Args:
        client: the model; it is asked from the thread of the environment.
        seed: of the episode's judge; the k-th question's seed follows from it and k.
        structured: whether to hold answers to the form that the judge gives.
    """

    def __init__(self, client: ChatClient, *, seed: int, structured: bool = True) -> None:
        self._client, self._seed, self._structured = client, seed, structured
        self._calls: list[Call] = []

    def __call__(self, rules: str, question: str, form: Mapping[str, Any] | None) -> str:
        """Return the answer in words."""
        messages = (Message("system", rules), Message("user", question))
        held_to = form if self._structured else None
        seed = seed_of(self._seed, len(self._calls))
        reply = self._client.complete(messages, seed=seed, form=held_to)
        self._calls.append(reply.as_call(status="", prompt_key=prompt_key(messages, held_to)))
        return reply.text

    def calls(self, verdicts: Iterable[tuple[int, JudgeVerdict]]) -> tuple[Call, ...]:
        """Return the questions so far, each with how the judge read its answer."""
        read = (verdict.status for _, verdict in verdicts)
        return tuple(
            replace(call, status=str(status))
            for call, status in zip(self._calls, read, strict=True)
        )


def judge_of(
    models: ModelsConfig, arena: Arena[Any], episode: int, client_of: Callable[[str], ChatClient]
) -> JudgeAsk:
    """Return what asks the model that judges in an episode; its seed follows from the episode."""
    if models.judge is None:
        raise ConfigError("judge", None, "a model that judges")
    spec = models.models[models.judge.model]
    return JudgeAsk(
        client_of(spec.name),
        seed=seed_of(arena.seed, episode, JUDGE),
        structured=spec.structured == AUTO,
    )
