"""p1's seat of many negotiations, the other parties played by partners."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from negotiation_games.batch.course import OVER, VOTE, Flags
from negotiation_games.batch.deck import Games
from negotiation_games.batch.lanes import Floats, Lanes, Masks
from negotiation_games.batch.partners import ConcessionPartners, Partners
from negotiation_games.observe import Vectors
from negotiation_games.sheets import Ints, Sheets


class ProposerFeatures(NamedTuple):
    """What came of the negotiations that ended in a step; zeros where they go on."""

    illegal: Flags  # whether p1's action was not possible, (B,)
    final_deal: Ints  # (B,); num_deals for none and where it goes on
    votes: Flags  # who was in favour of it, (B, N)
    passed: Flags  # (B,)
    unanimous: Flags  # (B,)
    paid: Floats  # to every party, points, (B, N)


class ProposerStart(NamedTuple):
    """What p1 sees in its first turn."""

    observation: Vectors  # (B, 1, D)
    mask: Masks  # (B, 1, A)


class ProposerStep(NamedTuple):
    """What a turn of p1 led to, up to its next one."""

    observation: Vectors  # (B, 1, D)
    reward: Floats  # (B, 1): at the end what p1 was paid above its threshold, else 0
    terminated: Flags  # whether the negotiation ended, (B,)
    mask: Masks  # (B, 1, A)
    features: ProposerFeatures


class BatchProposer:
    """B negotiations as p1 meets them: between two of its turns the other parties speak.

    All lanes end in the same step, after a turn of p1 in every block and its final proposal; with
    the explicit vote the others vote then.

    Args:
        games: a `Game` for all lanes, games of one shape (lane b plays number b modulo how many
            there are), their `Sheets`, or a `SheetPlan`: sheets of their own for every episode.
        num_lanes: B.
        partners: who plays the other seats; None is `ConcessionPartners()`.
        num_turns: between opening and final proposal; None is 4 x parties.
        voting: "implicit" or "explicit".
        no_deal: what failure pays, "threshold" or "zero".
        auto_reset: whether lanes start their next negotiation at once when one ended; observation
            and mask are then the new one's.

    Raises:
        GameError: names the value that cannot be and what is allowed.
    """

    num_agents = 1

    def __init__(
        self,
        games: Games,
        num_lanes: int,
        *,
        partners: Partners | None = None,
        num_turns: int | None = None,
        voting: str = "implicit",
        no_deal: str = "threshold",
        auto_reset: bool = False,
    ) -> None:
        self._lanes = Lanes(games, num_lanes, num_turns=num_turns, voting=voting, no_deal=no_deal)
        self._partners = (partners or ConcessionPartners()).seated(self._lanes)
        self._auto_reset = auto_reset
        self._proposer = self._lanes.shape.proposer_index
        self.num_lanes = int(num_lanes)
        self.observation_size = self._lanes.observer.size
        self.num_actions = self._lanes.num_actions
        self._phase: Ints = np.full(num_lanes, OVER)

    @property
    def sheets(self) -> Sheets:
        """The sheets of the negotiation under way in every lane, B games, copied."""
        return self._lanes.deck.games.take(self._lanes.deck.game_of)

    def reset(self, seeds: npt.ArrayLike | None = None) -> ProposerStart:
        """Start the first negotiation of each lane's seed, or without seeds each lane's next one.

        Raises:
            GameError: these are not B integers, or there were no seeds at all so far.
        """
        self._lanes.seed(seeds)
        self._begin()
        return ProposerStart(*self._seen())

    def step(self, actions: npt.ArrayLike) -> ProposerStep:
        """Make p1's turn in every lane and play to its next one, or to the end.

        Args:
            actions: integers, (B, 1): a deal's number, or ``num_deals`` for none; anything else is
                illegal and proposes nothing.

        Raises:
            ValueError: for another shape, or if the negotiations are over.
        """
        lanes, everywhere = self._lanes, self._lanes.everywhere
        chosen = lanes.checked_actions(actions, (self.num_lanes, 1))[:, 0]
        if self._phase[0] == OVER:
            raise ValueError("the negotiations are over: call reset(), or use auto_reset=True")
        deals, illegal = lanes.as_deals(chosen, self._phase)
        lanes.speak(everywhere, np.full(self.num_lanes, self._proposer), deals, self._phase)
        self._let_others_speak()
        terminated = self._phase == OVER
        reward, features = self._outcome(illegal)
        if self._auto_reset and terminated[0]:
            self._begin()
        observation, mask = self._seen()
        return ProposerStep(observation, reward, terminated, mask, features)

    def _begin(self) -> None:
        everywhere = self._lanes.everywhere
        self._partners.begin(everywhere, self._lanes.begin(everywhere))
        self._let_others_speak()

    def _let_others_speak(self) -> None:
        """Play until it is p1's turn, or all is over, in every lane."""
        lanes, left = self._lanes, self._lanes.everywhere
        while True:
            phases = lanes.course.phases(left)
            parties = lanes.course.speakers(left, phases)
            others = (parties != self._proposer) & (phases != OVER)
            left, parties, phases = left[others], parties[others], phases[others]
            if not left.size:
                break
            if phases[0] == VOTE:  # and in all lanes, p1's final turn being the last of them all
                lanes.course.vote(left, self._partners.favour(left, parties))
            else:
                lanes.speak(left, parties, self._partners.propose(left, parties), phases)
        self._phase = lanes.course.phases(lanes.everywhere)

    def _outcome(self, illegal: Flags) -> tuple[Floats, ProposerFeatures]:
        lanes, num_parties = self._lanes, self._lanes.shape.num_parties
        reward = np.zeros((self.num_lanes, 1))
        if self._phase[0] != OVER:
            none = np.full(self.num_lanes, lanes.shape.num_deals)
            nobody = np.zeros((self.num_lanes, num_parties), np.bool_)
            passed, unanimous = np.zeros((2, self.num_lanes), np.bool_)
            unpaid = np.zeros((self.num_lanes, num_parties))
            return reward, ProposerFeatures(illegal, none, nobody, passed, unanimous, unpaid)
        outcome = lanes.outcome(lanes.everywhere)
        threshold = lanes.deck.thresholds(lanes.everywhere)[:, self._proposer]
        reward[:, 0] = outcome.paid[:, self._proposer] - threshold
        return reward, ProposerFeatures(illegal, *outcome)

    def _seen(self) -> tuple[Vectors, Masks]:
        vectors = self._lanes.vectors(np.full(self.num_lanes, self._proposer), self._phase)
        return vectors[:, None], self._lanes.masks(self._phase)[:, None]
