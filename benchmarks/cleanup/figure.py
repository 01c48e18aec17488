"""The one figure of a comparison: who reaches how much, and what happens over time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.cleanup.arena import CleanupArena
from benchmarks.cleanup.metrics import Row
from benchmarks.drawing import STYLES, Style, draw_by_policy, plain, save_drawn
from benchmarks.statistics import TRAINING_SEED

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_OPTIMUM_COLOUR = "#000000"
_SPREAD = 0.52
"""Height that the conditions of one policy take, in rows."""


def save_figure(
    arena: CleanupArena,
    rows: Sequence[Row],
    optimum: Sequence[Sequence[float]],
    paths: Iterable[Path],
) -> None:
    """Draw the rows and save the figure under every path, in the format of its suffix.

    Args:
        arena: what was played.
        rows: all cells, in the order of the table.
        optimum: welfare of the social optimum by step in each episode, (episodes, horizon_steps).
        paths: where to save.
    """
    height = max(5.6, 1.6 + 0.55 * len(arena.policies))
    save_drawn(
        lambda figure: _draw(figure, arena, rows, np.mean(optimum, axis=0)),
        paths,
        name=arena.name,
        size=(12.5, height),
    )


def _draw(figure: Figure, arena: CleanupArena, rows: Sequence[Row], optimum: Any) -> None:
    figure.set_layout_engine("constrained", w_pad=0.12, h_pad=0.08)
    grid = figure.add_gridspec(2, 2, width_ratios=(1.1, 1))
    names = [condition.name for condition in arena.conditions]
    styles = dict(zip(names, cycle(STYLES), strict=False))
    by_policy, welfare = figure.add_subplot(grid[:, 0]), figure.add_subplot(grid[0, 1])
    pollution = figure.add_subplot(grid[1, 1], sharex=welfare)
    _draw_efficiency(by_policy, arena, rows, styles)
    shown = [row for row in rows if row.policy == arena.shown_policy]
    for axes, course, label in (
        (welfare, "welfare_by_step", "welfare, fruit a step"),
        (pollution, "pollution_by_step", "pollution, units"),
    ):
        for row in reversed(shown):  # where lines coincide, the dashes of an earlier one show
            style = styles[row.contract]
            values = getattr(row, course)
            axes.plot(values, color=style.colour, linestyle=style.line, linewidth=2)
        axes.set_ylabel(label)
        plain(axes)
    welfare.plot(optimum, color=_OPTIMUM_COLOUR, linestyle=":", linewidth=1.5)
    welfare.set_title(f"{arena.shown_policy}, mean of {_sample((shown or rows)[0])}", loc="left")
    welfare.tick_params(labelbottom=False)
    pollution.set_xlabel("step")
    for axes in (welfare, pollution):
        axes.set_ylim(0, axes.get_ylim()[1] * 1.18)
    _mark_change((welfare, pollution), arena)
    figure.legend(
        handles=_legend(styles), loc="outside upper center", ncols=len(styles) + 1, frameon=False
    )


def _draw_efficiency(
    axes: Axes, arena: CleanupArena, rows: Sequence[Row], styles: dict[str, Style]
) -> None:
    marks = [(row.policy, row.contract, row.estimates["efficiency"]) for row in rows]
    draw_by_policy(axes, arena.policies, marks, styles, spread=_SPREAD)
    seeds = {row.policy: row for row in rows if row.unit == TRAINING_SEED}
    names = [f"{p}\n{_sample(seeds[p])}" if p in seeds else p for p in arena.policies]
    axes.set_yticks(range(len(names)), names)
    axes.axvline(1.0, color=_OPTIMUM_COLOUR, linestyle=":", linewidth=1.5)
    axes.set_xlim(left=min(0.0, axes.get_xlim()[0]), right=max(1.04, axes.get_xlim()[1]))
    axes.set_xlabel("efficiency: welfare as a fraction of the social optimum")
    axes.set_title(f"{arena.name}: n = {rows[0].episodes} a cell, bars: 95% intervals", loc="left")
    plain(axes)


def _sample(row: Row) -> str:
    """Say what a row's means are over."""
    episodes = f"{row.episodes} episodes"
    return episodes if row.unit != TRAINING_SEED else f"{row.n} seeds x {episodes}"


def _mark_change(panels: Sequence[Axes], arena: CleanupArena) -> None:
    step = arena.scenario.change_step
    if step is None:
        return
    for axes in panels:
        axes.axvline(step, color="#666666", linewidth=1)
    changed = arena.scenario.config.changed_at(step)
    words = "\n".join(f"{name} {old} → {new}" for name, (old, new) in changed.items())
    panels[0].annotate(
        words.replace("_", " "),
        xy=(step, 0.98),
        xycoords=("data", "axes fraction"),
        xytext=(4, 0),
        textcoords="offset points",
        va="top",
        fontsize=9,
        color="#444444",
    )


def _legend(styles: dict[str, Style]) -> list[Any]:
    from matplotlib.lines import Line2D

    contracts = [
        Line2D(
            [],
            [],
            color=s.colour,
            marker=s.marker,
            linestyle=s.line,
            lw=2,
            label=f"contract: {name}",
        )
        for name, s in styles.items()
    ]
    optimum = Line2D([], [], color=_OPTIMUM_COLOUR, linestyle=":", lw=1.5, label="social optimum")
    return [*contracts, optimum]
