"""What a policy that learns no more earns in Cleanup, by the start and the contract in force."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from benchmarks.learning.seeds import Seeds
from benchmarks.learning.terms import DrawnContract
from cleanup_icn import CleanupConfig
from cleanup_icn.noise import episode_seed
from cleanup_icn.solve import social_optimum
from cleanup_icn.starts import Starts

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

MAX_LANES = 8192
"""Most episodes played side by side; more would only take more memory."""


class FrozenPolicy(Protocol):
    """An actor and a critic, as `agents.ppo.MaskedPolicy` is."""

    def act(
        self,
        observations: npt.NDArray[np.float32],
        masks: npt.NDArray[np.int8] | None,
        uniforms: Floats | None,
    ) -> npt.NDArray[np.intp]:
        """Actions (R,) for observations (R, D) under masks (R, A), by chances (R,)."""
        ...

    def values(self, observations: npt.NDArray[np.float32]) -> Floats:
        """What is expected from observations (R, D) on, (R,), reward units."""
        ...


class StartSet(NamedTuple):
    """Amounts that S episodes start with, (S,) each."""

    pollution: Ints  # pollution units
    fruit: Ints  # fruit units

    @classmethod
    def drawn(cls, starts: Starts, seeds: Seeds) -> StartSet:
        """Return the starts that the first episodes of these seeds (S,) have."""
        words: Any = seeds.astype(np.uint64)
        return cls(*starts.draw(np.asarray(episode_seed(words, words * 0))))

    def after(self, config: CleanupConfig) -> StartSet:
        """Return the configured start, and these after it."""
        configured = (config.pollution_initial, config.fruit_initial)
        pairs = zip(configured, self, strict=True)
        return StartSet(*(np.concatenate([[first], others]) for first, others in pairs))

    def __len__(self) -> int:
        """Number S of starts."""
        return len(self.pollution)

    def chosen(self, indices: Ints) -> StartSet:
        """Return the starts at these indices, in this order."""
        return StartSet(self.pollution[indices], self.fruit[indices])

    def shown(self, config: CleanupConfig) -> npt.NDArray[np.float32]:
        """Return what a proposer sees of each start, (S, 2): the amounts over their maxima."""
        river, garden = max(config.pollution_max, 1), max(config.fruit_max, 1)
        return np.stack([self.pollution / river, self.fruit / garden], axis=1).astype(np.float32)

    def optimum(self, config: CleanupConfig) -> Floats:
        """Return the welfare of the social optimum from each start, (S,), fruit units."""
        solved = social_optimum(config)
        pairs = zip(self.pollution.tolist(), self.fruit.tolist(), strict=True)
        return np.array([solved.welfare_from(*pair) for pair in pairs])


class Sampled(NamedTuple):
    """Returns of R episodes from each start under each contract: their mean, and how sure it is."""

    mean: Floats  # (S, K, N), reward units
    standard_error: Floats  # (S, K, N), of the mean; zero where R = 1


@dataclass(frozen=True, eq=False)
class FrozenPlay:
    """Cleanup under contracts of a menu, all seats played by one frozen policy.

    Attributes:
        config: the game.
        terms: the contracts, K of them, and how they are settled.
        policy: its observation shows the contract in force.
    """

    config: CleanupConfig
    terms: DrawnContract
    policy: FrozenPolicy

    @property
    def num_contracts(self) -> int:
        """Number K of contracts."""
        return len(self.terms.contracts)

    def critic_values(self, starts: StartSet) -> Floats:
        """Return what the critic expects every agent to earn, (S, K, N), reward units."""
        everywhere = np.repeat(np.arange(len(starts)), self.num_contracts)
        under = np.tile(np.arange(self.num_contracts), len(starts))
        lanes = self._lanes(starts.chosen(everywhere), under)
        observation, _ = lanes.reset(np.zeros(len(under), np.int64))
        rows = observation.reshape(-1, observation.shape[-1])
        values = self.policy.values(rows)
        return values.reshape(len(starts), self.num_contracts, self.config.num_agents)

    def sample(self, starts: StartSet, seeds: Seeds, *, action_seed: int) -> Sampled:
        """Play R episodes from each start under each contract.

        The r-th episode from a start has the same dice and draws under every contract, so that
        contracts are compared like with like.

        Args:
            starts: S of them.
            seeds: of the episodes, S * R of them, those from one start together.
            action_seed: of the policy's draws.
        """
        num_repeats, k = len(seeds) // len(starts), self.num_contracts
        from_start = np.repeat(np.arange(len(starts)), k * num_repeats)
        under = np.tile(np.repeat(np.arange(k), num_repeats), len(starts))
        by_start = seeds.reshape(len(starts), 1, num_repeats)
        of_lane = np.broadcast_to(by_start, (len(starts), k, num_repeats)).reshape(-1)
        played = self.play(starts.chosen(from_start), under, of_lane, action_seed=action_seed)
        returns = played.reshape(len(starts), k, num_repeats, self.config.num_agents)
        spread = returns.std(axis=2, ddof=1) if num_repeats > 1 else np.zeros_like(returns[:, :, 0])
        return Sampled(returns.mean(axis=2), spread / np.sqrt(num_repeats))

    def play(self, starts: StartSet, contracts: Ints, seeds: Seeds, *, action_seed: int) -> Floats:
        """Return what every agent earns, transfers included, in one episode a lane, (B, N)."""
        from agents.ppo import play_episodes

        parts = []
        for first in range(0, len(starts), MAX_LANES):
            part = np.arange(first, min(first + MAX_LANES, len(starts)))
            lanes = self._lanes(starts.chosen(part), contracts[part])
            played = play_episodes(lanes, self.policy, seeds=seeds[part], action_seed=action_seed)
            parts.append(played.returns)
        return np.concatenate(parts)

    def _lanes(self, starts: StartSet, contracts: Ints) -> _GivenLanes:
        made = self.terms.make_batch(self.config, len(starts), starts=None, auto_reset=False)
        return _GivenLanes(made, starts, contracts)


class _GivenLanes:
    """A batch whose lanes start where they are told, each under the contract that it is told."""

    def __init__(self, batch: Any, starts: StartSet, contracts: Ints) -> None:
        self._batch, self._starts, self._contracts = batch, starts, contracts
        self.num_lanes: int = batch.num_lanes
        self.num_agents: int = batch.num_agents
        self.observation_size: int = batch.observation_size
        self.num_actions: int = batch.num_actions

    def reset(self, seeds: npt.ArrayLike | None = None) -> Any:
        """Start an episode in every lane."""
        return self._batch.reset(
            seeds,
            contracts=self._contracts,
            pollution_initial=self._starts.pollution,
            fruit_initial=self._starts.fruit,
        )

    def step(self, actions: npt.ArrayLike) -> Any:
        """Play one step in every lane."""
        return self._batch.step(actions)
