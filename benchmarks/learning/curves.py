"""The figure of a training: evaluation score by experience, over training seeds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from benchmarks.drawing import STYLES, plain, save_drawn
from benchmarks.learning.experiment import Reference
from benchmarks.statistics import estimate_over_seeds

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Floats = npt.NDArray[np.float64]


class Curve(NamedTuple):
    """The evaluations during the training of one seed."""

    agent_steps: tuple[int, ...]
    scores: tuple[float, ...]

    @classmethod
    def of(cls, progress: Sequence[Mapping[str, Any]]) -> Curve:
        """Return the curve of the lines that training wrote, the first first."""
        return cls(
            tuple(line["agent_steps"] for line in progress),
            tuple(line["evaluation"]["score"] for line in progress),
        )


def save_curves(
    curves: Sequence[Curve],
    references: Sequence[Reference],
    paths: Iterable[Path],
    *,
    name: str,
    score: str,
) -> None:
    """Draw every seed's curve, their mean and its 95% interval, and save under every path.

    Args:
        curves: of the training seeds; the mean is drawn where all of them have been evaluated.
        references: levels to read the curves against.
        paths: where to save, in the format of the suffix.
        name: of the experiment.
        score: what is measured.
    """
    save_drawn(
        lambda figure: _draw(figure, curves, references, name=name, score=score),
        paths,
        name=name,
        size=(7.2, 4.4),
    )


def _draw(
    figure: Figure,
    curves: Sequence[Curve],
    references: Sequence[Reference],
    *,
    name: str,
    score: str,
) -> None:
    figure.set_layout_engine("constrained", w_pad=0.1, h_pad=0.08)
    axes = figure.add_subplot()
    style = STYLES[1]
    is_alone = len(curves) == 1
    for curve in curves:
        width, alpha = (2.2, 1.0) if is_alone else (0.8, 0.45)
        axes.plot(*curve, color=style.colour, linewidth=width, alpha=alpha)
    if not is_alone:
        steps, mean, low, high = _mean_course(curves)
        axes.fill_between(steps, low, high, color=style.colour, alpha=0.2, linewidth=0)
        axes.plot(steps, mean, color=style.colour, linewidth=2.2)
    _draw_references(axes, references)
    levels = [reference.value for reference in references]
    axes.set_ylim(*_limits([*levels, *(s for curve in curves for s in curve.scores)]))
    axes.set_xlim(left=0)
    axes.set_xlabel("agent-steps")
    axes.xaxis.set_major_formatter(_in_words)
    axes.set_ylabel(f"{score}, validation episodes")
    seeds = "one training seed"
    if not is_alone:
        seeds = f"mean of {len(curves)} training seeds, 95% interval; thin: each seed"
    axes.set_title(f"{name}: {seeds}", loc="left", fontsize=10)
    plain(axes)


def _mean_course(curves: Sequence[Curve]) -> tuple[list[int], Floats, Floats, Floats]:
    """Return where all seeds were evaluated: agent-steps, mean, and bounds of its interval."""
    by_step = [dict(zip(curve.agent_steps, curve.scores, strict=True)) for curve in curves]
    steps = sorted(set.intersection(*(set(scores) for scores in by_step)))
    estimates = [estimate_over_seeds([scores[step] for scores in by_step]) for step in steps]
    mean, low, high = (
        np.array([getattr(estimate, bound) for estimate in estimates], np.float64)
        for bound in ("mean", "low", "high")
    )
    return steps, mean, low, high


def _draw_references(axes: Axes, references: Sequence[Reference]) -> None:
    for reference in references:
        axes.axhline(reference.value, color="#444444", linestyle=":", linewidth=1.4)
        axes.annotate(
            f"{reference.name} {reference.value:.2f}",
            xy=(1.0, reference.value),
            xycoords=("axes fraction", "data"),
            xytext=(0, 3),
            textcoords="offset points",
            ha="right",
            fontsize=9,
            color="#444444",
        )


def _limits(values: Sequence[float]) -> tuple[float, float]:
    """Return the ends of the axis: all that is drawn, and zero unless it is far away."""
    low, high = min(values), max(values)
    low = 0.0 if 0.0 <= low < (high - low) else low
    margin = 0.08 * ((high - low) or 1.0)
    return (low if low == 0.0 else low - margin), high + margin


def _in_words(agent_steps: float, _position: float) -> str:
    """Write a number of agent-steps short: 400k, 1.5M."""
    for unit, letter in ((1e6, "M"), (1e3, "k")):
        if agent_steps >= unit:
            return f"{agent_steps / unit:g}{letter}"
    return f"{agent_steps:g}"
