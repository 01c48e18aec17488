"""What a file says of an arena of negotiation: games, how they go, and who is after what."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from functools import partial
from typing import Any

from benchmarks.arena import Arena
from benchmarks.checked import ABSENT, one_of_nearest
from benchmarks.negotiation.arena import INCENTIVES, PLAYED, NegotiationArena, Setting
from benchmarks.sections import SectionReader
from cleanup_icn import ConfigError
from negotiation_games import GameError, bundled_games
from negotiation_games.bots import BOTS

KEYS = ("world", "games", "incentives", "learned_games")
"""The keys that are read here."""


def read_arena(
    reader: SectionReader, where: str, given: Mapping[str, Any]
) -> Callable[..., Arena[Any]] | None:
    """Read the keys of `KEYS`; see `benchmarks.suite_file.ReadGame`."""
    games = _words(reader, f"{where}.games", given.get("games", ABSENT), bundled_games())
    after = given.get("incentives", ["cooperative"])
    incentives = _words(reader, f"{where}.incentives", after, tuple(INCENTIVES))
    learned = given.get("learned_games", [])
    known = games or bundled_games()
    learned_games = _words(reader, f"{where}.learned_games", learned, known, at_least=0)
    played = _read_world(reader, f"{where}.world", given.get("world", {}), games)
    if not games or not incentives or learned_games is None or played is None:
        return None
    settings = tuple(
        Setting(game=game, incentives=after, **played) for game in games for after in incentives
    )
    return partial(NegotiationArena, conditions=settings, learned_games=learned_games)


def seats_of(arena: NegotiationArena) -> list[tuple[str, ...]]:
    """Return the names of the seats of every setting, parties and roles, as often as borne."""
    games = (setting.load() for setting in arena.conditions)
    return [
        tuple(name for party in game.parties for name in (party.name, party.role.name.lower()))
        for game in games
    ]


def unlearnable(arena: NegotiationArena) -> Iterator[ConfigError]:
    """Yield why no policy can learn here: no game, not the seat of p1, or not among scripts."""
    if not arena.learned_games:
        allowed = f"some of {', '.join(arena.games)}, as a policy is learned"
        yield ConfigError("learned_games", [], allowed)
    if arena.seat is None:
        return
    for game in (setting.load() for setting in arena.conditions):
        p1 = game.parties[game.proposer_index]
        names = (p1.role.name.lower(), p1.name)
        if arena.seat not in names:
            yield ConfigError(
                "seat", arena.seat, f"{' or '.join(names)}, where a policy is learned"
            )
    if arena.partners not in BOTS:
        yield ConfigError("partners", arena.partners, one_of_nearest(arena.partners, tuple(BOTS)))


def _words(
    reader: SectionReader, where: str, given: Any, known: Collection[str], *, at_least: int = 1
) -> tuple[str, ...] | None:
    """Return words of a list, each once, or note which are none of those known."""
    if not isinstance(given, list) or len(given) < at_least:
        reader.refuse(where, given, f"a list of some of {', '.join(known)}")
        return None
    wrong = [word for word in given if not isinstance(word, str) or word not in known]
    for word in wrong:
        reader.refuse(where, word, one_of_nearest(word, known))
    if not wrong and len(set(given)) < len(given):
        reader.refuse(where, given, "every word once")
        return None
    return None if wrong else tuple(given)


def _read_world(
    reader: SectionReader, where: str, given: Any, games: tuple[str, ...] | None
) -> dict[str, Any] | None:
    """Return how the games are played, tried in each of them."""
    if not isinstance(given, Mapping):
        reader.refuse(where, given, f"a table [{where}]")
        return None
    tried = games or bundled_games()[:1]

    def make(**played: Any) -> dict[str, Any]:
        for game in tried:
            try:
                Setting(game=game, incentives="cooperative", **played).make_env()
            except GameError as error:
                name = error.where.rpartition(": ")[2]
                raise ConfigError(name, error.found, error.allowed) from None
        return played

    if not given:
        return {}
    return reader.made_of(where, make, given, known=PLAYED)
