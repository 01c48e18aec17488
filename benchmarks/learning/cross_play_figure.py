"""The figure of a cross-play: a heat map a contract and measure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from benchmarks.drawing import save_drawn
from benchmarks.learning.cross_play_rows import EFFICIENCY, ROW_RETURN, MatrixRow
from benchmarks.learning.cross_play_settings import CrossPlay

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Floats = npt.NDArray[np.float64]

_MEASURES: Mapping[str, tuple[str, str]] = {
    EFFICIENCY: ("efficiency: welfare / optimum", "{:.2f}"),
    ROW_RETURN: ("return of seat 0", "{:.0f}"),
}
_COLOURS = "cividis"  # read alike by the colour-blind, and in grey
_LIGHT = 0.55  # from this share of the scale on a number is written in black
_CELL, _MARGIN = 0.42, 2.6  # inches


def save_heat_maps(setting: CrossPlay, rows: Sequence[MatrixRow], paths: Iterable[Path]) -> None:
    """Draw efficiency and the return of seat 0 under every contract; save under every path."""
    conditions = [condition.name for condition in setting.arena.conditions]
    most = max(len(setting.players(contract)) for contract in conditions)
    side = most * _CELL + _MARGIN
    save_drawn(
        lambda figure: _draw(figure, setting, rows, conditions),
        paths,
        name=f"cross-play {setting.arena.name}",
        size=(side * len(conditions), side * len(_MEASURES)),
    )


def _draw(
    figure: Figure, setting: CrossPlay, rows: Sequence[MatrixRow], conditions: Sequence[str]
) -> None:
    figure.set_layout_engine("constrained", w_pad=0.1, h_pad=0.1)
    panels = figure.subplots(len(_MEASURES), len(conditions), squeeze=False)
    for line, (measure, (words, form)) in zip(panels, _MEASURES.items(), strict=True):
        means = {
            contract: _matrix(setting.players(contract), rows, contract, measure)
            for contract in conditions
        }
        low = min(0.0, *(float(each.min()) for each in means.values()))
        high = max(float(each.max()) for each in means.values())
        for axes, contract in zip(line, conditions, strict=True):
            image = axes.imshow(means[contract], cmap=_COLOURS, vmin=low, vmax=high)
            _label(axes, setting.players(contract))
            _write(axes, means[contract], form, low=low, high=high)
            axes.set_title(f"contract: {contract}", loc="left")
        figure.colorbar(image, ax=list(line), shrink=0.7, label=words)
    n = rows[0].n
    figure.suptitle(
        f"{setting.arena.name}: seat 0 (rows) with everybody in the other seats (columns), "
        f"means of {n} episodes, the same in every cell"
    )


def _matrix(
    players: Sequence[str], rows: Sequence[MatrixRow], contract: str, measure: str
) -> Floats:
    found = {row.pairing[1:]: row for row in rows if row.pairing.contract == contract}
    return np.array([[found[row, column].mean(measure) for column in players] for row in players])


def _label(axes: Axes, players: Sequence[str]) -> None:
    axes.set_xticks(range(len(players)), players, rotation=60, ha="right", fontsize=8)
    axes.set_yticks(range(len(players)), players, fontsize=8)
    axes.tick_params(length=0)


def _write(axes: Axes, means: Floats, form: str, *, low: float, high: float) -> None:
    for (row, column), mean in np.ndenumerate(means):
        share = (mean - low) / ((high - low) or 1.0)
        colour = "black" if share >= _LIGHT else "white"
        number = form.format(mean + 0.0)
        axes.text(column, row, number, ha="center", va="center", color=colour, fontsize=7)
