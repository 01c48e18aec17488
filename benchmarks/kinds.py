"""How arenas of each game are played, trained, summed up and shown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from pydantic import ValidationError
from rich.console import Group

from agents import Agent, Call
from benchmarks.arena import Arena, Cell
from benchmarks.cleanup import figure, metrics, policies, runner, table, training
from benchmarks.cleanup.arena import CleanupArena
from benchmarks.cleanup.conditions import Condition, Env, Negotiated
from benchmarks.driver import GameUnderWay
from benchmarks.model_config import ModelsConfig, Table
from benchmarks.negotiation import policies as negotiation_policies
from benchmarks.negotiation import runner as negotiation_runner
from benchmarks.negotiation.arena import NegotiationArena, Setting
from benchmarks.negotiation.figure import save_figure as save_negotiation_figure
from benchmarks.negotiation.metrics import MEASURES as NEGOTIATION_MEASURES
from benchmarks.negotiation.metrics import RATES, num_malformed_answers
from benchmarks.negotiation.metrics import summarize as summarize_negotiation
from benchmarks.negotiation.table import render_tables as render_negotiation_tables
from benchmarks.negotiation.training import train_policy as train_proposer
from benchmarks.speakers import Speakers
from benchmarks.table import TableRow
from cleanup_icn import ConfigError
from cleanup_icn.contracts import Ask
from cleanup_icn.wordings import OWN
from negotiation_games import NegotiationEnv


class AsJson(Protocol):
    """An episode, or a cell's row in the table."""

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        ...


class Episode(AsJson, Protocol):
    """What came of an episode."""

    @property
    def policy(self) -> str:
        """Who played."""
        ...

    @property
    def contract(self) -> str:
        """Name of the condition."""
        ...

    @property
    def episode(self) -> int:
        """Its number in the cell, from 0."""
        ...

    @property
    def seed(self) -> int:
        """The seed of its environment."""
        ...

    def calls_by_seat(self) -> Mapping[str, tuple[Call, ...]]:
        """Return the questions that models were asked, by seat, in the order they came."""
        ...

    @property
    def judge_calls(self) -> tuple[Call, ...]:
        """The questions to a model that judges, in the order they came."""
        ...


class CellRow(AsJson, TableRow, Protocol):
    """What the episodes of a cell come to."""


Results = Mapping[Cell, Sequence[Any]]


@dataclass(frozen=True)
class Kind:
    """What can be done with an arena, its conditions, its episodes' results and its rows.

    Each field is a function of the module it comes from, where its arguments are described.
    """

    make_env: Callable[..., Any]
    policies: Sequence[str]
    make_agents: Callable[..., Mapping[str, Agent]]
    seat_names: Callable[[Any], Mapping[str, tuple[str, ...]]]
    seat_table: Callable[[Table, Any, Speakers], Mapping[str, Agent]]
    begin: Callable[..., GameUnderWay[Any]]
    from_record: Callable[[Mapping[str, Any]], Episode]
    train_policy: Callable[..., Path]
    measures: Mapping[str, Callable[[Any], float | None]]  # of an episode, by name
    num_malformed: Callable[[Any], int]  # answers in an episode that could not be read
    summarize: Callable[..., CellRow]
    over_training_seeds: Callable[..., CellRow] | None  # None where no training can be seated
    render_tables: Callable[..., Group]
    save_figure: Callable[[Any, Sequence[Any], Results, Iterable[Path]], None]


def kind_of(arena: Arena[Any]) -> Kind:
    """Return how an arena is dealt with."""
    return CLEANUP if isinstance(arena, CleanupArena) else NEGOTIATION


def read_record(arena: Arena[Any], record: Mapping[str, Any]) -> Episode:
    """Return what came of an episode on record.

    Raises:
        ConfigError: this version writes no such record.
    """
    try:
        return kind_of(arena).from_record(record)
    except ValidationError as error:
        problem = error.errors()[0]
        field = ".".join(map(str, problem["loc"]))
        allowed = f"as this version writes it ({problem['msg']})"
        raise ConfigError("field of a record", field, allowed) from error


def misfits(arena: Arena[Any], models: ModelsConfig) -> dict[str, ConfigError]:
    """Return, by table, a seat or a policy at it that the arena's game does not have."""
    kind = kind_of(arena)
    seats = dict.fromkeys(
        name
        for condition in arena.conditions
        for names in kind.seat_names(kind.make_env(arena, condition)).values()
        for name in names
    )
    found: dict[str, ConfigError] = {}
    for sat in models.tables:
        reworded = _reworded(arena, models, sat)
        if reworded is not None:
            found.setdefault(sat.name, reworded)
        for seat, player in {"everyone": sat.everyone, **sat.seats}.items():
            key = f"tables.{sat.name}.{seat}"
            if seat != "everyone" and seat not in seats:
                allowed = f"a seat of {arena.name}: {', '.join(seats)}"
                found.setdefault(sat.name, ConfigError(key, player, allowed))
            if player not in models.models and player not in kind.policies:
                known = f"a model or, for {arena.name}, one of {', '.join(kind.policies)}"
                found.setdefault(sat.name, ConfigError(key, player, known))
    return found


def _reworded(arena: Arena[Any], models: ModelsConfig, table: Table) -> ConfigError | None:
    """Return what is wrong with a table where a model is to be told a game in words it lacks."""
    if isinstance(arena, CleanupArena):
        return None
    for player in (table.everyone, *table.seats.values()):
        spec = models.models.get(player)
        if spec is not None and spec.wording != OWN:
            allowed = f"{OWN}: {arena.name} is told in no other words"
            return ConfigError(f"models.{player}.wording", spec.wording, allowed)
    return None


def _make_cleanup(arena: CleanupArena, condition: Condition, *, ask: Ask | None = None) -> Env:
    return condition.make_env(arena.scenario.config, ask=ask)


def _make_negotiation(
    arena: NegotiationArena, setting: Setting, *, ask: Ask | None = None
) -> NegotiationEnv:
    del arena, ask  # a setting is complete, and nobody judges
    return setting.make_env()


def is_judged_by_model(condition: Any) -> bool:
    """Whether a model is asked during the game that sits on none of its seats."""
    return isinstance(condition, Negotiated) and condition.is_judged_by_model


def _save_cleanup_figure(
    arena: CleanupArena, rows: Sequence[metrics.Row], results: Results, paths: Iterable[Path]
) -> None:
    optimum = [result.optimum_by_step for result in next(iter(results.values()))]
    figure.save_figure(arena, rows, optimum, paths)


CLEANUP = Kind(
    make_env=_make_cleanup,
    policies=policies.POLICIES,
    make_agents=policies.make_agents,
    seat_names=policies.seat_names,
    seat_table=policies.seat_table,
    begin=runner.begin,
    from_record=runner.from_record,
    train_policy=training.train_policy,
    measures=metrics.MEASURES,
    num_malformed=lambda result: runner.num_malformed(result.steps),
    summarize=metrics.summarize,
    over_training_seeds=metrics.over_training_seeds,
    render_tables=table.render_tables,
    save_figure=_save_cleanup_figure,
)
NEGOTIATION = Kind(
    make_env=_make_negotiation,
    policies=negotiation_policies.POLICIES,
    make_agents=negotiation_policies.make_agents,
    seat_names=negotiation_policies.seat_names,
    seat_table=negotiation_policies.seat_table,
    begin=negotiation_runner.begin,
    from_record=negotiation_runner.from_record,
    train_policy=train_proposer,
    measures={**RATES, **NEGOTIATION_MEASURES},
    num_malformed=num_malformed_answers,
    summarize=summarize_negotiation,
    over_training_seeds=None,
    render_tables=render_negotiation_tables,
    save_figure=save_negotiation_figure,
)
