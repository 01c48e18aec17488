"""Fixed contracts against sequences of contracts over time: welfare, and what is in force when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from string import ascii_uppercase
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from benchmarks.study.study_figure import (
    FATE_STYLES,
    FATE_WORDS,
    GREY,
    INK,
    LETTER_WIDTH,
    SMALL,
    TEXT,
    WIDE,
    Entry,
    Study,
    StudyFigure,
    dress,
    line_handle,
    listed,
    moment_words,
    source,
)
from benchmarks.study.treatments import EXPIRES, RENEGOTIATED, STAYS, Treatment

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WINDOW_STEPS = 6
"""Steps that a drawn value is the mean of: whole pulses where harvests come every 2 or 3 steps."""

NO_CONTRACT = "no contract"

_FAMILIES = ("least-wage", "least-share")
_AXES_WIDTH = 6.1  # inches, about
_WELFARE, _STRIP_ROW, _HEAD, _KEY_LINE = 1.75, 0.19, 0.75, 0.16  # inches
_WIDTHS = {STAYS: 3.0, RENEGOTIATED: 1.6, EXPIRES: 1.1}  # points; coinciding lines all show


class Panel(NamedTuple):
    """One family's treatments in one course."""

    course: Entry
    family: str
    by_fate: Mapping[str, Entry]  # treatments, in the order of `FATE_STYLES`


def course_figure(study: Study) -> StudyFigure | None:
    """Return the figure of what happens over time; None where no course is kept.

    Shown is the course in which renegotiation gains most over the contract that stays.
    """
    panels = _panels(study)
    if not panels:
        return None
    key = _key(panels)
    rows = sum(_WELFARE + _STRIP_ROW * len(panel.by_fate) for panel in panels)
    return StudyFigure(
        name="course",
        size=(WIDE, rows + _HEAD + _KEY_LINE * len(key)),
        draw=lambda figure: _draw(figure, panels, key),
        caption=_caption(study, panels),
    )


def smoothed(values: Sequence[float], breaks: Sequence[int]) -> list[float]:
    """Return moving means over `WINDOW_STEPS` values, of which none crosses a break.

    A window is centred, but for the ends: the first and the last few means are those of the first
    and the last whole window.

    Args:
        values: by step.
        breaks: steps at which something changes; of those closer than a window the first counts.
    """
    ends = [0]
    for step in sorted(breaks):
        if ends[-1] + WINDOW_STEPS <= step <= len(values) - WINDOW_STEPS:
            ends.append(step)
    before = (WINDOW_STEPS - 1) // 2
    means = []
    for start, stop in pairwise([*ends, len(values)]):
        for step in range(start, stop):
            first = max(start, min(step - before, stop - WINDOW_STEPS))
            means.append(float(np.mean(values[first : min(stop, first + WINDOW_STEPS)])))
    return means


def _panels(study: Study) -> list[Panel]:
    found = [panel for course in study["courses"] for panel in _families(course)]
    if not found:
        return []
    shown = max(found, key=_gain)  # of equals the first
    others = [p for p in found if p.course is shown.course and p.family != shown.family]
    panels = [shown, *others]
    first = [p for family in _FAMILIES for p in panels if p.family == family]
    return first or panels[: len(_FAMILIES)]


def _families(course: Entry) -> list[Panel]:
    by_family: dict[str, dict[str, Entry]] = {}
    for told in course["treatments"]:
        treatment = Treatment.from_name(told["condition"])
        if treatment.family is not None and treatment.fate in FATE_STYLES:
            by_family.setdefault(treatment.family, {})[treatment.fate] = told
    return [
        Panel(course, family, {fate: by_fate[fate] for fate in FATE_STYLES if fate in by_fate})
        for family, by_fate in by_family.items()
    ]


def _gain(panel: Panel) -> float:
    if not {STAYS, RENEGOTIATED} <= set(panel.by_fate):
        return -np.inf
    return _total(panel.by_fate[RENEGOTIATED]) - _total(panel.by_fate[STAYS])


def _total(told: Entry) -> float:
    return float(np.sum(told["welfare"]))


def _draw(figure: Figure, panels: Sequence[Panel], key: Mapping[str, str]) -> None:
    figure.set_layout_engine("constrained", w_pad=0.04, h_pad=0.03, hspace=0.02)
    heights = [h for p in panels for h in (_WELFARE, _STRIP_ROW * len(p.by_fate))]
    grid = figure.add_gridspec(len(heights), 1, height_ratios=heights)
    for row, panel in enumerate(panels):
        welfare = figure.add_subplot(grid[2 * row], label=f"welfare {panel.family}")
        strip = figure.add_subplot(grid[2 * row + 1], sharex=welfare, label=f"in force {row}")
        _draw_welfare(welfare, panel)
        _draw_strip(strip, panel, key)
        last = panel is panels[-1]
        dress(strip, x="step" if last else "")
        strip.tick_params(axis="y", length=0)
        strip.spines["left"].set_visible(False)
        strip.spines["bottom"].set_visible(last)
        welfare.tick_params(labelbottom=False)
        strip.tick_params(bottom=last, labelbottom=last)
    optimum = line_handle(FATE_STYLES[STAYS], "optimum from here", **_OPTIMUM, marker="")
    lines = [
        line_handle(style, f"contract {FATE_WORDS[fate]}", lw=_WIDTHS[fate], marker="")
        for fate, style in FATE_STYLES.items()
        if any(fate in panel.by_fate for panel in panels)
    ]
    figure.legend(
        handles=[*lines, optimum],
        loc="outside upper center",
        ncols=4,
        frameon=False,
        fontsize=SMALL,
        columnspacing=1.2,
    )
    if key:
        told = "\n".join(f"{letter}: {words}" for words, letter in key.items())
        figure.supxlabel(told, x=0.01, ha="left", fontsize=SMALL)


_OPTIMUM: Mapping[str, Any] = {"color": "#000000", "linestyle": ":", "lw": 1.4}


def _draw_welfare(axes: Axes, panel: Panel) -> None:
    course = panel.course
    breaks = [step for step, _ in course["changes"]]
    middles = np.asarray(course["steps"], np.float64) + 0.5  # a step lasts until the next
    for fate, told in panel.by_fate.items():
        style = FATE_STYLES[fate]
        axes.plot(
            middles,
            smoothed(told["welfare"], breaks),
            color=style.colour,
            linestyle=style.line,
            lw=_WIDTHS[fate],
            label=told["condition"],
        )
    axes.plot(middles, smoothed(course["optimum"], breaks), **_OPTIMUM, label="optimum")
    axes.set_xlim(0, float(middles[-1]) + 0.5)
    dress(axes, y=f"welfare, fruit a step\n(mean of {WINDOW_STEPS} steps)")
    axes.set_title(f"begins with the {_family_words(panel.family)}", loc="left", fontsize=TEXT)
    _mark_changes(axes, course["changes"])


def _mark_changes(axes: Axes, changes: Sequence[Sequence[Any]]) -> None:
    """Draw a line a change, its words to the right of it, above the curves."""
    end, top = axes.get_xlim()[1], axes.get_ylim()[1]
    taken: list[float] = []  # by level: up to where words stand
    for step, words in changes:
        axes.axvline(step, color=GREY, lw=0.8, zorder=0.5)
        width = len(words) * LETTER_WIDTH * end / _AXES_WIDTH
        is_late = step + width > end
        start = step - width if is_late else step
        level = next((k for k, until in enumerate(taken) if until <= start), len(taken))
        taken[level : level + 1] = [start + width]
        axes.annotate(
            words,
            xy=(step, 1.0),
            xycoords=("data", "axes fraction"),
            xytext=(-3 if is_late else 3, -2 - 9 * level),
            textcoords="offset points",
            ha="right" if is_late else "left",
            va="top",
            fontsize=SMALL - 0.5,
            color=INK,
        )
    axes.set_ylim(0, top * (1.0 + 0.11 * len(taken)))


def _draw_strip(axes: Axes, panel: Panel, key: Mapping[str, str]) -> None:
    """Draw which contract is in force when, a row a treatment; without one the row is empty."""
    for height, (fate, told) in enumerate(panel.by_fate.items()):
        for start, stop, words in told["contracts"]:
            is_none = words == NO_CONTRACT
            axes.barh(
                height,
                stop - start,
                left=start,
                height=0.8,
                color="white" if is_none else _tint(FATE_STYLES[fate].colour),
                edgecolor=GREY,
                linewidth=0.5,
            )
            shown = words if _fits(words, stop - start, panel) else key.get(words, "")
            middle = (start + stop) / 2
            axes.text(
                middle,
                height,
                shown,
                ha="center",
                va="center_baseline",
                fontsize=SMALL - 0.5,
                color=GREY if is_none else INK,
            )
    for step, _ in panel.course["changes"]:
        axes.axvline(step, color=GREY, lw=0.8, zorder=0.5)
    num = len(panel.by_fate)
    axes.set_yticks(range(num), [FATE_WORDS[fate].removeprefix("is ") for fate in panel.by_fate])
    axes.set_ylim(num - 0.5, -0.5)


def _tint(colour: str) -> tuple[float, float, float]:
    """Return a colour pale enough to be written on."""
    from matplotlib.colors import to_rgb

    red, green, blue = (1.0 - 0.35 * (1.0 - part) for part in to_rgb(colour))
    return red, green, blue


def _fits(words: str, steps: int, panel: Panel) -> bool:
    return len(words) * LETTER_WIDTH <= steps * _AXES_WIDTH / len(panel.course["steps"])


def _key(panels: Sequence[Panel]) -> dict[str, str]:
    """Return a letter for every contract whose words do not fit where it is in force."""
    long = dict.fromkeys(
        words
        for panel in panels
        for told in panel.by_fate.values()
        for start, stop, words in told["contracts"]
        if words != NO_CONTRACT and not _fits(words, stop - start, panel)
    )
    return dict(zip(long, ascii_uppercase, strict=False))


def _family_words(family: str) -> str:
    return family.replace("-", " ")


def _caption(study: Study, panels: Sequence[Panel]) -> str:
    course = panels[0].course
    told = []
    for panel in panels:
        totals = [
            f"{_total(treatment):.0f} where it {FATE_WORDS[fate]}"
            for fate, treatment in panel.by_fate.items()
        ]
        told.append(f"{_family_words(panel.family)}: {listed(totals)}")
    num = len(study["courses"])
    chosen = f" Of {num} courses, the one in which renegotiation gains most." if num > 1 else ""
    return (
        "Fixed contracts against sequences of contracts. Above: welfare of both agents in a step, "
        f"moving mean of {WINDOW_STEPS} steps (none crosses a change), dotted the "
        "social optimum, before the first change from the start, after it from the state reached. "
        "Below: the contract in force. Policy "
        f"{course['policy']}, {course['kind'].replace('-', ' ')} "
        f"{course['magnitude']:+d} {moment_words(course)}; one episode a line. Welfare of the "
        f"episode: {'; '.join(told)} (optimum {float(np.sum(course['optimum'])):.0f})."
        f"{chosen} {source(study)}"
    )
