"""Scripted agents by name, as functions from an observation to an action.

They read the same words as a language model does, so they know no more than it is told.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from cleanup_icn.bots import BOTS, Bot, planner
from cleanup_icn.config import CleanupConfig, ConfigError
from cleanup_icn.contracts import Contract
from cleanup_icn.equilibrium_player import EquilibriumPlayer
from cleanup_icn.icn.bots import follow_contract, negotiate
from cleanup_icn.icn.text import TalkView, is_waiting, parse_contracts, parse_talks
from cleanup_icn.observe import View
from cleanup_icn.state import WAIT
from cleanup_icn.text import parse_observation, words_of
from cleanup_icn.unreliable import Wavering, break_contracts

Policy = Callable[[Any], int]

FOR_ANY_NUMBER = (*BOTS, "contract-follower", "planner")
"""Names of the scripted policies for any number of agents, which play in lanes as well."""

FOR_TWO = ("equilibrium", "equilibrium-haggler")
"""Names of those for two agents, in single environments: see `cleanup_icn.equilibrium_player`."""

UNRELIABLE = ("breaking", "wavering")
"""Names of those for any number of agents, in single environments: `cleanup_icn.unreliable`."""

SCRIPTED = (*FOR_ANY_NUMBER, *FOR_TWO, *UNRELIABLE)
"""Names of the scripted policies."""

HAGGLERS = ("division-of-labour", "contract-follower", "planner")
"""Those of `FOR_ANY_NUMBER` who take part in talks; the others pass and abstain."""


def scripted_policy(name: str, env: Any) -> Policy:
    """Return the policy of that name for an environment of this package, wrapped or not.

    One policy serves every seat: an observation says who is looking. Observations must have words
    (``observation="both"`` or ``"text"``). Those of `FOR_TWO` and ``wavering`` have a
    ``reset(*, seed)``.

    Raises:
        ConfigError: no scripted policy has that name, or it cannot play in this environment.
    """
    if name not in SCRIPTED:
        raise ConfigError("policy", name, "one of " + ", ".join(SCRIPTED))
    if name in UNRELIABLE:
        return Wavering() if name == "wavering" else break_contracts
    if name in FOR_TWO:
        return EquilibriumPlayer(env, haggles=name == "equilibrium-haggler")
    config: CleanupConfig = env.unwrapped.config
    bot, talks = scripted_bot(name, config), name in HAGGLERS

    def policy(observation: Any) -> int:
        return play_by_words(words_of(observation), bot, talks=talks)

    return policy


def scripted_bot(name: str, config: CleanupConfig) -> Bot | None:
    """Return what a policy of `FOR_ANY_NUMBER` does in play; None follows the contract in force.

    Raises:
        ConfigError: it is none of these.
    """
    if name not in FOR_ANY_NUMBER:
        raise ConfigError("policy", name, "one of " + ", ".join(FOR_ANY_NUMBER))
    return planner(config) if name == "planner" else BOTS.get(name)


def play_by_words(words: str, bot: Bot | None, *, talks: bool) -> int:
    """Answer an observation in words; see `play`."""
    seen: View = parse_observation(words)
    if is_waiting(words):
        return WAIT
    return play(
        seen, bot, contracts=parse_contracts(words), under_way=parse_talks(words), talks=talks
    )


def play(
    seen: View,
    bot: Bot | None,
    *,
    contracts: Sequence[Contract],
    under_way: TalkView | None,
    talks: bool,
) -> int:
    """Answer what is seen.

    Args:
        seen: the world.
        bot: what to do in play; None follows the contracts.
        contracts: in force, the null contract left out.
        under_way: the talks; None in play.
        talks: whether it answers in talks as `cleanup_icn.icn.bots.negotiate`; else it passes.
    """
    if under_way is not None:
        return negotiate(seen, contracts, under_way) if talks else WAIT
    return bot(seen) if bot else follow_contract(seen, contracts)
