"""How fast environments are stepped: play that is timed, a row of what came of it, a profile."""

from __future__ import annotations

import cProfile
import pstats
import sys
import tracemalloc
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any, NamedTuple, Protocol

import numpy as np
from pettingzoo import AECEnv, ParallelEnv

MOST_TURNS = 1000


class Lap(NamedTuple):
    """Some steps, and how long they took."""

    agent_steps: int  # actions taken: one for each agent that acts in a step
    seconds: float  # of CPU time, so that whatever else the machine does counts little


Play = Callable[[], Lap]
"""Plays on for a while; what it needs beside the environment is prepared before the clock runs."""


class Batch(Protocol):
    """Lanes of one game stepped together, as `agents.ppo.batch.Batch` describes them."""

    @property
    def num_lanes(self) -> int:
        """Number B of lanes."""
        ...

    @property
    def num_agents(self) -> int:
        """Number N of agents of a lane."""
        ...

    @property
    def num_actions(self) -> int:
        """Number A of actions of an agent."""
        ...

    def reset(self, seeds: Any = None) -> Any:
        """Start an episode in every lane."""
        ...

    def step(self, actions: Any) -> Any:
        """Step every lane."""
        ...


def play_parallel(env: ParallelEnv[Any, Any, Any]) -> Play:
    """Play whole episodes of a parallel environment at random, resets included."""
    env.reset(seed=0)
    rng = np.random.default_rng(0)
    num_actions = int(env.action_space(env.possible_agents[0]).n)
    horizon = _count_steps(env)

    def play() -> Lap:
        drawn = rng.integers(num_actions, size=(horizon, len(env.possible_agents))).tolist()
        plan = [dict(zip(env.possible_agents, joint, strict=True)) for joint in drawn]
        start = process_time()
        env.reset()
        for actions in plan:
            env.step(actions)
        return Lap(horizon * len(env.possible_agents), process_time() - start)

    return play


def play_turns(env: AECEnv[Any, Any, Any], *, num_actions: int) -> Play:
    """Play whole episodes of a turn-based environment at random, in the loop of PettingZoo's docs.

    Args:
        env: whose episodes have at most `MOST_TURNS` turns.
        num_actions: actions are drawn below this.
    """
    env.reset(seed=0)
    rng = np.random.default_rng(0)

    def play() -> Lap:
        actions = iter(rng.integers(num_actions, size=MOST_TURNS).tolist())
        turns = 0
        start = process_time()
        env.reset()
        for _agent in env.agent_iter():
            _, _, is_terminated, is_truncated, _ = env.last()
            if is_terminated or is_truncated:
                env.step(None)
            else:
                env.step(next(actions))
                turns += 1
        return Lap(turns, process_time() - start)

    return play


def play_batch(batch: Batch, *, in_turn: bool = False) -> Play:
    """Step a batch that restarts lanes by itself, at random.

    Args:
        batch: the lanes.
        in_turn: whether one agent of a lane acts in a step, and not all of them.
    """
    batch.reset(np.arange(batch.num_lanes))
    rng = np.random.default_rng(0)
    shape = (batch.num_lanes,) if in_turn else (batch.num_lanes, batch.num_agents)

    def play() -> Lap:
        actions = rng.integers(batch.num_actions, size=shape)
        start = process_time()
        batch.step(actions)
        return Lap(actions.size, process_time() - start)

    return play


def measure(
    plays: Mapping[str, Play], *, repeats: int, share_s: float, tell: Callable[[str], None]
) -> dict[str, list[float]]:
    """Return agent-steps a second, so many times for each play, all in turn in every repeat.

    Args:
        plays: by name.
        repeats: at least 1.
        share_s: how long each is played in a repeat, at least, in seconds of CPU time.
        tell: is told how far it is.
    """
    rates: dict[str, list[float]] = {name: [] for name in plays}
    for repeat in range(repeats):
        tell(f"repeat {repeat + 1} of {repeats}")
        for name, play in plays.items():
            rates[name].append(_rate(play, share_s))
    return rates


def _rate(play: Play, share_s: float) -> float:
    agent_steps, seconds = play()
    while seconds < share_s:
        lap = play()
        agent_steps += lap.agent_steps
        seconds += lap.seconds
    return agent_steps / seconds


def traced_bytes(make: Callable[[], Batch], *, in_turn: bool = False) -> int:
    """Return the most bytes that a batch holds at once while it is made, reset and stepped."""
    tracemalloc.start()
    try:
        play = play_batch(make(), in_turn=in_turn)
        play()
        play()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@dataclass(frozen=True, kw_only=True)
class EnvBenchRow:
    """How fast one environment is."""

    name: str
    num_agents: int
    num_lanes: int
    rates: Sequence[float]  # agent-steps a second, one a repeat
    floor: float  # the floor's median
    own_floor: float | None = None  # the median of an empty environment that is more like this one
    goal: float | None = None  # the least ratio to the floor that is aimed at
    num_bytes: int | None = None  # of a batch, at its peak
    first_call_s: float | None = (
        None  # wall time to make, reset and step a batch for the first time
    )

    @property
    def agent_steps_per_s(self) -> float:
        """The median over repeats."""
        return median(self.rates)

    @property
    def ratio_to_floor(self) -> float:
        """How many times as fast as the floor it is."""
        return self.agent_steps_per_s / self.floor

    @property
    def meets_goal(self) -> bool | None:
        """Whether the goal is met; None without one."""
        return None if self.goal is None else self.ratio_to_floor >= self.goal

    def to_dict(self) -> dict[str, Any]:
        """Return the row as JSON values."""
        rate, own, lanes = self.agent_steps_per_s, self.own_floor, self.num_lanes
        return {
            "name": self.name,
            "agent_steps_per_s": rate,
            "ratio_to_floor": self.ratio_to_floor,
            "n": len(self.rates),
            "low": min(self.rates),
            "high": max(self.rates),
            "num_agents": self.num_agents,
            "num_lanes": lanes,
            "ratio_to_negotiation_floor": None if own is None else rate / own,
            "goal_ratio": self.goal,
            "goal_met": self.meets_goal,
            "bytes": self.num_bytes,
            "bytes_per_lane": None if self.num_bytes is None else self.num_bytes / lanes,
            "first_call_s": self.first_call_s,
        }


@dataclass(frozen=True, kw_only=True)
class ProfileRow:
    """What one function took of a play."""

    function: str
    calls: int
    own_s: float
    share: float  # of all functions' own time

    def to_dict(self) -> dict[str, Any]:
        """Return the row as JSON values."""
        return dict(vars(self))


def profile(play: Play, *, share_s: float, most: int = 15) -> list[ProfileRow]:
    """Return the functions with the most time of their own while this is played."""
    profiler = cProfile.Profile()
    profiler.enable()
    try:
        _rate(play, share_s)
    finally:
        profiler.disable()
    stats: dict[tuple[str, int, str], Any] = pstats.Stats(profiler).stats  # type: ignore[attr-defined]
    own_s = {where: figures[2] for where, figures in stats.items()}
    total_s = sum(own_s.values())
    slowest = sorted(own_s, key=lambda where: own_s[where], reverse=True)
    return [
        ProfileRow(
            function=_named(*where),
            calls=stats[where][1],
            own_s=own_s[where],
            share=own_s[where] / total_s,
        )
        for where in islice(slowest, most)
    ]


def _named(file: str, line: int, function: str) -> str:
    """Name a function by its module's path, if it has one."""
    if line == 0:  # written in C
        return function
    roots = sorted((Path(root) for root in sys.path if root), key=lambda r: -len(str(r)))
    path = Path(file)
    short = next((path.relative_to(r) for r in roots if path.is_relative_to(r)), Path(path.name))
    return f"{short.as_posix()}:{line} {function}"


def _count_steps(env: ParallelEnv[Any, Any, Any]) -> int:
    """Return how many steps an episode has, all actions 0."""
    steps = 0
    while env.agents:
        env.step(dict.fromkeys(env.agents, 0))
        steps += 1
    return steps
