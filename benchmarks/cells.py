"""A cell of a comparison: who sits at its table, and its episodes one after the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from agents import Agent
from benchmarks import training
from benchmarks.arena import LEARNED, Arena, Cell
from benchmarks.driver import play
from benchmarks.kinds import Episode, kind_of
from benchmarks.lineups import lineup_of, seat_lineup
from cleanup_icn import ConfigError


def play_cell(
    arena: Arena[Any],
    cell: Cell,
    *,
    episodes: Iterable[int] | None = None,
    run: Path | None = None,
) -> Iterator[Episode]:
    """Play episodes of a cell whose players all answer at once; by default all of them.

    A learned policy plays the checkpoint that is kept in the folder of the `run`.
    """
    kind, condition = kind_of(arena), arena.condition(cell.contract)
    env = kind.make_env(arena, condition)
    agents = seat_players(arena, cell, env, run=run)
    for episode in range(arena.num_episodes) if episodes is None else episodes:
        yield play(kind.begin(arena, cell, episode, env=env, agents=agents), agents)


def seat_players(
    arena: Arena[Any], cell: Cell, env: Any, *, run: Path | None = None
) -> Mapping[str, Agent]:
    """Return an agent for every seat of a cell in which no model takes part; see `play_cell`.

    Raises:
        ConfigError: there is no such policy, or the run has not kept its checkpoint.
    """
    kind = kind_of(arena)

    def make_agents(player: str) -> Mapping[str, Agent]:
        trained = arena.training_of(player)
        if trained is not None and run is not None:
            return trained.seat(player, env, run=run)
        checkpoint = _checkpoint(arena, player, cell.contract, run) if player in LEARNED else None
        return kind.make_agents(player, env, checkpoint=checkpoint)

    table = lineup_of(arena, cell.policy)
    return seat_lineup(table, names_of=kind.seat_names(env), make_agents=make_agents)


def _checkpoint(arena: Arena[Any], player: str, contract: str, run: Path | None) -> str | None:
    """Return what a run has kept of a learned policy; None outside of a run.

    Raises:
        ConfigError: the run has not learned it.
    """
    if run is None:
        return None
    out = training.checkpoint_folder(run, arena.name, player, arena.condition(contract))
    checkpoint = training.finished_checkpoint(out)
    if checkpoint is None:
        raise ConfigError(f"checkpoint of {player}", str(out), "what this run has learned")
    return str(checkpoint)
