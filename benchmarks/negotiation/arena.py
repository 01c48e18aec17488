"""Arenas of negotiation: which policies play which games, and what the parties are after."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property, lru_cache
from typing import Any, ClassVar, NamedTuple, Self

from benchmarks.arena import LEARNED, Arena
from benchmarks.lineups import players_of
from benchmarks.model_config import Table
from benchmarks.negotiation.drawn import drawn_game, is_drawn
from negotiation_games import Game, Incentive, NegotiationEnv, Party, Role, load_game, raw_env
from negotiation_games.load import recast

GAME = "negotiation"

PARTNER = "best-guess"
"""What the cooperative parties beside a learned p1 play."""


class Deviant(NamedTuple):
    """The one party that is not cooperative."""

    who: Callable[[Game], Party]
    incentive: Incentive


def choosiest_players(game: Game) -> tuple[Party, ...]:
    """Return the parties that neither propose nor have a veto, the hardest to please first.

    That is whose threshold the fewest deals reach; of equals, the first of the game.
    """
    deals = tuple(game.deals())

    def pleased(party: Party) -> int:
        return sum(party.score(deal) >= party.threshold for deal in deals)

    players = (p for p in game.parties if p.role not in (Role.PROPOSER, Role.VETO))
    return tuple(sorted(players, key=pleased))


def _choosiest(game: Game) -> Party:
    return choosiest_players(game)[0]


INCENTIVES: Mapping[str, Deviant | None] = {
    "cooperative": None,
    "greedy-veto": Deviant(lambda game: game.parties[game.veto_index], Incentive.GREEDY),
    "greedy-leading": Deviant(lambda game: game.parties[game.proposer_index], Incentive.GREEDY),
    "greedy-player": Deviant(_choosiest, Incentive.GREEDY),
    "saboteur": Deviant(_choosiest, Incentive.SABOTAGE),
    "targeted-saboteur": Deviant(_choosiest, Incentive.TARGETED_SABOTAGE),
}
"""Who is after what, by name; all others are cooperative.

The greedy player and the saboteur are the player that is hardest to please and the saboteur's
target is the next one: in the published game those that were chosen there, the Environmental
League and the Local Labour Union.
"""


@dataclass(frozen=True, kw_only=True)
class Setting:
    """A game, what its parties are after, and how it is played.

    The last two fields are those of `negotiation_games.env`; the vote is the implicit one.
    """

    game: str  # bundled, or drawn: see `benchmarks.negotiation.drawn`
    incentives: str  # a name in `INCENTIVES`
    num_turns: int | None = None
    no_deal: str = "threshold"

    @property
    def name(self) -> str:
        """Name of the setting in tables and records."""
        return f"{self.game}/{self.incentives}"

    @property
    def played(self) -> dict[str, Any]:
        """How the game is played, as environments and batches take it."""
        return {name: getattr(self, name) for name in PLAYED}

    def load(self) -> Game:
        """Return the game with these incentives; it is read once."""
        return _load(self.game, self.incentives)

    def make_env(self, *, observation: str = "both") -> NegotiationEnv:
        """Make the negotiation."""
        return raw_env(game=self.load(), observation=observation, **self.played)

    def to_dict(self) -> dict[str, Any]:
        """Return the setting as JSON values."""
        return {"name": self.name, **asdict(self)}

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Self:
        """Return the setting that `to_dict` told of."""
        return cls(**{key: value for key, value in told.items() if key != "name"})


PLAYED = ("num_turns", "no_deal")
"""The fields of a setting that say how its game is played."""


@lru_cache(maxsize=64)
def _load(name: str, incentives: str) -> Game:
    drawn = drawn_game(name) if is_drawn(name) else None
    game, deviant = drawn or load_game(name, evaluation_only=True), INCENTIVES[incentives]
    wanted = dict.fromkeys(game.party_names, Incentive.COOPERATIVE)
    target = None
    if deviant is not None:
        wanted[deviant.who(game).name] = deviant.incentive
        is_targeted = deviant.incentive is Incentive.TARGETED_SABOTAGE
        target = choosiest_players(game)[1].name if is_targeted else None
    if drawn is not None:
        return recast(drawn, incentives=wanted, target=target)
    return load_game(name, incentives=wanted, target=target)


@dataclass(frozen=True, kw_only=True)
class NegotiationArena(Arena[Setting]):
    """A comparison in several games and settings of incentives."""

    game: ClassVar[str] = GAME
    learned_games: tuple[str, ...] = ()  # in which learned policies are trained and played

    @property
    def title(self) -> str:
        """What stands above the table."""
        return f"{self.name}: {', '.join(self.games)}"

    @cached_property
    def games(self) -> tuple[str, ...]:
        """The games played, each once."""
        return tuple(dict.fromkeys(setting.game for setting in self.conditions))

    def table_of_learned(self, policy: str) -> Table:
        """Return who sits where when a learned policy plays: p1 alone is learned."""
        return Table(name=policy, everyone=PARTNER, seats={Role.PROPOSER.name.lower(): policy})

    def plays(self, policy: str, condition: Setting) -> bool:
        """Whether the policy is played in the setting: who learned only where it was trained."""
        learned = not set(LEARNED).isdisjoint(players_of(self, policy))
        return not learned or condition.game in self.learned_games

    def to_dict(self) -> dict[str, Any]:
        """Return the arena as JSON values."""
        return {
            "game": self.game,
            **self._told(),
            "learned_games": list(self.learned_games),
        }

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Self:
        """Return the arena that `to_dict` told of, with models that cannot be asked."""
        settings = tuple(map(Setting.from_dict, told["contracts"]))
        games = tuple(told["learned_games"])
        return cls(**cls._read(told), conditions=settings, learned_games=games)
