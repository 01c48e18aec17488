"""The episodes of a study: where they stand in it, and what they came to after the change."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from benchmarks.cleanup.conditions import MODEL_JUDGE
from benchmarks.cleanup.runner import EpisodeResult, from_record
from benchmarks.statistics import EPISODE, TRAINING_SEED
from benchmarks.store import RunReader
from benchmarks.study.changes import WorldChange
from benchmarks.study.measures import AfterChange, after_change
from benchmarks.study.place import Place
from benchmarks.study.treatments import EXPIRES, RENEGOTIATED, STAYS, Treatment
from cleanup_icn.state import CleanupState

_OF_TRAINING = re.compile(r"(?P<name>.+)/(?P<seed>\d+)")


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One episode of the study, measured from the change on."""

    player: str  # who played: of a training, one of its seeds
    episode: int  # number in its cell
    after: AfterChange
    measures: Mapping[str, float | None]  # by name


@dataclass(frozen=True, kw_only=True)
class StudyCell:
    """All episodes of a policy under a treatment in one world, those of all training seeds."""

    group: str
    change: WorldChange
    policy: str
    treatment: Treatment
    episodes: tuple[Measured, ...]
    same_state: bool  # whether the change finds the same state under the family's other treatments

    @property
    def unit(self) -> str:
        """What the numbers are over."""
        learned = any(each.player != self.policy for each in self.episodes)
        return TRAINING_SEED if learned else EPISODE

    def by_unit(self, measure: str) -> dict[str | int, float]:
        """Return a measure of every episode, or its mean of every training seed.

        Units that it says nothing of are left out.
        """
        found: dict[str | int, list[float]] = {}
        for each in self.episodes:
            value = each.measures[measure]
            if value is not None:
                key = each.episode if self.unit == EPISODE else each.player
                found.setdefault(key, []).append(value)
        return {key: float(np.mean(values)) for key, values in found.items()}

    def mean(self, measure: str) -> float:
        """Return the mean of a measure that every episode has."""
        return float(np.mean(list(self.by_unit(measure).values())))


OnResult = Callable[[Place, Treatment, EpisodeResult], None]


def read_cells(
    reader: RunReader, on_result: OnResult = lambda _place, _treatment, _result: None
) -> list[StudyCell]:
    """Read every episode of a run of the study once.

    Args:
        reader: of the run.
        on_result: is called with the place, the treatment and the whole result of each.
    """
    by_cell: dict[_CellName, list[Measured]] = {}
    for kept in reader.episodes():
        row = kept.row
        place, treatment = _place_of(row.arena), _treatment_of(row.contract)
        result = from_record(kept.record)
        on_result(place, treatment, result)
        measured = measure(result, place, treatment, player=_player(row.policy, place))
        name = _CellName(place.group, place.change, policy_of(row.policy), treatment)
        by_cell.setdefault(name, []).append(measured)
    return list(_cells(by_cell))


def _player(policy: str, place: Place) -> str:
    """Return who played: a policy that is trained in an arena of its own is told by the seed."""
    return policy if place.training_seed is None else f"{policy}/{place.training_seed}"


def is_compared(treatment: Treatment) -> bool:
    """Whether it is what becomes of a designed contract: it stays, expires or is renegotiated."""
    if treatment.family is None or treatment.price is not None:
        return False
    if treatment.fate == RENEGOTIATED:
        has_history = treatment.history and treatment.disagreement == "keep"
        return has_history and treatment.judge != MODEL_JUDGE
    return treatment.fate in (STAYS, EXPIRES)


def policy_of(player: str) -> str:
    """Return the policy that a player is, or is a training seed of."""
    found = _OF_TRAINING.fullmatch(player)
    return found["name"] if found else player


def measure(result: EpisodeResult, place: Place, treatment: Treatment, *, player: str) -> Measured:
    """Measure one episode where it stands in the study."""
    after = after_change(result, place.change.moment)
    measures = after.measures()
    if treatment.fate == EXPIRES:
        # Its end is written as talks from which nothing can come: nobody negotiates.
        measures |= {"negotiations": 0.0, "rounds": None, "ratified": None}
    return Measured(player=player, episode=result.episode, after=after, measures=measures)


class _CellName(NamedTuple):
    """What the episodes of a cell have in common."""

    group: str
    change: WorldChange
    policy: str
    treatment: Treatment


def _cells(by_cell: Mapping[_CellName, Sequence[Measured]]) -> Iterator[StudyCell]:
    reached: dict[Hashable, set[CleanupState]] = {}
    for name, episodes in by_cell.items():
        for each in episodes:
            reached.setdefault(_same_start(name, each), set()).add(each.after.state)
    for name, episodes in by_cell.items():
        yield StudyCell(
            **name._asdict(),
            episodes=tuple(episodes),
            same_state=all(len(reached[_same_start(name, each)]) == 1 for each in episodes),
        )


def _same_start(name: _CellName, measured: Measured) -> Hashable:
    """Return what episodes have in common that play alike until the change."""
    treatment = name.treatment
    began_with = treatment.family, treatment.price
    return name.group, name.change, began_with, measured.player, measured.episode


# A run has thousands of episodes and hundreds of names.
_place_of = lru_cache(maxsize=None)(Place.from_name)
_treatment_of = lru_cache(maxsize=None)(Treatment.from_name)
