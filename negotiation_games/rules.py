"""The course of a negotiation. Pure: a state and what a party does in, the next state out.

p1 opens with the initial deal. Then come blocks in each of which every party speaks once, in random
order, such that nobody speaks twice in a row (the opening counts) and p1 closes no block; then p1
makes the final proposal (Abdelnabi et al., NeurIPS 2024 D&B, section 3.2 and published code). With
the explicit vote, ours, every other party then votes; p1's proposal is its own yes.
"""

from __future__ import annotations

import numpy as np

from negotiation_games.game import Deal, Game, GameError
from negotiation_games.scoring import Verdict, judge
from negotiation_games.state import NegotiationState, Phase, Proposal

TURNS_PER_PARTY = 4
"""Blocks of a negotiation unless told otherwise."""


def checked_num_turns(game: Game, num_turns: int | None) -> int:
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


def draw_order(game: Game, num_turns: int, rng: np.random.Generator) -> tuple[int, ...]:
    """Draw who speaks in each turn after the opening; p1's final proposal is the last entry."""
    p1 = game.proposer_index
    order: list[int] = []
    last = p1
    for _ in range(num_turns // game.num_parties):
        block = rng.permutation(game.num_parties)
        while block[0] == last or block[-1] == p1:
            block = rng.permutation(game.num_parties)
        order.extend(int(i) for i in block)
        last = order[-1]
    return (*order, p1)


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
