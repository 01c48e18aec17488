"""One seat of a batch, the others played by policies that do not learn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from agents.ppo.batch import Batch, LaneEnds, RowPolicy, Start, Step
from agents.ppo.draws import uniforms

_PARTNER, _ACTION = 0, 1


class OneSeat:
    """A batch of one agent a lane: seat `seat` of `batch`, among given others.

    A seat that is given several policies is played, in every episode of every lane, by one of them
    drawn anew. These draws, and those of the others' actions, follow from the lane's seed and the
    number of its episode, whatever is played beside it.

    Args:
        batch: the game with all its seats; whether lanes restart by themselves is its choice.
        seat: index of the seat that is left to the caller.
        others: the policy or policies of every other seat, by index. Seats given wrongly raise
            `ValueError`.
    """

    num_agents = 1

    def __init__(
        self, batch: Batch, seat: int, others: Mapping[int, RowPolicy | Sequence[RowPolicy]]
    ) -> None:
        seats = range(batch.num_agents)
        if seat not in seats:
            raise ValueError(f"seat = {seat!r}: expected an integer from 0 to {len(seats) - 1}")
        needed = [other for other in seats if other != seat]
        if sorted(others) != needed:
            raise ValueError(f"seats of others = {sorted(others)}: expected {needed}")
        self._populations = {other: _population(other, others[other]) for other in needed}
        self._batch, self._seat = batch, seat
        self.num_lanes = batch.num_lanes
        self.observation_size, self.num_actions = batch.observation_size, batch.num_actions
        self._seeds = np.zeros(self.num_lanes, np.uint64)
        self._episodes = np.zeros(self.num_lanes, np.uint64)
        self._steps = np.zeros(self.num_lanes, np.uint64)
        self.partners = np.full((self.num_lanes, batch.num_agents), -1, np.intp)
        """Which of its policies played each seat in the last step, (B, N); -1 at the own seat."""
        self._over = np.zeros(self.num_lanes, np.bool_)

    def reset(self, seeds: ArrayLike | None = None) -> Start:
        """Start an episode in every lane: the one of its seed, or its next one."""
        start = self._batch.reset(seeds)
        if seeds is None:
            self._episodes += np.uint64(1)
        else:
            self._seeds = np.asarray(seeds).astype(np.uint64)
            self._episodes[:] = 0
        self._over[:] = False
        self._begin(np.ones(self.num_lanes, np.bool_))
        return self._own(*start)

    def step(self, actions: NDArray[np.intp]) -> Step:
        """Step every lane by the own seat's actions (B, 1)."""
        # An ended lane that is stepped again has gone on to its next episode by itself.
        self._episodes += self._over
        self._begin(self._over)
        everybody = np.empty((self.num_lanes, self._batch.num_agents), np.intp)
        everybody[:, self._seat] = np.asarray(actions)[:, 0]
        for seat in self._populations:
            everybody[:, seat] = self._actions_of(seat)
        observation, reward, ended, mask, features = self._batch.step(everybody)
        self._steps += np.uint64(1)
        self._over = ended.copy()
        own_observation, own_mask = self._own(observation, mask)
        own_reward = reward[:, self._seat : self._seat + 1]
        if isinstance(features, LaneEnds):
            own_last = features.last_observation[:, self._seat : self._seat + 1]
            features = features._replace(last_observation=own_last)
        return own_observation, own_reward, ended, own_mask, features

    def _own(self, observation: NDArray[np.float32], mask: NDArray[np.int8]) -> Start:
        """Keep what the others see, return what the own seat sees."""
        self._observation, self._mask = observation, mask
        own = slice(self._seat, self._seat + 1)
        return observation[:, own], mask[:, own]

    def _begin(self, starting: NDArray[np.bool_]) -> None:
        """Take note of lanes whose episode starts; the others draw the partners they have."""
        self._steps[starting] = 0
        for seat, population in self._populations.items():
            # As many counters as an action has: with fewer it would be a draw of `play_episodes`.
            drawn = uniforms(self._seeds, self._episodes, _PARTNER, seat, 0)
            self.partners[:, seat] = (drawn * len(population)).astype(np.intp)

    def _actions_of(self, seat: int) -> NDArray[np.intp]:
        drawn = uniforms(self._seeds, self._episodes, _ACTION, seat, self._steps)
        observation, mask = self._observation[:, seat], self._mask[:, seat]
        actions = np.empty(self.num_lanes, np.intp)
        for index, policy in enumerate(self._populations[seat]):
            rows = np.flatnonzero(self.partners[:, seat] == index)
            if rows.size:
                actions[rows] = policy.act(observation[rows], mask[rows], drawn[rows])
        return actions


def _population(seat: int, policies: RowPolicy | Sequence[RowPolicy]) -> tuple[RowPolicy, ...]:
    if not isinstance(policies, Sequence):
        return (policies,)
    if not policies:
        raise ValueError(f"others[{seat}] = (): expected at least one policy")
    return tuple(policies)
