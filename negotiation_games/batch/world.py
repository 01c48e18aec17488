"""All parties' seats of many negotiations, turn by turn."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from negotiation_games.batch.course import NOBODY, OVER, VOTE, Flags
from negotiation_games.batch.deck import Games
from negotiation_games.batch.lanes import Floats, Lanes, Masks, Outcome
from negotiation_games.observe import Vectors
from negotiation_games.sheets import Ints, Sheets


class NegotiationFeatures(NamedTuple):
    """What was done in the turn just made, and what came of the negotiations that it ended."""

    speaker: Ints  # whose turn comes next and whose the observation is, (B,); -1 where all is over
    phase: Ints  # what it does: an index in `negotiation_games.observe.PHASES`, (B,)
    party: Ints  # who made the turn, (B,); -1 where all was over before
    deal: Ints  # what it proposed, (B,); num_deals for nothing
    illegal: Flags  # whether its action was not possible, (B,)
    final_deal: Ints  # of what is over now, (B,); num_deals for none and where it goes on
    votes: Flags  # who was in favour of it, (B, N)
    passed: Flags  # (B,)
    unanimous: Flags  # (B,)


class NegotiationStart(NamedTuple):
    """What the party sees whose turn comes first."""

    observation: Vectors  # (B, D)
    mask: Masks  # (B, A)
    speaker: Ints  # (B,)


class NegotiationStep(NamedTuple):
    """What a turn led to."""

    observation: Vectors  # of the party whose turn comes next, (B, D)
    reward: Floats  # of every party, points, (B, N): zeros but at the end
    terminated: Flags  # whether the negotiation ended in this step, (B,)
    mask: Masks  # what that party can do, (B, A); nothing where all is over
    features: NegotiationFeatures


class BatchNegotiation:
    """B negotiations of one shape, in each of which the party whose turn it is acts.

    Actions are numbers as in the single environment: a deal's number, ``num_deals`` for none, with
    the explicit vote the next two accept and reject; anything else is illegal and proposes nothing,
    or abstains. With the explicit vote a negotiation without a final proposal ends before others:
    then its lane stands still, whatever its action, unless ``auto_reset``.

    Args:
        games: a `Game` for all lanes, games of one shape (lane b plays number b modulo how many
            there are), their `Sheets`, or a `SheetPlan`: sheets of their own for every episode.
        num_lanes: B.
        num_turns: between opening and final proposal; None is 4 x parties.
        voting: "implicit" or "explicit".
        no_deal: what failure pays, "threshold" or "zero".
        auto_reset: whether a lane whose negotiation ended starts its next one at once; observation,
            mask, speaker and phase are then the new one's.

    Raises:
        GameError: names the value that cannot be and what is allowed.
    """

    def __init__(
        self,
        games: Games,
        num_lanes: int,
        *,
        num_turns: int | None = None,
        voting: str = "implicit",
        no_deal: str = "threshold",
        auto_reset: bool = False,
    ) -> None:
        self._lanes = Lanes(games, num_lanes, num_turns=num_turns, voting=voting, no_deal=no_deal)
        self._auto_reset = auto_reset
        self.num_lanes = int(num_lanes)
        self.num_agents = self._lanes.shape.num_parties
        self.observation_size = self._lanes.observer.size
        self.num_actions = self._lanes.num_actions
        self._phase: Ints = np.full(num_lanes, OVER)
        self._speaker: Ints = np.full(num_lanes, NOBODY)

    @property
    def sheets(self) -> Sheets:
        """The sheets of the negotiation under way in every lane, B games, copied."""
        return self._lanes.deck.games.take(self._lanes.deck.game_of)

    def reset(self, seeds: npt.ArrayLike | None = None) -> NegotiationStart:
        """Start the first negotiation of each lane's seed, or without seeds each lane's next one.

        Raises:
            GameError: these are not B integers, or there were no seeds at all so far.
        """
        self._lanes.seed(seeds)
        self._lanes.begin(self._lanes.everywhere)
        self._look()
        return NegotiationStart(*self._seen(), self._speaker.copy())

    def step(self, actions: npt.ArrayLike) -> NegotiationStep:
        """Make the turn of the party whose turn it is in each lane.

        Args:
            actions: integers, (B,).

        Raises:
            ValueError: for another shape, or if the negotiations of all lanes are over.
        """
        lanes, phase, party = self._lanes, self._phase, self._speaker
        chosen = lanes.checked_actions(actions, (self.num_lanes,))
        if (phase == OVER).all():
            raise ValueError("all negotiations are over: call reset(), or use auto_reset=True")
        deal, illegal = lanes.as_deals(chosen, phase)
        speaking = np.flatnonzero(phase < VOTE)
        lanes.speak(speaking, party[speaking], deal[speaking], phase[speaking])
        voting = np.flatnonzero(phase == VOTE)
        lanes.course.vote(voting, chosen[voting] == lanes.shape.num_deals + 1)
        self._look()
        terminated = (self._phase == OVER) & (phase != OVER)
        ended = self._ended(np.flatnonzero(terminated))
        observation, mask = self._seen()
        features = NegotiationFeatures(
            speaker=self._speaker.copy(),
            phase=self._phase.copy(),
            party=party,
            deal=deal,
            illegal=illegal & (phase != OVER),
            final_deal=ended.deals,
            votes=ended.votes,
            passed=ended.passed,
            unanimous=ended.unanimous,
        )
        return NegotiationStep(observation, ended.paid, terminated, mask, features)

    def _look(self) -> None:
        self._phase = self._lanes.course.phases(self._lanes.everywhere)
        self._speaker = self._lanes.course.speakers(self._lanes.everywhere, self._phase)

    def _seen(self) -> tuple[Vectors, Masks]:
        # Where all is over the first party looks, as in the single environment.
        parties = np.maximum(self._speaker, 0)
        return self._lanes.vectors(parties, self._phase), self._lanes.masks(self._phase)

    def _ended(self, ended: Ints) -> Outcome:
        """Return what became of all lanes, nothing but in these; start those anew if asked to."""
        shape = (self.num_lanes, self.num_agents)
        votes, paid = np.zeros(shape, np.bool_), np.zeros(shape)
        passed, unanimous = np.zeros((2, self.num_lanes), np.bool_)
        none = np.full(self.num_lanes, self._lanes.shape.num_deals)
        became = Outcome(none, votes, passed, unanimous, paid)
        if ended.size:
            for whole, part in zip(became, self._lanes.outcome(ended), strict=True):
                whole[ended] = part
            if self._auto_reset:
                self._lanes.begin(ended)
                self._look()
        return became
