"""An episode of a run: what is known of it in numbers, and its record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class EpisodeRow:
    """One episode in numbers.

    `policy` is who played: of a training, one of its seeds, as in ``NAME/3``. A measure that says
    nothing of this episode is None.
    """

    arena: str
    policy: str
    contract: str  # name of the condition
    episode: int  # number in its cell, from 0
    seed: int  # of the environment
    started_at: str  # ISO 8601, UTC
    ended_at: str  # likewise
    wall_s: float
    measures: Mapping[str, float | None]
    malformed: int  # answers that could not be read in the end
    calls: int  # questions to models
    prompt_tokens: int
    completion_tokens: int
    latency_s: float  # of all questions together

    @property
    def key(self) -> EpisodeKey:
        """What tells it from all other episodes of its run."""
        return self.arena, self.policy, self.contract, self.episode


EpisodeKey = tuple[str, str, str, int]
"""Arena, policy, condition and number of an episode."""


@dataclass(frozen=True, kw_only=True)
class KeptEpisode:
    """One episode with its record: all that it takes to play it again."""

    row: EpisodeRow
    record: Mapping[str, Any]  # JSON values
