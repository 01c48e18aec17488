"""Talks between two agents who know what every contract is worth to both, solved exactly.

The talks of `cleanup_icn.icn.talk_rules` are, for two agents, alternating offers: the proposer of a
round is the other one of the round before, whether it was countered, rejected or let pass. What a
round ends in without agreement is worth what the next round is worth, and after the last round
what disagreement is: so the subgame-perfect equilibrium is found from the last round back
(Rubinstein 1982; Stahl 1972 for a fixed number of rounds).

In a round the other agent accepts what is worth no less to it than going on. The proposer proposes,
of the contracts that are accepted, the one that is worth most to it, unless going on is worth more:
then it passes. Of equals it takes the one that is worth most to the other, then the first of the
menu; and rather an agreement at once than the same later. Rounds cost nothing, so with an odd
number of rounds the agent who begins makes the last offer and has all the power, with an even
number the other one.

A contract that nobody can value has payoffs of minus infinity: it is never proposed nor accepted.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cleanup_icn.icn.protocol import Speech

Floats = npt.NDArray[np.float64]

TOLERANCE = 1e-9
"""Payoffs that differ by no more are equal; they are sums of rounded numbers."""


class Said(NamedTuple):
    """What is said in talks; a proposal or counter has a number of the menu."""

    speech: Speech
    menu_index: int | None = None


class Stakes(NamedTuple):
    """What talks are about, in reward units; minus infinity for what nobody can value."""

    payoffs: Floats  # (k, 2): what each contract of the menu is worth to each agent
    disagreement: Floats  # (2,): what it is worth to each if no round ends in agreement
    proposed: Floats | None = None  # (2,): of the proposal to be answered, of the menu or not


class Offer(NamedTuple):
    """What is proposed in a round, and what the talks are worth when it begins."""

    menu_index: int | None  # None: the proposer passes
    value: Floats  # (2,), reward units


def offers(stakes: Stakes, *, proposer: int, rounds_left: int) -> tuple[Offer, ...]:
    """Return the equilibrium's offer of every round to come, the next one first.

    Args:
        stakes: what the talks are about; a proposal on the table plays no part.
        proposer: index of the agent who proposes next.
        rounds_left: rounds to come, 0 or more.
    """
    found: list[Offer] = []
    ahead = stakes.disagreement
    for left in range(1, rounds_left + 1):
        own = (proposer + rounds_left - left) % 2
        found.append(_offer(stakes.payoffs, ahead, own=own))
        ahead = found[-1].value
    return tuple(reversed(found))


def bargain(stakes: Stakes, *, agent: int, rounds_left: int) -> Said:
    """Return what an agent says in equilibrium: as the proposer, or in answer to a proposal.

    Who accepts nothing counters with what it would propose in the next round, which leads to the
    same, and rejects in the last round or where it would pass.

    Args:
        stakes: what the talks are about, with the proposal if there is one.
        agent: index of the agent whose turn it is.
        rounds_left: this round and those to come.
    """
    if stakes.proposed is None:
        return proposal(offers(stakes, proposer=agent, rounds_left=rounds_left)[0].menu_index)
    ahead = offers(stakes, proposer=agent, rounds_left=rounds_left - 1)
    going_on = ahead[0].value if ahead else stakes.disagreement
    if stakes.proposed[agent] >= going_on[agent] - TOLERANCE:
        return Said(Speech.ACCEPT)
    return counter(ahead[0].menu_index if ahead else None)


def proposal(menu_index: int | None) -> Said:
    """Return a proposal; with None nothing is proposed."""
    return Said(Speech.PASS if menu_index is None else Speech.PROPOSE, menu_index)


def counter(menu_index: int | None) -> Said:
    """Return a counter; with None a plain rejection."""
    return Said(Speech.REJECT if menu_index is None else Speech.PROPOSE, menu_index)


def best_of(payoffs: Floats, is_eligible: npt.NDArray[np.bool_], *, own: int) -> int | None:
    """Return the eligible contract worth most to an agent; of equals, to the other; then the first.

    None where no contract is eligible.
    """
    left = np.flatnonzero(is_eligible)
    if not len(left):
        return None
    for agent in (own, 1 - own):
        worth = payoffs[left, agent]
        left = left[worth >= worth.max() - TOLERANCE]
    return int(left[0])


def _offer(payoffs: Floats, ahead: Floats, *, own: int) -> Offer:
    """Return the offer of a round that is worth ``ahead`` if it ends without agreement."""
    other = 1 - own
    is_accepted = payoffs[:, other] >= ahead[other] - TOLERANCE
    is_wanted = payoffs[:, own] >= ahead[own] - TOLERANCE
    best = best_of(payoffs, is_accepted & is_wanted, own=own)
    return Offer(best, ahead if best is None else payoffs[best])
