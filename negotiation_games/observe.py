"""What a learner sees: a party's own sheet and the public proposals, as a vector; and the masks."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from gymnasium import spaces

from negotiation_games.game import Game, Incentive, Role
from negotiation_games.state import Phase

PHASES = (Phase.DISCUSS, Phase.FINAL, Phase.VOTE, Phase.OVER)
"""The phases in the order of their one-hot code, which is also their number in a batch."""

Vectors = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

_ROLES, _INCENTIVES = tuple(Role), tuple(Incentive)


class VectorObserver:
    """Follows the proposals of B negotiations of one shape and writes vectors of them.

    Vectors are float32, of one length for all parties of a game, with entries in [-1, 1].

    Layout, N parties, O options over all issues: own index one-hot (N), role (4) and incentive (4)
    one-hot, own scores (O) and threshold over the own best total (or the largest magnitude where
    scores are negative); phase one-hot (4), share of turns made; then for each party whether it has
    proposed, its latest deal one-hot (O) and how often it proposed each option, as a share (O); the
    final proposal one-hot (O, zeros before).

    Args:
        num_lanes: B.
        num_parties: N.
        num_options: how many options each issue has.
    """

    def __init__(self, num_lanes: int, *, num_parties: int, num_options: Sequence[int]) -> None:
        self._num_parties = n = num_parties
        self._num_options = o = sum(num_options)
        self._num_own = n + len(_ROLES) + len(_INCENTIVES) + o + 1
        self.size = self._num_own + len(PHASES) + 1 + n * (1 + 2 * o) + o
        self._public = np.zeros((num_lanes * n, 1 + 2 * o), np.float32)
        self._counts = np.zeros((num_lanes * n, 1 + o), np.float32)  # of proposals, of options
        self._final = np.zeros((num_lanes, o), np.float32)

    def space(self) -> spaces.Box:
        """Return the space of a vector."""
        return spaces.Box(-1.0, 1.0, (self.size,), np.float32)

    @property
    def latest(self) -> Vectors:
        """Every party's latest proposal one-hot, (B, N, O), to be read; zeros before its first."""
        n, o = self._num_parties, self._num_options
        return self._public.reshape(-1, n, 1 + 2 * o)[:, :, 1 : 1 + o]

    def begin(self, lanes: Ints) -> None:
        """Forget what was proposed in these lanes."""
        self._by_lane(self._public)[lanes] = 0.0
        self._by_lane(self._counts)[lanes] = 0.0
        self._final[lanes] = 0.0

    def count(
        self, lanes: Ints, parties: Ints, deals: Vectors, *, is_final: Flags | None = None
    ) -> None:
        """Take note of a proposal in each of these lanes.

        Args:
            lanes: in which, (b,), none twice.
            parties: by whom, (b,).
            deals: rows of `one_hot`, (b, O).
            is_final: which of them are final proposals, (b,); None is none of them.
        """
        rows, o = lanes * self._num_parties + parties, self._num_options
        counted = self._counts[rows]
        counted[:, 0] += 1.0
        counted[:, 1:] += deals
        self._counts[rows] = counted
        entry = np.empty((len(rows), 1 + 2 * o), np.float32)
        entry[:, 0] = 1.0
        entry[:, 1 : 1 + o] = deals
        np.divide(counted[:, 1:], counted[:, :1], out=entry[:, 1 + o :])
        self._public[rows] = entry
        if is_final is not None:
            self._final[lanes[is_final]] = deals[is_final]

    def vectors(self, own: Vectors, phases: npt.ArrayLike, share_made: npt.ArrayLike) -> Vectors:
        """Return what one party of every lane sees, (B, size), freshly allocated.

        Args:
            own: rows of `own_parts`, (B, P).
            phases: indices in `PHASES`, (B,) or one for all.
            share_made: share of the turns that were made, likewise.
        """
        start, o = self._num_own, self._num_options
        seen = np.empty((len(self._final), self.size), np.float32)
        seen[:, :start] = own
        seen[:, start : start + len(PHASES)] = 0.0
        seen[np.arange(len(seen)), start + np.asarray(phases)] = 1.0
        start += len(PHASES)
        seen[:, start] = share_made
        seen[:, start + 1 : -o] = self._public.reshape(len(seen), -1)
        seen[:, -o:] = self._final
        return seen

    def _by_lane(self, rows: Vectors) -> Vectors:
        return rows.reshape(len(self._final), self._num_parties, -1)


@lru_cache(maxsize=64)
def first_options(num_options: tuple[int, ...]) -> Ints:
    """Return at which place each issue's options begin in a row of all, (issues,), read-only."""
    first: Ints = np.cumsum([0, *num_options[:-1]])
    first.setflags(write=False)
    return first


def one_hot(deals: npt.ArrayLike, num_options: Sequence[int]) -> Vectors:
    """Return deals, options of every issue (b, issues), one-hot over all options (b, O)."""
    chosen = np.asarray(deals) + first_options(tuple(num_options))
    hot = np.zeros((len(chosen), sum(num_options)), np.float32)
    hot[np.arange(len(chosen))[:, None], chosen] = 1.0
    return hot


def own_parts(
    scores: npt.ArrayLike,
    thresholds: npt.ArrayLike,
    *,
    num_options: Sequence[int],
    roles: Sequence[Role],
    incentives: npt.ArrayLike,
) -> Vectors:
    """Return the first part of every party's vector, what it alone knows, (G, N, P) for G games.

    Args:
        scores: points of all options, issue by issue, (G, N, O).
        thresholds: (G, N).
        num_options: how many options each issue has.
        roles: of the parties, the same in all games.
        incentives: indices in `Incentive`, (G, N).
    """
    points = np.asarray(scores, np.float64)
    least = np.asarray(thresholds, np.float64)
    starts = first_options(tuple(num_options))
    totals = np.maximum.reduceat(np.abs(points), starts, axis=-1).sum(axis=-1)
    scale = np.maximum(np.maximum(totals, np.abs(least)), 1.0)[..., None]
    num_games, n, o = points.shape
    kinds = np.array([_ROLES.index(role) for role in roles])
    own = np.empty((num_games, n, n + len(_ROLES) + len(_INCENTIVES) + o + 1), np.float32)
    own[..., :n] = np.eye(n)
    own[..., n : n + len(_ROLES)] = np.eye(len(_ROLES))[kinds]
    start = n + len(_ROLES) + len(_INCENTIVES)
    own[..., n + len(_ROLES) : start] = np.eye(len(_INCENTIVES))[np.asarray(incentives)]
    own[..., start:-1] = points.astype(np.float32) / scale.astype(np.float32)
    own[..., -1:] = least[..., None] / scale
    return own


def own_part(game: Game) -> Vectors:
    """Return `own_parts` of one game, (N, P)."""
    scores = [[point for points in party.scores for point in points] for party in game.parties]
    (own,) = own_parts(
        [scores],
        [[party.threshold for party in game.parties]],
        num_options=game.num_options,
        roles=[party.role for party in game.parties],
        incentives=[[_INCENTIVES.index(party.incentive) for party in game.parties]],
    )
    rows: Vectors = own
    return rows


def num_actions(num_deals: int, *, explicit_vote: bool) -> int:
    """Return the size of the action space: deals, no proposal, and accept and reject if voted."""
    return num_deals + 1 + (2 if explicit_vote else 0)


def action_masks(num_deals: int, *, explicit_vote: bool) -> npt.NDArray[np.int8]:
    """Return what can be done in each of `PHASES`, int8 (4, A): deals and no proposal, or votes."""
    masks = np.zeros((len(PHASES), num_actions(num_deals, explicit_vote=explicit_vote)), np.int8)
    masks[PHASES.index(Phase.DISCUSS), : num_deals + 1] = 1
    masks[PHASES.index(Phase.FINAL), : num_deals + 1] = 1
    masks[PHASES.index(Phase.VOTE), num_deals + 1 :] = 1
    return masks
