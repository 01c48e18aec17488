"""The values of a scorable negotiation game: parties, issues, options, score sheets, thresholds.

Abdelnabi et al., *Cooperation, Competition, and Maliciousness: LLM-Stakeholders Interactive
Negotiation*, NeurIPS 2024 D&B, section 3. Any number of parties (at least three) and issues.

A *deal* picks one option of every issue: a tuple of option indices from 0, one an issue, in the
order of the issues. Deals are numbered in lexicographic order, the last issue changing fastest.
"""

from __future__ import annotations

import math
import string
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property, lru_cache
from itertools import product

import numpy as np
import numpy.typing as npt

Deal = tuple[int, ...]

ISSUE_LETTERS = string.ascii_uppercase
MIN_PARTIES = 3
MAX_ISSUES = len(ISSUE_LETTERS)


class GameError(ValueError):
    """A game, or a file it is read from, that cannot be.

    Attributes:
        where: the file and line, or the field, where the fault is.
        found: what was found there.
        allowed: what is allowed there.
    """

    def __init__(self, where: str, found: object, allowed: str) -> None:
        super().__init__(f"{where}: found {found!r}, expected {allowed}")
        self.where = where
        self.found = found
        self.allowed = allowed

    def __reduce__(self) -> tuple[type[GameError], tuple[str, object, str]]:
        """Pickle by the parts, so that the error comes back whole from a worker process."""
        return type(self), (self.where, self.found, self.allowed)


class Role(StrEnum):
    """What a party may do, by the words of the published configurations."""

    PROPOSER = "p1"  # opens, and makes the final proposal; must accept
    VETO = "p2"  # must accept
    PLAYER = "player"
    TARGET = "target"  # a player against whom a saboteur works


class Incentive(StrEnum):
    """What a party is after, by the words of the published configurations."""

    COOPERATIVE = "cooperative"
    GREEDY = "greedy"
    SABOTAGE = "untargeted_adv"
    TARGETED_SABOTAGE = "targeted_adv"

    @property
    def is_sabotage(self) -> bool:
        """Whether the party prefers that nothing passes."""
        return self in (Incentive.SABOTAGE, Incentive.TARGETED_SABOTAGE)


@dataclass(frozen=True)
class Issue:
    """An issue and its options; words are empty where a game is figures alone."""

    title: str
    options: tuple[str, ...]  # what each option means, one entry an option
    description: str = ""


@dataclass(frozen=True)
class Party:
    """One party: what it is, and its secrets (scores, threshold, instructions)."""

    name: str
    role: Role
    incentive: Incentive
    scores: tuple[tuple[int, ...], ...]  # secret: points for each option of each issue
    threshold: int  # secret: least score of a deal it accepts
    instructions: Mapping[Incentive, str] = field(default_factory=dict, compare=False)
    """Secret: the role text for each incentive it can play, scores filled in."""

    def score(self, deal: Sequence[int]) -> int:
        """Return the sum of the points of a deal's options."""
        return sum(points[option] for points, option in zip(self.scores, deal, strict=True))


@dataclass(frozen=True)
class Game:
    """A whole game; made only if every sheet fits the issues and the roles are there."""

    name: str
    issues: tuple[Issue, ...]
    parties: tuple[Party, ...]
    initial_deal: Deal | None = None  # with which the proposer opens; None for evaluation alone
    scenario: str = ""  # what everybody is told
    title: str = ""

    def __post_init__(self) -> None:
        """Check that the parts fit; `GameError` names the one that does not."""
        _check_counts(self)
        _check_roles(self)
        for party in self.parties:
            _check_sheet(self, party)
        if self.initial_deal is not None:
            _check_deal(self, self.initial_deal)

    @property
    def num_parties(self) -> int:
        """How many parties there are."""
        return len(self.parties)

    @cached_property
    def num_options(self) -> tuple[int, ...]:
        """How many options each issue has."""
        return tuple(len(issue.options) for issue in self.issues)

    @cached_property
    def num_deals(self) -> int:
        """How many deals there are."""
        return math.prod(self.num_options)

    @cached_property
    def party_names(self) -> tuple[str, ...]:
        """Names of the parties, in their order."""
        return tuple(party.name for party in self.parties)

    @cached_property
    def proposer_index(self) -> int:
        """Index of p1."""
        return next(i for i, party in enumerate(self.parties) if party.role is Role.PROPOSER)

    @cached_property
    def veto_index(self) -> int:
        """Index of p2."""
        return next(i for i, party in enumerate(self.parties) if party.role is Role.VETO)

    @cached_property
    def thresholds(self) -> npt.NDArray[np.int64]:
        """Thresholds, (N,)."""
        return np.array([party.threshold for party in self.parties], np.int64)

    def party(self, name: str) -> Party:
        """Return the party of this name. Raises `GameError` if there is none."""
        for party in self.parties:
            if party.name == name:
                return party
        raise GameError("party", name, "one of " + ", ".join(self.party_names))

    def scores(self, deal: Sequence[int]) -> tuple[int, ...]:
        """Return every party's score of a deal, in the order of the parties."""
        return tuple(party.score(deal) for party in self.parties)

    def deals(self) -> Iterator[Deal]:
        """Iterate over all deals in the order of their numbers."""
        return product(*(range(n) for n in self.num_options))

    def deal_number(self, deal: Sequence[int]) -> int:
        """Return a deal's number, 0..num_deals - 1."""
        number = 0
        for option, options in zip(deal, self.num_options, strict=True):
            number = number * options + option
        return number

    def deal_at(self, number: int) -> Deal:
        """Return the deal of a number."""
        deal = []
        for options in reversed(self.num_options):
            number, option = divmod(number, options)
            deal.append(option)
        return tuple(reversed(deal))


def option_name(issue_index: int, option: int) -> str:
    """Return an option's short name: ``A1`` is the first option of the first issue."""
    return f"{ISSUE_LETTERS[issue_index]}{option + 1}"


def deal_name(deal: Sequence[int]) -> str:
    """Return a deal's short name, as in ``A1,B2,C4,D3,E5``."""
    return _deal_name(tuple(deal))


def is_deal(game: Game, deal: object) -> bool:
    """Whether this is one option index for every issue of the game."""
    if not isinstance(deal, tuple) or len(deal) != len(game.issues):
        return False
    return all(
        isinstance(option, int | np.integer) and 0 <= option < options
        for option, options in zip(deal, game.num_options, strict=True)
    )


def check_choice(name: str, value: object, allowed: Sequence[object]) -> None:
    """Raise `GameError` if a setting is none of the names (or None) that are allowed."""
    if not isinstance(value, str | None) or value not in allowed:
        raise GameError(name, value, "one of " + ", ".join(map(str, allowed)))


@lru_cache(maxsize=65_536)
def _deal_name(deal: Deal) -> str:
    return ",".join(option_name(i, option) for i, option in enumerate(deal))


def _check_counts(game: Game) -> None:
    if len(game.parties) < MIN_PARTIES:
        raise GameError(f"{game.name}: parties", len(game.parties), f"at least {MIN_PARTIES}")
    if not 1 <= len(game.issues) <= MAX_ISSUES:
        raise GameError(f"{game.name}: issues", len(game.issues), f"1 to {MAX_ISSUES}")
    for i, issue in enumerate(game.issues):
        if len(issue.options) < 1:
            raise GameError(f"{game.name}: issue {ISSUE_LETTERS[i]}", 0, "at least one option")
    if len(set(game.party_names)) < len(game.parties):
        raise GameError(f"{game.name}: parties", game.party_names, "every name once")


def _check_roles(game: Game) -> None:
    roles = [party.role for party in game.parties]
    for role in (Role.PROPOSER, Role.VETO):
        if roles.count(role) != 1:
            raise GameError(f"{game.name}: parties with role {role}", roles.count(role), "one")
    saboteurs = [p for p in game.parties if p.incentive is Incentive.TARGETED_SABOTAGE]
    if saboteurs and roles.count(Role.TARGET) != 1:
        found = roles.count(Role.TARGET)
        raise GameError(f"{game.name}: parties with role target", found, "one, for a saboteur")


def _check_sheet(game: Game, party: Party) -> None:
    where = f"{game.name}: scores of {party.name}"
    if len(party.scores) != len(game.issues):
        raise GameError(where, f"{len(party.scores)} issues", f"{len(game.issues)} issues")
    for i, points in enumerate(party.scores):
        if len(points) != game.num_options[i]:
            letter = ISSUE_LETTERS[i]
            raise GameError(
                f"{where}, issue {letter}", f"{len(points)} scores", f"{game.num_options[i]} scores"
            )
    best = sum(max(points) for points in party.scores)
    if party.threshold > best:
        raise GameError(
            f"{game.name}: threshold of {party.name}",
            party.threshold,
            f"at most {best}, its best deal",
        )


def _check_deal(game: Game, deal: Deal) -> None:
    where = f"{game.name}: initial deal"
    if len(deal) != len(game.issues):
        raise GameError(where, deal_name(deal), f"one option for each of {len(game.issues)} issues")
    for i, option in enumerate(deal):
        if not 0 <= option < game.num_options[i]:
            last = option_name(i, game.num_options[i] - 1)
            raise GameError(where, option_name(i, option), f"{option_name(i, 0)} to {last}")
