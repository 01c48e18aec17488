"""What a stub in a language model's place answers: words in, words out, no model.

A persona reads nothing but the observation's text and answers in prose, its reasoning before its
final line, as a model does. The stub client of ``agents`` takes a persona as it is.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import NamedTuple

from cleanup_icn.bots import Bot, divide_labour
from cleanup_icn.config import ConfigError
from cleanup_icn.icn.text import parse_talks, render_answer
from cleanup_icn.observe import View
from cleanup_icn.policies import play_by_words
from cleanup_icn.text import parse_observation


class Persona(NamedTuple):
    """How a stub answers, and how often what it answers is malformed."""

    answer: Callable[[str, random.Random], str]
    error_rate: float  # probability that an answer is malformed


def _persona(bot: Bot | None, motive: str) -> Callable[[str, random.Random], str]:
    def answer(words: str, rng: random.Random) -> str:
        seen = parse_observation(words)
        talks = parse_talks(words)
        action = play_by_words(words, bot, talks=True)
        answered = render_answer(action, None if talks is None else talks.stage)
        opening = rng.choice(_OPENINGS).format(pollution=seen.pollution, fruit=seen.fruit)
        return f"{opening} {_reading(seen)} {motive}\n\n{answered}"

    return answer


_OPENINGS = (
    "The river carries {pollution} units of pollution and the garden {fruit} fruit.",
    "I see pollution at {pollution} and {fruit} fruit to pick.",
    "With {fruit} fruit left and pollution at {pollution}, let me think.",
)

PERSONAS: Mapping[str, Persona] = {
    "cooperative": Persona(
        _persona(divide_labour, "We all do best if each of us does its part."), 0.0
    ),
    "selfish": Persona(_persona(None, "I do what pays me best, and I clean only for pay."), 0.0),
    "erratic": Persona(_persona(divide_labour, "I think I should do my part."), 0.2),
}
"""Personas by name; the selfish one works only where a contract pays it a fair share."""


def persona(name: str) -> Persona:
    """Return the persona of that name. Raises `ConfigError` if there is none."""
    if name not in PERSONAS:
        raise ConfigError("persona", name, "one of " + ", ".join(PERSONAS))
    return PERSONAS[name]


def _reading(seen: View) -> str:
    p = seen.parameters
    grows = "can" if seen.pollution < p.pollution_threshold else "cannot"
    return f"Fruit {grows} grow while the threshold is {p.pollution_threshold}."
