"""Talks of agents who know what a contract is worth to both, but not what the other will accept.

A rule of thumb about bargaining, not an equilibrium. Each agent has an *aspiration*: in the first
round what the best contract of the menu is worth to it, in the last what disagreement is worth, in
between on the straight line (the linear time-dependent concession of Faratin, Sierra and Jennings
1998). It accepts what is worth its aspiration. Of the contracts that are, it proposes the one that
is worth most to the other; of equals the one worth most to itself, then the first of the menu. So
without a precedent agreement is reached by the last round if any contract is worth no less than
disagreement to both.

A *precedent*, what was ratified last, is a focal point: an agent to whom it is worth no less than
disagreement proposes it in its first offer of the talks and accepts it whenever it is proposed.
Where talks have one round or two, that offer may be the last, and refused.

Its limits: nobody learns from what the other has offered, nor foresees how the other concedes, nor
drives a harder bargain because a precedent exists; and a precedent is followed because it is one,
however the world has changed, as long as it is no worse than disagreement.
"""

from __future__ import annotations

from typing import NamedTuple

from cleanup_icn.icn.bargaining import TOLERANCE, Said, Stakes, best_of, counter, proposal
from cleanup_icn.icn.protocol import Speech


class Precedent(NamedTuple):
    """What was ratified last."""

    menu_index: int | None = None  # None: it is not of the menu, or there is none
    is_proposed: bool = False  # whether it is the proposal to be answered


def aspiration(stakes: Stakes, *, agent: int, round_number: int, max_rounds: int) -> float:
    """Return what an agent holds out for in a round, reward units.

    Args:
        stakes: what the talks are about.
        agent: index of the agent.
        round_number: the round, from 1.
        max_rounds: rounds in all; the only one is the last.
    """
    least = float(stakes.disagreement[agent])
    most = max(least, float(stakes.payoffs[:, agent].max(initial=least)))
    left = (max_rounds - round_number) / (max_rounds - 1) if max_rounds > 1 else 0.0
    return least + left * (most - least)


def haggle(
    stakes: Stakes, *, agent: int, round_number: int, max_rounds: int, precedent: Precedent
) -> Said:
    """Return what an agent says: as the proposer, or in answer to a proposal.

    Who accepts nothing counters with what it would propose in the next round; in the last round it
    rejects.

    Args:
        stakes: what the talks are about, with the proposal if there is one.
        agent: index of the agent whose turn it is.
        round_number: the round under way, from 1.
        max_rounds: rounds in all.
        precedent: what was ratified last.
    """
    if stakes.proposed is None:
        return proposal(_offer(stakes, agent, round_number, max_rounds, precedent))
    least = float(stakes.disagreement[agent])
    if not precedent.is_proposed:
        least = aspiration(stakes, agent=agent, round_number=round_number, max_rounds=max_rounds)
    if stakes.proposed[agent] >= least - TOLERANCE:
        return Said(Speech.ACCEPT)
    if round_number == max_rounds:
        return Said(Speech.REJECT)
    return counter(_offer(stakes, agent, round_number + 1, max_rounds, precedent))


def _offer(
    stakes: Stakes, agent: int, round_number: int, max_rounds: int, precedent: Precedent
) -> int | None:
    """Return the number of what an agent puts to the vote in a round, if anything."""
    own = stakes.payoffs[:, agent]
    known, least = precedent.menu_index, stakes.disagreement[agent]
    # Rounds alternate: an agent's first offer of the talks is the first or the second of all.
    if known is not None and round_number <= 2 and own[known] >= least - TOLERANCE:
        return known
    aspired = aspiration(stakes, agent=agent, round_number=round_number, max_rounds=max_rounds)
    return best_of(stakes.payoffs, own >= aspired - TOLERANCE, own=1 - agent)
