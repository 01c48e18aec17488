"""Who plays the seats beside p1, over lanes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from negotiation_games import noise
from negotiation_games.batch.course import Flags
from negotiation_games.batch.lanes import Floats, Lanes
from negotiation_games.bots import BOTS, BOULWARE, CONCEDER, LINEAR, SABOTEURS, conceded
from negotiation_games.draw import BEST_SCORE
from negotiation_games.game import Deal, GameError, Incentive, Role, check_choice
from negotiation_games.observe import PHASES
from negotiation_games.reading import View, progress_at
from negotiation_games.sheets import INCENTIVES, Ints, Values, deal_sums
from negotiation_games.text import Said

EXPONENTS = (BOULWARE, LINEAR, CONCEDER)
"""The concession population of `negotiation_games.bots`."""


class SeatedPartners(Protocol):
    """What the parties beside p1 do; each knows what its seat sees and nothing more."""

    def begin(self, which: Ints, seeds: noise.Words) -> None:
        """Take note that the episodes of these seeds have begun in these lanes, (b,) each."""
        ...

    def propose(self, which: Ints, parties: Ints) -> Ints:
        """Return the deals that these parties propose in their turns, (b,); num_deals for none."""
        ...

    def favour(self, which: Ints, parties: Ints) -> Flags:
        """Return whether these parties vote for the final proposal, (b,)."""
        ...


class Partners(Protocol):
    """Who is to play the seats beside p1."""

    def seated(self, lanes: Lanes) -> SeatedPartners:
        """Return them as players of these lanes."""
        ...


@dataclass(frozen=True)
class ConcessionPartners:
    """Parties that concede exactly as `negotiation_games.bots.concede` does, and vote alike.

    In every episode every party draws its exponent, each with the same chance; a lane's draws
    follow from the episode's seed.
    """

    exponents: tuple[float, ...] = EXPONENTS  # above 0: below 1 late, above 1 early

    def __post_init__(self) -> None:
        """Refuse exponents that cannot be."""
        if not self.exponents or not all(exponent > 0 for exponent in self.exponents):
            raise GameError("exponents", self.exponents, "at least one, all above 0")

    def seated(self, lanes: Lanes) -> SeatedPartners:
        """Return them as players of these lanes."""
        return _Conceding(self.exponents, lanes)


@dataclass(frozen=True)
class BotPartners:
    """Parties that play scripts of `negotiation_games.bots`, called one by one: slow, exact.

    Whoever sabotages votes against everything, the others for what reaches their threshold.
    """

    names: Sequence[str]  # in `BOTS`, one for every party; p1's is not looked at

    def __post_init__(self) -> None:
        """Refuse names of no bot."""
        for name in self.names:
            check_choice("bot", name, tuple(BOTS))

    def seated(self, lanes: Lanes) -> SeatedPartners:
        """Return them as players of these lanes."""
        if len(self.names) != lanes.shape.num_parties:
            allowed = f"{lanes.shape.num_parties}, one for every party"
            raise GameError("bots", len(self.names), allowed)
        return _Scripted(self.names, lanes)


class _Conceding:
    """The concession population of B lanes.

    Of every game it keeps what each deal is worth to each party above the worst one, so that one
    whole number ranks a deal: first what it shares with the others' latest proposals, then its
    worth.
    """

    def __init__(self, exponents: tuple[float, ...], lanes: Lanes) -> None:
        self._lanes, shape, games = lanes, lanes.shape, lanes.deck.games
        blocks = lanes.num_turns // shape.num_parties
        self._num_exponents = len(exponents)
        self._conceded: Floats = np.array(
            [
                [conceded(progress_at(blocks - 1 - k, blocks), exponent) for k in range(blocks)]
                for exponent in exponents
            ]
        )
        self._exponent = np.zeros((len(lanes.everywhere), shape.num_parties), np.int64)
        self._worst, self._best = games.extremes()
        is_drawn = lanes.deck.is_drawn
        spread = BEST_SCORE if is_drawn else int((self._best - self._worst).max())
        self._span = spread + 1
        most = (shape.num_parties - 1) * len(shape.num_options) * self._span + spread
        size = (len(games), shape.num_parties, shape.num_deals)
        self._worth: Values = np.zeros(size, np.min_scalar_type(-most - 1))
        if not is_drawn:
            self._tabulate(np.arange(len(games)))

    def begin(self, which: Ints, seeds: noise.Words) -> None:
        draws = noise.uniforms(noise.stream(seeds, noise.PARTNERS), self._exponent.shape[1])
        self._exponent[which] = (draws * self._num_exponents).astype(np.int64)
        if self._lanes.deck.is_drawn:
            self._tabulate(which)

    def propose(self, which: Ints, parties: Ints) -> Ints:
        lanes = self._lanes
        latest = lanes.observer.latest
        shared = latest[which].sum(axis=1) - latest[which, parties]
        rank = deal_sums(shared.astype(self._worth.dtype), lanes.shape.num_options)
        worth = self._worth[lanes.deck.game_of[which], parties]
        rank *= self._span
        rank += worth
        np.copyto(rank, -1, where=worth < self._least_worth(which, parties)[:, None])
        chosen: Ints = rank.argmax(axis=1)  # of equals the one with the lowest number
        return chosen

    def favour(self, which: Ints, parties: Ints) -> Flags:
        return _reached(self._lanes, which, parties)

    def _least_worth(self, which: Ints, parties: Ints) -> Values:
        """Return what a deal must be worth now, (b,), by the arithmetic of `bots.aspiration`."""
        lanes = self._lanes
        seats = lanes.deck.game_of[which], parties
        block = (lanes.course.num_said[which] - 1) // lanes.shape.num_parties
        best, threshold = self._best[seats], lanes.deck.games.thresholds[seats]
        share = self._conceded[self._exponent[which, parties], block]
        # Scores are whole, so what reaches the aspiration reaches the next whole number.
        aspired = np.ceil(best - (best - threshold) * share).astype(np.int64)
        # What is below the worst deal's worth may be more than the table's numbers can hold.
        least: Values = np.maximum(aspired - self._worst[seats], 0).astype(self._worth.dtype)
        return least

    def _tabulate(self, games: Ints) -> None:
        sheets = self._lanes.deck.games.take(games)
        self._worst[games], self._best[games] = sheets.extremes()
        self._worth[games] = sheets.score_tables() - self._worst[games][..., None]


class _Scripted:
    """Scripts in the seats of B lanes, each told what its seat sees."""

    def __init__(self, names: Sequence[str], lanes: Lanes) -> None:
        self._lanes = lanes
        self._bots = [BOTS[name] for name in names]
        self._is_against = np.array([name in SABOTEURS for name in names])
        self._parties = tuple(f"Party {i + 1}" for i in range(lanes.shape.num_parties))
        roles = lanes.shape.roles
        self._target = self._parties[roles.index(Role.TARGET)] if Role.TARGET in roles else None
        self._splits = np.cumsum(lanes.shape.num_options)[:-1]

    def begin(self, which: Ints, seeds: noise.Words) -> None:
        """Scripts draw nothing."""

    def propose(self, which: Ints, parties: Ints) -> Ints:
        chosen = [
            self._bots[party](self._view(lane, party))
            for lane, party in zip(which.tolist(), parties.tolist(), strict=True)
        ]
        return np.array(chosen, np.int64)

    def favour(self, which: Ints, parties: Ints) -> Flags:
        in_favour: Flags = _reached(self._lanes, which, parties) & ~self._is_against[parties]
        return in_favour

    def _view(self, lane: int, party: int) -> View:
        lanes, course = self._lanes, self._lanes.course
        game, shape = lanes.deck.game_of[lane], lanes.shape
        num_said = int(course.num_said[lane])
        speakers = [shape.proposer_index, *course.order[lane, : num_said - 1].tolist()]
        said = zip(speakers, self._deals(course.said[lane, :num_said]), strict=True)
        incentive = INCENTIVES[lanes.deck.games.incentives[game, party]]
        scores = np.split(lanes.deck.games.scores[game, party], self._splits)
        return View(
            party=self._parties[party],
            parties=self._parties,
            proposer=self._parties[shape.proposer_index],
            veto=self._parties[shape.veto_index],
            num_turns=lanes.num_turns,
            scores=tuple(tuple(points.tolist()) for points in scores),
            threshold=int(lanes.deck.games.thresholds[game, party]),
            record=tuple(Said(self._parties[speaker], "", deal) for speaker, deal in said),
            num_said=num_said,
            phase=PHASES[0],
            turns_left=int((course.order[lane, num_said:] == party).sum()),
            incentive=incentive,
            target=self._target if incentive is Incentive.TARGETED_SABOTAGE else None,
        )

    def _deals(self, numbers: Ints) -> list[Deal | None]:
        none = self._lanes.shape.num_deals
        options = self._lanes.shape.options_of(np.where(numbers == none, 0, numbers)).tolist()
        return [
            None if number == none else tuple(deal)
            for number, deal in zip(numbers.tolist(), options, strict=True)
        ]


def _reached(lanes: Lanes, which: Ints, parties: Ints) -> Flags:
    """Whether the final proposals reach these parties' thresholds, (b,)."""
    each = np.arange(len(which))
    scores = lanes.deck.scores(which, lanes.course.final_deals[which])[each, parties]
    reached: Flags = np.asarray(scores >= lanes.deck.thresholds(which)[each, parties])
    return reached
