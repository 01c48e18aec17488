"""What a stub in a language model's place answers: words in, words out, no model.

A persona reads nothing but the observation's text and answers in the tags it is asked for: its
scores stay in the scratchpad, its public answer has none. The stub client of ``agents`` takes a
persona's ``answer`` as it is.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from negotiation_games.answers import Speech, render_answer
from negotiation_games.bots import BOTS, SABOTEURS
from negotiation_games.game import Deal, GameError, deal_name, option_name
from negotiation_games.policies import play
from negotiation_games.reading import View, parse_observation
from negotiation_games.state import Phase

Answer = Callable[[str, random.Random], str]


class Persona(NamedTuple):
    """How a stub answers, and how often what it answers is malformed.

    The answers are spoiled already, in the ways models spoil an answer of several fields, so a
    client that can spoil answers too must not.
    """

    answer: Answer
    error_rate: float  # probability that an answer is malformed


def persona(name: str) -> Persona:
    """Return the persona of that name. Raises `GameError` if there is none."""
    if name not in PERSONAS:
        raise GameError("persona", name, "one of " + ", ".join(PERSONAS))
    return PERSONAS[name]


def _persona(bot: str, remarks: Sequence[str]) -> Answer:
    def answer(words: str, rng: random.Random) -> str:
        seen = parse_observation(words)
        action = play(seen, BOTS[bot], is_against=bot in SABOTEURS)
        if seen.phase is Phase.VOTE:
            return _ballot(seen, in_favour=action == seen.num_deals + 1)
        return _speech(seen, _deal_at(action, seen.num_options), rng.choice(remarks))

    return answer


def _erratic(answer: Answer, error_rate: float) -> Answer:
    def spoiled(words: str, rng: random.Random) -> str:
        sound = answer(words, rng)
        if rng.random() >= error_rate:
            return sound
        return rng.choice(_MALFORMATIONS)(sound)

    return spoiled


def _ballot(seen: View, *, in_favour: bool) -> str:
    voted = render_answer(Speech(None, accepts=in_favour))
    return f"{_thoughts(seen, seen.final_deal)}\n{voted}"


def _speech(seen: View, deal: Deal | None, remark: str) -> str:
    proposed = "" if deal is None else deal_name(deal)
    plan = f"I proposed {proposed}; see who takes it up." if seen.phase is Phase.DISCUSS else ""
    return f"{_thoughts(seen, deal)}\n{render_answer(Speech(deal, remark, plan))}"


def _thoughts(seen: View, deal: Deal | None) -> str:
    return f"<SCRATCHPAD>{_sum(seen, deal)} My minimum is {seen.threshold}.</SCRATCHPAD>"


def _sum(seen: View, deal: Deal | None) -> str:
    """Write out what a deal is worth, as in ``A2 8 + B1 0 = 8.``."""
    if deal is None:
        return "Nothing to add up."
    points = [own[option] for own, option in zip(seen.scores, deal, strict=True)]
    terms = (f"{option_name(i, option)} {points[i]}" for i, option in enumerate(deal))
    return f"{' + '.join(terms)} = {sum(points)}."


def _deal_at(number: int, num_options: Sequence[int]) -> Deal | None:
    deal: list[int] = []
    for options in reversed(num_options):
        number, option = divmod(number, options)
        deal.append(option)
    return None if number else tuple(reversed(deal))


def _empty(answer: str) -> str:
    return answer[:0]


def _rambling(answer: str) -> str:
    del answer
    return "There is a lot to consider here, and I keep going back and forth about it."


def _incomplete(answer: str) -> str:
    """Leave out the last issue, or the vote."""
    if "<VOTE>" in answer:
        return answer.partition("<VOTE>")[0]
    before, deal, after = _around_deal(answer)
    return f"{before}{deal.rpartition(',')[0]}{after}"


def _unknown(answer: str) -> str:
    """Choose what does not exist."""
    if "<VOTE>" in answer:
        return answer.partition("<VOTE>")[0] + "<VOTE>perhaps</VOTE>"
    before, deal, after = _around_deal(answer)
    return f"{before}{deal.rpartition(',')[0]},Z9{after}"


def _around_deal(answer: str) -> tuple[str, str, str]:
    before, tag, rest = answer.partition("<DEAL>")
    deal, closing, after = rest.partition("</DEAL>")
    return before + tag, deal, closing + after


_MALFORMATIONS: Sequence[Callable[[str], str]] = (_empty, _rambling, _incomplete, _unknown)

_ERROR_RATE = 0.2

_cooperative = _persona(
    "best-guess",
    (
        "I have tried to take up what each of you asked for. Could we all settle on this?",
        "Let us keep what several of us want. I am ready to move further if somebody cannot live "
        "with it.",
        "Thank you for the proposals so far. I believe that this one leaves nobody out.",
    ),
)

PERSONAS: Mapping[str, Persona] = {
    "cooperative": Persona(_cooperative, 0.0),
    "greedy": Persona(
        _persona(
            "greedy",
            (
                "We have gone as far as we can. This is what it takes to keep us in.",
                "Our position is well founded, and the others gain from it as well.",
            ),
        ),
        0.0,
    ),
    "saboteur": Persona(
        _persona(
            "saboteur",
            (
                "I worry that what is on the table was rushed. This would be a sounder start.",
                "Nobody has spoken for this combination yet, and it deserves a hearing.",
            ),
        ),
        0.0,
    ),
    "erratic": Persona(_erratic(_cooperative, _ERROR_RATE), _ERROR_RATE),
}
"""Personas by name."""
