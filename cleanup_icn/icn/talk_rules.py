"""The rule book of talks: who may say what, and what follows from everybody's moves.

Scalar and pure, on integers: these lines run interpreted behind `cleanup_icn.icn.protocol` and are
written in the subset that numba compiles for many talks at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

PASS, PROPOSE, ACCEPT, REJECT, NOTHING = 0, 1, 2, 3, 4
"""Codes of `cleanup_icn.icn.protocol.Speech`, in its order."""

TO_VOTE, TO_PROPOSE, RATIFIED, FAILED = 0, 1, 2, 3
"""What a step of talks leads to."""


class Turn(NamedTuple):
    """What follows from a step of talks."""

    result: int  # TO_VOTE or TO_PROPOSE: the talks go on; RATIFIED or FAILED: they are over
    proposer: int  # who said what is put to the vote or was ratified, or who is to propose
    rounds: int  # rounds completed


def can_say(speech: int, is_proposer: bool, has_proposal: bool) -> bool:
    """Whether a kind of move is possible, for the proposer or for another, at this stage."""
    if not has_proposal:
        return speech == PASS or (is_proposer and speech == PROPOSE)
    if is_proposer:
        return speech == PASS
    return speech in (ACCEPT, REJECT, PROPOSE)


def follow(
    speeches: Sequence[int] | npt.NDArray[np.int64],
    proposer: int,
    has_proposal: bool,
    rounds: int,
    max_rounds: int,
) -> Turn:
    """What follows when every agent i says ``speeches[i]`` at once; what it cannot is not heard.

    Args:
        speeches: one code an agent.
        proposer: whose proposal is voted on or, without one, who is to propose.
        has_proposal: whether there is a proposal to vote on.
        rounds: rounds completed before.
        max_rounds: proposals put to the vote, or not made, before talks have failed.
    """
    num_agents = len(speeches)
    if not has_proposal:
        if speeches[proposer] == PROPOSE:
            return Turn(TO_VOTE, proposer, rounds)
        return _next_round(-1, num_agents, proposer, rounds, max_rounds)
    is_unanimous = True
    counter = -1
    for ahead in range(1, num_agents):
        agent = (proposer + ahead) % num_agents
        if speeches[agent] != ACCEPT:
            is_unanimous = False
        if speeches[agent] == PROPOSE and counter < 0:
            counter = agent
    if is_unanimous:
        return Turn(RATIFIED, proposer, rounds + 1)
    return _next_round(counter, num_agents, proposer, rounds, max_rounds)


def _next_round(counter: int, num_agents: int, proposer: int, rounds: int, max_rounds: int) -> Turn:
    """What follows a round without agreement; ``counter`` is who is heard with one, or -1."""
    if rounds + 1 >= max_rounds:
        return Turn(FAILED, proposer, rounds + 1)
    if counter >= 0:
        return Turn(TO_VOTE, counter, rounds + 1)
    return Turn(TO_PROPOSE, (proposer + 1) % num_agents, rounds + 1)
