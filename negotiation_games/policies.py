"""Scripted parties by name, as functions from an observation to an action.

All but the planner read the same words as a language model does, so they know no more than it is
told.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from negotiation_games.baseline import no_communication_deal
from negotiation_games.bots import BOTS, SABOTEURS, Bot, accepts, planner
from negotiation_games.game import Game, GameError
from negotiation_games.reading import View, parse_observation
from negotiation_games.state import Phase

Policy = Callable[[Any], int]

SCRIPTED = (*BOTS, "planner", "no-communication")
"""Names of the scripted policies."""


def scripted_policy(name: str, env: Any) -> Policy:
    """Return the policy of that name for an environment of this package, wrapped or not.

    One policy serves every seat: an observation says who is looking. Observations must have words
    (``observation="both"`` or ``"text"``). Actions are numbers, so not for `TextActions`.

    Raises:
        GameError: no scripted policy has that name.
    """
    if name not in SCRIPTED:
        raise GameError("policy", name, "one of " + ", ".join(SCRIPTED))
    game: Game = env.unwrapped.game
    bot = _bot(name, game)

    def policy(observation: Any) -> int:
        seen = parse_observation(words_of(observation), parties=game.party_names)
        return play(seen, bot, is_against=name in SABOTEURS)

    return policy


def play(seen: View, bot: Bot, *, is_against: bool = False) -> int:
    """Answer what is asked: a deal's number, no proposal, accept or reject.

    Votes follow `negotiation_games.bots.accepts`; with ``is_against`` they reject.
    """
    if seen.phase is Phase.VOTE:
        in_favour = accepts(seen) and not is_against
        return seen.num_deals + (1 if in_favour else 2)
    if seen.phase in (Phase.DISCUSS, Phase.FINAL):
        return bot(seen)
    return seen.num_deals


def words_of(observation: Any) -> str:
    """Return an observation's text, whichever kind of observation has one."""
    words = observation.get("text") if isinstance(observation, dict) else observation
    if not isinstance(words, str):
        raise GameError("observation", type(observation).__name__, '"both" or "text": words')
    return words


def _bot(name: str, game: Game) -> Bot:
    if name == "planner":
        return planner(game)
    if name == "no-communication":
        return _alone(game)
    return BOTS[name]


def _alone(game: Game) -> Bot:
    """p1 keeps to the deal it would propose without any talk; nobody else proposes anything."""
    chosen = game.deal_number(no_communication_deal(game))
    return lambda seen: chosen if seen.party == seen.proposer else seen.num_deals
