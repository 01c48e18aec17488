"""One seat of Cleanup, or of its contract negotiation, for whoever asks a language model.

`CleanupSeat` says what a model is told in parts that change at different paces, what its answer can
be held to, and how the answer is read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cleanup_icn.answers import parse_plan
from cleanup_icn.config import CleanupConfig
from cleanup_icn.contracts import contract_schema
from cleanup_icn.text import (
    ParsedAction,
    ParseStatus,
    check_steps,
    render_instruction,
    words_of,
)

PRINTABLE = r"[ !#-\[\]-~]"
"""What free words in a held answer are made of: ASCII that JSON writes as one byte a character."""

LONGEST_PATTERN = 128
"""Longer patterns than this xgrammar 0.2.8 cannot compile, and vLLM then fails the request."""

CHARS_PER_CONTRACT, CHARS_PER_CLAUSE = 120, 250
"""Room for a contract without clauses and for each clause, in characters; none takes more."""

LARGEST_AMOUNT = 1_000
LARGEST_RATE = 100

_OPENING = "[AC-LO-TV-Zac-lo-tv-z]"
# Not as a number of the menu begins (digits, "menu", "number") nor as a sentence of the contract
# language does ("until", "between"): those may name what there is not.

_PROPOSALS = ("propose", "counter")


class CleanupSeat:
    """One agent's seat in an environment of this package, for as long as that lives.

    Args:
        env: what `parallel_env` or `icn.parallel_env` made, bare or in wrappers such as
            `ContractWrapper`; its observations must have words.
        agent: whose seat it is.
    """

    def __init__(self, env: Any, agent: str) -> None:
        self._env, self._agent = env.unwrapped, agent
        self._plan = ""

    def reset(self) -> None:
        """Begin a new episode: forget the notes of the last."""
        self._plan = ""

    def parts(
        self, observation: Any, steps: Sequence[str]
    ) -> tuple[str, str, tuple[str, ...], str]:
        """Return rules, sheet (there are no secrets: empty), record and instruction.

        The record is the same for every agent and only ever grows. Where one answer alone is
        possible no thoughts are asked for.

        Args:
            observation: what the agent sees: words, or a dict with words under ``text``.
            steps: names in `cleanup_icn.text.STEPS`; with none the model is to answer at once.

        Raises:
            ConfigError: there is no such step, or the observation has no words.
        """
        check_steps(steps)
        instruction = render_instruction(
            words_of(observation),
            steps if self._is_free else (),
            plan=self._plan,
            json_form=self._json_form(steps),
        )
        return self._env.rules_text(self._agent), "", self._env.chronicle.lines, instruction

    def form(self, steps: Sequence[str], *, max_chars: int) -> Mapping[str, Any] | None:
        """Return what an answer can be held to now, None once the episode is over.

        ``{"choice": [...]}`` where a line decides, else ``{"json": JSON Schema}``. Whatever has
        the form is read as ``"ok"`` and is possible. Free words and a contract written out take at
        most ``max_chars`` characters together. Where thoughts are asked for half of them are for
        the contract; where there is no room for one it is named by its number in the menu.

        Raises:
            ConfigError: there is no such step.
        """
        check_steps(steps)
        choices = self._env.choices(self._agent)
        if not choices:
            return None
        if not self._has_object(steps):
            return {"choice": [f"Action: {name}" for name in choices]}
        room, num_clauses = max_chars, 0
        if self._can_propose:
            most = (room // 2 if steps else room) - CHARS_PER_CONTRACT
            num_clauses = min(max(most // CHARS_PER_CLAUSE, 0), self._env.icn.max_clauses)
            if num_clauses:
                room -= CHARS_PER_CONTRACT + num_clauses * CHARS_PER_CLAUSE
        words = _room(steps, room)
        plain = [name for name in choices if name not in _PROPOSALS]
        options = [_answer({"enum": plain}, None, words)] if plain else []
        for name in choices:
            if name in _PROPOSALS:
                contract = self._contract_form(num_clauses)
                options.append(_answer({"const": name}, contract, words))
        return {"json": options[0] if len(options) == 1 else {"anyOf": options}}

    def parse(self, answer: str) -> ParsedAction:
        """Read an answer; never raises."""
        parsed: ParsedAction = self._env.parse_answer(self._agent, answer)
        return parsed

    def complaint(self, status: str) -> str:
        """Say what was wrong with an answer of this status and what is expected instead."""
        choices = self._env.choices(self._agent)
        named = [f"{c} <number or contract>" if c in _PROPOSALS else c for c in choices]
        wrong = _WRONG.get(status, "Your answer could not be read.")
        json_form = self._json_form(())
        also = f", or as JSON {json_form}" if json_form else ""
        return (
            f'{wrong} Answer once more and end with a line "Action: <choice>"{also}, where '
            f"<choice> is one of: {', '.join(named)}."
        )

    def heed(self, answer: str) -> None:
        """Remember the notes in an answer for the turns to come; without any the last ones stay."""
        self._plan = parse_plan(answer) or self._plan

    @property
    def _is_free(self) -> bool:
        """Whether there is anything to choose."""
        return len(self._env.choices(self._agent)) > 1

    @property
    def _can_propose(self) -> bool:
        return any(name in _PROPOSALS for name in self._env.choices(self._agent))

    def _has_object(self, steps: Sequence[str]) -> bool:
        """Whether an answer has more to it than one of a few lines."""
        return self._is_free and (bool(steps) or self._can_propose)

    def _json_form(self, steps: Sequence[str]) -> str:
        """Show how an answer looks as JSON; empty where a line is all that is asked for."""
        if not self._has_object(steps):
            return ""
        keys = ['"action": "<choice>"']
        if self._can_propose:
            keys.append('"contract": <number or contract, with a proposal>')
        if any(step != "plan" for step in steps):
            keys.insert(0, '"scratchpad": "..."')
        if "plan" in steps:
            keys.append('"plan": "..."')
        return "{" + ", ".join(keys) + "}"

    def _contract_form(self, num_clauses: int) -> dict[str, Any]:
        """Return the schema of what can be signed: a number of the menu, or so many clauses."""
        env = self._env
        options: list[dict[str, Any]] = []
        if env.menu:
            options.append({"enum": list(range(len(env.menu)))})
        if num_clauses or not env.menu:
            options.append(self._written_form(max(num_clauses, 1)))
            if env.icn.natural_language:
                words = f"^{_OPENING}{PRINTABLE}{{0,{LONGEST_PATTERN}}}$"
                options.append({"type": "string", "pattern": words})
        return {"anyOf": options} if len(options) > 1 else options[0]

    def _written_form(self, num_clauses: int) -> dict[str, Any]:
        """Return the schema of contracts of this game with at most so many clauses."""
        env = self._env
        known = contract_schema(env.possible_agents, env.contract_features, env.public_features)
        bounded = _bounded(known, _numbers(env.config))
        properties = {k: v for k, v in bounded["properties"].items() if k != "parties"}
        properties["clauses"] = {**properties["clauses"], "maxItems": num_clauses}
        return _closed(properties, required=list(properties))


_WRONG: Mapping[str, str] = {
    ParseStatus.MISSING: "Your answer has no line that says what you choose.",
    ParseStatus.UNKNOWN_ACTION: "Your answer chooses what there is not.",
    ParseStatus.BAD_CONTRACT: (
        "Your answer proposes what is no contract here: a number that is not in the menu, words or "
        "JSON not of the forms in the rules, or names and numbers that cannot be."
    ),
    ParseStatus.BAD_JSON: (
        "Your answer is no complete JSON object, or has a key twice, a key not asked for, or a "
        "contract without a proposal."
    ),
}


def _room(steps: Sequence[str], max_chars: int) -> dict[str, int]:
    """Return how long each kind of free words may be: a plan half as long as what led to it."""
    thinks, plans = any(step != "plan" for step in steps), "plan" in steps
    if thinks and plans:
        return {"scratchpad": max_chars * 2 // 3, "plan": max_chars // 3}
    return {"scratchpad": max_chars} if thinks else {"plan": max_chars} if plans else {}


def _answer(
    action: Mapping[str, Any], contract: Mapping[str, Any] | None, bounds: Mapping[str, int]
) -> dict[str, Any]:
    """Return the schema of an answer: thoughts before what they lead to, notes last."""
    properties: dict[str, Any] = {}
    if "scratchpad" in bounds:
        properties["scratchpad"] = free_words(bounds["scratchpad"])
    properties["action"] = action
    if contract is not None:
        properties["contract"] = contract
    if "plan" in bounds:
        properties["plan"] = free_words(bounds["plan"])
    return _closed(properties, required=list(properties))


def free_words(max_chars: int) -> dict[str, Any]:
    """Return the schema of a string of so many characters at most.

    Short ones are printable ASCII, a byte a character, so that no string of the form can take more
    tokens than that. Longer ones are of any characters.
    """
    if max_chars <= LONGEST_PATTERN:
        return {"type": "string", "pattern": f"^{PRINTABLE}{{0,{max_chars}}}$"}
    return {"type": "string", "maxLength": max_chars}


def _numbers(config: CleanupConfig) -> dict[str, dict[str, Any]]:
    """Return schemas of a contract's numbers, bounded so that their digits end."""
    largest = max(config.pollution_max, config.fruit_max, config.horizon_steps)
    amount = {"type": "integer", "minimum": 0, "maximum": LARGEST_AMOUNT}
    return {
        "fraction": {"type": "number", "minimum": 0, "maximum": 1},
        "rate": {"type": "number", "minimum": 0, "maximum": LARGEST_RATE},
        "cap": amount,
        "amount": amount,
        "at_least": {**amount, "minimum": 1},
        "value": {"type": "integer", "minimum": 0, "maximum": min(largest, LARGEST_AMOUNT)},
        "step": {"type": "integer", "minimum": 1, "maximum": config.horizon_steps},
    }


def _bounded(schema: Any, numbers: Mapping[str, dict[str, Any]]) -> Any:
    """Return a schema in which properties of these names have these schemas instead."""
    if isinstance(schema, list):
        return [_bounded(each, numbers) for each in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: numbers[key]
        if key in numbers and isinstance(value, dict)
        else _bounded(value, numbers)
        for key, value in schema.items()
    }


def _closed(properties: Mapping[str, Any], *, required: list[str]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": required,
        "additionalProperties": False,
    }
