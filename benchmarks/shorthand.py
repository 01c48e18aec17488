"""What a person may type at a seat of each game, and the answer in full that it stands for.

Cleanup, in play: an action that is possible now, by name or by its number in the environment
(``0`` wait, ``1`` move, ``2`` harvest, ``3`` clean).
Cleanup, in talks: ``pass``, ``accept``, ``reject``, ``propose X`` or ``counter X``; a number alone
proposes, or counters with, the contract of that number in the menu.
Where one answer alone is possible, an empty line gives it.

Negotiation: what is to be said aloud and then the deal, as in ``Let us meet. A1,B2,C3,D1,E4``, or
the deal alone; in a vote ``accept`` or ``reject``.

Whatever else is typed, an answer in full among it, goes to the game's parser as it is.
"""

from __future__ import annotations

import re
from typing import Any

from cleanup_icn.text import ACTION_NAMES
from negotiation_games import NegotiationEnv
from negotiation_games.game import deal_name
from negotiation_games.state import Phase

_WITH_CONTRACT = ("propose", "counter")


class CleanupShorthand:
    """Shorthand at a seat of Cleanup or of its contract negotiation.

    Args:
        env: the environment, bare or wrapped.
        seat: the agent.
    """

    def __init__(self, env: Any, seat: str) -> None:
        self._env, self._seat = env.unwrapped, seat

    def offered(self) -> str:
        """Return what can be typed now."""
        choices = self._choices
        if len(choices) == 1:
            return f"Enter: {choices[0]}"
        if not self._is_talk(choices):
            return ", ".join(f"{ACTION_NAMES.index(name)} {name}" for name in choices)
        return ", ".join(f"{n} N (or N alone)" if n in _WITH_CONTRACT else n for n in choices)

    def spell_out(self, typed: str) -> str:
        """Return the answer in full."""
        line, choices = typed.strip(), self._choices
        if not line:
            return _line(choices[0]) if len(choices) == 1 else typed
        if line.isascii() and line.isdecimal():
            return self._by_number(line, choices) or typed
        return _line(line) if line.split()[0].lower() in choices else typed

    @property
    def _choices(self) -> tuple[str, ...]:
        choices: tuple[str, ...] = self._env.choices(self._seat)
        return choices

    def _is_talk(self, choices: tuple[str, ...]) -> bool:
        return not set(choices) <= set(ACTION_NAMES)

    def _by_number(self, number: str, choices: tuple[str, ...]) -> str | None:
        if self._is_talk(choices):
            verb = next((name for name in choices if name in _WITH_CONTRACT), None)
            return _line(f"{verb} {number}") if verb else None
        possible = {ACTION_NAMES.index(name): name for name in choices}
        name = possible.get(int(number)) if len(number) == 1 else None
        return _line(name) if name else None


def _line(choice: str) -> str:
    return f"Action: {choice}"


_WORDS_AND_DEAL = re.compile(
    r"(?P<words>|.*?[\s.,;:!?])(?P<deal>[A-Za-z]\d+(?:[\s,]+[A-Za-z]\d+)*)[\s.]*"
)


class NegotiationShorthand:
    """Shorthand at a party's seat in a negotiation."""

    def __init__(self, env: NegotiationEnv) -> None:
        self._env = env

    def offered(self) -> str:
        """Return what can be typed now."""
        if self._is_vote:
            return "accept, reject"
        example = deal_name((0,) * len(self._env.game.issues))
        return f"words, then a deal as in {example}"

    def spell_out(self, typed: str) -> str:
        """Return the answer in full."""
        line = typed.strip()
        if not line or "<" in line or line.startswith("{"):
            return typed
        if self._is_vote:
            return f"<VOTE>{line}</VOTE>"
        found = _WORDS_AND_DEAL.fullmatch(line)
        if found is None:
            return f"<ANSWER>{line}</ANSWER>"
        words = found["words"].strip()
        return f"<ANSWER>{words}</ANSWER> <DEAL>{found['deal']}</DEAL>"

    @property
    def _is_vote(self) -> bool:
        return self._env.negotiation_state.phase is Phase.VOTE
