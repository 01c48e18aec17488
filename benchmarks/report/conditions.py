"""The conditions of an arena in words."""

from __future__ import annotations

from typing import Any

from benchmarks.arena import Arena
from benchmarks.cleanup.conditions import Fixed, Negotiated
from benchmarks.negotiation.arena import Setting
from negotiation_games import Incentive

_WHEN = {
    "change": "at the start and whenever the world has changed",
    "change-only": "whenever the world has changed",
    "start": "once, at the start",
    "never": "never",
    "model": "when a model that reads the public record finds it necessary",
}


def described(arena: Arena[Any]) -> str:
    """Return what an arena says of itself, and who sits where if not one policy on all seats."""
    if arena.seat is None:
        return arena.description
    seated = f"A policy plays {arena.seat}, and {arena.partners} plays all other seats."
    return f"{arena.description.rstrip('.')}. {seated}"


def condition_in_words(condition: Any) -> str:
    """Return what a condition is: a contract's sentence, how one is agreed on, or a game."""
    if isinstance(condition, Fixed):
        if condition.contract.is_null:
            return "No contract: nobody pays anybody."
        return condition.contract.to_text()
    if isinstance(condition, Negotiated):
        return _negotiated_in_words(condition)
    if isinstance(condition, Setting):
        return _setting_in_words(condition)
    return str(getattr(condition, "name", condition))


def _negotiated_in_words(condition: Negotiated) -> str:
    when = _WHEN.get(condition.judge, f"when the judge “{condition.judge}” says so")
    menu = " ".join(contract.to_text() for contract in condition.menu)
    return f"Contracts are negotiated {when}. The menu: {menu}"


def _setting_in_words(setting: Setting) -> str:
    game = setting.load()
    after_else = [
        f"{party.name} ({party.role}) is after something else: {party.incentive}"
        for party in game.parties
        if party.incentive is not Incentive.COOPERATIVE
    ]
    name = game.title or game.name
    others = f"; {'; '.join(after_else)}; all others are cooperative." if after_else else ""
    plain = "" if after_else else "; all of them are cooperative."
    return (
        f"{name}: {game.num_parties} parties, {len(game.issues)} issues, {game.num_deals} deals"
        f"{others}{plain}"
    )
