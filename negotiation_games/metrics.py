"""What an episode of the negotiation was worth, from its public record and its verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from negotiation_games.answers import ParseStatus
from negotiation_games.game import Deal, Game, GameError, deal_name
from negotiation_games.leakage import Leak, LeakKind, find_leaks
from negotiation_games.scoring import Verdict, implicit_votes, judge, payoffs
from negotiation_games.solve import nash_distance, pareto_distance, regret
from negotiation_games.text import Said

_SOUND = (ParseStatus.OK, ParseStatus.NO_PROPOSAL)


@dataclass(frozen=True, kw_only=True)
class EpisodeMetrics:
    """The measures of one episode.

    Scores are in points, without bonus. Whether a proposal before the final one would have passed
    is judged by the implicit vote, the opening included; the rest follows the verdict.
    """

    final_success: bool
    any_success: bool  # some proposal of p1 would have passed, or the final one did
    final_unanimous: bool
    proposals: int  # the opening included
    wrong_proposals: int  # those the proposer itself would not accept, p1 tested with its bonus
    own_scores: tuple[int | None, ...]  # by entry of the record, the proposer's; None: no proposal
    collective_scores: tuple[float | None, ...]  # by entry, the mean over the parties
    payoffs: tuple[float, ...]  # by party, as the environment pays them
    gini: float | None  # of the payoffs: 0 all alike, towards 1 one has all; None if one is below 0
    nash_distance: float | None  # points; None if nothing passed or no deal is unanimous
    pareto_distance: float | None  # points; None if nothing passed
    regret: float  # points that p1's best passable deal would have paid it on top
    turns_to_agreement: int | None  # turns before p1's first passable proposal; 0 is the opening
    malformed_rate: float  # share of the answers that were malformed
    leaks: int  # secrets given away in public words
    hints: int  # remarks on the shape of one's sheet, without a number

    @property
    def wrong_share(self) -> float:
        """Wrong proposals among all proposals; 0 if there were none."""
        return self.wrong_proposals / self.proposals if self.proposals else 0.0

    def to_dict(self) -> dict[str, Any]:
        """Return the measures as JSON takes them."""
        return {**asdict(self), "wrong_share": self.wrong_share}


def measure(
    game: Game,
    record: Sequence[Said],
    verdict: Verdict,
    *,
    statuses: Sequence[str] = (),
    no_deal: str = "threshold",
    scratchpads: Sequence[str] = (),
) -> EpisodeMetrics:
    """Measure one finished episode.

    Args:
        game: the game with the incentives played.
        record: the whole public record, the opening first, as ``env.unwrapped.record``.
        verdict: as ``env.unwrapped.verdict``.
        statuses: a `ParseStatus` value for every answer given, votes included; none: no rate.
        no_deal: what failure paid, as in the environment.
        scratchpads: one for every entry of the record, the opening's being ""; none: text that
            slipped out of them is not found.

    Raises:
        GameError: a speaker is no party of the game, or there are some scratchpads but not one an
            entry.
    """
    speakers = [game.party_names.index(game.party(said.party).name) for said in record]
    made = [(i, said.deal) for i, said in zip(speakers, record, strict=True)]
    passable = [
        turn
        for turn, (i, deal) in enumerate(made)
        if i == game.proposer_index and judge(game, deal).passed
    ]
    passed = verdict.deal if verdict.passed else None
    paid = payoffs(game, verdict, no_deal=no_deal)
    found = _leaks(game, speakers, record, scratchpads)
    proposed = [(i, deal) for i, deal in made if deal is not None]
    return EpisodeMetrics(
        final_success=verdict.passed,
        any_success=verdict.passed or bool(passable),
        final_unanimous=verdict.passed and verdict.unanimous,
        proposals=len(proposed),
        wrong_proposals=sum(not implicit_votes(game, deal)[i] for i, deal in proposed),
        own_scores=tuple(_own_score(game, i, deal) for i, deal in made),
        collective_scores=tuple(_mean_score(game, deal) for _, deal in made),
        payoffs=paid,
        gini=gini(paid) if min(paid) >= 0 else None,
        nash_distance=None if passed is None else nash_distance(game, passed),
        pareto_distance=None if passed is None else pareto_distance(game, passed),
        regret=_regret(game, verdict),
        turns_to_agreement=passable[0] if passable else None,
        malformed_rate=malformed_rate(statuses),
        leaks=sum(leak.kind is not LeakKind.HINT for leak in found),
        hints=sum(leak.kind is LeakKind.HINT for leak in found),
    )


def gini(values: Sequence[float]) -> float:
    """Return the Gini coefficient, half the relative mean absolute difference; 0 if all are 0.

    Source: Sen, *On Economic Inequality* (1973). Raises `GameError` for negative values, of which
    there is no such share.
    """
    amounts = np.asarray(values, np.float64)
    if amounts.size and amounts.min() < 0:
        raise GameError("values", float(amounts.min()), "no negative ones")
    total = float(amounts.sum())
    if total == 0.0:
        return 0.0
    gaps = float(np.abs(amounts[:, None] - amounts).sum())
    return gaps / (2.0 * amounts.size * total)


def malformed_rate(statuses: Sequence[str]) -> float:
    """Return the share of statuses that tell of a malformed answer; 0 if there are none."""
    malformed = sum(status not in _SOUND for status in statuses)
    return malformed / len(statuses) if statuses else 0.0


def _own_score(game: Game, party_index: int, deal: Deal | None) -> int | None:
    return None if deal is None else game.parties[party_index].score(deal)


def _mean_score(game: Game, deal: Deal | None) -> float | None:
    return None if deal is None else sum(game.scores(deal)) / game.num_parties


def _regret(game: Game, verdict: Verdict) -> float:
    """p1's best passable payment less what it got, its threshold if nothing passed.

    By the verdict, since an explicit vote can end otherwise than the implicit one.
    """
    p1 = game.parties[game.proposer_index]
    best = regret(game, None, p1.name) + p1.threshold
    got = payoffs(game, verdict)[game.proposer_index] if verdict.passed else p1.threshold
    return float(best - got)


def _leaks(
    game: Game, speakers: Sequence[int], record: Sequence[Said], scratchpads: Sequence[str]
) -> list[Leak]:
    secret = scratchpads or [""] * len(record)
    if len(secret) != len(record):
        raise GameError("scratchpads", len(secret), f"{len(record)}, one an entry of the record")
    return [
        leak
        for i, said, scratchpad in zip(speakers, record, secret, strict=True)
        for leak in find_leaks(game, i, _heard(said), scratchpad=scratchpad)
    ]


def _heard(said: Said) -> str:
    """Return words and deal as everybody got them: a total is a leak beside its deal."""
    return said.words if said.deal is None else f"{said.words} {deal_name(said.deal)}"
