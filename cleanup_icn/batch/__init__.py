"""Thousands of games stepped together, by the same rule book as one: for learners.

Compiled where numba is installed (extra ``[ppo]``), interpreted elsewhere.
"""

from cleanup_icn.batch.cleanup import BatchCleanup, BatchStart, BatchStep
from cleanup_icn.batch.contracts import BatchContract, ContractBatchStep, ContractFeatures
from cleanup_icn.batch.icn import BatchICN, ICNBatchStep, ICNFeatures
from cleanup_icn.batch.talks import PHASES
from cleanup_icn.batch.world import BatchFeatures

__all__ = [
    "PHASES",
    "BatchCleanup",
    "BatchContract",
    "BatchFeatures",
    "BatchICN",
    "BatchStart",
    "BatchStep",
    "ContractBatchStep",
    "ContractFeatures",
    "ICNBatchStep",
    "ICNFeatures",
]
