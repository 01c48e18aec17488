"""What a learner sees: a party's own sheet and the public proposals, as a vector; and the masks."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from gymnasium import spaces

from negotiation_games.game import Game, Incentive, Role
from negotiation_games.state import Phase, Proposal

_ROLES, _INCENTIVES = tuple(Role), tuple(Incentive)
_PHASES = (Phase.DISCUSS, Phase.FINAL, Phase.VOTE, Phase.OVER)


class VectorObserver:
    """Follows one negotiation and writes what a party sees of it as a vector.

    Vectors are float32, of one length for all parties of a game, with entries in [-1, 1].

    Layout, N parties, O options over all issues: own index one-hot (N), role (4) and incentive (4)
    one-hot, own scores (O) and threshold over the own best total (or the largest magnitude where
    scores are negative); phase one-hot (4), share of turns made; then for each party whether it has
    proposed, its latest deal one-hot (O) and how often it proposed each option, as a share (O); the
    final proposal one-hot (O, zeros before).
    """

    def __init__(self, game: Game) -> None:
        self._game = game
        self._first = np.concatenate([[0], np.cumsum(game.num_options)]).astype(int)
        self._num_options = int(self._first[-1])
        self._own = np.stack([self._own_part(i) for i in range(game.num_parties)])
        n, o = game.num_parties, self._num_options
        self.size = self._own.shape[1] + len(_PHASES) + 1 + n * (1 + 2 * o) + o

    def space(self) -> spaces.Box:
        """Return the space of a vector."""
        return spaces.Box(-1.0, 1.0, (self.size,), np.float32)

    def begin(self, opening: Proposal) -> None:
        """Forget the negotiation before and count the opening."""
        n, o = self._game.num_parties, self._num_options
        self._proposed = np.zeros((n, 1), np.float32)
        self._latest = np.zeros((n, o), np.float32)
        self._counts = np.zeros((n, o), np.float32)
        self._final = np.zeros(o, np.float32)
        self.count(opening, is_final=False)

    def count(self, proposal: Proposal, *, is_final: bool) -> None:
        """Take note of a proposal."""
        if proposal.deal is None:
            return
        party, chosen = proposal.party_index, self._first[:-1] + proposal.deal
        self._latest[party] = 0.0
        self._latest[party, chosen] = 1.0
        self._counts[party, chosen] += 1.0
        self._proposed[party] += 1.0
        if is_final:
            self._final[chosen] = 1.0

    def vector(
        self, party_index: int, *, phase: Phase, share_made: float
    ) -> npt.NDArray[np.float32]:
        """Return what one party sees, freshly allocated."""
        proposed = self._proposed
        shares = self._counts / np.maximum(proposed, 1.0)
        public = np.concatenate([np.minimum(proposed, 1.0), self._latest, shares], axis=1).ravel()
        progress = [*(phase is each for each in _PHASES), share_made]
        own = self._own[party_index]
        return np.concatenate([own, progress, public, self._final], dtype=np.float32)

    def _own_part(self, party_index: int) -> npt.NDArray[np.float32]:
        party = self._game.parties[party_index]
        scores = np.concatenate([np.asarray(points, np.float32) for points in party.scores])
        total = sum(max(abs(score) for score in points) for points in party.scores)
        scale = max(total, abs(party.threshold), 1)
        index = np.arange(self._game.num_parties) == party_index
        role = [party.role is role for role in _ROLES]
        incentive = [party.incentive is incentive for incentive in _INCENTIVES]
        return np.concatenate(
            [index, role, incentive, scores / scale, [party.threshold / scale]], dtype=np.float32
        )


def num_actions(game: Game, *, explicit_vote: bool) -> int:
    """Return the size of the action space: deals, no proposal, and accept and reject if voted."""
    return game.num_deals + 1 + (2 if explicit_vote else 0)


def action_mask(game: Game, phase: Phase, *, explicit_vote: bool) -> npt.NDArray[np.int8]:
    """Return what can be done in a phase, int8: deals and no proposal, or the votes."""
    mask = np.zeros(num_actions(game, explicit_vote=explicit_vote), np.int8)
    if phase is Phase.VOTE:
        mask[game.num_deals + 1 :] = 1
    elif phase is not Phase.OVER:
        mask[: game.num_deals + 1] = 1
    return mask
