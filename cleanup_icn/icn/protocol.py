"""The talks: who may say what, and what comes of it. Pure: talks and moves in, a result out.

A round is one proposal put to the others, or the chance of one that was not taken. The proposer
proposes; all others answer at once with accept, reject or counter. If all accept, the contract is
ratified. Otherwise, if someone counters, the first counter in rotation after the proposer is the
next round's proposal and its author the proposer; if no one does, the next agent in rotation is to
propose. After ``max_rounds`` rounds without agreement the talks have failed.

What cannot be said at a stage counts as nothing said: no proposal, or an abstention, which is
neither acceptance nor rejection but keeps the vote from being unanimous.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from cleanup_icn.contracts import Contract


class Stage(StrEnum):
    """What the talks wait for."""

    PROPOSE = "propose"
    RESPOND = "respond"


class Speech(StrEnum):
    """Kinds of moves in talks."""

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
    if talks.stage is Stage.PROPOSE:
        return speech is Speech.PASS or (is_proposer and speech is Speech.PROPOSE)
    if is_proposer:
        return speech is Speech.PASS
    return speech in (Speech.ACCEPT, Speech.REJECT, Speech.PROPOSE)


def advance(talks: Talks, moves: Sequence[Move]) -> Talks | Outcome:
    """Apply one simultaneous move of every agent, by index; impossible ones are `NOTHING`."""
    said = tuple(
        move if can_say(talks, i, move.speech) else Move(Speech.NOTHING)
        for i, move in enumerate(moves)
    )
    if talks.stage is Stage.PROPOSE:
        proposal = said[talks.proposer].contract
        if proposal is not None:
            return _talks(talks, talks.proposer, proposal, talks.rounds)
        return _next_round(talks, said, counter=None)
    others = [
        i % talks.num_agents for i in range(talks.proposer + 1, talks.proposer + talks.num_agents)
    ]
    if all(said[i].speech is Speech.ACCEPT for i in others):
        done = Round(talks.proposer, talks.proposal, said)
        return Outcome(talks.proposal, (*talks.rounds, done))
    counters = (i for i in others if said[i].speech is Speech.PROPOSE)
    return _next_round(talks, said, counter=next(counters, None))


def _next_round(talks: Talks, said: tuple[Move, ...], *, counter: int | None) -> Talks | Outcome:
    rounds = (*talks.rounds, Round(talks.proposer, talks.proposal, said))
    if len(rounds) >= talks.max_rounds:
        return Outcome(None, rounds)
    if counter is not None:
        return _talks(talks, counter, said[counter].contract, rounds)
    return _talks(talks, (talks.proposer + 1) % talks.num_agents, None, rounds)


def _talks(
    talks: Talks, proposer: int, proposal: Contract | None, rounds: tuple[Round, ...]
) -> Talks:
    return Talks(talks.num_agents, proposer, talks.max_rounds, proposal, rounds)
