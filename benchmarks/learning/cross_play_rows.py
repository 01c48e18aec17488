"""What a cross-play comes to: a row a cell, and a row a player for how it does with whom."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.cleanup.metrics import efficiency
from benchmarks.cleanup.runner import EpisodeResult
from benchmarks.learning.cross_play import Pairing, Played
from benchmarks.learning.cross_play_settings import CrossPlay
from benchmarks.statistics import Estimate, estimate_mean, estimate_over_seeds

Floats = npt.NDArray[np.float64]

ROW_RETURN, COLUMN_RETURN, EFFICIENCY = "row_return", "column_return", "efficiency"
OWN_RETURN = "own_return"

ITSELF, OTHER_SEEDS, OTHERS = "itself", "other training seeds", "all others"
"""With whom a player plays."""


@dataclass(frozen=True, kw_only=True)
class MatrixRow:
    """One cell: the return of seat 0, the mean return of the other seats, and the efficiency."""

    pairing: Pairing
    values: Mapping[str, tuple[float, ...]]  # by measure, in the order of the episodes
    seed: int  # of resampling

    @property
    def n(self) -> int:
        """Number of episodes."""
        return len(self.values[EFFICIENCY])

    def mean(self, measure: str) -> float:
        """Return a measure's mean over the episodes."""
        return float(np.mean(self.values[measure]))

    def estimate(self, measure: str) -> Estimate:
        """Return a measure's mean over the episodes, with its interval."""
        return estimate_mean(self.values[measure], seed=self.seed)

    def to_dict(self) -> dict[str, Any]:
        """Return the row as JSON values."""
        return {**self.pairing._asdict(), "n": self.n, **_told(self.values, self.estimate)}


@dataclass(frozen=True, kw_only=True)
class CompanyRow:
    """How a player does in some company, in whatever seat, or those do that were trained alike.

    A player's interval is over episodes, in each of which it meets everybody in turn; that of a
    group is over its training seeds.
    """

    contract: str
    player: str
    company: str
    over: str  # what `n` counts
    estimates: Mapping[str, Estimate]  # own return, efficiency

    @property
    def n(self) -> int:
        """Number of episodes or of training seeds."""
        return self.estimates[EFFICIENCY].n

    def to_dict(self) -> dict[str, Any]:
        """Return the row as JSON values."""
        told = {name: getattr(self, name) for name in ("contract", "player", "company", "over")}
        return {**told, "n": self.n, **_told(self.estimates, self.estimates.__getitem__)}


def _told(names: Iterable[str], estimate: Callable[[str], Estimate]) -> dict[str, Any]:
    estimates = {name: estimate(name) for name in names}
    return {
        **{name: each.mean for name, each in estimates.items()},
        "intervals": {name: [each.low, each.high] for name, each in estimates.items()},
    }


def returns_of(result: EpisodeResult) -> list[float]:
    """Return what each agent earned in an episode, transfers included, (N,)."""
    earned = np.zeros(len(result.agents))
    for step in result.steps:
        earned += np.add(step.game_rewards, step.transfers)
    return [float(each) for each in earned]


def matrix_rows(setting: CrossPlay, played: Played) -> list[MatrixRow]:
    """Return a row for every cell."""
    return [
        MatrixRow(
            pairing=pairing,
            values=_values([done[episode] for episode in sorted(done)]),
            seed=setting.settings.seed,
        )
        for pairing, done in played.items()
    ]


def _values(results: Sequence[EpisodeResult]) -> dict[str, tuple[float, ...]]:
    returns = [returns_of(result) for result in results]
    return {
        ROW_RETURN: tuple(first for first, *_ in returns),
        COLUMN_RETURN: tuple(float(np.mean(others)) for _, *others in returns),
        EFFICIENCY: tuple(efficiency(result) for result in results),
    }


def company_rows(setting: CrossPlay, rows: Sequence[MatrixRow]) -> list[CompanyRow]:
    """Return how every player does with itself and with others; those trained alike in one row."""
    found = []
    for condition in setting.arena.conditions:
        contract = condition.name
        meetings = _Meetings([row for row in rows if row.pairing.contract == contract])
        alike = {name: setting.group(name, contract) for name in setting.group_names(contract)}
        grouped = {player for members in alike.values() for player in members}
        teams = {name: (name,) for name in setting.players(contract) if name not in grouped}
        for name, members in {**teams, **alike}.items():
            for company in (ITSELF, OTHER_SEEDS, OTHERS):
                estimates = meetings.estimates(
                    members, company, over_seeds=name in alike, seed=setting.settings.seed
                )
                if estimates:
                    found.append(
                        CompanyRow(
                            contract=contract,
                            player=name,
                            company=company,
                            over="training seeds" if name in alike else "episodes",
                            estimates=estimates,
                        )
                    )
    return found


class _Meetings:
    """Who met whom under one contract."""

    def __init__(self, rows: Sequence[MatrixRow]) -> None:
        self._rows = {(row.pairing.row, row.pairing.column): row for row in rows}
        self._players = tuple(dict.fromkeys(row.pairing.row for row in rows))

    def estimates(
        self, members: Sequence[str], company: str, *, over_seeds: bool, seed: int
    ) -> dict[str, Estimate]:
        """Return own return and efficiency of these players in a company, none if it is empty."""
        met = [self._met(member, self._company(member, members, company)) for member in members]
        found: dict[str, Estimate] = {}
        for measure in (OWN_RETURN, EFFICIENCY):
            by_member = [values[measure] for values in met if values is not None]
            if not by_member:
                return {}
            if over_seeds:
                means = [float(each.mean()) for each in by_member]
                # Two seeds that meet each other are one meeting, which says nothing about spread.
                is_one = company == OTHER_SEEDS and len(means) == 2
                found[measure] = estimate_over_seeds([float(np.mean(means))] if is_one else means)
            else:
                found[measure] = estimate_mean(by_member[0].tolist(), seed=seed)
        return found

    def _company(self, member: str, members: Sequence[str], company: str) -> list[str]:
        if company == ITSELF:
            return [member]
        known = set(members)
        if company == OTHER_SEEDS:
            return [other for other in members if other != member]
        return [other for other in self._players if other not in known]

    def _met(self, player: str, others: Sequence[str]) -> dict[str, Floats] | None:
        """Return means over the others and both sides, by episode, (E,)."""
        if not others:
            return None
        first = [self._rows[player, other].values for other in others]
        second = [self._rows[other, player].values for other in others]
        own = [*(v[ROW_RETURN] for v in first), *(v[COLUMN_RETURN] for v in second)]
        efficiencies = [values[EFFICIENCY] for values in (*first, *second)]
        return {OWN_RETURN: np.mean(own, axis=0), EFFICIENCY: np.mean(efficiencies, axis=0)}
