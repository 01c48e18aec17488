"""The course of a negotiation. Pure: a state and what a party does in, the next state out.

p1 opens with the initial deal. Then come blocks in each of which every party speaks once, in random
order, such that nobody speaks twice in a row (the opening counts) and p1 closes no block; then p1
makes the final proposal (Abdelnabi et al., NeurIPS 2024 D&B, section 3.2 and published code). With
the explicit vote, ours, every other party then votes; p1's proposal is its own yes.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

from negotiation_games import noise
from negotiation_games.game import Deal, Game, GameError
from negotiation_games.scoring import Verdict, judge
from negotiation_games.state import NegotiationState, Phase, Proposal

VOTINGS = ("implicit", "explicit")
"""Ways to vote on the final proposal: each by what it reaches, or each as it says."""

TURNS_PER_PARTY = 4
"""Blocks of a negotiation unless told otherwise."""


class HasParties(Protocol):
    """A game, or the shape of one."""

    @property
    def num_parties(self) -> int:
        """How many parties there are."""
        ...


def checked_num_turns(game: HasParties, num_turns: int | None) -> int:
    """Return the number of turns between opening and final proposal; None is 4 x parties.

    Raises:
        GameError: it is not a multiple of the number of parties, at least one each.
    """
    if num_turns is None:
        return TURNS_PER_PARTY * game.num_parties
    is_count = isinstance(num_turns, int | np.integer) and not isinstance(num_turns, bool)
    if not is_count or num_turns < game.num_parties or num_turns % game.num_parties:
        raise GameError("num_turns", num_turns, f"a multiple of {game.num_parties}, the parties")
    return int(num_turns)


def draw_orders(
    seeds: noise.Words, *, num_parties: int, num_turns: int, proposer: int
) -> npt.NDArray[np.int64]:
    """Draw who speaks in each turn after the opening, (B, num_turns + 1).

    p1's final proposal is the last entry. Every block is any of the permutations that the rules
    allow with the same chance. A lane's order follows from its seed alone, whatever B.

    Args:
        seeds: of the episodes, (B,).
        num_parties: N.
        num_turns: between opening and final proposal, a multiple of N.
        proposer: index of p1.
    """
    num_blocks = num_turns // num_parties
    of_blocks = noise.words(noise.stream(seeds, noise.ORDER), num_blocks)
    blocks = _permutations(of_blocks, num_parties, draw=0)
    last: npt.NDArray[np.int64] | int = proposer
    for k in range(num_blocks):
        block = blocks[:, k]
        broken = np.flatnonzero((block[:, 0] == last) | (block[:, -1] == proposer))
        draw = 0
        while broken.size:
            draw += 1
            again = _permutations(of_blocks[broken, k], num_parties, draw=draw)
            block[broken] = again
            before = last if isinstance(last, int) else last[broken]
            broken = broken[(again[:, 0] == before) | (again[:, -1] == proposer)]
        last = block[:, -1]
    orders = np.full((len(seeds), num_turns + 1), proposer, np.int64)
    orders[:, :-1] = blocks.reshape(len(seeds), num_turns)
    return orders


def _permutations(seeds: noise.Words, size: int, *, draw: int) -> npt.NDArray[np.int64]:
    """Return the k-th permutation that each seed draws, (*seeds.shape, size)."""
    counters = np.arange(draw * size + 1, (draw + 1) * size + 1, dtype=np.uint64)
    return noise.splitmix64(seeds[..., None], counters).argsort(axis=-1, kind="stable")


def begin(game: Game, order: tuple[int, ...], *, explicit_vote: bool) -> NegotiationState:
    """Return the state after the opening."""
    if game.initial_deal is None:
        raise GameError(f"{game.name}: initial deal", None, "a deal to open with")
    p1 = game.proposer_index
    voters = tuple(i for i in range(game.num_parties) if i != p1) if explicit_vote else ()
    return NegotiationState(order, (Proposal(p1, game.initial_deal),), (), voters)


def speak(state: NegotiationState, deal: Deal | None) -> NegotiationState:
    """Let the party whose turn it is speak; ``deal`` None proposes nothing."""
    if state.phase not in (Phase.DISCUSS, Phase.FINAL) or state.speaker is None:
        raise ValueError(f"nobody speaks in phase {state.phase}")
    proposal = Proposal(state.speaker, deal)
    return state._replace(proposals=(*state.proposals, proposal))


def vote(state: NegotiationState, accepts: bool | None) -> NegotiationState:
    """Let the party whose turn it is vote; None abstains, which does not count in favour."""
    if state.phase is not Phase.VOTE:
        raise ValueError(f"nobody votes in phase {state.phase}")
    return state._replace(votes=(*state.votes, accepts))


def outcome(game: Game, state: NegotiationState) -> Verdict:
    """Return what became of the final proposal."""
    if state.phase is not Phase.OVER:
        raise ValueError(f"not over: phase {state.phase}")
    if not state.voters or state.final_deal is None:
        return judge(game, state.final_deal)
    cast = dict(zip(state.voters, state.votes, strict=True))
    cast[game.proposer_index] = True
    return judge(game, state.final_deal, [cast[i] is True for i in range(game.num_parties)])
