"""The rows of `commonweal bench env`: which environments are measured, and what is aimed at."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median
from time import perf_counter
from typing import Any, NamedTuple

import negotiation_games
from benchmarks.env_bench import (
    Batch,
    EnvBenchRow,
    Play,
    measure,
    play_batch,
    play_parallel,
    play_turns,
    traced_bytes,
)
from benchmarks.env_floor import CopiedCleanup, EmptyCleanup, EmptyNegotiation
from cleanup_icn import CleanupConfig, env, parallel_env
from cleanup_icn.batch import BatchCleanup
from cleanup_icn.batch.contracts import BatchContract
from cleanup_icn.batch.icn import BatchICN
from cleanup_icn.contracts import Contract, ContractWrapper, Wage
from cleanup_icn.icn.config import ICNConfig
from negotiation_games.batch import BatchNegotiation

FLOOR, NEGOTIATION_FLOOR = "floor", "negotiation-floor"

WAGE = Contract([Wage(payer="others", payee="agent_1", per="cleaned", rate=0.6)])
"""The contract of the rows that are under one."""

NOISE: Mapping[str, Any] = {"prob_pollution_growth": 0.8, "prob_fruit_growth": 0.8}
"""Settings of the rows with noise."""

GAME = "base"
"""The negotiation that is played."""

MakeBatch = Callable[[], Batch]


@dataclass(frozen=True, kw_only=True)
class Subject:
    """An environment that is measured: one that makes its `Play`, or a batch.

    Attributes:
        name: of its row.
        make: makes the play of a single environment.
        batch: makes a batch instead.
        in_turn: whether one agent of a batch's lane acts in a step, and not all of them.
        num_agents: of one game.
        goal: the least ratio to the floor that is aimed at.
        own_floor: the row of an empty environment of the same kind, where `floor` is of another.
    """

    name: str
    make: Callable[[], Play] | None = None
    batch: MakeBatch | None = None
    in_turn: bool = False
    num_agents: int = 2
    goal: float | None = None
    own_floor: str | None = None

    def start(self) -> tuple[Play, int, float | None]:
        """Return the play, its number of lanes, and what a batch's first call took (wall time)."""
        if self.batch is None:
            assert self.make is not None  # every subject has one of the two
            return self.make(), 1, None
        start_s = perf_counter()
        batch = self.batch()
        play = play_batch(batch, in_turn=self.in_turn)
        play()
        return play, batch.num_lanes, perf_counter() - start_s


class Compilation(NamedTuple):
    """How the machine code of batches came about."""

    kernels: int
    compiled_now: int  # the others were in numba's cache
    seconds: float  # wall time of all batches' first calls


def subjects() -> tuple[Subject, ...]:
    """Return all that is measured, in the order of the rows."""
    return (*_cleanup(), *_cleanup_batches(), *_negotiation(), *_growth(), *_further())


def run_bench(
    *, repeats: int, share_s: float, tell: Callable[[str], None]
) -> tuple[list[EnvBenchRow], Compilation]:
    """Measure all subjects, interleaved; see `benchmarks.env_bench.measure`."""
    chosen = subjects()
    tell("first calls")
    started = {subject.name: subject.start() for subject in chosen}
    first_calls = {name: seconds for name, (_, _, seconds) in started.items()}
    compilation = Compilation(*_count_kernels(), sum(s for s in first_calls.values() if s))
    plays = {name: play for name, (play, _, _) in started.items()}
    rates = measure(plays, repeats=repeats, share_s=share_s, tell=tell)
    tell("memory")
    rows = [
        EnvBenchRow(
            name=subject.name,
            num_agents=subject.num_agents,
            num_lanes=started[subject.name][1],
            rates=rates[subject.name],
            floor=median(rates[FLOOR]),
            own_floor=median(rates[subject.own_floor]) if subject.own_floor else None,
            goal=subject.goal,
            num_bytes=_num_bytes(subject),
            first_call_s=first_calls[subject.name],
        )
        for subject in chosen
    ]
    return rows, compilation


def _cleanup() -> list[Subject]:
    def wrapped() -> Play:
        return play_parallel(ContractWrapper(parallel_env(observation="vector"), WAGE))

    return [
        Subject(
            name=FLOOR,
            make=lambda: play_parallel(EmptyCleanup(parallel_env(observation="vector"))),
        ),
        _single("parallel-text", goal=1 / 4, observation="text"),
        _single("parallel-vector", goal=1 / 1.5, observation="vector"),
        Subject(name="aec", make=lambda: play_turns(env(observation="vector"), num_actions=4)),
        Subject(name="contract", make=wrapped),
    ]


def _cleanup_batches() -> list[Subject]:
    return [
        _batch("batch-1", 1),
        _batch("batch-64", 64),
        _batch("batch-1024", 1024),
        _batch("batch-4096", 4096, goal=100.0),
        _batch("batch-4096-noise", 4096, **NOISE),
    ]


def _negotiation() -> list[Subject]:
    game = negotiation_games.load_game(GAME)

    def single(name: str, make: Callable[[], Any]) -> Subject:
        return Subject(
            name=name,
            make=lambda: play_turns(make(), num_actions=game.num_deals),
            num_agents=game.num_parties,
            own_floor=NEGOTIATION_FLOOR,
        )

    def lanes(num_lanes: int) -> Subject:
        return Subject(
            name=f"negotiation-batch-{num_lanes}",
            batch=lambda: BatchNegotiation(game, num_lanes, auto_reset=True),
            in_turn=True,
            num_agents=game.num_parties,
            own_floor=NEGOTIATION_FLOOR,
        )

    return [
        single(
            NEGOTIATION_FLOOR,
            lambda: EmptyNegotiation(negotiation_games.raw_env(game=game, observation="vector")),
        ),
        single(
            "negotiation-vector", lambda: negotiation_games.env(game=game, observation="vector")
        ),
        single("negotiation-text", lambda: negotiation_games.env(game=game, observation="text")),
        *map(lanes, (1, 64, 1024)),
    ]


def _growth() -> list[Subject]:
    return [_batch(f"batch-1024-n{n}", 1024, num_agents=n) for n in (2, 4, 8, 16)]


def _further() -> list[Subject]:
    config, icn = CleanupConfig.create(), ICNConfig()
    return [
        Subject(
            name="floor-copied",
            make=lambda: play_parallel(CopiedCleanup(parallel_env(observation="vector"))),
        ),
        _single("parallel-both", observation="both"),
        _single("parallel-vector-noise", observation="vector", **NOISE),
        _single("parallel-vector-n8", num_agents=8, observation="vector"),
        Subject(
            name="batch-contract-1024",
            batch=lambda: BatchContract(config, [WAGE], 1024, auto_reset=True),
        ),
        Subject(name="batch-icn-1024", batch=lambda: BatchICN(config, icn, 1024, auto_reset=True)),
    ]


def _single(
    name: str, *, num_agents: int = 2, goal: float | None = None, **settings: Any
) -> Subject:
    def make() -> Play:
        return play_parallel(parallel_env(num_agents=num_agents, **settings))

    return Subject(name=name, make=make, num_agents=num_agents, goal=goal)


def _batch(
    name: str, num_lanes: int, *, num_agents: int = 2, goal: float | None = None, **settings: Any
) -> Subject:
    config = CleanupConfig.create(num_agents=num_agents, **settings)

    def make() -> Batch:
        return BatchCleanup(config, num_lanes, auto_reset=True)

    return Subject(name=name, batch=make, num_agents=num_agents, goal=goal)


def _num_bytes(subject: Subject) -> int | None:
    return None if subject.batch is None else traced_bytes(subject.batch, in_turn=subject.in_turn)


def _count_kernels() -> tuple[int, int]:
    """Return how many kernels of ours were called, and how many of them were compiled just now."""
    named = (vars(module) for name, module in sys.modules.items() if _is_ours(name))
    kernels = {
        id(kernel): kernel for names in named for kernel in names.values() if _is_kernel(kernel)
    }
    called = [kernel.stats for kernel in kernels.values() if kernel.signatures]
    return len(called), sum(bool(stats.cache_misses) for stats in called)


def _is_ours(module_name: str) -> bool:
    return module_name.partition(".")[0] in ("cleanup_icn", "negotiation_games")


def _is_kernel(value: Any) -> bool:
    """Whether numba made this out of a function: it is not imported to ask it."""
    return hasattr(value, "py_func") and hasattr(value, "stats")
