"""A taught negotiator examined: how often its table agrees, and what it earns, beside a baseline.

Every sheet is played once by the pupil and once by each policy in the same seat, in the same order
of turns, so players are compared sheet by sheet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from benchmarks.negotiation.arena import NegotiationArena
from benchmarks.negotiation.runner import NegotiationResult, from_record
from benchmarks.statistics import (
    Difference,
    Estimate,
    Side,
    contrast,
    estimate_mean,
    estimate_rate,
    measure_difference,
)
from benchmarks.store import RunReader, open_run
from benchmarks.suite import Suite
from benchmarks.teaching.examination import (
    STUDENT,
    Questioning,
    play_examination,
    run_folder,
)
from cleanup_icn import ConfigError
from negotiation_games import Game
from negotiation_games.solve import acceptance, score_table

if TYPE_CHECKING:
    from agents.llm import ChatClient
    from benchmarks.teaching.examination import Examination


@dataclass(frozen=True, kw_only=True)
class NegotiationScore:
    """What a player came to, over sheets."""

    success: Estimate  # share of the sheets on which the final proposal passed
    own_score: Estimate  # reward of the player's seat, points
    efficiency: Estimate  # all parties' points by those of the best passable deal; 0 without a deal

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON values; `low` and `high` bound the efficiency."""
        told = {
            "efficiency": self.efficiency.mean,
            "low": self.efficiency.low,
            "high": self.efficiency.high,
            "n": self.efficiency.n,
        }
        for name, value in (("success", self.success), ("own_score", self.own_score)):
            told |= {name: value.mean, f"{name}_low": value.low, f"{name}_high": value.high}
        return told


@dataclass(frozen=True, kw_only=True)
class NegotiationExamination:
    """What came of an examination."""

    student: NegotiationScore
    baseline: str  # the policy that the student is compared with
    success: Difference  # the student's less the baseline's, sheet by sheet
    own_score: Difference
    answers: int  # that the student gave
    valid: float  # share of them that could be read
    policies: Mapping[str, NegotiationScore]
    seconds: float  # all told

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            **self.student.to_dict(),
            "baseline": self.baseline,
            "baseline_success": self.success.base_mean,
            "difference": self.success.difference,
            "difference_low": self.success.low,
            "difference_high": self.success.high,
            "baseline_own_score": self.own_score.base_mean,
            "own_score_difference": self.own_score.difference,
            "own_score_difference_low": self.own_score.low,
            "own_score_difference_high": self.own_score.high,
            "valid": self.valid,
            "answers": self.answers,
            "seconds": self.seconds,
            "policies": {name: score.to_dict() for name, score in self.policies.items()},
        }


def examine_negotiator(
    folder: str | Path,
    suite: Suite,
    *,
    asked: Questioning | None = None,
    out: Path | None = None,
    seed: int = 0,
    clients: Mapping[str, ChatClient] | None = None,
) -> NegotiationExamination:
    """Let the model of a folder negotiate; the arguments are those of `examination.examine`.

    The suite has an arena a drawn sheet, with a seat; its `shown_policy` is the baseline.

    Raises:
        ConfigError: there is no model in the folder, something else is in `out`, or an arena of
            the suite is no negotiation with a seat.
        StoreError: an episode was not played to its end.
    """
    _check(suite)
    with run_folder(out) as run:
        played = play_examination(folder, suite, run, asked=asked, seed=seed, clients=clients)
        with open_run(run) as reader:
            return _summed_up(reader, suite, played, seed=seed)


class _Sheet(NamedTuple):
    """What one player came to on one sheet."""

    success: float
    own_score: float
    efficiency: float


def _check(suite: Suite) -> None:
    for arena in suite.arenas:
        if not isinstance(arena, NegotiationArena):
            raise ConfigError("lessons", arena.game, "lessons of negotiation")
        if arena.seat is None:
            raise ConfigError("seat", None, f"a seat in {arena.name}")


def _summed_up(
    reader: RunReader, suite: Suite, played: Examination, *, seed: int
) -> NegotiationExamination:
    found: dict[str, dict[str, _Sheet]] = {}
    for kept in reader.episodes():
        row, arena = kept.row, suite.arena(kept.row.arena)
        game, seat = arena.condition(row.contract).load(), arena.seat or ""
        sheet = _measured(from_record(kept.record), game, seat)
        found.setdefault(row.policy, {})[row.arena] = sheet
    baseline = suite.arenas[0].shown_policy
    differences = [
        _difference(found, baseline, measure, seed=seed) for measure in ("success", "own_score")
    ]
    return NegotiationExamination(
        student=_score(list(found[STUDENT].values()), seed=seed),
        baseline=baseline,
        success=differences[0],
        own_score=differences[1],
        answers=played.answers,
        valid=played.valid,
        policies={
            name: _score(list(sheets.values()), seed=seed)
            for name, sheets in found.items()
            if name != STUDENT
        },
        seconds=played.seconds,
    )


def _measured(result: NegotiationResult, game: Game, seat: str) -> _Sheet:
    table = score_table(game)
    best = table[acceptance(game, table).passable].sum(axis=1).max()
    index = next(i for i, p in enumerate(game.parties) if seat in (p.name, p.role.name.lower()))
    points = (result.turns[-1].collective_score or 0.0) * game.num_parties
    return _Sheet(
        success=float(result.passed),
        own_score=result.rewards[index],
        efficiency=points / float(best) if result.passed else 0.0,
    )


def _score(sheets: Sequence[_Sheet], *, seed: int) -> NegotiationScore:
    return NegotiationScore(
        success=estimate_rate([bool(sheet.success) for sheet in sheets]),
        own_score=estimate_mean([sheet.own_score for sheet in sheets], seed=seed),
        efficiency=estimate_mean([sheet.efficiency for sheet in sheets], seed=seed),
    )


def _difference(
    found: Mapping[str, Mapping[str, _Sheet]], baseline: str, measure: str, *, seed: int
) -> Difference:
    mine, theirs = (
        Side(values={name: {arena: getattr(s, measure) for arena, s in found[name].items()}})
        for name in (STUDENT, baseline)
    )
    paired = contrast(mine, theirs)
    if paired is None:
        raise ConfigError("baseline", baseline, "a policy that is played on the same sheets")
    return measure_difference(paired, seed=seed)
