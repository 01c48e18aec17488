"""How a prompt is laid out: what never changes first, what changes every turn last.

A server that caches prefixes then works on the new part of a prompt alone. Rules are the same for
all seats and the record is public, so with `RECORD_FIRST` seats share both; a secret sheet differs
from seat to seat, and whatever follows it cannot be shared.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from agents.llm.chat import Message

RECORD_FIRST, SHEET_FIRST = "record-first", "sheet-first"
ORDERS = (RECORD_FIRST, SHEET_FIRST)

LEFT_OUT = "(The first {count} lines of the record are left out.)"


class PromptParts(NamedTuple):
    """What one seat is told, in parts that change at different paces."""

    rules: str = ""  # the same for all seats, the whole episode long
    sheet: str = ""  # the seat's secrets, the whole episode long
    record: tuple[str, ...] = ()  # what everybody saw, a line each; only ever grows
    instruction: str = ""  # what to do now


def compose(
    parts: PromptParts,
    *,
    order: str = RECORD_FIRST,
    left_out: int = 0,
    record_lines: int | None = None,
) -> tuple[Message, ...]:
    """Return the prompt: rules as the system message, all else in one user message.

    ``record-first`` is rules | record | sheet | instruction, ``sheet-first`` is rules | sheet |
    record | instruction with the sheet in the system message.

    Args:
        parts: what the seat is told.
        order: the layout, a name in `ORDERS`.
        left_out: how many of the first lines of the record, or of those that `record_lines`
            leaves of it, did not fit. A remark stands in the place of all that are missing.
        record_lines: how many of the last lines of the record are shown at most; None for all. 0
            shows none of it and no remark either.

    Raises:
        ValueError: there is no such order, or fewer lines than none are asked for.
    """
    if order not in ORDERS:
        raise ValueError(f"order = {order!r}: expected one of {', '.join(ORDERS)}")
    missing = len(parts.record) - lines_shown(len(parts.record), record_lines) + left_out
    remark = (LEFT_OUT.format(count=missing),) if missing and record_lines != 0 else ()
    record = "\n".join((*remark, *parts.record[missing:]))
    if order == RECORD_FIRST:
        system, user = [parts.rules], [record, parts.sheet, parts.instruction]
    else:
        system, user = [parts.rules, parts.sheet], [record, parts.instruction]
    told = _joined(system)
    asked = Message("user", _joined(user))
    return (Message("system", told), asked) if told else (asked,)


def lines_shown(num_lines: int, record_lines: int | None) -> int:
    """Return how many of so many lines are shown where no more than `record_lines` may be.

    Raises `ValueError` for fewer than none.
    """
    if record_lines is None:
        return num_lines
    if record_lines < 0:
        raise ValueError(f"record_lines = {record_lines}: expected at least 0, or None for all")
    return min(num_lines, record_lines)


def lines_to_leave_out(num_lines: int, left_out: int) -> int:
    """Return how many of the first lines to leave out when the prompt is too long.

    Half of those still shown at once, so that what follows, and with it the cached prefix, shifts
    rarely; at least one. Raises `ValueError` if all are left out already.
    """
    shown = num_lines - left_out
    if shown <= 0:
        raise ValueError("there is nothing left to leave out")
    return left_out + max(1, shown // 2)


def _joined(parts: Sequence[str]) -> str:
    return "\n\n".join(part for part in parts if part)
