"""Cleanup: a two-place social dilemma in words and numbers, with contracts and negotiation.

Importing this package registers its environments with PettingZoo and Gymnasium::

    import cleanup_icn, pettingzoo
    env = pettingzoo.make("parallel", "commonweal/Cleanup-v0", preset="linear")
"""

from __future__ import annotations

from cleanup_icn import contracts, icn
from cleanup_icn.config import PRESETS, CleanupConfig, ConfigError
from cleanup_icn.env import CleanupEnv, env, parallel_env, raw_env
from cleanup_icn.observe import View
from cleanup_icn.registration import register_environments
from cleanup_icn.state import CLEAN, HARVEST, MOVE, WAIT
from cleanup_icn.text import ParsedAction, ParseStatus
from cleanup_icn.text_actions import TextActions

__all__ = [
    "CLEAN",
    "HARVEST",
    "MOVE",
    "PRESETS",
    "WAIT",
    "CleanupConfig",
    "CleanupEnv",
    "ConfigError",
    "ParseStatus",
    "ParsedAction",
    "TextActions",
    "View",
    "contracts",
    "env",
    "icn",
    "parallel_env",
    "raw_env",
]

register_environments()
