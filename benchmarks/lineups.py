"""Who sits where: one policy on every seat, a policy on one seat among partners, or a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from agents import Agent
from benchmarks.arena import LEARNED
from benchmarks.model_config import Table
from cleanup_icn import ConfigError

NamesOf = Mapping[str, tuple[str, ...]]
"""By seat, the names under which a table may speak of it."""

MakeAgents = Callable[[str], Mapping[str, Agent]]
"""All seats' agents for the name of a policy."""


SpeakFor = Callable[[str, str], Agent | None]
"""From a player and a seat to the agent by which a model plays; None for what is no model."""


class Seating(Protocol):
    """What an arena says of who sits where."""

    @property
    def seat(self) -> str | None:
        """The only seat that a policy plays; None for all."""
        ...

    @property
    def partners(self) -> str | None:
        """Name of the policy on all other seats; None where there is no such seat."""
        ...

    @property
    def lineups(self) -> Sequence[Table]:
        """Tables, without models, that are policies by themselves."""
        ...

    def table_of_learned(self, policy: str) -> Table:
        """Return who sits where when a learned policy plays and there is no such seat."""
        ...

    @property
    def tables(self) -> Sequence[Table]:
        """These, and the tables of models."""
        ...


def lineup_of(arena: Seating, policy: str) -> Table:
    """Return who sits where when a policy of an arena plays.

    A lineup, or a table of models that speaks of seats, says so itself. Any other policy or model
    plays the arena's seat among its partners, or every seat where the arena names none.
    """
    table = next((table for table in arena.tables if table.name == policy), None)
    is_lineup = any(lineup.name == policy for lineup in arena.lineups)
    if table is not None and (table.seats or is_lineup):
        return table
    if arena.seat is not None and arena.partners is not None:
        played = policy if table is None else table.everyone
        return Table(name=policy, everyone=arena.partners, seats={arena.seat: played})
    if policy in LEARNED:
        return arena.table_of_learned(policy)
    return table or Table(name=policy, everyone=policy)


def players_of(arena: Seating, policy: str) -> tuple[str, ...]:
    """Return who takes part in the episodes of an arena's policy, each once."""
    table = lineup_of(arena, policy)
    return tuple(dict.fromkeys((*table.seats.values(), table.everyone)))


def player_on(table: Table, names: tuple[str, ...]) -> str:
    """Return who plays the seat of these names: the first of them that the table speaks of."""
    named = (table.seats[name] for name in names if name in table.seats)
    return next(named, table.everyone)


def players_by_seat(arena: Seating, policy: str, names_of: NamesOf) -> dict[str, str]:
    """Return, by seat, the name of who plays it in the episodes of an arena's policy."""
    table = lineup_of(arena, policy)
    return {seat: player_on(table, names) for seat, names in names_of.items()}


def seat_of(seat: str, names_of: NamesOf) -> str:
    """Return the environment's agent of this name, be it another that it goes by.

    Raises:
        ConfigError: nobody is called so.
    """
    for agent, names in names_of.items():
        if seat in names:
            return agent
    known = dict.fromkeys(name for names in names_of.values() for name in names)
    raise ConfigError("seat", seat, f"one of {', '.join(known)}")


def seat_lineup(
    table: Table,
    *,
    names_of: NamesOf,
    make_agents: MakeAgents,
    speak_for: SpeakFor = lambda _player, _seat: None,
) -> dict[str, Agent]:
    """Return an agent for every seat.

    The agents of a policy are made once, so its seats share what they share when it plays alone.
    Names in the table that no seat goes by are passed over: one table may serve several games.

    Args:
        table: who sits where.
        names_of: see `NamesOf`.
        make_agents: see `MakeAgents`.
        speak_for: see `SpeakFor`; by default no player is a model.

    """
    made: dict[str, Mapping[str, Agent]] = {}
    seated: dict[str, Agent] = {}
    for seat, names in names_of.items():
        player = player_on(table, names)
        speaker = speak_for(player, seat)
        if speaker is None and player not in made:
            made[player] = make_agents(player)
        seated[seat] = speaker if speaker is not None else made[player][seat]
    return seated
