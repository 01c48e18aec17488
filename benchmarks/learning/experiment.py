"""What every experiment in learning has, whatever the game."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, TypeAlias

from benchmarks.checked import FLAG, Checked, one_of, whole
from benchmarks.learning.seeds import TEST, Seeds, episode_seeds

if TYPE_CHECKING:
    from pathlib import Path

    from agents.ppo import Batch, PPOSettings, ScoredActions
    from agents.ppo.batch import RowPolicy

Policy: TypeAlias = "RowPolicy | Sequence[RowPolicy]"
"""Who plays: one policy on all seats, or one a seat."""

ACTION_SEED = 0
"""Of what policies draw in evaluations."""

SHARED, INDEPENDENT = "shared", "independent"

LAST, BEST = "last", "best"
"""Which checkpoint is tested: where training ended, or where validation was highest. Choosing the
best flatters a learner that does not seek what is validated, as the selfish do not seek welfare."""


@dataclass(frozen=True, kw_only=True)
class EvaluationSettings(Checked):
    """How a policy is judged, during training and after it."""

    episodes: Annotated[int, whole(2)] = 256  # in each evaluation
    every: Annotated[int, whole(1)] = 10  # rollouts of training from one evaluation to the next
    deterministic: Annotated[bool, FLAG] = False  # take the likeliest action, do not draw it
    checkpoint: Annotated[str, one_of((LAST, BEST))] = LAST  # which one is put to the test


@dataclass(frozen=True, kw_only=True)
class Sharing(Checked):
    """Whether one policy plays all seats, or each seat learns its own."""

    sharing: Annotated[str, one_of((SHARED, INDEPENDENT))] = SHARED


class Measure(NamedTuple):
    """What is measured in an evaluation."""

    name: str  # in JSON
    heading: str  # in tables


class Reference(NamedTuple):
    """A level that a curve is read against."""

    name: str
    value: float


Measured = Mapping[str, Any]
"""What came of evaluation episodes: `measures` by name, and `episodes`, numbers of each of them."""


@dataclass(frozen=True, kw_only=True)
class Experiment(ABC):
    """A world to learn in, how it is learned, and how what was learned is judged."""

    name: str
    settings: PPOSettings
    sharing: str
    evaluation: EvaluationSettings

    @property
    @abstractmethod
    def measures(self) -> Sequence[Measure]:
        """What a test measures, the score first."""

    @property
    @abstractmethod
    def references(self) -> Sequence[Reference]:
        """The levels that the score is read against, in the same unit."""

    @property
    def total_agent_steps(self) -> int:
        """Agent-steps of a training seed, over all policies that it trains."""
        return self.settings.total_agent_steps

    @property
    def num_tested(self) -> int:
        """Episodes that each number of a test is of."""
        return self.evaluation.episodes

    @property
    def scoring(self) -> ScoredActions | None:
        """How actions are judged by their features; None where each has a free logit."""
        return None

    @abstractmethod
    def make_batch(self, num_lanes: int) -> Batch:
        """Make lanes to train on; an ended episode is followed by the next."""

    @abstractmethod
    def evaluate(self, policy: Policy, seeds: Seeds, *, complete: bool = True) -> Measured:
        """Play the episodes of these seeds and measure what came of them.

        Where it is not `complete`, only the score is needed, the first of `measures`.
        """

    def details(self, results: Sequence[Mapping[str, Any]]) -> Sequence[Any]:  # noqa: ARG002
        """Return further tables for people, of what the tests of the training seeds noted."""
        return ()

    def test(self, policy: Policy, folder: Path) -> Measured:  # noqa: ARG002
        """Put what a training seed learned, whose folder this is, to the test."""
        return self.evaluate(policy, episode_seeds(TEST, self.evaluation.episodes))

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """Return the experiment as JSON values; equal experiments give equal values."""

    def score_of(self, measured: Measured) -> float:
        """Return the number by which checkpoints are chosen."""
        return float(measured["measures"][self.measures[0].name])

    def _learning_to_dict(self) -> dict[str, Any]:
        return {
            "training": {"sharing": self.sharing, **self.settings.to_dict()},
            "evaluation": self.evaluation.to_dict(),
        }
