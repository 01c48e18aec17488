"""The talks: who may say what, and what comes of it. Pure: talks and moves in, a result out.

A round is one proposal put to the others, or the chance of one that was not taken. The proposer
proposes; all others answer at once with accept, reject or counter. If all accept, the contract is
ratified. Otherwise, if someone counters, the first counter in rotation after the proposer is the
next round's proposal and its author the proposer; if no one does, the next agent in rotation is to
propose. After ``max_rounds`` rounds without agreement the talks have failed.

What cannot be said at a stage counts as nothing said: no proposal, or an abstention, which is
neither acceptance nor rejection but keeps the vote from being unanimous.

The rules themselves are in `cleanup_icn.icn.talk_rules`, on integers; here they get a record.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from cleanup_icn.contracts import Contract
from cleanup_icn.icn import talk_rules


class Stage(StrEnum):
    """What the talks wait for."""

    PROPOSE = "propose"
    RESPOND = "respond"


class Speech(StrEnum):
    """Kinds of moves in talks, in the order of their codes in `talk_rules`."""

    PASS = "pass"
    PROPOSE = "propose"  # to a stage that waits for answers it is a counter
    ACCEPT = "accept"
    REJECT = "reject"
    NOTHING = "nothing"  # what was said could not be understood or was not possible


@dataclass(frozen=True)
class Move:
    """What one agent says; ``contract`` goes with PROPOSE alone."""

    speech: Speech
    contract: Contract | None = None


@dataclass(frozen=True)
class Round:
    """The record of one round: who proposed what, and each agent's answer by index."""

    proposer: int
    proposal: Contract | None
    answers: tuple[Move, ...] = ()


@dataclass(frozen=True)
class Talks:
    """Talks under way. ``rounds`` are those completed."""

    num_agents: int
    proposer: int
    max_rounds: int
    proposal: Contract | None = None
    rounds: tuple[Round, ...] = ()

    @property
    def stage(self) -> Stage:
        """What is waited for."""
        return Stage.PROPOSE if self.proposal is None else Stage.RESPOND

    @property
    def round_number(self) -> int:
        """The round under way, from 1."""
        return len(self.rounds) + 1


@dataclass(frozen=True)
class Outcome:
    """How talks ended: with a contract, or with None in disagreement."""

    contract: Contract | None
    rounds: tuple[Round, ...]

    @property
    def is_ratified(self) -> bool:
        """Whether all accepted."""
        return self.contract is not None


def can_say(talks: Talks, agent_index: int, speech: Speech) -> bool:
    """Whether this kind of move is possible for this agent now."""
    is_proposer = agent_index == talks.proposer
    return talk_rules.can_say(_CODES[speech], is_proposer, talks.stage is Stage.RESPOND)


def advance(talks: Talks, moves: Sequence[Move]) -> Talks | Outcome:
    """Apply one simultaneous move of every agent, by index; impossible ones are `NOTHING`."""
    said = tuple(
        move if can_say(talks, i, move.speech) else Move(Speech.NOTHING)
        for i, move in enumerate(moves)
    )
    turn = talk_rules.follow(
        [_code(move) for move in said],
        talks.proposer,
        talks.stage is Stage.RESPOND,
        len(talks.rounds),
        talks.max_rounds,
    )
    rounds = talks.rounds
    if turn.rounds > len(rounds):
        rounds = (*rounds, Round(talks.proposer, talks.proposal, said))
    if turn.result == talk_rules.RATIFIED:
        return Outcome(talks.proposal, rounds)
    if turn.result == talk_rules.FAILED:
        return Outcome(None, rounds)
    proposal = said[turn.proposer].contract if turn.result == talk_rules.TO_VOTE else None
    return Talks(talks.num_agents, turn.proposer, talks.max_rounds, proposal, rounds)


def _code(move: Move) -> int:
    is_empty = move.speech is Speech.PROPOSE and move.contract is None
    return talk_rules.NOTHING if is_empty else _CODES[move.speech]


_CODES = {speech: code for code, speech in enumerate(Speech)}
