"""B negotiations under way: their sheets, their course, and what the parties see."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from negotiation_games import noise, rules
from negotiation_games.batch.course import FINAL, Course, Flags
from negotiation_games.batch.deck import Deck, Games
from negotiation_games.game import GameError, check_choice
from negotiation_games.observe import VectorObserver, Vectors, action_masks, one_hot
from negotiation_games.scoring import NO_DEAL_KINDS, passing, rewards, votes_on
from negotiation_games.sheets import Ints

Masks = npt.NDArray[np.int8]
Floats = npt.NDArray[np.float64]


class Outcome(NamedTuple):
    """What became of the final proposals in lanes that are over."""

    deals: Ints  # numbers of the final proposals, num_deals for none, (b,)
    votes: Flags  # who is in favour, (b, N)
    passed: Flags  # (b,)
    unanimous: Flags  # (b,)
    paid: Floats  # to every party, points, (b, N)


class Lanes:
    """The negotiations of B lanes, with seeds and episodes as in the single environment.

    Args:
        games: what is played.
        num_lanes: B, at least 1.
        num_turns: between opening and final proposal; None is 4 x parties.
        voting: "implicit" or "explicit".
        no_deal: what failure pays, "threshold" or "zero".

    Raises:
        GameError: names the value that cannot be and what is allowed.
    """

    def __init__(
        self, games: Games, num_lanes: int, *, num_turns: int | None, voting: str, no_deal: str
    ) -> None:
        check_choice("voting", voting, rules.VOTINGS)
        check_choice("no_deal", no_deal, NO_DEAL_KINDS)
        is_count = isinstance(num_lanes, int | np.integer) and not isinstance(num_lanes, bool)
        if not is_count or num_lanes < 1:
            raise GameError("num_lanes", num_lanes, "an integer of at least 1")
        self.deck = Deck(games, num_lanes)
        self.shape = shape = self.deck.shape
        self.num_turns = rules.checked_num_turns(shape, num_turns)
        self.explicit_vote = voting == "explicit"
        self.everywhere: Ints = np.arange(num_lanes)
        self.course = Course(
            num_lanes, shape, num_turns=self.num_turns, explicit_vote=self.explicit_vote
        )
        self.observer = VectorObserver(
            num_lanes, num_parties=shape.num_parties, num_options=shape.num_options
        )
        self._no_deal = no_deal
        self._masks = action_masks(shape.num_deals, explicit_vote=self.explicit_vote)
        self._seeds = np.zeros(num_lanes, np.uint64)
        self._episodes = np.full(num_lanes, -1, np.int64)

    @property
    def num_actions(self) -> int:
        """Number A of actions."""
        return int(self._masks.shape[1])

    def seed(self, seeds: npt.ArrayLike | None) -> None:
        """Let every lane's next episode be the first of its seed; None lets it be the next.

        Raises:
            GameError: these are not B integers, or there is nothing to go on from.
        """
        allowed = f"{len(self.everywhere)} integers, one for each lane"
        if seeds is None:
            if self._episodes[0] < 0:
                raise GameError("seeds", None, f"{allowed}, at the first reset")
            return
        try:
            words = noise.as_words(seeds)
        except (TypeError, ValueError) as error:
            raise GameError("seeds", seeds, allowed) from error
        if words.shape != self._seeds.shape:
            raise GameError("seeds", f"shape {words.shape}", allowed)
        self._seeds, self._episodes[:] = words, -1

    def begin(self, lanes: Ints) -> noise.Words:
        """Start the next episode in these lanes; return its seeds, (b,)."""
        self._episodes[lanes] += 1
        seeds = noise.episode_seeds(self._seeds[lanes], self._episodes[lanes])
        self.deck.deal(lanes, seeds)
        openings = self.deck.openings(lanes)
        self.course.begin(lanes, seeds, openings)
        self.observer.begin(lanes)
        self._count(lanes, np.full(len(lanes), self.shape.proposer_index), openings)
        return seeds

    def speak(self, lanes: Ints, parties: Ints, deals: Ints, phases: Ints) -> None:
        """Let these parties, whose turn it is, propose deals or nothing, (b,) each."""
        self.course.speak(lanes, deals)
        made = np.flatnonzero(deals < self.shape.num_deals)
        final = phases[made] == FINAL
        self._count(
            lanes[made], parties[made], deals[made], is_final=final if final.any() else None
        )

    def vectors(self, parties: Ints, phases: Ints) -> Vectors:
        """Return what one party of every lane sees, (B, D)."""
        own = self.deck.own_parts(self.everywhere, parties)
        return self.observer.vectors(own, phases, self.course.share_made)

    def masks(self, phases: Ints) -> Masks:
        """Return what can be done in these phases, (b, A)."""
        masks: Masks = self._masks[phases]
        return masks

    def as_deals(self, actions: Ints, phases: Ints) -> tuple[Ints, Flags]:
        """Return the deals that actions propose, num_deals for none, and what was illegal, (b,)."""
        d = self.shape.num_deals
        speaks = phases <= FINAL
        proposes = speaks & (actions >= 0) & (actions < d)
        votes = ~speaks & (actions > d) & (actions <= d + 2)
        legal = proposes | votes | (speaks & (actions == d))
        return np.where(proposes, actions, d), ~legal

    def outcome(self, lanes: Ints) -> Outcome:
        """Return what became of the negotiations in these lanes, which are over."""
        shape, deals = self.shape, self.course.final_deals[lanes]
        proposed = deals < shape.num_deals
        scores = self.deck.scores(lanes, np.where(proposed, deals, 0))
        thresholds = self.deck.thresholds(lanes)
        p1 = shape.proposer_index
        if self.explicit_vote:
            votes = self.course.ballots[lanes]
        else:
            votes = votes_on(scores, thresholds, proposer=p1)
        votes = votes & proposed[:, None]
        passed = passing(votes, proposer=p1, veto=shape.veto_index)
        unanimous: Flags = np.asarray(votes.all(axis=-1))
        paid = rewards(
            scores,
            thresholds,
            passed=passed,
            unanimous=unanimous,
            saboteurs=self.deck.saboteurs(lanes),
            proposer=p1,
            no_deal=self._no_deal,
        )
        return Outcome(deals, votes, passed, unanimous, paid)

    def checked_actions(self, actions: npt.ArrayLike, shape: tuple[int, ...]) -> Ints:
        """Return actions as int64. Raises `ValueError` for another shape or no integers."""
        given = np.asarray(actions)
        if given.shape != shape or given.dtype.kind not in "iu":
            raise ValueError(
                f"actions: expected integers of shape {shape}, not {given.dtype} {given.shape}"
            )
        return given.astype(np.int64)

    def _count(
        self, lanes: Ints, parties: Ints, deals: Ints, *, is_final: Flags | None = None
    ) -> None:
        hot = one_hot(self.shape.options_of(deals), self.shape.num_options)
        self.observer.count(lanes, parties, hot, is_final=is_final)
