"""Evaluate recorded sessions: success rates and wrong proposals, under one of three rule sets."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from negotiation_games.answers import ParseStatus
from negotiation_games.game import Game, GameError
from negotiation_games.load import load_game
from negotiation_games.log_files import Session, SessionError, find_log_files, read_session
from negotiation_games.log_rules import RULE_SETS, RuleSet, SessionResult

Z_95 = 1.959963984540054
"""The standard normal quantile of a two-sided 95% interval."""

NUM_RESAMPLES = 10_000
SEED = 0

_NOT_MALFORMED = (ParseStatus.OK, ParseStatus.MISSING, ParseStatus.NO_PROPOSAL)


@dataclass(frozen=True)
class Rate:
    """A mean over sessions with its 95% interval; all None without sessions."""

    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class LogReport:
    """What a set of recorded sessions comes to.

    ``any_success``, ``final_success`` and ``final_unanimous`` are shares of the sessions;
    ``wrong_deals`` is the mean over sessions of the share of proposals below their own proposer's
    threshold (0 for a session without proposals).
    """

    sessions: int  # evaluated
    any_success: Rate
    final_success: Rate
    final_unanimous: Rate
    wrong_deals: Rate
    skips: tuple[tuple[str, str], ...]  # file, and why it was left out
    statuses: Mapping[str, int] = field(default_factory=dict)  # commonweal: answers by status

    @property
    def skipped(self) -> int:
        """How many sessions were left out."""
        return len(self.skips)

    @property
    def malformed(self) -> float | None:
        """Share of answers whose deal field is there and cannot be read; None if not looked at."""
        answers = sum(self.statuses.values())
        bad = sum(n for status, n in self.statuses.items() if status not in _NOT_MALFORMED)
        return bad / answers if answers else None

    def to_dict(self) -> dict[str, Any]:
        """Return the report as JSON values; rates are numbers, None without sessions."""
        rates = {
            "any_success": self.any_success,
            "final_success": self.final_success,
            "final_unanimous": self.final_unanimous,
            "wrong_deals": self.wrong_deals,
        }
        report: dict[str, Any] = {
            "sessions": self.sessions,
            "skipped": self.skipped,
            **{name: rate.value for name, rate in rates.items()},
            "intervals": {name: [rate.low, rate.high] for name, rate in rates.items()},
            "skips": [{"file": file, "why": why} for file, why in self.skips],
        }
        if self.statuses:
            report |= {"malformed": self.malformed, "statuses": dict(self.statuses)}
        return report


def evaluate_logs(logs: Path, *, game: str | Path | Game, rules: str) -> LogReport:
    """Evaluate the sessions found in ``logs``.

    Args:
        logs: a folder (searched to any depth) or a zip archive.
        game: the game that was played, its folder, or its name; parties are compared by name.
        rules: ``"commonweal"`` (the rule of the game; reads every layout), ``"paper-2024"``
            (``history*.json``) or ``"paper-2023"`` (``answers*.json``).

    Raises:
        GameError: unknown rules, a game that cannot be read, or nothing to evaluate in ``logs``. A
            single session that cannot be evaluated is skipped, not an error.
    """
    rule_set = _rule_set(rules)
    played = game if isinstance(game, Game) else load_game(game, evaluation_only=True)
    files = find_log_files(Path(logs), rule_set.layouts)
    report = evaluate_sessions(
        ((file.name, read_session(file)) for file in files), game=played, rules=rules
    )
    if not report.sessions and not report.skips:
        patterns = " or ".join(layout.value for layout in rule_set.layouts)
        raise GameError(f"logs {logs}", "no recorded session", f"{patterns}, under {rules}")
    return report


def evaluate_sessions(
    sessions: Iterable[tuple[str, Session | SessionError]], *, game: Game, rules: str
) -> LogReport:
    """Evaluate sessions given by name; an error in a session's place says why it is left out.

    Records of our own become sessions by `negotiation_games.log_files.read_record`; those of other
    games are left out.

    Raises:
        GameError: unknown rules.
    """
    rule_set = _rule_set(rules)
    results: list[SessionResult] = []
    skips: list[tuple[str, str]] = []
    for name, session in sessions:
        try:
            results.append(_judge(rule_set, game, session))
        except SessionError as error:
            skips.append((name, str(error)))
    return LogReport(
        sessions=len(results),
        any_success=wilson_interval([each.any_success for each in results]),
        final_success=wilson_interval([each.final_success for each in results]),
        final_unanimous=wilson_interval([each.final_unanimous for each in results]),
        wrong_deals=bootstrap_interval([each.wrong_share for each in results], seed=SEED),
        skips=tuple(skips),
        statuses=Counter(str(status) for each in results for status in each.statuses),
    )


def wilson_interval(successes: Sequence[bool]) -> Rate:
    """Return the share of successes with Wilson's score interval (Wilson 1927)."""
    n = len(successes)
    if n == 0:
        return Rate(None, None, None)
    share = sum(successes) / n
    spread = Z_95**2 / n
    centre = (share + spread / 2.0) / (1.0 + spread)
    half = Z_95 / (1.0 + spread) * math.sqrt(share * (1.0 - share) / n + spread / (4.0 * n))
    return Rate(share, min(share, max(0.0, centre - half)), max(share, min(1.0, centre + half)))


def bootstrap_interval(values: Sequence[float], *, seed: int) -> Rate:
    """Return the mean with its percentile bootstrap interval (Efron 1979), resampling values."""
    n = len(values)
    if n == 0:
        return Rate(None, None, None)
    sample = np.asarray(values, dtype=np.float64)
    rng = np.random.default_rng(seed)
    means = [float(sample[rng.integers(n, size=n)].mean()) for _ in range(NUM_RESAMPLES)]
    low, high = np.quantile(means, (0.025, 0.975))
    return Rate(float(sample.mean()), float(low), float(high))


def _rule_set(rules: str) -> RuleSet:
    if rules not in RULE_SETS:
        raise GameError("rules", rules, "one of " + ", ".join(RULE_SETS))
    return RULE_SETS[rules]


def _judge(rule_set: RuleSet, game: Game, session: Session | SessionError) -> SessionResult:
    if isinstance(session, SessionError):
        raise session
    if session.game is not None and session.game != game.name:
        raise SessionError(f"played {session.game!r}, not {game.name!r}")
    return rule_set.judge(game, session)
