"""What changes during a negotiation: whose turn it is and which deals were proposed."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from negotiation_games.game import Deal


class Phase(StrEnum):
    """What the party whose turn it is does."""

    DISCUSS = "discuss"  # speaks, and may propose a deal
    FINAL = "final"  # p1 makes the final proposal
    VOTE = "vote"  # votes on the final proposal (explicit vote only)
    OVER = "over"


class Proposal(NamedTuple):
    """One turn in which a party spoke: the deal it proposed, or None."""

    party_index: int
    deal: Deal | None


class NegotiationState(NamedTuple):
    """A negotiation under way; words are no part of it."""

    order: tuple[int, ...]  # who speaks in each turn after the opening; the last is p1's final
    proposals: tuple[Proposal, ...]  # the opening first
    votes: tuple[bool | None, ...]  # explicit vote: by voter, in their order; None abstains
    voters: tuple[int, ...]  # explicit vote: who is asked, in order; empty for the implicit vote

    @property
    def phase(self) -> Phase:
        """What comes next."""
        spoken = len(self.proposals) - 1
        if spoken < len(self.order) - 1:
            return Phase.DISCUSS
        if spoken < len(self.order):
            return Phase.FINAL
        if self.final_deal is None or len(self.votes) == len(self.voters):
            return Phase.OVER
        return Phase.VOTE

    @property
    def speaker(self) -> int | None:
        """Index of the party whose turn it is; None when all is over."""
        phase = self.phase
        if phase is Phase.OVER:
            return None
        if phase is Phase.VOTE:
            return self.voters[len(self.votes)]
        return self.order[len(self.proposals) - 1]

    @property
    def final_deal(self) -> Deal | None:
        """The final proposal, once it was made."""
        is_made = len(self.proposals) == len(self.order) + 1
        return self.proposals[-1].deal if is_made else None
