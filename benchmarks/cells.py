"""A cell of a comparison: who sits at its table, and its episodes one after the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from agents import Agent
from benchmarks import training
from benchmarks.driver import play
from benchmarks.kinds import AsJson, kind_of
from benchmarks.suite import LEARNED, Cell, Suite


def play_cell(
    suite: Suite[Any],
    cell: Cell,
    *,
    episodes: Iterable[int] | None = None,
    run: Path | None = None,
) -> Iterator[AsJson]:
    """Play episodes of a cell whose players all answer at once; by default all of them.

    A learned policy plays the checkpoint that is kept in the folder of the `run`.
    """
    kind, condition = kind_of(suite), suite.condition(cell.contract)
    env = kind.make_env(suite, condition)
    agents = seat_players(suite, cell, env, run=run)
    for episode in range(suite.num_episodes) if episodes is None else episodes:
        yield play(kind.begin(suite, cell, episode, env=env, agents=agents), agents)


def seat_players(
    suite: Suite[Any], cell: Cell, env: Any, *, run: Path | None = None
) -> Mapping[str, Agent]:
    """Return an agent for every seat of a cell in which no model takes part; see `play_cell`.

    Raises:
        ConfigError: there is no such policy, or the run has not kept its checkpoint.
    """
    checkpoint = None
    if run is not None:
        trained = suite.training_of(cell.policy)
        if trained is not None:
            return trained.seat(cell.policy, env, run=run)
        if cell.policy in LEARNED:
            out = training.checkpoint_folder(run, cell.policy, suite.condition(cell.contract))
            checkpoint = training.finished_checkpoint(out)
    path = str(checkpoint) if checkpoint else None
    return kind_of(suite).make_agents(cell.policy, env, checkpoint=path)
