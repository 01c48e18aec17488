"""From a model's specification to the client that asks it, and what its answers cost."""

from __future__ import annotations

import contextlib
import json
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from agents.llm import AnswerForm, ChatClient, ChatReply, Message, StubClient
from agents.llm.chat import FREE_TEXT
from agents.llm.model_folder import check_model
from benchmarks.instant_model import minimal_instance
from benchmarks.model_config import AUTO, ModelSpec
from cleanup_icn import ConfigError
from cleanup_icn.wordings import OWN

if TYPE_CHECKING:
    from agents.llm.openai_client import OpenAIClient


def make_client(spec: ModelSpec) -> ChatClient:
    """Make a client of its own for a model; `make_clients` lets models share.

    Raises `ConfigError` with what the client says it lacks: a package and the command that
    installs it, a folder, a file in it.
    """
    with _saying_what_it_lacks(spec):
        return _MAKERS[spec.client.kind](spec)


def make_clients(models: Mapping[str, ModelSpec]) -> dict[str, ChatClient]:
    """Make the clients of a run, by the names of its models.

    Models that differ in nothing a client must know of (only in style, say) share one. Raises as
    `make_client` does.
    """
    made: dict[ModelSpec, ChatClient] = {}
    # Who wants free text asks without a form, of whatever client: it must be able to hold answers
    # to one if any of the models that share it wants that.
    for spec in sorted(models.values(), key=lambda spec: spec.structured != AUTO):
        key = _as_asked(spec)
        if key not in made:
            made[key] = make_client(spec)
    return {name: made[_as_asked(spec)] for name, spec in models.items()}


def check_served(models: Mapping[str, ModelSpec]) -> None:
    """Ask every server once, so that nothing is played before it is known that models can be.

    Of models in process it is looked whether they are where they should be.

    Raises:
        ConfigError: a server does not serve the model that is asked of it, a model is not in its
            folder, or a client cannot be made, see `make_client`.
        ChatError: a server does not answer, or not as it must.
    """
    for spec in models.values():
        if spec.client.kind in ("vllm", "transformers"):
            with _saying_what_it_lacks(spec):
                _check_in_process(spec)
        if spec.client.kind != "openai":
            continue
        impatient = replace(spec.client, max_attempts=min(2, spec.client.max_attempts))
        with _saying_what_it_lacks(spec):
            client = _openai(replace(spec, client=impatient))
        with contextlib.closing(client):
            facts = client.inspect_blocking()
        if facts.models and spec.model not in facts.models:
            served = (
                f"one that {', '.join(spec.client.base_urls)} serves: {', '.join(facts.models)}"
            )
            raise ConfigError(f"model {spec.name}", spec.model, served)


class Tokens(Protocol):
    """How many tokens went in and came out: a usage, a call, a reply."""

    @property
    def prompt_tokens(self) -> int:
        """Of what was asked."""
        ...

    @property
    def completion_tokens(self) -> int:
        """Of what was answered."""
        ...


def money(tokens: Tokens, spec: ModelSpec) -> float | None:
    """Return what tokens cost in the currency of the model's prices; None if it has none."""
    prompt_price = spec.price_per_million_prompt_tokens
    completion_price = spec.price_per_million_completion_tokens
    if prompt_price is None or completion_price is None:
        return None
    cost = tokens.prompt_tokens * prompt_price + tokens.completion_tokens * completion_price
    return cost / 1e6


class DryRunClient:
    """Answers without a model: something of the form it is held to, or else that it waits.

    Repeatable: an answer follows from the seed and the messages.
    """

    def complete(
        self, messages: Sequence[Message], *, seed: int, form: AnswerForm | None = None
    ) -> ChatReply:
        """Answer at once."""
        held_to = form or {}

        def draw(text: str, rng: random.Random) -> str:
            del text
            if "choice" in held_to:
                return str(rng.choice(held_to["choice"]))
            if "json" in held_to:
                return json.dumps(minimal_instance(held_to["json"], rng))
            return "Action: wait"

        reply = StubClient(draw).complete(messages, seed=seed)
        kind = next((kind for kind in ("choice", "json") if kind in held_to), FREE_TEXT)
        return replace(reply, form=kind)

    async def complete_async(
        self, messages: Sequence[Message], *, seed: int, form: AnswerForm | None = None
    ) -> ChatReply:
        """Answer like `complete`: there is nothing to wait for."""
        return self.complete(messages, seed=seed, form=form)


@contextlib.contextmanager
def _saying_what_it_lacks(spec: ModelSpec) -> Iterator[None]:
    try:
        yield
    except (ImportError, ValueError) as error:
        allowed = f"a model that can be asked; {error}"
        raise ConfigError(f"model {spec.name}", spec.model, allowed) from error


def _as_asked(spec: ModelSpec) -> ModelSpec:
    """Return the same for all specs that one client serves: without what agents see to."""
    return replace(
        spec,
        name="any",
        style="direct",
        order="record-first",
        structured="auto",
        max_repairs=0,
        max_chars=None,
        record_lines=None,
        wording=OWN,
        price_per_million_prompt_tokens=None,
        price_per_million_completion_tokens=None,
    )


def _sampling(spec: ModelSpec) -> dict[str, Any]:
    return {
        "temperature": spec.temperature,
        "top_p": spec.top_p,
        "max_tokens": spec.max_tokens,
    }


def _openai(spec: ModelSpec) -> OpenAIClient:
    from agents.llm.openai_client import OpenAIClient

    return OpenAIClient(
        model=spec.model,
        base_urls=spec.client.base_urls,
        api_key_env=spec.client.api_key_env,
        connect_timeout_s=spec.client.connect_timeout_s,
        read_timeout_s=spec.client.read_timeout_s,
        max_attempts=spec.client.max_attempts,
        structured=spec.structured,
        context_tokens=spec.context_tokens,
        tokenizer=spec.tokenizer,
        system_role=spec.system_role,
        **_sampling(spec),
    )


def _check_in_process(spec: ModelSpec) -> None:
    if check_model(spec.model) is None and spec.client.kind == "transformers":
        raise ValueError(f"model = {spec.model!r}: expected a folder that exists")


def _vllm(spec: ModelSpec) -> ChatClient:
    from agents.llm.vllm_engine import VLLMEngineClient

    _check_in_process(spec)  # before anything slow starts
    chosen = {"max_model_len": spec.context_tokens, "tensor_parallel_size": spec.client.gpus}
    engine: dict[str, Any] = {k: value for k, value in chosen.items() if value is not None}
    structured = spec.structured == AUTO
    return VLLMEngineClient(spec.model, structured=structured, **_sampling(spec), **engine)


def _transformers(spec: ModelSpec) -> ChatClient:
    from agents.llm.transformers_client import TransformersClient

    _check_in_process(spec)
    return TransformersClient(spec.model, **_sampling(spec))


def _stub(spec: ModelSpec) -> ChatClient:
    del spec
    return DryRunClient()


_MAKERS: Mapping[str, Callable[[ModelSpec], ChatClient]] = {
    "openai": _openai,
    "vllm": _vllm,
    "transformers": _transformers,
    "stub": _stub,
}
