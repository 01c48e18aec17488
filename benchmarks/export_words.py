"""What an agent of Cleanup did, in words, from the record alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cleanup_icn.contracts import Contract
from cleanup_icn.icn.observe import ACCEPT, FIRST_PROPOSAL, REJECT
from cleanup_icn.text import ACTION_NAMES

_TALKS = ("propose", "respond")
_SPEECHES = {0: "pass", ACCEPT: "accept", REJECT: "reject"}


def action_in_words(phase: str, action: Any, menu: Sequence[Contract]) -> str:
    """Write an action on record in words; a contract is written out.

    Args:
        phase: of the step.
        action: a number, a contract or words of one as a record has it, or a word.
        menu: the contracts that are proposed by number.

    """
    if phase not in _TALKS:
        return ACTION_NAMES[action] if action in range(len(ACTION_NAMES)) else str(action)
    verb = "propose" if phase == _TALKS[0] else "counter"
    if isinstance(action, Mapping):
        words = action.get("words")
        return f"{verb} {words if words is not None else Contract.from_dict(action).to_text()}"
    if isinstance(action, int) and 0 <= action - FIRST_PROPOSAL < len(menu):
        return f"{verb} {menu[action - FIRST_PROPOSAL].to_text()}"
    return _SPEECHES.get(action, "nothing")
