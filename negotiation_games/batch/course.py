"""The course of B negotiations at once: the rules of `negotiation_games.rules` over lanes.

What one negotiation keeps in a `NegotiationState` is a row of arrays here; deals are numbers, and
``num_deals`` is none.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from negotiation_games import noise, rules
from negotiation_games.observe import PHASES
from negotiation_games.sheets import Ints, Shape
from negotiation_games.state import Phase

Flags = npt.NDArray[np.bool_]

DISCUSS, FINAL, VOTE, OVER = (
    PHASES.index(phase) for phase in (Phase.DISCUSS, Phase.FINAL, Phase.VOTE, Phase.OVER)
)
"""The phases by number."""

NOBODY = -1
"""The speaker where all is over."""


class Course:
    """Whose turn it is in each lane, what was proposed and how it was voted; over until begun.

    Attributes:
        order: who speaks in each turn after the opening, (B, T + 1).
        said: the deals proposed in each turn, the opening first, (B, T + 2): so far ``num_said``.
        num_said: how many turns were spoken in, the opening included, (B,).
        ballots: who voted in favour, (B, N): p1, and of the others those who were asked.
        num_cast: how many voted, (B,).

    Args:
        num_lanes: B.
        shape: of the games.
        num_turns: T, between opening and final proposal.
        explicit_vote: whether the parties beside p1 vote.
    """

    def __init__(
        self, num_lanes: int, shape: Shape, *, num_turns: int, explicit_vote: bool
    ) -> None:
        p1 = shape.proposer_index
        voters = [i for i in range(shape.num_parties) if i != p1 and explicit_vote]
        self._shape, self._num_turns = shape, num_turns
        self._voters = np.array(voters, np.int64)
        self.order: Ints = np.full((num_lanes, num_turns + 1), p1, np.int64)
        self.said: Ints = np.full((num_lanes, num_turns + 2), shape.num_deals, np.int64)
        self.num_said: Ints = np.full(num_lanes, num_turns + 2, np.int64)
        self.ballots: Flags = np.zeros((num_lanes, shape.num_parties), np.bool_)
        self.ballots[:, p1] = True
        self.num_cast: Ints = np.zeros(num_lanes, np.int64)

    def begin(self, lanes: Ints, seeds: noise.Words, openings: Ints) -> None:
        """Start the episodes of these seeds, each with its opening, (b,) each."""
        shape = self._shape
        self.order[lanes] = rules.draw_orders(
            seeds,
            num_parties=shape.num_parties,
            num_turns=self._num_turns,
            proposer=shape.proposer_index,
        )
        self.said[lanes, 0] = openings
        self.num_said[lanes] = 1
        self.num_cast[lanes] = 0

    @property
    def final_deals(self) -> Ints:
        """The final proposals, (B,), where they were made."""
        return self.said[:, -1]

    @property
    def share_made(self) -> npt.NDArray[np.float64]:
        """Share of the turns that were made, (B,)."""
        share: npt.NDArray[np.float64] = (self.num_said - 1) / (self._num_turns + 1)
        return share

    def phases(self, lanes: Ints) -> Ints:
        """Return the phase of each of these lanes, (b,)."""
        spoken = self.num_said[lanes] - 1
        is_voted = self.num_cast[lanes] == len(self._voters)
        is_over = is_voted | (self.final_deals[lanes] == self._shape.num_deals)
        late = np.where(spoken == self._num_turns, FINAL, np.where(is_over, OVER, VOTE))
        return np.where(spoken < self._num_turns, DISCUSS, late)

    def speakers(self, lanes: Ints, phases: Ints) -> Ints:
        """Return whose turn it is in each of these lanes in these phases, (b,)."""
        speakers = np.full(len(lanes), NOBODY, np.int64)
        speaking = np.flatnonzero(phases <= FINAL)
        turns = self.num_said[lanes[speaking]] - 1
        speakers[speaking] = self.order[lanes[speaking], turns]
        voting = np.flatnonzero(phases == VOTE)
        if voting.size:
            speakers[voting] = self._voters[self.num_cast[lanes[voting]]]
        return speakers

    def speak(self, lanes: Ints, deals: Ints) -> None:
        """Let the parties whose turn it is speak, (b,) each."""
        self.said[lanes, self.num_said[lanes]] = deals
        self.num_said[lanes] += 1

    def vote(self, lanes: Ints, in_favour: Flags) -> None:
        """Let the parties whose turn it is vote, (b,) each; to abstain is not to be in favour."""
        self.ballots[lanes, self._voters[self.num_cast[lanes]]] = in_favour
        self.num_cast[lanes] += 1
