"""The three rule sets by which recorded sessions are evaluated.

``paper-2024`` and ``paper-2023`` follow the two published evaluations to the letter, their
differences from the rule of the game included (Abdelnabi et al., arXiv 2309.17234): a deal is
whatever options are named first anywhere in the public words, and a party agrees strictly above
its threshold. ``commonweal`` is the rule of the game: the deal field, at or above the threshold.

Each function takes a game and a session and raises `SessionError` for a session its rule leaves
out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from negotiation_games.answers import ParsedDeal, ParseStatus, parse_deal, read_deal
from negotiation_games.game import ISSUE_LETTERS, Deal, Game
from negotiation_games.log_files import Entry, Layout, Session, SessionError
from negotiation_games.scoring import BONUS, implicit_votes, judge

PUBLISHED_ROUNDS = 4
"""How often each party speaks between the opening and the final proposal in the published runs."""

OTHERS_FOR_UNANIMITY, OTHERS_FOR_SUCCESS = 5, 4
"""How many others must agree with p1 under the rule of 2023, which knows games of six parties only:
with fewer than five parties nothing ever succeeds under it."""


@dataclass(frozen=True)
class SessionResult:
    """What became of one session under one rule set."""

    any_success: bool  # some proposal of p1 would have passed
    final_success: bool
    final_unanimous: bool
    wrong: int  # proposals below their own proposer's threshold
    proposals: int
    statuses: tuple[ParseStatus, ...] = field(default=())  # of every answer; commonweal alone

    @property
    def wrong_share(self) -> float:
        """Wrong proposals among all proposals; 0 if there were none."""
        return self.wrong / self.proposals if self.proposals else 0.0


@dataclass(frozen=True)
class _Proposal:
    """A proposal as judged: whether it is wrong, and whether it passes if p1 makes it."""

    is_p1: bool
    is_wrong: bool
    passes: bool
    is_unanimous: bool


def judge_paper_2024(game: Game, session: Session) -> SessionResult:
    """Judge a session as the published evaluation of 2024 does."""
    _require_full_length(game, session)
    proposals = []
    for where, entry in _numbered(session.entries):
        deal = _first_named(_words(entry), len(game.issues), highest=9)
        if deal is not None:
            proposer = _party_index(game, entry, where)
            proposals.append(_judge_2024(game, proposer, _scores_named(game, deal, where)))
    return _sum_up(proposals)


def judge_paper_2023(game: Game, session: Session) -> SessionResult:
    """Judge a session as the published evaluation of 2023 does."""
    entries, final = _split_final(session)
    proposals = []
    for where, entry in _numbered(entries):
        deal = _first_named(_words(entry), len(game.issues), highest=5)
        if deal is not None:
            proposals.append(_judge_2023(game, _party_index(game, entry, where), deal))
    deal = _first_named(final, len(game.issues), highest=5)
    proposals.append(_judge_2023(game, game.proposer_index, deal))
    return _sum_up(proposals)


def judge_commonweal(game: Game, session: Session) -> SessionResult:
    """Judge a session by the rule of the game; the last answer is p1's final proposal."""
    if session.layout is Layout.HISTORY:
        _require_full_length(game, session)
    entries = session.entries
    if session.final is not None:
        p1 = game.parties[game.proposer_index].name
        entries = (*entries, Entry(party=p1, public=session.final))
    if not entries or entries[-1].party != game.parties[game.proposer_index].name:
        raise SessionError("the last answer is not p1's: there is no final proposal")
    read = [
        (_party_index(game, entry, where), _read_entry(game, entry))
        for where, entry in _numbered(entries)
    ]
    proposals = [_judge_deal(game, i, each.deal) for i, each in read if each.deal is not None]
    verdict = judge(game, read[-1][1].deal)
    return SessionResult(
        any_success=any(each.is_p1 and each.passes for each in proposals),
        final_success=verdict.passed,
        final_unanimous=verdict.passed and verdict.unanimous,
        wrong=sum(each.is_wrong for each in proposals),
        proposals=len(proposals),
        statuses=tuple(each.status for _, each in read),
    )


@dataclass(frozen=True)
class RuleSet:
    """A rule set and the published layouts it reads; records of our own are read by all."""

    judge: Callable[[Game, Session], SessionResult]
    layouts: tuple[Layout, ...]


RULE_SETS = {
    "commonweal": RuleSet(judge_commonweal, tuple(Layout)),
    "paper-2024": RuleSet(judge_paper_2024, (Layout.HISTORY,)),
    "paper-2023": RuleSet(judge_paper_2023, (Layout.ANSWERS,)),
}
"""The rule sets by name."""


def _judge_2024(game: Game, proposer: int, scores: Sequence[int]) -> _Proposal:
    p1, p2 = game.proposer_index, game.veto_index
    others_needed = game.num_parties - 1
    agrees = [score > party.threshold for score, party in zip(scores, game.parties, strict=True)]
    agreed = sum(agrees)
    reaches_with_bonus = scores[p1] + BONUS >= game.parties[p1].threshold
    is_below = scores[proposer] < game.parties[proposer].threshold
    is_excused = is_below and proposer == p1 and reaches_with_bonus
    p1_marked = agrees[p1] or is_excused
    is_unanimous = agreed == game.num_parties or (
        agreed == others_needed and not p1_marked and reaches_with_bonus
    )
    return _Proposal(
        is_p1=proposer == p1,
        is_wrong=is_below and not is_excused,
        passes=is_unanimous or (agreed == others_needed and p1_marked and agrees[p2]),
        is_unanimous=is_unanimous,
    )


def _judge_2023(game: Game, proposer: int, deal: Deal | None) -> _Proposal:
    p1, p2 = game.proposer_index, game.veto_index
    # An incomplete suggestion, or an option that no sheet has, is worth nothing to anybody.
    is_known = deal is not None and _is_known(game, deal)
    scores = game.scores(deal) if deal is not None and is_known else (0,) * game.num_parties
    agrees = [score > party.threshold for score, party in zip(scores, game.parties, strict=True)]
    others = sum(agrees) - agrees[proposer]
    own, threshold = scores[proposer], game.parties[proposer].threshold
    reaches_with_bonus = proposer == p1 and own + BONUS >= threshold
    is_unanimous = others == OTHERS_FOR_UNANIMITY and reaches_with_bonus
    # That p1's own score reaches its threshold implies the mark of p1 as proposer.
    passes_without_one = others == OTHERS_FOR_SUCCESS and agrees[p2] and own >= threshold
    return _Proposal(
        is_p1=proposer == p1,
        is_wrong=own < threshold and not reaches_with_bonus,
        passes=is_unanimous or passes_without_one,
        is_unanimous=is_unanimous,
    )


def _judge_deal(game: Game, proposer: int, deal: Deal) -> _Proposal:
    verdict = judge(game, deal)
    accepts = implicit_votes(game, deal)[proposer]
    return _Proposal(
        is_p1=proposer == game.proposer_index,
        is_wrong=not accepts,
        passes=verdict.passed,
        is_unanimous=verdict.unanimous,
    )


def _sum_up(proposals: Sequence[_Proposal]) -> SessionResult:
    by_p1 = [each for each in proposals if each.is_p1]
    return SessionResult(
        any_success=any(each.passes for each in by_p1),
        final_success=bool(by_p1) and by_p1[-1].passes,
        final_unanimous=bool(by_p1) and by_p1[-1].is_unanimous,
        wrong=sum(each.is_wrong for each in proposals),
        proposals=len(proposals),
    )


def _require_full_length(game: Game, session: Session) -> None:
    full = PUBLISHED_ROUNDS * game.num_parties + 2
    if len(session.entries) != full:
        raise SessionError(f"{len(session.entries)} entries, not {full}")


def _split_final(session: Session) -> tuple[tuple[Entry, ...], str]:
    if session.final is not None:
        return session.entries, session.final
    if not session.entries:
        raise SessionError("no entries")
    return session.entries[:-1], _words(session.entries[-1])


def _words(entry: Entry) -> str:
    """Return what everybody saw: our own records keep the deal beside the words."""
    return entry.public if entry.deal is None else f"{entry.public} {entry.deal}"


def _first_named(public: str, num_issues: int, *, highest: int) -> Deal | None:
    """Return the first option of every issue named anywhere; None unless all are."""
    words = public.replace("\n", "")
    deal = []
    for letter in ISSUE_LETTERS[:num_issues]:
        found = re.search(f"{letter}([1-{highest}])", words)
        if found is None:
            return None
        deal.append(int(found[1]) - 1)
    return tuple(deal)


def _is_known(game: Game, deal: Deal) -> bool:
    return all(option < n for option, n in zip(deal, game.num_options, strict=True))


def _scores_named(game: Game, deal: Deal, where: str) -> tuple[int, ...]:
    # The published code stops at an option that no sheet has, so such a session is left out.
    if not _is_known(game, deal):
        raise SessionError(f"{where} proposes an option that the game lacks")
    return game.scores(deal)


def _read_entry(game: Game, entry: Entry) -> ParsedDeal:
    if entry.status is None:
        return read_deal(entry.public, game.num_options)
    if entry.status not in list(ParseStatus):
        raise SessionError(f"unknown status {entry.status!r}")
    if entry.deal is None:
        return ParsedDeal(None, ParseStatus(entry.status))
    return parse_deal(entry.deal, game.num_options)


def _numbered(entries: Sequence[Entry]) -> Iterator[tuple[str, Entry]]:
    return ((f"entry {i}", entry) for i, entry in enumerate(entries, start=1))


def _party_index(game: Game, entry: Entry, where: str) -> int:
    if entry.party not in game.party_names:
        raise SessionError(f"{where}: the game has no party {entry.party!r}")
    return game.party_names.index(entry.party)
