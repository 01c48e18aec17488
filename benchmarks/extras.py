"""Policies whose packages may be missing."""

from __future__ import annotations

from collections.abc import Collection

from benchmarks import training
from benchmarks.arena import LEARNED
from benchmarks.lineups import players_of
from benchmarks.negotiation import negmas_players
from benchmarks.negotiation.negmas_players import NEGMAS_POLICIES
from benchmarks.suite import Suite


def missing_policies(suite: Suite) -> dict[str, list[str]]:
    """Return the policies that cannot be played here, by how to install what they need."""
    missing: dict[str, list[str]] = {}
    for arena in suite.arenas:
        for policy in arena.policies:
            for hint in _hints(players_of(arena, policy)):
                names = missing.setdefault(hint, [])
                if policy not in names:
                    names.append(policy)
    return missing


def _hints(players: Collection[str]) -> list[str]:
    """Return how to install what these players need and is not there."""
    needed = (
        (LEARNED, training.is_available, training.INSTALL_HINT),
        (NEGMAS_POLICIES, negmas_players.is_available, negmas_players.INSTALL_HINT),
    )
    return [
        hint
        for names, is_available, hint in needed
        if not set(names).isdisjoint(players) and not is_available()
    ]
