"""How suites of each game are played, trained, summed up and shown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from rich.console import Group

from benchmarks import figure, metrics, runner, table, training
from benchmarks.negotiation.figure import save_figure as save_negotiation_figure
from benchmarks.negotiation.metrics import summarize as summarize_negotiation
from benchmarks.negotiation.runner import play_cell as play_negotiation_cell
from benchmarks.negotiation.table import render_tables as render_negotiation_tables
from benchmarks.negotiation.training import train_policy as train_proposer
from benchmarks.suite import Cell, Suite
from benchmarks.suites import CleanupSuite


class AsJson(Protocol):
    """An episode, or a cell's row in the table."""

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        ...


Results = Mapping[Cell, Sequence[Any]]


@dataclass(frozen=True)
class Kind:
    """What can be done with a suite, its conditions, its episodes' results and its rows.

    Each field is a function of the module it comes from, where its arguments are described.
    """

    play_cell: Callable[..., Iterator[AsJson]]
    train_policy: Callable[..., Path]
    summarize: Callable[..., AsJson]
    render_tables: Callable[..., Group]
    save_figure: Callable[[Any, Sequence[Any], Results, Iterable[Path]], None]


def kind_of(suite: Suite[Any]) -> Kind:
    """Return how a suite is dealt with."""
    return CLEANUP if isinstance(suite, CleanupSuite) else NEGOTIATION


def _save_cleanup_figure(
    suite: CleanupSuite, rows: Sequence[metrics.Row], results: Results, paths: Iterable[Path]
) -> None:
    optimum = [result.optimum_by_step for result in next(iter(results.values()))]
    figure.save_figure(suite, rows, optimum, paths)


CLEANUP = Kind(
    play_cell=runner.play_cell,
    train_policy=training.train_policy,
    summarize=metrics.summarize,
    render_tables=table.render_tables,
    save_figure=_save_cleanup_figure,
)
NEGOTIATION = Kind(
    play_cell=play_negotiation_cell,
    train_policy=train_proposer,
    summarize=summarize_negotiation,
    render_tables=render_negotiation_tables,
    save_figure=save_negotiation_figure,
)
