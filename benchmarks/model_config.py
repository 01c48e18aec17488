"""Which models play, how they are asked and who sits where: values, and the file they stand in."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Annotated, Any, Literal, Self

from agents.llm.prompt import ORDERS, RECORD_FIRST
from agents.llm.styles import STEPS, STYLES, steps_of
from benchmarks.checked import (
    ABOVE_0,
    ABSENT,
    AT_LEAST_0,
    FLAG,
    IN_FLIGHT,
    KEY_VARIABLE,
    NAME,
    SEATS,
    TABLE_NAME,
    URLS,
    WORDS,
    Checked,
    Rule,
    number,
    one_of,
    one_of_nearest,
    whole,
)
from cleanup_icn import ConfigError
from cleanup_icn.prompt import CHARS_PER_CLAUSE
from cleanup_icn.wordings import OWN, WORDINGS

KINDS = ("openai", "vllm", "transformers", "stub")
"""Where a model runs: behind a server, in process under vLLM or transformers, or not at all."""

STRUCTURED = ("auto", "off")
"""Whether answers are held to a form where the client can do that, or never."""

AUTO = "auto"

FIXED_PART_TOKENS = 112
"""Tokens of an answer held to a form beside its free words: labels, a deal or a clause."""

LEAST_CHARS = 16
"""Free words, in characters, that an answer has room for however few tokens it may have."""


def _is_style(value: object) -> bool:
    if not isinstance(value, str | list | tuple):
        return False
    try:
        steps_of(value)
    except (ValueError, TypeError):
        return False
    return True


_STYLE = Rule(
    f"one of {', '.join(STYLES)}, or a list of {', '.join(STEPS)}",
    _is_style,
    keep=lambda v: v if isinstance(v, str) else tuple(v),
)
_SERVED_NAME = WORDS._replace(allowed="the name under which it is served, or its folder")
_FOLDER = WORDS._replace(allowed="the folder of a tokenizer")
_PLAYER = NAME._replace(allowed="the name of a model or a policy")
_MODEL = NAME._replace(allowed="the name of a model")


@dataclass(frozen=True, kw_only=True)
class ClientSpec(Checked):
    """Where models run. All but `kind` and `gpus` is about servers, kind ``openai``.

    The key is read from the environment variable `api_key_env` when a client is made and is held
    nowhere else.
    """

    kind: Annotated[str, one_of(KINDS)]
    base_urls: Annotated[tuple[str, ...], URLS] = ()  # requests are balanced over them
    api_key_env: Annotated[str, KEY_VARIABLE] = "OPENAI_API_KEY"
    connect_timeout_s: Annotated[float, ABOVE_0] = 5.0
    read_timeout_s: Annotated[float, ABOVE_0] = 300.0
    max_attempts: Annotated[int, whole(1)] = 6  # requests for one answer
    gpus: Annotated[int | None, whole(1)] = None  # for GPU-seconds; in process, also how many

    _unrecorded = frozenset({"api_key_env"})

    def _conflicts(self) -> Iterator[ConfigError]:
        if self.kind == "openai" and not self.base_urls:
            yield ConfigError("base_urls", list(self.base_urls), "at least one URL")
        if self.kind in ("vllm", "transformers"):
            servers = [f.name for f in fields(self) if f.name not in ("kind", "gpus")]
            yield from _idle(self, servers, f"nothing: kind {self.kind} asks no server")


@dataclass(frozen=True, kw_only=True)
class ModelSpec(Checked):
    """A model, how it is sampled and how it is asked."""

    name: Annotated[str, NAME]
    client: ClientSpec
    model: Annotated[str, _SERVED_NAME]  # as the server names it, or a folder
    temperature: Annotated[float, number("a number from 0 to 2", lambda v: 0 <= v <= 2)] = 1.0
    top_p: Annotated[float, number("a number above 0, at most 1", lambda v: 0 < v <= 1)] = 1.0
    max_tokens: Annotated[int, whole(1)] = 512  # of the longest answer
    context_tokens: Annotated[int | None, whole(1)] = None  # prompt and answer; None: asked for
    tokenizer: Annotated[str | None, _FOLDER] = None  # folder; measures prompts without the server
    system_role: Annotated[bool, FLAG] = True  # False: rules go into the first user message
    structured: Annotated[Literal["auto", "off"], one_of(STRUCTURED)] = "auto"
    style: Annotated[str | tuple[str, ...], _STYLE] = "direct"
    order: Annotated[str, one_of(ORDERS)] = RECORD_FIRST
    max_repairs: Annotated[int, whole(0)] = 1  # times that a malformed answer is sent back
    max_chars: Annotated[int | None, whole(1)] = None  # None: as many as `max_tokens` leaves
    record_lines: Annotated[int | None, whole(0)] = None  # last ones that it is shown; None: all
    wording: Annotated[str, one_of(WORDINGS)] = OWN  # of the text of Cleanup
    price_per_million_prompt_tokens: Annotated[float | None, AT_LEAST_0] = None
    price_per_million_completion_tokens: Annotated[float | None, AT_LEAST_0] = None

    @property
    def free_chars(self) -> int:
        """Longest free words in an answer held to a form, in characters.

        Unless `max_chars` says otherwise, so few that the answer ends within `max_tokens` even if
        every character takes a token.
        """
        if self.max_chars is not None:
            return self.max_chars
        room = self.max_tokens - FIXED_PART_TOKENS
        # With room a contract may grow too, by some 64 tokens for every further clause.
        one_clause = min(room, 2 * CHARS_PER_CLAUSE - 1)
        return max(LEAST_CHARS, one_clause, room * 4 // 5)

    @property
    def has_price(self) -> bool:
        """Whether it is known what tokens cost."""
        return self.price_per_million_prompt_tokens is not None

    def agent_options(self) -> dict[str, Any]:
        """Return the keyword arguments of `ChatAgent` that follow from the spec."""
        return {
            "style": self.style,
            "order": self.order,
            "structured": self.structured == AUTO,
            "max_repairs": self.max_repairs,
            "max_chars": self.free_chars,
            "record_lines": self.record_lines,
        }

    def _conflicts(self) -> Iterator[ConfigError]:
        if self.context_tokens is not None and self.context_tokens <= self.max_tokens:
            allowed = f"more than max_tokens ({self.max_tokens})"
            yield ConfigError("context_tokens", self.context_tokens, allowed)
        prices = ("price_per_million_prompt_tokens", "price_per_million_completion_tokens")
        unset = [name for name in prices if getattr(self, name) is None]
        if len(unset) == 1:
            yield ConfigError(unset[0], ABSENT, "a price too, as the other tokens have one")
        about = f"nothing: kind {self.client.kind} has no such setting"
        if self.client.kind in ("vllm", "transformers"):
            yield from _idle(self, ("tokenizer", "system_role"), about)
        if self.client.kind == "transformers":
            yield from _idle(self, ("context_tokens",), about)


def _idle(spec: Any, names: Collection[str], allowed: str) -> Iterator[ConfigError]:
    """Yield the fields that were set although they have no effect."""
    for name in names:
        if (value := getattr(spec, name)) != getattr(type(spec), name):
            yield ConfigError(name, value, allowed)


@dataclass(frozen=True, kw_only=True)
class Table(Checked):
    """A row of a comparison: who sits where, policies and models by name.

    A seat is an agent's name or, in negotiation, ``proposer``, ``veto`` or ``target`` as well.
    """

    name: Annotated[str, TABLE_NAME]
    everyone: Annotated[str, _PLAYER]  # on all seats that are not in `seats`
    seats: Annotated[Mapping[str, str], SEATS] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, kw_only=True)
class RunSettings(Checked):
    """How much is done at once."""

    max_in_flight: Annotated[int | str, IN_FLIGHT] = AUTO  # requests; "auto" adapts
    max_episodes_in_flight: Annotated[int | None, whole(1)] = None  # None: as it takes


@dataclass(frozen=True, kw_only=True)
class Budget(Checked):
    """What a run may cost at most; None is no limit."""

    requests: Annotated[int | None, whole(1)] = None
    tokens: Annotated[int | None, whole(1)] = None  # of prompts and answers
    seconds: Annotated[float | None, ABOVE_0] = None  # of wall time
    money: Annotated[float | None, ABOVE_0] = None  # in the currency of the prices


@dataclass(frozen=True, kw_only=True)
class JudgeSpec(Checked):
    """The model that judges in iterated contract negotiation, and how often it is asked."""

    model: Annotated[str, _MODEL]
    every_steps: Annotated[int, whole(1)] = 1  # play steps


@dataclass(frozen=True, kw_only=True)
class ModelsConfig(Checked):
    """Everything that a file says; without `tables`, every model gets one of its own name."""

    models: Mapping[str, ModelSpec] = field(hash=False)
    tables: tuple[Table, ...] = ()
    run: RunSettings = RunSettings()
    budget: Budget = Budget()
    judge: JudgeSpec | None = None

    def __post_init__(self) -> None:
        """Raise `ModelConfigError` for names that there are none of."""
        tables = self.tables or tuple(Table(name=name, everyone=name) for name in self.models)
        object.__setattr__(self, "tables", tables)
        super().__post_init__()

    @classmethod
    def from_record(cls, told: Mapping[str, Any]) -> Self:
        """Return the models that a run told of, where they are served left out: nobody answers."""
        nowhere = ClientSpec(kind="stub")
        models = {
            name: ModelSpec(**{**spec, "client": nowhere}) for name, spec in told["models"].items()
        }
        judge = told.get("judge")
        return cls(
            models=models,
            tables=tuple(Table(**table) for table in told["tables"]),
            judge=JudgeSpec(**judge) if judge else None,
        )

    def _conflicts(self) -> Iterator[ConfigError]:
        yield from misnamed(self.models, self.tables, self.judge)
        free = [name for name, spec in self.models.items() if not spec.has_price]
        if self.budget.money is not None and free:
            allowed = f"prices of all models, and {', '.join(free)} has none"
            yield ConfigError("budget.money", self.budget.money, allowed)


def _policies() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the names of all games' policies: those that can share a table, those learned."""
    # Imported here since suites, and with them policies, may be made of models.
    from benchmarks.arena import LEARNED
    from benchmarks.cleanup.policies import POLICIES
    from benchmarks.negotiation.policies import POLICIES as NEGOTIATION_POLICIES

    named = dict.fromkeys((*POLICIES, *NEGOTIATION_POLICIES))
    return tuple(name for name in named if name not in LEARNED), LEARNED


def misnamed(
    models: Collection[str], tables: Sequence[Table], judge: JudgeSpec | None
) -> Iterator[ConfigError]:
    """Yield names that stand for nothing, or for two things."""
    policies, learned = _policies()
    if not models:
        yield ConfigError("models", {}, "at least one model")
    for name in dict.fromkeys((*models, *(table.name for table in tables))):
        if name in policies or name in learned:
            yield ConfigError("models or tables", name, "another name: a policy is called so")
    for table in tables:
        for seat, name in {"everyone": table.everyone, **table.seats}.items():
            if name not in models and name not in policies:
                known = (*models, *policies)
                yield ConfigError(f"tables.{table.name}.{seat}", name, one_of_nearest(name, known))
    if judge is not None and judge.model not in models:
        yield ConfigError("judge.model", judge.model, one_of_nearest(judge.model, models))
