"""The heat map of a cross-play: who sits on one seat, and who on all others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.arena import Arena
from benchmarks.report.figures import Floats, ShownFigure, named_file, pairs_of, save_svg
from benchmarks.report.measures import ShownMeasure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLOURS = "cividis"  # read alike by the colour-blind, and in grey
_LIGHT = 0.55  # from this share of the scale on a number is written in black
_CELL, _MARGIN = 0.5, 2.4  # inches


def draw_pairs(
    arena: Arena[Any],
    means: Mapping[tuple[str, str], tuple[float, int]],
    *,
    measure: ShownMeasure,
    report: Path,
) -> ShownFigure | None:
    """Draw a matrix a condition of what pairs reach; None where no policy is a pair.

    Args:
        arena: in which they played.
        means: by policy and condition, the mean of the measure and its episodes.
        measure: what is shown.
        report: folder of the report.

    """
    pairs = pairs_of(arena.policies)
    contracts = [
        condition.name
        for condition in arena.conditions
        if any((policy, condition.name) in means for policy in pairs)
    ]
    if not contracts:
        return None
    firsts = list(dict.fromkeys(first for first, _ in pairs.values()))
    seconds = list(dict.fromkeys(second for _, second in pairs.values()))
    named = {pair: policy for policy, pair in pairs.items()}
    matrices = {
        contract: np.array(
            [
                [
                    means.get((named.get((row, column), ""), contract), (np.nan, 0))[0]
                    for column in seconds
                ]
                for row in firsts
            ]
        )
        for contract in contracts
    }
    seat = arena.seat or "the first seat"
    file = named_file(arena.name, "pairs")
    width = len(contracts) * (len(seconds) * _CELL + _MARGIN)
    save_svg(
        lambda figure: _draw(figure, matrices, firsts, seconds, seat=seat, measure=measure),
        report / file,
        size=(max(4.5, width), len(firsts) * _CELL + _MARGIN),
    )
    counts = {means[policy, c][1] for policy in pairs for c in contracts if (policy, c) in means}
    low, high = min(counts), max(counts)
    n = f"n = {low}" if low == high else f"n = {low} to {high}"
    return ShownFigure(
        file=file,
        title="Cross-play",
        caption=(
            f"{measure.title} A row is who sits on {seat}, a column who sits on all others, a "
            f"matrix a condition; means of {n} episodes a cell. The table has their intervals."
        ),
        alt=_alt(matrices, firsts, seconds, measure),
    )


def _draw(
    figure: Figure,
    matrices: Mapping[str, Floats],
    firsts: Sequence[str],
    seconds: Sequence[str],
    *,
    seat: str,
    measure: ShownMeasure,
) -> None:
    figure.set_layout_engine("constrained", w_pad=0.1, h_pad=0.1)
    known = np.concatenate([each[~np.isnan(each)] for each in matrices.values()])
    low, high = min(0.0, float(known.min())), float(known.max())
    panels = figure.subplots(1, len(matrices), squeeze=False)[0]
    for axes, (contract, matrix) in zip(panels, matrices.items(), strict=True):
        image = axes.imshow(matrix, cmap=_COLOURS, vmin=low, vmax=high)
        axes.set_xticks(range(len(seconds)), seconds, rotation=50, ha="right", fontsize=8)
        axes.set_yticks(range(len(firsts)), firsts, fontsize=8)
        axes.tick_params(length=0)
        axes.set_title(contract, loc="left", fontsize=10)
        _write(axes, matrix, low=low, high=high, digits=measure.digits)
    panels[0].set_ylabel(seat)
    for axes in panels:
        axes.set_xlabel("all others")
    figure.colorbar(image, ax=list(panels), shrink=0.8, label=measure.label)


def _write(axes: Axes, matrix: Floats, *, low: float, high: float, digits: int) -> None:
    for (row, column), mean in np.ndenumerate(matrix):
        if np.isnan(mean):
            continue
        share = (mean - low) / ((high - low) or 1.0)
        colour = "black" if share >= _LIGHT else "white"
        number = f"{mean + 0.0:.{digits}f}"
        axes.text(column, row, number, ha="center", va="center", color=colour, fontsize=8)


def _alt(
    matrices: Mapping[str, Floats],
    firsts: Sequence[str],
    seconds: Sequence[str],
    measure: ShownMeasure,
) -> str:
    told = []
    for contract, matrix in matrices.items():
        ends = []
        for word, find in (("highest", np.nanargmax), ("lowest", np.nanargmin)):
            row, column = divmod(int(find(matrix)), len(seconds))
            value = f"{matrix[row, column]:.{measure.digits}f}"
            ends.append(f"{word} {value}, {firsts[row]} with {seconds[column]}")
        told.append(f"{contract}: {'; '.join(ends)}")
    return f"Heat maps of {measure.label} by who sits where. {'. '.join(told)}."
