"""How a change reshapes the space of contracts: which are acceptable before it, and after it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from benchmarks.study.study_figure import (
    INK,
    SMALL,
    WIDE,
    Entry,
    Study,
    StudyFigure,
    dress,
    legend_below,
    listed,
    source,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

REGIONS = {
    "neither": "#F3F3F3",
    "before only": "#F2C46D",
    "after only": "#9AD2F5",
    "before and after": "#3FA287",
}
"""The colour of each region; the place in this order is 1 for before plus 2 for after."""

_COLUMNS, _MOST_PANELS = 4, 8
_MOST_TICKS = 5
_PANEL, _LEGEND, _LABELS = 1.65, 0.5, 0.35  # inches
_MARKS = {"before": "_", "after": "|"}  # together a cross
_PALE = "#B4B4B4"  # of a mark where the contract is not accepted


def acceptance_figure(study: Study) -> StudyFigure | None:
    """Return the figure of acceptance regions; None where none were solved."""
    regions = [entry for entry in study["regions"] if entry["rates"] and entry["fractions"]]
    if not regions:
        return None
    shown = regions[:_MOST_PANELS]
    columns = min(_COLUMNS, len(shown))
    rows = math.ceil(len(shown) / columns)
    return StudyFigure(
        name="acceptance",
        size=(max(WIDE * columns / _COLUMNS, WIDE / 2), rows * (_PANEL + _LABELS) + _LEGEND),
        draw=lambda figure: _draw(figure, shown, columns),
        caption=_caption(study, shown, num_regions=len(regions)),
    )


def _draw(figure: Figure, shown: Sequence[Entry], columns: int) -> None:
    figure.set_layout_engine("constrained", w_pad=0.04, h_pad=0.04)
    grid = figure.add_gridspec(math.ceil(len(shown) / columns), columns)
    for index, entry in enumerate(shown):
        row, column = divmod(index, columns)
        axes = figure.add_subplot(grid[row, column], label=f"region {index}")
        _draw_region(axes, entry)
        dress(axes, x="wage, a unit cleaned", y="share of the harvest" if column == 0 else "")
        axes.tick_params(labelleft=column == 0)
        axes.set_title(_title(entry, with_kind=len(_kinds(shown)) > 1), loc="left", fontsize=SMALL)
    legend_below(figure, _legend())


def _kinds(shown: Sequence[Entry]) -> set[str]:
    return {entry["kind"] for entry in shown}


def _draw_region(axes: Axes, entry: Entry) -> None:
    from matplotlib.colors import BoundaryNorm, ListedColormap

    codes = _mask(entry, "before") + 2 * _mask(entry, "after")
    rates, fractions = entry["rates"], entry["fractions"]
    axes.pcolormesh(
        _edges(rates),
        _edges(fractions),
        codes.T,
        cmap=ListedColormap(list(REGIONS.values())),
        norm=BoundaryNorm(np.arange(-0.5, len(REGIONS)), len(REGIONS)),
        edgecolor="white",
        linewidth=0.4,
    )
    axes.set_xticks(_ticks(rates))
    axes.set_yticks(_ticks(fractions))
    for name, marker in _MARKS.items():
        implements, accepted = _mask(entry, f"implements_{name}"), _mask(entry, name)
        _mark(axes, entry, implements > accepted, marker, _PALE, f"{name}, not accepted")
        _mark(axes, entry, implements & accepted, marker, INK, f"{name}, accepted")


def _mark(
    axes: Axes, entry: Entry, where: npt.NDArray[Any], marker: str, colour: str, label: str
) -> None:
    """Mark cells of a region, a mark smaller than a cell."""
    rates, fractions = entry["rates"], entry["fractions"]
    cell = 72.0 * min(1.35 / len(rates), 1.3 / len(fractions))  # points
    x, y = np.nonzero(where)
    axes.plot(
        np.asarray(rates)[x],
        np.asarray(fractions)[y],
        color=colour,
        marker=marker,
        markersize=min(7.0, 0.6 * cell),
        markeredgewidth=0.8,
        linestyle="none",
        label=f"implements {label}",
    )


def _mask(entry: Entry, name: str) -> npt.NDArray[np.int64]:
    """Return a mask as numbers, (rates, fractions)."""
    return np.asarray(entry[name], np.int64)


def _edges(places: Sequence[float]) -> list[float]:
    """Return the borders of cells: half-way between neighbours, as far out at both ends."""
    if len(places) == 1:
        return [places[0] - 0.5, places[0] + 0.5]
    middles = [(a + b) / 2 for a, b in pairwise(places)]
    return [2 * places[0] - middles[0], *middles, 2 * places[-1] - middles[-1]]


def _ticks(places: Sequence[float]) -> list[float]:
    """Return what is written at an axis: the few places, or round numbers among many."""
    from matplotlib.ticker import MaxNLocator

    if len(places) <= _MOST_TICKS:
        return list(places)
    first, last = places[0], places[-1]
    found = MaxNLocator(_MOST_TICKS, steps=(1, 2, 5, 10)).tick_values(first, last)
    return [float(each) for each in found if first <= each <= last]


def _title(entry: Entry, *, with_kind: bool) -> str:
    kind = f"{entry['kind'].replace('-', ' ')} " if with_kind else ""
    return f"{kind}{entry['magnitude']:+d}: overlap {_percent(entry['overlap'])}"


def _percent(fraction: float | None) -> str:
    return "none" if fraction is None else f"{fraction:.0%}"


def _legend() -> list[Any]:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    patches = [
        Patch(facecolor=colour, edgecolor="#999999", lw=0.4, label=f"accepted {words}")
        if words != "neither"
        else Patch(facecolor=colour, edgecolor="#999999", lw=0.4, label="accepted neither time")
        for words, colour in REGIONS.items()
    ]
    marks = [
        Line2D(
            [],
            [],
            color=INK,
            marker=marker,
            markersize=6,
            linestyle="none",
            label=f"implements optimum {name}",
        )
        for name, marker in _MARKS.items()
    ]
    return [*patches, *marks]


def _caption(study: Study, shown: Sequence[Entry], *, num_regions: int) -> str:
    told = []
    for entry in shown:
        before, after = _mask(entry, "before"), _mask(entry, "after")
        told.append(
            f"{entry['magnitude']:+d}: {before.sum()} of {before.size} contracts before, "
            f"{after.sum()} after, {(before & after).sum()} both times; they bring the optimum "
            f"about: {_mask(entry, 'implements_before').sum()} before, "
            f"{_mask(entry, 'implements_after').sum()} after, {_kept(entry)} both times; "
            f"{_percent(entry['survives'])} of those accepted before still are"
        )
    moment = shown[0].get("moment")
    when = f" at step {moment}" if moment is not None else ""
    left_out = f" Of {num_regions} changes {len(shown)} are shown." * (num_regions > len(shown))
    kinds = listed(sorted(kind.replace("-", " ") for kind in _kinds(shown)))
    return (
        f"Which contracts of a wage and a share both agents prefer to none, before a change{when} "
        f"and after it, a panel a magnitude ({kinds}); overlap: accepted both times, as a fraction "
        "of accepted at least once. Marked: contracts that bring the optimum about in equilibrium, "
        "before (-), after (|), both times (+), grey where it is not accepted then. Exact "
        f"solutions, no sampling. {'. '.join(told)}."
        f"{left_out} {source(study)}"
    )


def _kept(entry: Entry) -> int:
    return int((_mask(entry, "implements_before") & _mask(entry, "implements_after")).sum())
