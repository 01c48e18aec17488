"""Thousands of games stepped together, by the same rule book as one: for learners.

Compiled where numba is installed (extra ``[ppo]``), interpreted elsewhere.
"""

from cleanup_icn.batch.cleanup import BatchCleanup, BatchStart, BatchStep
from cleanup_icn.batch.world import BatchFeatures

__all__ = ["BatchCleanup", "BatchFeatures", "BatchStart", "BatchStep"]
