"""The figure of a reinforcement: efficiency, and divergence from the start, by iteration."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.drawing import STYLES, Style, plain, save_drawn

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_PLAYED, _EXAMINED, _DIVERGED = STYLES[1], STYLES[0], STYLES[2]
_BESIDE = 0.12  # how far from each other two examinations stand


def save_reinforcement(told: Mapping[str, Any], paths: Iterable[Path], *, name: str) -> None:
    """Draw what `reinforcement.json` tells, and save under every path.

    Above, the efficiency in each iteration's settings, with its interval, and in the examinations
    before and after; below, the divergence from the start, nats an answer.
    """
    save_drawn(lambda figure: _draw(figure, told, name), paths, name=name, size=(7.2, 5.6))


def _draw(figure: Figure, told: Mapping[str, Any], name: str) -> None:
    figure.set_layout_engine("constrained", w_pad=0.1, h_pad=0.08)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    _draw_efficiency(above, told)
    above.set_title(f"{name}: reinforced by its own play", loc="left", fontsize=10)
    curve = told["curve"]
    iterations = [point["iteration"] for point in curve]
    style = _DIVERGED
    below.plot(
        iterations, [point["kl"] for point in curve], color=style.colour, marker=style.marker
    )
    below.set_ylim(bottom=0.0)
    below.set_ylabel("KL to the start")
    below.set_xlabel("iteration")
    below.set_xticks([0, *iterations, len(curve) + 1], ["before", *map(str, iterations), "after"])
    for axes in (above, below):
        plain(axes)


def _draw_efficiency(axes: Axes, told: Mapping[str, Any]) -> None:
    curve: Sequence[Mapping[str, Any]] = told["curve"]
    iterations = [point["iteration"] for point in curve]
    means = [point["efficiency"] for point in curve]
    # The interval of a single setting has no ends.
    lows, highs = (
        [point["efficiency"] if point[end] is None else point[end] for point in curve]
        for end in ("low", "high")
    )
    style = _PLAYED
    axes.fill_between(iterations, lows, highs, color=style.colour, alpha=0.2, linewidth=0)
    axes.plot(
        iterations, means, color=style.colour, linewidth=2.0, label="as it plays to learn (drawn)"
    )
    for at, key in ((0, "before"), (len(curve) + 1, "after")):
        is_first = key == "before"
        words = "examined, likeliest answers" if is_first else None
        _draw_examination(axes, at + _BESIDE, told[key], _EXAMINED, words)
        if "drawn" in told[key]:
            words = "examined, drawn answers" if is_first else None
            _draw_examination(axes, at - _BESIDE, told[key]["drawn"], _PLAYED, words)
    for words, level in {"optimum": 1.0, **_teachers(told)}.items():
        axes.axhline(level, color="#444444", linestyle=":", linewidth=1.4)
        axes.annotate(
            f"{words} {level:.2f}",
            xy=(1.0, level),
            xycoords=("axes fraction", "data"),
            xytext=(0, 3 if words == "optimum" else -11),
            textcoords="offset points",
            ha="right",
            fontsize=9,
            color="#444444",
        )
    axes.set_ylim(0.0, 1.1)
    axes.set_xlim(-0.5, len(curve) + 1.5)
    axes.set_ylabel("efficiency")
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, -0.16), ncols=3, frameon=False, fontsize=8)


def _draw_examination(
    axes: Axes, at: float, found: Mapping[str, Any], style: Style, words: str | None
) -> None:
    if found["low"] is not None:
        axes.plot((at, at), (found["low"], found["high"]), color=style.colour, linewidth=1.6)
    axes.plot(
        at,
        found["efficiency"],
        color=style.colour,
        marker=style.marker,
        linestyle="none",
        label=words,
        clip_on=False,  # a point at 0 is a point too
    )


def _teachers(told: Mapping[str, Any]) -> dict[str, float]:
    return {name: score["efficiency"] for name, score in told["before"]["policies"].items()}
