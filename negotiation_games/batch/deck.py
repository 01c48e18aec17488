"""Which game each lane plays: given ones, or sheets drawn afresh for every episode."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from negotiation_games import noise
from negotiation_games.draw import SheetPlan, draw_sheets
from negotiation_games.game import Game
from negotiation_games.observe import Vectors, first_options, own_parts
from negotiation_games.sheets import Ints, Shape, Sheets, sheets_of

Games = Game | Sequence[Game] | Sheets | SheetPlan
"""A game for all lanes; games of one shape, given to the lanes in turn; or what sheets to draw."""


class Deck:
    """The sheets of B lanes.

    Args:
        games: what is played.
        num_lanes: B.

    Raises:
        GameError: the games cannot be played beside each other, or one cannot be played at all.
    """

    def __init__(self, games: Games, num_lanes: int) -> None:
        self._plan: SheetPlan | None = None
        if isinstance(games, SheetPlan):
            self._plan = games
            # Figures to be replaced when a lane's first episode begins.
            blank = draw_sheets(games, np.zeros(1, np.uint64))
            self._sheets = blank.take(np.zeros(num_lanes, np.int64))
        elif isinstance(games, Sheets):
            self._sheets = games
        else:
            self._sheets = sheets_of([games] if isinstance(games, Game) else games)
        self.shape: Shape = self._sheets.shape
        self.game_of: Ints = np.arange(num_lanes) % len(self._sheets)
        self._own = _own_parts(self._sheets)

    @property
    def is_drawn(self) -> bool:
        """Whether every episode has sheets of its own."""
        return self._plan is not None

    @property
    def games(self) -> Sheets:
        """The different games, G, to be read; lane b plays number ``game_of[b]``."""
        return self._sheets

    def deal(self, lanes: Ints, seeds: noise.Words) -> None:
        """Draw what is drawn afresh for the episodes of these seeds, (b,) each."""
        if self._plan is None:
            return
        drawn = draw_sheets(self._plan, noise.stream(seeds, noise.SHEETS))
        for mine, theirs in (
            (self._sheets.scores, drawn.scores),
            (self._sheets.thresholds, drawn.thresholds),
            (self._sheets.openings, drawn.openings),
        ):
            mine[lanes] = theirs
        self._own[lanes] = _own_parts(drawn)

    def own_parts(self, lanes: Ints, parties: Ints) -> Vectors:
        """Return what one party of each lane alone knows, as of `observe.own_parts`, (b, P)."""
        own: Vectors = self._own[self.game_of[lanes], parties]
        return own

    def scores(self, lanes: Ints, deals: Ints) -> Ints:
        """Return every party's score of a deal in each lane, without bonus, (b, N)."""
        places = self.shape.options_of(deals) + first_options(self.shape.num_options)
        points = self._sheets.scores[self.game_of[lanes]]
        scores: Ints = np.take_along_axis(points, places[:, None, :], axis=-1).sum(axis=-1)
        return scores

    def thresholds(self, lanes: Ints) -> Ints:
        """Return every party's threshold in each lane, (b, N)."""
        return self._sheets.thresholds[self.game_of[lanes]]

    def openings(self, lanes: Ints) -> Ints:
        """Return the deal with which p1 opens in each lane, (b,)."""
        return self._sheets.openings[self.game_of[lanes]]

    def saboteurs(self, lanes: Ints) -> npt.NDArray[np.bool_]:
        """Return who prefers that nothing passes, (b, N)."""
        return self._sheets.saboteurs[self.game_of[lanes]]


def _own_parts(sheets: Sheets) -> Vectors:
    return own_parts(
        sheets.scores,
        sheets.thresholds,
        num_options=sheets.shape.num_options,
        roles=sheets.shape.roles,
        incentives=sheets.incentives,
    )
