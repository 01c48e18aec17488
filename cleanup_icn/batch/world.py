"""Many games of Cleanup side by side: their state as arrays, moved by the scalar rule book.

Kernels here change the arrays that they are given. Array axes are B (lanes), N (agents), then what
is told of each.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from cleanup_icn.batch.compiled import compiled, warn_if_interpreted, word
from cleanup_icn.config import CleanupConfig, ConfigError
from cleanup_icn.noise import FRUIT, POLLUTION, counter_of, episode_seed, uniform
from cleanup_icn.observe import VectorObserver
from cleanup_icn.rules import is_legal, step
from cleanup_icn.starts import Starts
from cleanup_icn.state import NUM_ACTIONS, CleanupState, Dice, Parameters

LARGEST_AMOUNT = 2**31
"""No amount of a configuration may be above this in a batch: lanes count in 64 bits."""

Floats = npt.NDArray[np.float64]
Vectors = npt.NDArray[np.float32]
Masks = npt.NDArray[np.int8]
Ints = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]
Flags = npt.NDArray[np.bool_]


class BatchFeatures(NamedTuple):
    """What every agent did in a step, float64 of shape (B, N) each."""

    harvested: Floats  # fruit units taken
    cleaned: Floats  # pollution units removed
    illegal: Floats  # 1 where the action was not possible


class World(NamedTuple):
    """A configuration as arrays: T steps, S segments in which parameters stay."""

    segment: Ints  # (T + 1,): index of the segment that each step is in
    amounts: Ints  # (S, 5): the first five `Parameters`
    probs: Floats  # (S, 2): of pollution growth and of fruit growth
    pollution_max: int
    fruit_max: int
    is_linear: bool
    vectors: Vectors  # (T + 1, N, D): what vectors say of the step itself, the rest is written over
    scales: Floats  # (3,): by what pollution, fruit and step are divided in a vector


class LaneStates(NamedTuple):
    """The states of B lanes, (B,) each; the kernels write into them."""

    at_shore: Ints  # set of agents at the shore, bit i for agent i
    pollution: Ints
    fruit: Ints
    step: Ints  # play steps made
    episode_seed: Words


def world_of(config: CleanupConfig) -> World:
    """Lay a configuration out. Raises `ConfigError` for an amount too large for a batch."""
    horizon = config.horizon_steps
    segments = {config.parameters_at(t): None for t in (0, *config.change_steps)}
    numbers = {parameters: index for index, parameters in enumerate(segments)}
    for parameters in segments:
        for name, amount in zip(Parameters._fields, parameters, strict=True):
            if amount > LARGEST_AMOUNT:
                raise ConfigError(name, amount, f"at most {LARGEST_AMOUNT} in a batch")
    observer, nowhere = VectorObserver(config), CleanupState(0, 0, 0)
    return World(
        segment=np.array([numbers[config.parameters_at(t)] for t in range(horizon + 1)]),
        amounts=np.array([parameters[:5] for parameters in segments], np.int64),
        probs=np.array([parameters[5:7] for parameters in segments], np.float64),
        pollution_max=config.pollution_max,
        fruit_max=config.fruit_max,
        is_linear=config.fruit_regrowth == "linear",
        vectors=np.stack([observer.vectors(nowhere, t) for t in range(horizon + 1)]),
        scales=observer.amount_scales.astype(np.float64),
    )


@compiled
def advance(
    world: World, lanes: LaneStates, plays: Flags, actions: Ints, features: BatchFeatures
) -> None:
    """Play one step in the lanes that play; in the others nothing changes and nothing is done.

    Args:
        world: the configuration.
        lanes: the states, written to.
        plays: (B,): which lanes play.
        actions: (B, N): any integers; what is none of the four is a wait, and illegal.
        features: (B, N) each, written to.
    """
    joint: Any = np.empty(actions.shape[1], np.int64)
    for b in range(len(plays)):
        if not plays[b]:
            for i in range(actions.shape[1]):
                features.harvested[b, i] = 0.0
                features.cleaned[b, i] = 0.0
                features.illegal[b, i] = 0.0
            continue
        s = world.segment[lanes.step[b]]
        parameters = Parameters(
            world.amounts[s, 0],
            world.amounts[s, 1],
            world.amounts[s, 2],
            world.amounts[s, 3],
            world.amounts[s, 4],
            world.probs[s, 0],
            world.probs[s, 1],
            world.pollution_max,
            world.fruit_max,
            world.is_linear,
        )
        seed = word(lanes.episode_seed[b])
        dice = Dice(
            uniform(seed, word(counter_of(lanes.step[b], POLLUTION))),
            uniform(seed, word(counter_of(lanes.step[b], FRUIT))),
        )
        for i in range(len(joint)):
            joint[i] = actions[b, i]  # a view of a row would cost more than the step
        before = CleanupState(lanes.at_shore[b], lanes.pollution[b], lanes.fruit[b])
        state, did = step(before, joint, dice, parameters)
        lanes.at_shore[b] = state.at_shore
        lanes.pollution[b] = state.pollution
        lanes.fruit[b] = state.fruit
        lanes.step[b] += 1
        for i in range(actions.shape[1]):
            features.harvested[b, i] = did.harvest_share * (did.harvesters >> i & 1)
            features.cleaned[b, i] = did.clean_share * (did.cleaners >> i & 1)
            features.illegal[b, i] = did.illegal >> i & 1


@compiled
def observe(world: World, lanes: LaneStates, rows: Vectors) -> None:
    """Write every agent's vector (`cleanup_icn.observe.VectorObserver`) to the head of its row.

    ``rows`` are (B, N, D) with D at least 2 N + 27; what is behind the vector stays.
    """
    n = rows.shape[1]
    for b in range(rows.shape[0]):
        t = lanes.step[b]
        pollution = np.float32(lanes.pollution[b] / world.scales[0])
        fruit = np.float32(lanes.fruit[b] / world.scales[1])
        for i in range(n):
            for k in range(world.vectors.shape[2]):
                rows[b, i, k] = world.vectors[t, i, k]
            for j in range(n):
                rows[b, i, n + j] = lanes.at_shore[b] >> j & 1
            rows[b, i, 2 * n] = pollution
            rows[b, i, 2 * n + 1] = fruit


@compiled
def write_masks(at_shore: Ints, masks: Masks) -> None:
    """Write which of the four actions are legal to the head of every agent's mask, (B, N, A)."""
    for b in range(masks.shape[0]):
        for i in range(masks.shape[1]):
            for action in range(NUM_ACTIONS):
                masks[b, i, action] = is_legal(action, at_shore[b] >> i & 1 != 0)


class LaneWorlds:
    """B games of one configuration: where each of them stands, and in which episode.

    Args:
        config: the configuration of all lanes.
        num_lanes: B, at least 1.
        starts: where episodes start; by default where the configuration says.

    Raises:
        ConfigError: for a number of lanes, an amount or a start that cannot be.
    """

    def __init__(
        self, config: CleanupConfig, num_lanes: int, *, starts: Starts | None = None
    ) -> None:
        if isinstance(num_lanes, bool) or not _is_integer(num_lanes) or num_lanes < 1:
            raise ConfigError("num_lanes", num_lanes, "an integer of at least 1")
        if starts is not None:
            starts.check(config)
        warn_if_interpreted()
        self.config, self.num_lanes = config, int(num_lanes)
        self.world = world_of(config)
        self.vector_size = VectorObserver(config).size
        self.episode = np.full(num_lanes, -1, np.int64)  # number of each lane's episode, from 0
        self._starts = starts
        self._seeds = np.zeros(num_lanes, np.uint64)
        self._everywhere = np.ones(num_lanes, np.bool_)
        self.lanes = LaneStates(
            at_shore=np.zeros(num_lanes, np.int64),
            pollution=np.zeros(num_lanes, np.int64),
            fruit=np.zeros(num_lanes, np.int64),
            step=np.zeros(num_lanes, np.int64),
            episode_seed=np.zeros(num_lanes, np.uint64),
        )

    def reset(
        self,
        seeds: npt.ArrayLike | None,
        *,
        pollution_initial: npt.ArrayLike | None,
        fruit_initial: npt.ArrayLike | None,
    ) -> None:
        """Start the first episode of its seed in every lane; None starts the next ones.

        Starts given here, (B,) or one for all, go before those that are drawn or configured.
        What is refused changes nothing.

        Raises:
            ConfigError: the seeds are not B integers, there is nothing to go on from, or a start is
                outside its range.
        """
        pollution = self._checked_start("pollution", pollution_initial)
        fruit = self._checked_start("fruit", fruit_initial)
        if seeds is not None:
            self._seeds = checked_seeds(seeds, self.num_lanes)
            self.episode[:] = -1
        elif self.episode[0] < 0:
            raise ConfigError("seeds", seeds, f"{self.num_lanes} integers at the first reset")
        self.begin(self._everywhere, pollution=pollution, fruit=fruit)

    def begin(
        self, which: Flags, *, pollution: Ints | None = None, fruit: Ints | None = None
    ) -> None:
        """Start the next episode in the lanes where ``which`` (B,) is true.

        Args:
            which: the lanes.
            pollution: units to start from, (B,), in place of drawn or configured ones.
            fruit: likewise.
        """
        lanes = self.lanes
        self.episode[which] += 1
        words = self.episode.astype(np.uint64)
        seeds = np.asarray(episode_seed(self._seeds, words))  # type: ignore[arg-type]
        lanes.episode_seed[which] = seeds[which]
        config = self.config
        drawn = self._starts.draw(seeds) if self._starts else (None, None)
        for name, amounts, given, own in (
            ("pollution", lanes.pollution, pollution, drawn[0]),
            ("fruit", lanes.fruit, fruit, drawn[1]),
        ):
            start = own if given is None else given
            configured = getattr(config, f"{name}_initial")
            amounts[which] = configured if start is None else start[which]
        lanes.at_shore[which] = 0
        lanes.step[which] = 0

    def advance(self, actions: Ints, plays: Flags | None = None) -> BatchFeatures:
        """Play one step in the lanes where ``plays`` (B,) is true, or in all."""
        shape = (self.num_lanes, self.config.num_agents)
        features = BatchFeatures(np.empty(shape), np.empty(shape), np.empty(shape))
        plays = self._everywhere if plays is None else plays
        advance(self.world, self.lanes, plays, actions, features)
        return features

    def observe(self, rows: Vectors) -> None:
        """Write the lanes' vectors to the head of these rows, (B, N, at least D)."""
        observe(self.world, self.lanes, rows)

    def write_masks(self, masks: Masks) -> None:
        """Write the lanes' masks to the head of these, (B, N, at least 4)."""
        write_masks(self.lanes.at_shore, masks)

    @property
    def is_over(self) -> Flags:
        """Which lanes have played their last step, (B,)."""
        over: Flags = self.lanes.step >= self.config.horizon_steps
        return over

    def checked_actions(self, actions: npt.ArrayLike) -> Ints:
        """Return actions as int64 (B, N).

        Raises:
            ValueError: for another shape or what are no integers, or if all episodes are over.
        """
        shape = (self.num_lanes, self.config.num_agents)
        given = np.asarray(actions)
        if given.shape != shape or given.dtype.kind not in "iu":
            raise ValueError(
                f"actions: expected integers of shape {shape}, not {given.dtype} {given.shape}"
            )
        if self.episode[0] < 0 or self.is_over.all():
            raise ValueError("all episodes are over: call reset(), or use auto_reset=True")
        ours = np.ascontiguousarray(given, np.int64)
        # Kernels would be compiled once more for what cannot be written to.
        return ours if ours.flags.writeable else ours.copy()

    def _checked_start(self, name: str, given: npt.ArrayLike | None) -> Ints | None:
        if given is None:
            return None
        limit = getattr(self.config, f"{name}_max")
        return lane_integers(f"{name}_initial", given, num_lanes=self.num_lanes, highest=limit)


def lane_integers(name: str, given: npt.ArrayLike, *, num_lanes: int, highest: int) -> Ints:
    """Return what is given for each lane, or once for all, as (B,).

    Raises:
        ConfigError: these are not integers from 0 to ``highest``.
    """
    allowed = f"integers from 0 to {highest}, one or {num_lanes}"
    try:
        numbers = np.asarray(given)
    except ValueError:  # rows of unlike lengths
        raise ConfigError(name, given, allowed) from None
    if (
        numbers.dtype.kind not in "iu"
        or numbers.shape not in ((), (num_lanes,))
        or numbers.min() < 0
        or numbers.max() > highest
    ):
        raise ConfigError(name, given, allowed)
    return np.broadcast_to(numbers.astype(np.int64), (num_lanes,))


def checked_seeds(seeds: npt.ArrayLike, num_lanes: int) -> Words:
    """Return B integers as 64-bit words, as the single environment reduces its seed."""
    if isinstance(seeds, np.ndarray) and seeds.dtype.kind in "iu" and seeds.shape == (num_lanes,):
        return seeds.astype(np.uint64)
    given = list(seeds) if isinstance(seeds, list | tuple | range) else None
    if given is None or len(given) != num_lanes or not all(map(_is_integer, given)):
        raise ConfigError("seeds", seeds, f"{num_lanes} integers, one for each lane")
    return np.array([int(seed) % 2**64 for seed in given], np.uint64)


def _is_integer(value: object) -> bool:
    return isinstance(value, int | np.integer)
