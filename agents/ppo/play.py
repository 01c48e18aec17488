"""Whole episodes of a batch, played by policies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from agents.ppo.batch import Batch, RowPolicy, Step
from agents.ppo.draws import uniforms

OnStep = Callable[[Step, NDArray[np.bool_]], None]


class Episodes(NamedTuple):
    """One episode of every lane."""

    returns: NDArray[np.float64]  # (B, N), sum of an agent's rewards
    steps: NDArray[np.int64]  # (B,), steps the episode took


def play_episodes(
    batch: Batch,
    policy: RowPolicy | Sequence[RowPolicy],
    *,
    seeds: ArrayLike,
    action_seed: int,
    deterministic: bool = False,
    on_step: OnStep | None = None,
) -> Episodes:
    """Play one episode in every lane.

    A lane's draws follow from its own seed and `action_seed`, whatever is played beside it.

    Args:
        batch: one without automatic restarts; where episodes differ in length, one with them, of
            which the first episode of every lane counts.
        policy: plays all seats, or one policy a seat.
        seeds: of the lanes' episodes, B integers.
        action_seed: of the policies' draws, a non-negative integer.
        deterministic: every policy takes its likeliest action instead of drawing.
        on_step: is shown every step and, shape (B,), which lanes were still in their episode.
    """
    policies = _by_seat(policy, batch.num_agents)
    lane_keys = np.atleast_1d(np.asarray(seeds)).astype(np.uint64)[:, None]
    seats = np.arange(batch.num_agents)
    observation, mask = batch.reset(seeds)
    returns = np.zeros((batch.num_lanes, batch.num_agents))
    steps = np.zeros(batch.num_lanes, np.int64)
    playing = np.ones(batch.num_lanes, np.bool_)
    while playing.any():
        drawn = None
        if not deterministic:
            drawn = uniforms(lane_keys, action_seed, int(steps.max()), seats)
        made = batch.step(_actions(policies, observation, mask, drawn))
        observation, reward, ended, mask, _ = made
        returns += reward * playing[:, None]
        steps += playing
        if on_step is not None:
            on_step(made, playing.copy())
        playing &= ~ended
    return Episodes(returns, steps)


def _by_seat(policy: RowPolicy | Sequence[RowPolicy], num_agents: int) -> tuple[RowPolicy, ...]:
    if not isinstance(policy, Sequence):
        return (policy,) * num_agents
    if len(policy) != num_agents:
        raise ValueError(f"policy = {len(policy)} policies: expected {num_agents}, one a seat")
    return tuple(policy)


def _actions(
    policies: tuple[RowPolicy, ...],
    observation: NDArray[np.float32],
    mask: NDArray[np.int8],
    drawn: NDArray[np.float64] | None,
) -> NDArray[np.intp]:
    """Actions (B, N): one call for all rows where one policy plays all seats."""
    lanes, seats = observation.shape[:2]
    if all(policy is policies[0] for policy in policies):
        rows = observation.reshape(lanes * seats, -1), mask.reshape(lanes * seats, -1)
        flat = None if drawn is None else drawn.reshape(-1)
        return policies[0].act(*rows, flat).reshape(lanes, seats)
    columns = [
        policy.act(observation[:, seat], mask[:, seat], None if drawn is None else drawn[:, seat])
        for seat, policy in enumerate(policies)
    ]
    return np.stack(columns, axis=1)
