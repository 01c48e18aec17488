"""Scorable negotiation between several parties over several issues.

Abdelnabi et al., *Cooperation, Competition, and Maliciousness: LLM-Stakeholders Interactive
Negotiation*, NeurIPS 2024 D&B. Importing this package registers its environment with PettingZoo::

    import negotiation_games, pettingzoo
    env = pettingzoo.make("aec", "commonweal/Negotiation-v0", game="base")
"""

from __future__ import annotations

import pettingzoo

from negotiation_games.answers import ParsedAnswer, ParseStatus, Speech
from negotiation_games.env import NegotiationEnv, env, raw_env
from negotiation_games.game import Game, GameError, Incentive, Issue, Party, Role
from negotiation_games.load import bundled_games, load_game, recast, write_game
from negotiation_games.text_actions import TextActions

__all__ = [
    "Game",
    "GameError",
    "Incentive",
    "Issue",
    "NegotiationEnv",
    "ParseStatus",
    "ParsedAnswer",
    "Party",
    "Role",
    "Speech",
    "TextActions",
    "bundled_games",
    "env",
    "load_game",
    "raw_env",
    "recast",
    "write_game",
]

if "commonweal/Negotiation-v0" not in pettingzoo.aec_registry:
    pettingzoo.register("aec", "commonweal/Negotiation-v0", "negotiation_games.env:env")
