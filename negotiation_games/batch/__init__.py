"""Many negotiations stepped together, on vectors: for learners.

A lane plays what the single environment plays for the same seed and the same actions.
"""

from negotiation_games.batch.partners import BotPartners, ConcessionPartners, Partners
from negotiation_games.batch.proposer import (
    BatchProposer,
    ProposerFeatures,
    ProposerStart,
    ProposerStep,
)
from negotiation_games.batch.world import (
    BatchNegotiation,
    NegotiationFeatures,
    NegotiationStart,
    NegotiationStep,
)
from negotiation_games.batch.yardsticks import Yardsticks, yardsticks

__all__ = [
    "BatchNegotiation",
    "BatchProposer",
    "BotPartners",
    "ConcessionPartners",
    "NegotiationFeatures",
    "NegotiationStart",
    "NegotiationStep",
    "Partners",
    "ProposerFeatures",
    "ProposerStart",
    "ProposerStep",
    "Yardsticks",
    "yardsticks",
]
