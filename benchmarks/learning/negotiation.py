"""Experiments in negotiation: what p1 earns, beside who sees everything and who hears nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from benchmarks.learning.deal_scoring import deal_scoring
from benchmarks.learning.experiment import (
    ACTION_SEED,
    Experiment,
    Measure,
    Measured,
    Policy,
    Reference,
)
from benchmarks.learning.seeds import TEST, Seeds, episode_seeds
from negotiation_games import Game
from negotiation_games.batch import BatchProposer, ConcessionPartners, Yardsticks, yardsticks
from negotiation_games.draw import SheetPlan
from negotiation_games.sheets import Shape, Sheets, sheets_of

if TYPE_CHECKING:
    from agents.ppo import ScoredActions

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

OWN_SCORE = Measure("own_score", "p1's score")
SUCCESS = Measure("success", "success")
UNANIMOUS = Measure("unanimous", "unanimous")
REGRET = Measure("regret", "regret")
PLANNER = Measure("planner_score", "planner")
BASELINE = Measure("no_communication_score", "no talk")
ABOVE_BASELINE = Measure("above_no_communication", "above no talk")


@dataclass(frozen=True, kw_only=True)
class NegotiationExperiment(Experiment):
    """p1's seat among parties that concede; the score is what p1 is paid, points.

    A negotiation that fails pays p1 its threshold.
    """

    sheets: Game | SheetPlan  # one game, or sheets drawn afresh for every episode
    partners: ConcessionPartners
    num_turns: int | None  # between opening and final proposal; None is 4 x parties
    voting: str  # "implicit" or "explicit"
    no_deal: str  # what failure pays, "threshold" or "zero"
    by_features: bool  # whether the policy judges deals by features

    @property
    def measures(self) -> Sequence[Measure]:
        """p1's score first, and last how much of it is owed to listening."""
        return (OWN_SCORE, SUCCESS, UNANIMOUS, REGRET, PLANNER, BASELINE, ABOVE_BASELINE)

    @property
    def references(self) -> Sequence[Reference]:
        """What the yardsticks earn on the test episodes."""
        seeds = episode_seeds(TEST, self.evaluation.episodes)
        found = self._yardsticks(self._dealt(seeds))
        return (
            Reference("planner that sees everything", float(found.planner.mean())),
            Reference("no communication", float(found.no_communication.mean())),
        )

    @property
    def scoring(self) -> ScoredActions | None:
        """How deals are judged by features, if they are."""
        if not self.by_features:
            return None
        batch = self._make_batch(1, auto_reset=False)
        return deal_scoring(self._shape, num_actions=batch.num_actions)

    def make_batch(self, num_lanes: int) -> Any:
        """Make lanes to train on; an ended negotiation is followed by the next."""
        return self._make_batch(num_lanes, auto_reset=True)

    def evaluate(self, policy: Policy, seeds: Seeds, *, complete: bool = True) -> Measured:
        """Play the negotiations of these seeds as p1."""
        from agents.ppo import play_episodes

        batch = self._make_batch(len(seeds), auto_reset=False)
        last: list[Any] = []
        play_episodes(
            batch,
            policy,
            seeds=seeds,
            action_seed=ACTION_SEED,
            deterministic=self.evaluation.deterministic,
            on_step=lambda step, _: last.__setitem__(slice(None), [step[-1]]),
        )
        (outcome,) = last  # all negotiations end in the same step
        paid = outcome.paid[:, self._shape.proposer_index]
        measures = {OWN_SCORE.name: float(paid.mean()), SUCCESS.name: float(outcome.passed.mean())}
        if not complete:
            return {"measures": measures}
        found = self._yardsticks(batch.sheets)
        measures |= {
            UNANIMOUS.name: float(outcome.unanimous.mean()),
            REGRET.name: float((found.planner - paid).mean()),
            PLANNER.name: float(found.planner.mean()),
            BASELINE.name: float(found.no_communication.mean()),
            ABOVE_BASELINE.name: float((paid - found.no_communication).mean()),
        }
        episodes = {
            "deal": outcome.final_deal.tolist(),
            "passed": outcome.passed.tolist(),
            "own_score": paid.tolist(),
            **{name: values.tolist() for name, values in found._asdict().items()},
        }
        return {"measures": measures, "episodes": episodes}

    def to_dict(self) -> dict[str, Any]:
        """Return the experiment as JSON values."""
        sheets = self.sheets
        return {
            "game": "negotiation",
            "world": {
                "sheets": asdict(sheets) if isinstance(sheets, SheetPlan) else sheets.name,
                "num_turns": self.num_turns,
                "voting": self.voting,
                "no_deal": self.no_deal,
            },
            "partners": {"exponents": list(self.partners.exponents)},
            "policy": {"deals": FEATURES if self.by_features else FREE},
            **self._learning_to_dict(),
        }

    @property
    def _shape(self) -> Shape:
        sheets = self.sheets
        return sheets.shape if isinstance(sheets, SheetPlan) else sheets_of([sheets]).shape

    def _make_batch(self, num_lanes: int, *, auto_reset: bool) -> BatchProposer:
        return BatchProposer(
            self.sheets,
            num_lanes,
            partners=self.partners,
            num_turns=self.num_turns,
            voting=self.voting,
            no_deal=self.no_deal,
            auto_reset=auto_reset,
        )

    def _dealt(self, seeds: Seeds) -> Sheets:
        """Return the sheets of the negotiations of these seeds."""
        batch = self._make_batch(len(seeds), auto_reset=False)
        batch.reset(seeds)
        return batch.sheets

    def _yardsticks(self, sheets: Sheets) -> Yardsticks:
        """Return the yardsticks on these sheets, which are all the same in a single game."""
        if isinstance(self.sheets, SheetPlan):
            return yardsticks(sheets, no_deal=self.no_deal)
        once = yardsticks(sheets.take(np.zeros(1, np.int64)), no_deal=self.no_deal)
        return Yardsticks(*(np.repeat(values, len(sheets)) for values in once))


FREE, FEATURES = "free", "features"
"""How a policy may judge deals: a free logit each, or by features."""
