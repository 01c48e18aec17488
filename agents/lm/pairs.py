"""Question and answer: what a language model is taught from, and the files such pairs stand in.

A file of pairs is JSON Lines, one object a pair, in either of the conversational forms that
trainers such as TRL take: ``{"messages": [...]}`` with the answer as the last message, or
``{"prompt": [...], "completion": [answer]}``. A message is ``{"role": ..., "content": ...}``.
Further keys are passed over.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, get_args

from agents.llm.chat import Message, Role

CHAT, PROMPT_COMPLETION = "chat", "prompt-completion"
FORMATS = (CHAT, PROMPT_COMPLETION)
"""The forms of a pair as JSON."""

_ROLES: tuple[str, ...] = get_args(Role)


class Pair(NamedTuple):
    """A question and its answer."""

    messages: tuple[Message, ...]  # what is asked, the last from the user
    answer: str


def pair_to_json(pair: Pair, *, format: str) -> dict[str, Any]:
    """Return a pair as JSON values in one of `FORMATS`; `pair_from_json` reads both.

    Raises:
        ValueError: there is no such format.
    """
    if format not in FORMATS:
        raise ValueError(f"format = {format!r}: expected one of {', '.join(FORMATS)}")
    asked = [{"role": message.role, "content": message.content} for message in pair.messages]
    answered = [{"role": "assistant", "content": pair.answer}]
    if format == CHAT:
        return {"messages": asked + answered}
    return {"prompt": asked, "completion": answered}


def pair_from_json(value: object) -> Pair:
    """Read a pair in either form; keys that no form has are passed over.

    Raises:
        ValueError: names the key, what stands there and what is expected.
    """
    if not isinstance(value, Mapping):
        raise _wrong("pair", value, "an object with messages, or with prompt and completion")
    if "messages" in value:
        *asked, answered = _conversation("messages", value["messages"], least=2)
        key = "messages"
    elif "prompt" in value and "completion" in value:
        asked = _conversation("prompt", value["prompt"], least=1)
        answered, *more = _conversation("completion", value["completion"], least=1)
        if more:
            raise _wrong("completion", value["completion"], "one message")
        key = "completion"
    else:
        raise _wrong("pair", sorted(value), "messages, or prompt and completion")
    if answered.role != "assistant":
        raise _wrong(f"{key}: role of the answer", answered.role, "assistant")
    if asked[-1].role != "user":
        raise _wrong("role of the last message before the answer", asked[-1].role, "user")
    return Pair(tuple(asked), answered.content)


def read_pairs(path: Path) -> list[Pair]:
    """Read a file of pairs, in either form; empty lines are passed over.

    Raises:
        ValueError: names the file, the line (from 1) and the key, and what is expected there.
        OSError: the file cannot be read.
    """
    pairs = []
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                try:
                    pairs.append(pair_from_json(json.loads(line)))
                except ValueError as error:
                    raise ValueError(f"{path}, line {number}: {error}") from None
    return pairs


def _conversation(key: str, value: object, *, least: int) -> list[Message]:
    expected = f"a list of at least {least} message{'s' * (least > 1)}"
    if not isinstance(value, Sequence) or isinstance(value, str) or len(value) < least:
        raise _wrong(key, value, expected)
    return [_message(f"{key}[{number}]", each) for number, each in enumerate(value)]


def _message(key: str, value: object) -> Message:
    if not isinstance(value, Mapping):
        raise _wrong(key, value, "an object with role and content")
    role, content = value.get("role"), value.get("content")
    if role not in _ROLES:
        raise _wrong(f"{key}.role", role, f"one of {', '.join(_ROLES)}")
    if not isinstance(content, str):
        raise _wrong(f"{key}.content", content, "a string")
    return Message(role, content)


_SHOWN_CHARS = 60


def _wrong(key: str, value: object, expected: str) -> ValueError:
    shown = repr(value)
    shown = shown if len(shown) <= _SHOWN_CHARS else shown[: _SHOWN_CHARS - 1] + "…"
    return ValueError(f"{key} = {shown}: expected {expected}")
