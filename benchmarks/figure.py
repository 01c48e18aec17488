"""The one figure of a comparison: who reaches how much, and what happens over time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from benchmarks.metrics import Row
from benchmarks.statistics import TRAINING_SEED, Estimate
from benchmarks.suites import CleanupSuite

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_OPTIMUM_COLOUR = "#000000"
_SPREAD = 0.52
"""Height that the conditions of one policy take, in rows."""


class Style(NamedTuple):
    """How one condition is drawn."""

    colour: str
    marker: str
    line: Literal["-", "--", "-.", ":"]


# Okabe and Ito's palette, told apart by colour-blind readers; markers and lines serve grey prints.
STYLES = (
    Style("#E69F00", "o", "-"),
    Style("#0072B2", "s", "--"),
    Style("#009E73", "D", "-"),
    Style("#CC79A7", "^", "-."),
    Style("#56B4E9", "v", ":"),
)


def save_figure(
    suite: CleanupSuite,
    rows: Sequence[Row],
    optimum: Sequence[Sequence[float]],
    paths: Iterable[Path],
) -> None:
    """Draw the rows and save the figure under every path, in the format of its suffix.

    Args:
        suite: what was played.
        rows: all cells, in the order of the table.
        optimum: welfare of the social optimum by step in each episode, (episodes, horizon_steps).
        paths: where to save.
    """
    height = max(5.6, 1.6 + 0.55 * len(suite.policies))
    save_drawn(
        lambda figure: _draw(figure, suite, rows, np.mean(optimum, axis=0)),
        paths,
        name=suite.name,
        size=(12.5, height),
    )


def save_drawn(
    draw: Callable[[Figure], None], paths: Iterable[Path], *, name: str, size: tuple[float, float]
) -> None:
    """Save what `draw` draws under every path; ``size`` is width and height, inches.

    The same drawing gives the same file: SVG identifiers follow from `name`, no date is written.
    """
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with rc_context({"svg.hashsalt": name, "svg.fonttype": "none", "font.size": 10}):
        figure = Figure(figsize=size)
        FigureCanvasAgg(figure)
        draw(figure)
        _settle_layout(figure)
        for path in paths:
            metadata = {"Date": None} if path.suffix == ".svg" else None
            figure.savefig(path, dpi=150, metadata=metadata)


def _settle_layout(figure: Figure) -> None:
    """Lay the axes out once, rounded: the solver of layouts repeats itself but for rounding."""
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    for axes in figure.axes:
        left, bottom, width, height = (round(float(s), 6) for s in axes.get_position().bounds)
        axes.set_position((left, bottom, width, height))


def _draw(figure: Figure, suite: CleanupSuite, rows: Sequence[Row], optimum: Any) -> None:
    figure.set_layout_engine("constrained", w_pad=0.12, h_pad=0.08)
    grid = figure.add_gridspec(2, 2, width_ratios=(1.1, 1))
    names = [condition.name for condition in suite.conditions]
    styles = dict(zip(names, cycle(STYLES), strict=False))
    by_policy, welfare = figure.add_subplot(grid[:, 0]), figure.add_subplot(grid[0, 1])
    pollution = figure.add_subplot(grid[1, 1], sharex=welfare)
    _draw_efficiency(by_policy, suite, rows, styles)
    shown = [row for row in rows if row.policy == suite.shown_policy]
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
    welfare.set_title(f"{suite.shown_policy}, mean of {_sample((shown or rows)[0])}", loc="left")
    welfare.tick_params(labelbottom=False)
    pollution.set_xlabel("step")
    for axes in (welfare, pollution):
        axes.set_ylim(0, axes.get_ylim()[1] * 1.18)
    _mark_change((welfare, pollution), suite)
    figure.legend(
        handles=_legend(styles), loc="outside upper center", ncols=len(styles) + 1, frameon=False
    )


def _draw_efficiency(
    axes: Axes, suite: CleanupSuite, rows: Sequence[Row], styles: dict[str, Style]
) -> None:
    marks = [(row.policy, row.contract, row.estimates["efficiency"]) for row in rows]
    draw_by_policy(axes, suite.policies, marks, styles, spread=_SPREAD)
    seeds = {row.policy: row for row in rows if row.unit == TRAINING_SEED}
    names = [f"{p}\n{_sample(seeds[p])}" if p in seeds else p for p in suite.policies]
    axes.set_yticks(range(len(names)), names)
    axes.axvline(1.0, color=_OPTIMUM_COLOUR, linestyle=":", linewidth=1.5)
    axes.set_xlim(left=min(0.0, axes.get_xlim()[0]), right=max(1.04, axes.get_xlim()[1]))
    axes.set_xlabel("efficiency: welfare as a fraction of the social optimum")
    axes.set_title(f"{suite.name}: n = {rows[0].episodes} a cell, bars: 95% intervals", loc="left")
    plain(axes)


def _sample(row: Row) -> str:
    """Say what a row's means are over."""
    episodes = f"{row.episodes} episodes"
    return episodes if row.unit != TRAINING_SEED else f"{row.n} seeds x {episodes}"


def draw_by_policy(
    axes: Axes,
    policies: Sequence[str],
    marks: Iterable[tuple[str, str, Estimate]],
    styles: Mapping[str, Style],
    *,
    spread: float,
) -> None:
    """Draw estimates with their intervals, a row a policy.

    Args:
        axes: where.
        policies: the rows from the top.
        marks: policy, condition and estimate of every cell.
        styles: by condition.
        spread: height that the conditions of one policy take, in rows.
    """
    offsets = dict(zip(styles, np.linspace(-spread / 2, spread / 2, len(styles)), strict=True))
    for policy, condition, estimate in marks:
        style, height = styles[condition], policies.index(policy) + offsets[condition]
        if estimate.low is not None and estimate.high is not None:
            axes.plot((estimate.low, estimate.high), (height, height), color=style.colour, lw=1.6)
        axes.plot(
            estimate.mean,
            height,
            color=style.colour,
            marker=style.marker,
            markersize=6,
            markeredgecolor="white",
            markeredgewidth=0.6,
            linestyle="none",
            clip_on=False,
        )
    for height in range(1, len(policies)):
        axes.axhline(height - 0.5, color="#DDDDDD", linewidth=0.8)
    axes.set_yticks(range(len(policies)), policies)
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(len(policies) - 0.5, -0.5)


def _mark_change(panels: Sequence[Axes], suite: CleanupSuite) -> None:
    step = suite.scenario.change_step
    if step is None:
        return
    for axes in panels:
        axes.axvline(step, color="#666666", linewidth=1)
    changed = suite.scenario.config.changed_at(step)
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


def plain(axes: Axes) -> None:
    """Draw no frame above and to the right."""
    axes.spines[["top", "right"]].set_visible(False)
