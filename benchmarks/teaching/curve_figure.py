"""The figure of a teaching: the loss on what was taught, by step."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.drawing import STYLES, plain, save_drawn

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Curve = Sequence[tuple[int, float]]


def save_curve(curve: Curve, paths: Iterable[Path], *, name: str) -> None:
    """Draw the loss, nats per token of the answers, by step; save under every path."""
    save_drawn(lambda figure: _draw(figure, curve, name), paths, name=name, size=(7.2, 4.0))


def _draw(figure: Figure, curve: Curve, name: str) -> None:
    figure.set_layout_engine("constrained", w_pad=0.1, h_pad=0.08)
    axes = figure.add_subplot()
    steps, losses = zip(*curve, strict=True) if curve else ((), ())
    axes.plot(steps, losses, color=STYLES[1].colour, linewidth=1.4)
    if losses and min(losses) > 0:
        axes.set_yscale("log")
    axes.set_xlim(left=0)
    axes.set_xlabel("step")
    axes.set_ylabel("loss, nats per token of the answers")
    axes.set_title(name, loc="left", fontsize=10)
    plain(axes)
