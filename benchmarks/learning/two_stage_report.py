"""What came of a training in two stages: what is proposed, what is accepted, what it is worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.learning.frozen import Floats, FrozenPolicy, Ints, Sampled, StartSet
from benchmarks.learning.proposals import ContractValues, Flags
from benchmarks.learning.seeds import TEST
from benchmarks.learning.two_stage import (
    CRITIC,
    RETURNS,
    TwoStage,
    Worths,
    judged,
    proposed_in_play,
    votes_in_play,
    weigh,
)


@dataclass(frozen=True, eq=False)
class Decisions:
    """Which contract comes into force at each test start, by who decides: indices on the menu.

    P proposers, S starts.
    """

    proposed: Ints  # (P, S), by the policy of stage two
    learned: Ints  # (P, S), in force after the vote of the policy of stage two
    votes: Flags  # (P, S, K, N), who of that policy's voters accepts what; True for the proposer
    solved: Mapping[str, Ints]  # (P, S) in subgame-perfect play, by what payoffs are
    best_accepted: Ints  # (S,), of largest welfare among those that everybody accepts
    best_of_menu: Ints  # (S,), of largest welfare, whether anybody accepts it or not


@dataclass(frozen=True, eq=False)
class TwoStageResult:
    """All there is to say of one training seed, on the test starts."""

    experiment: TwoStage
    starts: StartSet
    optimum: Floats  # (S,), welfare of the social optimum
    worths: Worths  # by which was decided
    judged: Sampled  # by which decisions are judged, of episodes of their own
    decisions: Decisions

    @property
    def table(self) -> ContractValues:
        """What payoffs of stage two are."""
        return self.worths.by(self.experiment.proposals.values)

    def measures(self) -> dict[str, float]:
        """Return `benchmarks.learning.two_stage.MEASURES` by name, and some more."""
        kind, found = self.experiment.proposals.values, self.decisions
        solved = found.solved[kind]
        errors = self.worths.critic.values - self.judged.mean
        everywhere = np.full(len(self.starts), self.experiment.null_index)
        return {
            "efficiency": self._efficiency(found.learned),
            "efficiency_solved": self._efficiency(solved),
            "efficiency_best_accepted": self._efficiency(found.best_accepted),
            "efficiency_no_contract": self._efficiency(everywhere),
            "efficiency_best_of_menu": self._efficiency(found.best_of_menu),
            "same_as_solved": float((found.learned == solved).mean()),
            "votes_as_solved": self._votes_as_solved(),
            "lost_by_proposer": self._lost_by_proposer(),
            "critic_error": float(np.abs(errors).mean()),
            "same_by_returns": float((found.solved[CRITIC] == found.solved[RETURNS]).mean()),
        }

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON values; contracts are numbers on the menu, from 0."""
        found, errors = self.decisions, self.worths.critic.values - self.judged.mean
        return {
            "table": self.menu_rows(),
            "menu": list(self.experiment.contract_names),
            "contracts": [contract.to_dict() for contract in self.experiment.terms.contracts],
            "null_index": self.experiment.null_index,
            "proposers": list(self.experiment.proposers),
            "starts": {name: each.tolist() for name, each in self.starts._asdict().items()},
            "optimum": self.optimum.tolist(),
            "values": {
                CRITIC: self.worths.critic.values.tolist(),
                RETURNS: self.worths.returns.values.tolist(),
                "returns_standard_error": self.worths.sampled.standard_error.tolist(),
                "judged": self.judged.mean.tolist(),
            },
            "critic_minus_returns": {
                "mean": errors.mean(axis=0).tolist(),  # by contract and agent
                "mean_absolute": np.abs(errors).mean(axis=0).tolist(),
            },
            "accepted": self.table.accepted.tolist(),
            "decisions": {
                "proposed": found.proposed.tolist(),
                "learned": found.learned.tolist(),
                "votes": found.votes.tolist(),
                "solved": {kind: each.tolist() for kind, each in found.solved.items()},
                "best_accepted": found.best_accepted.tolist(),
                "best_of_menu": found.best_of_menu.tolist(),
            },
        }

    def menu_rows(self) -> list[dict[str, Any]]:
        """Return a row a contract: what it is worth, who accepts it, how often it is in force."""
        table, found = self.table, self.decisions
        solved = found.solved[self.experiment.proposals.values]
        passes = np.stack([table.passes(each) for each in self.experiment.proposers])
        return [
            {
                "contract": name,
                "efficiency": self._efficiency(np.full(len(self.starts), k)),
                "critic": self.worths.critic.values[:, k].mean(axis=0).tolist(),
                "returns": self.judged.mean[:, k].mean(axis=0).tolist(),
                "accepted": table.accepted[:, k].mean(axis=0).tolist(),
                "passes": float(passes[:, :, k].mean()),
                "solved": float((solved == k).mean()),
                "learned": float((found.learned == k).mean()),
            }
            for k, name in enumerate(self.experiment.contract_names)
        ]

    def _efficiency(self, contracts: Ints) -> float:
        """Return welfare over the optimum, summed over starts and proposers; (P, S) or (S,)."""
        by_proposer = np.atleast_2d(contracts)
        welfare = self.judged.mean.sum(axis=2)[np.arange(len(self.starts)), by_proposer]
        best = float(self.optimum.sum()) * len(by_proposer)
        return float(welfare.sum()) / best if best > 0.0 else 1.0

    def _votes_as_solved(self) -> float:
        """Return how many of the votes on every contract are those of subgame-perfect play.

        Votes on the null contract change nothing, and do not count.
        """
        agents = np.arange(self.experiment.config.num_agents)
        voting = np.stack([agents != proposer for proposer in self.experiment.proposers])
        is_real = np.arange(len(self.table.contracts)) != self.table.null_index
        same = self.decisions.votes == self.table.accepted
        return float(same[:, :, is_real].mean(axis=(1, 2))[voting].mean())

    def _lost_by_proposer(self) -> float:
        """Return what proposers have less than in the solved play, on average, by the table."""
        values, everywhere = self.table.values, np.arange(len(self.starts))
        solved = self.decisions.solved[self.experiment.proposals.values]
        lost = [
            values[everywhere, solved[row], proposer]
            - values[everywhere, self.decisions.learned[row], proposer]
            for row, proposer in enumerate(self.experiment.proposers)
        ]
        return float(np.mean(lost))


def report(experiment: TwoStage, stage_one: FrozenPolicy, stage_two: Any) -> TwoStageResult:
    """Put both policies to the test: on starts that neither stage two nor its solver has seen."""
    starts, worths = experiment.start_set(TEST), weigh(experiment, stage_one, TEST)
    table = worths.by(experiment.proposals.values)
    shown = starts.shown(experiment.config)
    proposed, learned = proposed_in_play(experiment, table, shown, stage_two)
    decisions = Decisions(
        proposed=proposed,
        learned=learned,
        votes=votes_in_play(experiment, table, shown, stage_two),
        solved={kind: _solved(experiment.proposers, worths.by(kind)) for kind in (CRITIC, RETURNS)},
        best_accepted=table.best_accepted(),
        best_of_menu=worths.returns.welfare.argmax(axis=1),
    )
    return TwoStageResult(
        experiment=experiment,
        starts=starts,
        optimum=starts.optimum(experiment.config),
        worths=worths,
        judged=judged(experiment, stage_one),
        decisions=decisions,
    )


def _solved(proposers: Sequence[int], table: ContractValues) -> Ints:
    return np.stack([table.solve(proposer) for proposer in proposers])
