"""Stage two of contract learning as a batch: lanes in which contracts are proposed and voted on."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from benchmarks.learning.proposals import ContractValues, Flags, Floats, Ints, in_force
from cleanup_icn import ConfigError
from cleanup_icn.batch.world import Words, checked_seeds
from cleanup_icn.noise import episode_seed
from cleanup_icn.starts import draw_integers

NUM_STEPS = 2
"""Steps of an episode: propose, vote."""

_START, _PROPOSER = 0, 1  # channels of what is drawn at the start of an episode

Vectors = npt.NDArray[np.float32]
Masks = npt.NDArray[np.int8]


class ProposalStart(NamedTuple):
    """The beginning of B episodes."""

    observation: Vectors  # (B, N, D)
    mask: Masks  # (B, N, A)


class ProposalFeatures(NamedTuple):
    """What happened in a step of B lanes, (B,) each; all -1 in a step of proposals."""

    start: Ints  # index of the start
    proposer: Ints  # index of the agent
    proposed: Ints  # index of the contract
    in_force: Ints  # index of the contract


class ProposalStep(NamedTuple):
    """One step of B lanes."""

    observation: Vectors  # (B, N, D)
    reward: Floats  # (B, N)
    terminated: Flags  # (B,)
    mask: Masks  # (B, N, A)
    features: ProposalFeatures


class ProposalBatch:
    """B lanes of stage two, with the face that all batches have.

    Actions: 0..K-1 name a contract, K accepts, K + 1 refuses, K + 2 waits; the mask leaves each
    agent what its turn allows. An action that the mask forbids counts as the null contract, a
    refusal or waiting. The reward, in the second step, is the gain over the null contract from the
    same start.

    An observation of size D = F + 1 + 2 N + K holds what the start shows (F), whether it is time to
    vote, who is looking and who proposes (one-hot, N each), and what is proposed (one-hot, K).

    Start and proposer of an episode follow from its seed alone.

    Args:
        table: what each start is worth under each contract.
        shown: (S, F), what the agents see of each start.
        num_lanes: B.
        proposer: index of the agent that always proposes; None draws it for every episode.
        starts: (B,) indices of the starts to begin at; None draws them for every episode.
        auto_reset: whether a lane begins its next episode by itself.
    """

    def __init__(
        self,
        table: ContractValues,
        shown: npt.ArrayLike,
        num_lanes: int,
        *,
        proposer: int | None = None,
        starts: npt.ArrayLike | None = None,
        auto_reset: bool = False,
    ) -> None:
        self._table = table
        self._shown = np.array(shown, np.float32)
        if self._shown.ndim != 2 or len(self._shown) != table.num_starts:
            raise ConfigError("shown shape", self._shown.shape, f"({table.num_starts}, features)")
        if num_lanes < 1:
            raise ConfigError("num_lanes", num_lanes, "an integer of at least 1")
        if proposer is not None and not 0 <= proposer < table.num_agents:
            raise ConfigError(
                "proposer", proposer, f"an integer from 0 to {table.num_agents - 1}, or None"
            )
        self.num_lanes, self.num_agents = num_lanes, table.num_agents
        self._num_contracts = len(table.contracts)
        self.observation_size = self._shown.shape[1] + 1 + 2 * self.num_agents + self._num_contracts
        self.accept = self._num_contracts  # the action that accepts
        self.num_actions = self._num_contracts + 3
        self._given_proposer, self._auto_reset = proposer, auto_reset
        self._given_starts = None if starts is None else self._checked_starts(starts)
        self._gains = table.values - table.values[:, [table.null_index], :]
        self._seeds: Words | None = None
        self._episodes = np.zeros(num_lanes, np.uint64)
        self._phase = np.full(num_lanes, NUM_STEPS)
        self._start = self._proposer = self._proposed = np.zeros(num_lanes, np.int64)

    def reset(self, seeds: npt.ArrayLike | None = None) -> ProposalStart:
        """Begin the first episode of each seed (B,); without seeds, every lane's next episode."""
        if seeds is not None:
            self._seeds = checked_seeds(seeds, self.num_lanes)
            self._episodes = np.zeros(self.num_lanes, np.uint64)
        elif self._seeds is None:
            raise ConfigError("seeds", None, f"{self.num_lanes} integers at the first reset")
        else:
            self._episodes = self._episodes + np.uint64(1)
        self._begin(self._seeds, np.ones(self.num_lanes, np.bool_))
        return ProposalStart(self._observe(), self._masks())

    def step(self, actions: npt.ArrayLike) -> ProposalStep:
        """Take actions (B, N). Raises `ValueError` after the end of an episode."""
        if self._seeds is None or (self._phase >= NUM_STEPS).any():
            raise ValueError("the episode of a lane is over: call reset(), or use auto_reset=True")
        taken = np.asarray(actions)
        if taken.shape != (self.num_lanes, self.num_agents):
            allowed = (self.num_lanes, self.num_agents)
            raise ConfigError("actions shape", taken.shape, str(allowed))
        lanes, voting = np.arange(self.num_lanes), self._phase == 1
        votes = taken == self.accept
        decided = in_force(self._proposed, votes, self._proposer, null_index=self._table.null_index)
        reward = np.where(voting[:, None], self._gains[self._start, decided], 0.0)
        told = (self._start, self._proposer, self._proposed, decided)
        features = ProposalFeatures(*(np.where(voting, each, -1) for each in told))
        named = taken[lanes, self._proposer]
        is_contract = (named >= 0) & (named < self._num_contracts)
        named = np.where(is_contract, named, self._table.null_index)
        self._proposed = np.where(voting, self._proposed, named).astype(np.int64)
        self._phase = self._phase + 1
        if self._auto_reset:
            self._episodes = self._episodes + voting.astype(np.uint64)
            self._begin(self._seeds, voting)
        return ProposalStep(self._observe(), reward, voting, self._masks(), features)

    def _checked_starts(self, starts: npt.ArrayLike) -> Ints:
        given, last = np.array(starts, np.int64), self._table.num_starts - 1
        if given.shape != (self.num_lanes,) or given.min() < 0 or given.max() > last:
            allowed = f"{self.num_lanes} integers from 0 to {last}"
            raise ConfigError("starts", given.tolist(), allowed)
        return given

    def _begin(self, seeds: Words, lanes: Flags) -> None:
        drawn_from = np.asarray(episode_seed(seeds, self._episodes))  # type: ignore[arg-type]
        start, proposer = self._given_starts, self._given_proposer
        if start is None:
            start = draw_integers(drawn_from, _START, 0, self._table.num_starts - 1)
        drawn = draw_integers(drawn_from, _PROPOSER, 0, self.num_agents - 1)
        self._start = np.where(lanes, start, self._start)
        self._proposer = np.where(lanes, drawn if proposer is None else proposer, self._proposer)
        self._phase = np.where(lanes, 0, self._phase)

    def _observe(self) -> Vectors:
        b, n, k = self.num_lanes, self.num_agents, self._num_contracts
        voting = (self._phase == 1).astype(np.float32)
        proposed = np.eye(k, dtype=np.float32)[self._proposed] * voting[:, None]
        public = np.concatenate(
            [
                self._shown[self._start],
                voting[:, None],
                np.eye(n, dtype=np.float32)[self._proposer],
                proposed,
            ],
            axis=1,
        )
        rows = np.empty((b, n, self.observation_size), np.float32)
        at = self._shown.shape[1] + 1
        rows[:, :, :at] = public[:, None, :at]
        rows[:, :, at : at + n] = np.eye(n, dtype=np.float32)
        rows[:, :, at + n :] = public[:, None, at:]
        return rows

    def _masks(self) -> Masks:
        k = self._num_contracts
        proposes = self._proposer[:, None] == np.arange(self.num_agents)
        names = proposes & (self._phase == 0)[:, None]
        votes = ~proposes & (self._phase == 1)[:, None]
        mask = np.zeros((self.num_lanes, self.num_agents, self.num_actions), np.int8)
        mask[names, :k] = 1
        mask[votes, self.accept : self.accept + 2] = 1
        mask[~names & ~votes, k + 2] = 1
        return mask
