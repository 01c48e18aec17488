"""Scripted agents by name, as functions from an observation to an action.

They read the same words as a language model does, so they know no more than it is told.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cleanup_icn.bots import BOTS, Bot, planner
from cleanup_icn.config import CleanupConfig, ConfigError
from cleanup_icn.icn.bots import follow_contract, negotiate
from cleanup_icn.icn.text import is_waiting, parse_contracts, parse_talks
from cleanup_icn.observe import View
from cleanup_icn.state import WAIT
from cleanup_icn.text import parse_observation

Policy = Callable[[Any], int]

SCRIPTED = (*BOTS, "contract-follower", "planner")
"""Names of the scripted policies."""

_HAGGLERS = ("division-of-labour", "contract-follower", "planner")
"""Those who take part in talks; the others pass and, asked for an answer, abstain."""


def scripted_policy(name: str, env: Any) -> Policy:
    """Return the policy of that name for an environment of this package, wrapped or not.

    One policy serves every seat: an observation says who is looking. Observations must have words
    (``observation="both"`` or ``"text"``).

    Raises:
        ConfigError: no scripted policy has that name.
    """
    if name not in SCRIPTED:
        raise ConfigError("policy", name, "one of " + ", ".join(SCRIPTED))
    config: CleanupConfig = env.unwrapped.config
    bots: dict[str, Bot] = dict(BOTS)
    if name == "planner":
        bots[name] = planner(config)

    def policy(observation: Any) -> int:
        words = words_of(observation)
        return play_by_words(words, bots.get(name), talks=name in _HAGGLERS)

    return policy


def play_by_words(words: str, bot: Bot | None, *, talks: bool) -> int:
    """Answer an observation in words; ``bot`` None follows the contract in force.

    With ``talks`` the answers in talks are those of `cleanup_icn.icn.bots.negotiate`, else pass.
    """
    seen: View = parse_observation(words)
    if is_waiting(words):
        return WAIT
    under_way = parse_talks(words)
    if under_way is not None:
        return negotiate(seen, parse_contracts(words), under_way) if talks else WAIT
    return bot(seen) if bot else follow_contract(seen, parse_contracts(words))


def words_of(observation: Any) -> str:
    """Return an observation's text, whichever kind of observation has one."""
    words = observation.get("text") if isinstance(observation, dict) else observation
    if not isinstance(words, str):
        raise ConfigError("observation", type(observation).__name__, '"both" or "text": words')
    return words
