"""The style that all figures share, and how they are saved."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from benchmarks.statistics import Estimate

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


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


def plain(axes: Axes) -> None:
    """Draw no frame above and to the right."""
    axes.spines[["top", "right"]].set_visible(False)
