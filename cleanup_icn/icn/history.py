"""What earlier talks came to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cleanup_icn.contracts import Contract
from cleanup_icn.icn.protocol import Outcome


@dataclass(frozen=True, eq=False)
class Negotiation:
    """One negotiation: the situation it was held in, the contract before, the outcome."""

    step: int  # play step before which it was held
    public: Mapping[str, float]  # pollution, fruit and the parameters in force then
    before: Contract  # the contract in force when it began
    outcome: Outcome
    after: Contract  # the contract in force when it ended

    @property
    def is_ratified(self) -> bool:
        """Whether it ended in agreement."""
        return self.outcome.is_ratified
