"""Training of learned policies in Cleanup, one for each condition."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.cleanup.arena import CleanupArena
from benchmarks.cleanup.conditions import Condition
from benchmarks.lineups import seat_of
from benchmarks.training import train_on
from cleanup_icn.observe import agent_names


def train_policy(
    arena: CleanupArena, condition: Condition, *, out: Path, on_agent_steps: Callable[[int], None]
) -> Path:
    """Train on the arena's world from drawn starts, as in evaluation; see `train_on`.

    One policy learns on all seats or, where the arena names a seat, on that one among its partners;
    then only the agent-steps of that seat count.

    Raises:
        ConfigError: there is no such seat, or the partners cannot be played in lanes.
    """
    scenario = arena.scenario

    def make_batch(num_lanes: int) -> Any:
        lanes = condition.make_batch(scenario.config, num_lanes, starts=scenario.starts)
        if arena.seat is None or arena.partners is None:
            return lanes
        return among_partners(lanes, seat=arena.seat, partners=arena.partners)

    seated = {} if arena.seat is None else {"seat": arena.seat, "partners": arena.partners}
    return train_on(
        make_batch,
        arena,
        out=out,
        on_agent_steps=on_agent_steps,
        meta={
            "arena": arena.name,
            "contract": condition.to_dict(),
            "scenario": scenario.to_dict(),
            **seated,
        },
    )


def among_partners(lanes: Any, *, seat: str, partners: str) -> Any:
    """Return lanes of one seat, the others of which are played by a policy that does not learn.

    Raises:
        ConfigError: there is no such seat, or the policy is none of
            `benchmarks.cleanup.scripted_rows.ROW_POLICIES`.
    """
    from agents.ppo import OneSeat
    from benchmarks.cleanup.scripted_rows import row_policy

    names = agent_names(lanes.num_agents)
    own = names.index(seat_of(seat, {name: (name,) for name in names}))
    partner = row_policy(partners, lanes)
    return OneSeat(lanes, own, {i: partner for i in range(len(names)) if i != own})
