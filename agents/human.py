"""A person at a seat: shown the words that a model would be told, read by the same parser."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

from agents.llm.prompt import PromptParts
from agents.llm.seat import Seat
from agents.protocol import OK_STATUS, Decision

AGAIN = "?"
"""What a person types to see everything once more, as a model sees it in every turn."""

Ask = Callable[[str], str]
"""Prompts the person and returns the line that was typed; raises `EOFError` where none will come"""

Show = Callable[[str, str], None]
"""Shows the person words under a heading."""


class PersonLeftError(Exception):
    """The person closed the input or pressed Ctrl-C: no answer will come."""


class Shorthand(Protocol):
    """What a person may type in the place of an answer in full."""

    def offered(self) -> str:
        """Return, in a few words, what can be typed now."""
        ...

    def spell_out(self, typed: str) -> str:
        """Return the answer that a typed line stands for; the line itself if it is no shorthand."""
        ...


class InFull:
    """No shorthand: what is typed is the answer."""

    def offered(self) -> str:
        """Return nothing: the seat's words say what can be answered."""
        return ""

    def spell_out(self, typed: str) -> str:
        """Return the line."""
        return typed


class HumanAgent:
    """Shows a person what `seat` tells a model that answers at once, and reads what is typed.

    Rules and secret sheet are shown once an episode, lines of the record once each, and the
    instruction every time. A malformed answer is complained about as to a model, up to
    `max_repairs` times, before the seat's fallback stands; the decision has its status.

    Args:
        seat: what is told, and how answers are read.
        ask: prompts the person for a line.
        show: shows words under a heading.
        shorthand: what may be typed in the place of an answer in full; None is nothing.
        max_repairs: how often a malformed answer is asked for again.
    """

    def __init__(
        self,
        seat: Seat,
        *,
        ask: Ask,
        show: Show,
        shorthand: Shorthand | None = None,
        max_repairs: int = 3,
    ) -> None:
        if max_repairs < 0:
            raise ValueError(f"max_repairs = {max_repairs}: expected at least 0")
        self._seat, self._ask, self._show = seat, ask, show
        self._shorthand = shorthand or InFull()
        self._max_repairs = max_repairs
        self.reset(seed=0)

    def reset(self, *, seed: int) -> None:
        """Begin a new episode; a person's chance does not follow from `seed`."""
        del seed
        self._seat.reset()
        self._shown = PromptParts()
        self._last_seen: Any = None

    def act(self, observation: Any) -> Decision:
        """Show what is new and wait for an answer.

        Raises:
            PersonLeftError: the person will not answer.
        """
        self._last_seen = observation
        parts = self._parts(observation)
        self._show_new(parts)
        self._show("your turn", parts.instruction)
        for left in reversed(range(self._max_repairs + 1)):
            said = self._shorthand.spell_out(self._typed(parts))
            read = self._seat.parse(said)
            status = str(getattr(read.status, "value", read.status))
            if status == OK_STATUS:
                break
            wrong = "That could not be read either: it counts as no answer."
            self._show(f"not read ({status})", self._seat.complaint(status) if left else wrong)
        self._seat.heed(said)
        return Decision(read.action, said, status)

    async def act_async(self, observation: Any) -> Decision:
        """Decide like `act`, in a thread."""
        return await asyncio.to_thread(self.act, observation)

    def see_what_followed(self) -> None:
        """Show what the record has gained since the last answer: the episode is over."""
        if self._last_seen is not None:
            self._show_new(self._parts(self._last_seen))

    def _parts(self, observation: Any) -> PromptParts:
        return PromptParts(*self._seat.parts(observation, ()))

    def _show_new(self, parts: PromptParts) -> None:
        """Show of rules, sheet and record what has not been shown."""
        shown, self._shown = self._shown, parts
        if parts.rules != shown.rules:
            self._show("rules", parts.rules)
        if parts.sheet != shown.sheet:
            self._show("for you alone", parts.sheet)
        num_old = len(shown.record) if parts.record[: len(shown.record)] == shown.record else 0
        if parts.record[num_old:]:
            self._show("what happened", "\n".join(parts.record[num_old:]))

    def _typed(self, parts: PromptParts) -> str:
        """Return a line of the person's; asked for it, show everything and ask again."""
        offered = self._shorthand.offered()
        prompt = f"[{offered}]> " if offered else "> "
        while True:
            try:
                typed = self._ask(prompt)
            except (EOFError, KeyboardInterrupt):
                raise PersonLeftError("the person has left") from None
            if typed.strip() != AGAIN:
                return typed
            self._shown = PromptParts()
            self._show_new(parts)
            self._show("your turn", parts.instruction)
