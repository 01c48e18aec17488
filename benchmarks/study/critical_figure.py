"""Efficiency after a change against its magnitude, a panel a kind, and where it pays to talk."""

from __future__ import annotations

import math
import textwrap
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from benchmarks.drawing import Style
from benchmarks.study.changes import KINDS
from benchmarks.study.critical import LEVELS
from benchmarks.study.study_figure import (
    FAMILY_STYLES,
    FATE_STYLES,
    GREY,
    POLICY,
    SMALL,
    WIDE,
    Entry,
    Study,
    StudyFigure,
    counted,
    dress,
    legend_below,
    line_handle,
    listed,
    moment_words,
    source,
)
from benchmarks.study.treatments import EXPIRES, RENEGOTIATED, STAYS, Treatment

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOMENT, PACE = 25, "sudden"
"""The change that is shown, where the study has it."""

_MAIN = "main"
_COLUMNS = 3
_CURVE, _STRIP_ROW, _LABELS, _LEGEND = 1.25, 0.09, 0.55, 0.55  # inches
_THIN, _WIDEST = 1.1, 2.3  # points; lines that coincide all show
_LABEL_LETTERS = 36  # in a line below a panel
_RING = {"markersize": 6.5, "markerfacecolor": "none", "markeredgewidth": 1.0}
_DOT = {"markersize": 3.0}  # it fits in the ring
_MARKS: Mapping[float, Mapping[str, Any]] = dict(zip(LEVELS, (_RING, _DOT), strict=True))


class _Shown(NamedTuple):
    """What the figure is drawn from."""

    rows: tuple[Entry, ...]  # of one moment, pace and policy
    marks: tuple[Entry, ...]  # critical magnitudes of the same
    kinds: tuple[str, ...]
    families: tuple[str, ...]

    def reference(self, kind: str) -> str:
        """Return the family that is drawn where it is renegotiated or expires."""
        played = {row["family"] for row in self.rows if row["kind"] == kind}
        return next((family for family in self.families if family in played), self.families[0])


def critical_figure(study: Study) -> StudyFigure | None:
    """Return the figure of critical changes; None where there is no row of the policy shown."""
    shown = _shown(study)
    if shown is None:
        return None
    columns = min(_COLUMNS, len(shown.kinds))
    rows = math.ceil(len(shown.kinds) / columns)
    height = rows * (_CURVE + _strip_height(shown) + _LABELS) + _LEGEND
    return StudyFigure(
        name="critical-change",
        size=(WIDE * max(columns, 2) / _COLUMNS, height),
        draw=lambda figure: _draw(figure, shown, columns),
        caption=_caption(study, shown),
    )


def _shown(study: Study) -> _Shown | None:
    ours = [row for row in study["rows"] if _is_ours(row)]
    places = Counter((row["moment"], row["pace"]) for row in ours)
    if not places:
        return None
    wanted = (MOMENT, PACE)
    place = wanted if wanted in places else max(places, key=lambda each: places[each])
    rows = tuple(row for row in ours if (row["moment"], row["pace"]) == place)
    marks = tuple(
        entry
        for entry in study["critical_magnitudes"]
        if _is_ours(entry) and (entry["moment"], entry["pace"]) == place
    )
    kinds = {row["kind"] for row in rows}
    families = tuple(f for f in FAMILY_STYLES if any(row["family"] == f for row in rows))
    if not families:
        return None
    return _Shown(rows, marks, tuple(kind for kind in KINDS if kind in kinds), families)


def _is_ours(entry: Entry) -> bool:
    return bool(entry.get("group", _MAIN) == _MAIN and entry["policy"] == POLICY)


def _strip_height(shown: _Shown) -> float:
    return _STRIP_ROW * (len(shown.families) + 1)


def _curve(shown: _Shown, kind: str, family: str, fate: str) -> list[Entry]:
    """Return the rows of one line, by magnitude; those without a number are left out."""
    name = Treatment(family=family, fate=fate, judge=_JUDGES.get(fate)).name
    found = [
        row
        for row in shown.rows
        if (row["kind"], row["condition"]) == (kind, name) and row["efficiency"] is not None
    ]
    return sorted(found, key=lambda row: int(row["magnitude"]))


_JUDGES = {RENEGOTIATED: "change-only"}


def _draw(figure: Figure, shown: _Shown, columns: int) -> None:
    figure.set_layout_engine("constrained", w_pad=0.05, h_pad=0.04, hspace=0.0, wspace=0.03)
    num_rows = math.ceil(len(shown.kinds) / columns)
    heights = [_CURVE, _strip_height(shown)] * num_rows
    grid = figure.add_gridspec(len(heights), columns, height_ratios=heights)
    lowest = _lowest(shown)
    for index, kind in enumerate(shown.kinds):
        row, column = divmod(index, columns)
        curves = figure.add_subplot(grid[2 * row, column], label=f"curves {kind}")
        strip = figure.add_subplot(
            grid[2 * row + 1, column], sharex=curves, label=f"critical {kind}"
        )
        _draw_curves(curves, shown, kind)
        curves.set_ylim(lowest - 0.04, 1.04)
        _draw_marks(strip, shown, kind)
        label = "\n".join(textwrap.wrap(KINDS[kind].label, _LABEL_LETTERS))
        dress(curves, y="efficiency after\nthe change" if column == 0 else "")
        dress(strip, x=label)
        curves.tick_params(labelbottom=False, labelleft=column == 0)
        strip.tick_params(left=False, labelleft=False)
        if column == 0:
            strip.set_ylabel("critical", fontsize=SMALL, rotation=0, ha="right", va="center")
    legend_below(figure, _legend(shown))


def _lowest(shown: _Shown) -> float:
    ends = [row[name] for row in shown.rows for name in ("efficiency", "efficiency_low")]
    return min([0.0, *(float(end) for end in ends if end is not None)])


def _lines(shown: _Shown, kind: str) -> list[tuple[str, str, Style]]:
    """Return family, fate and style of every line, those first that others are drawn over."""
    first = shown.reference(kind)
    ends = [(first, fate, FATE_STYLES[fate]) for fate in (EXPIRES, RENEGOTIATED)]
    return [*ends, *((family, STAYS, FAMILY_STYLES[family]) for family in shown.families)]


def _draw_curves(axes: Axes, shown: _Shown, kind: str) -> None:
    lines = _lines(shown, kind)
    for over, (family, fate, style) in enumerate(lines):
        curve = _curve(shown, kind, family, fate)
        if not curve:
            continue
        xs = [row["magnitude"] for row in curve]
        low, high = (_bounds(curve, end) for end in ("efficiency_low", "efficiency_high"))
        if not np.array_equal(low, high, equal_nan=True):
            axes.fill_between(xs, low, high, color=style.colour, alpha=0.18, linewidth=0)
        axes.plot(
            xs,
            [row["efficiency"] for row in curve],
            color=style.colour,
            linestyle=style.line,
            marker=style.marker,
            markersize=2.6,
            lw=_THIN if fate == EXPIRES else _WIDEST - over / len(lines),
            label=f"{family} {fate}",
        )
    _scale(axes, {int(row["magnitude"]) for row in shown.rows if row["kind"] == kind})


def _scale(axes: Axes, magnitudes: set[int]) -> None:
    """Let a larger change stand further to the right, also where it is a fall."""
    from matplotlib.ticker import MaxNLocator

    if min(magnitudes) < 0 < max(magnitudes):
        axes.axvline(0, color="#BBBBBB", lw=0.8, zorder=0)
    margin = 0.04 * (max(magnitudes) - min(magnitudes)) or 1.0
    ends = (min(magnitudes) - margin, max(magnitudes) + margin)
    axes.set_xlim(ends[::-1] if min(magnitudes) < 0 == max(magnitudes) else ends)
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))


def _bounds(curve: Sequence[Entry], end: str) -> Any:
    """Return one end of the interval at each point, the point itself where there is none."""
    return np.array(
        [row["efficiency"] if row.get(end) is None else row[end] for row in curve], np.float64
    )


def _draw_marks(axes: Axes, shown: _Shown, kind: str) -> None:
    """Mark, a row a family, where renegotiation first gains as much as each level."""
    for entry in shown.marks:
        if entry["kind"] != kind or entry["family"] not in shown.families:
            continue
        height, style = shown.families.index(entry["family"]), FAMILY_STYLES[entry["family"]]
        level, magnitude = float(entry["level"]), entry["magnitude"]
        if magnitude is None or level not in _MARKS:
            continue
        _draw_spread(axes, entry, height, style)
        axes.plot(
            [magnitude],
            [height],
            color=style.colour,
            marker="o",
            linestyle="none",
            clip_on=False,
            label=f"{entry['family']} {level:g}",
            **_MARKS[level],
        )
    axes.set_ylim(len(shown.families) - 0.25, -0.75)
    axes.set_yticks([])


def _draw_spread(axes: Axes, entry: Entry, height: int, style: Style) -> None:
    """Draw the interval of a critical magnitude, to the edge where it is beyond what was played."""
    low, high = entry.get("low"), entry.get("high")
    if low is None or low == high:
        return
    magnitudes = [point[0] for point in entry["curve"]]
    beyond = max(magnitudes, key=abs) if high is None else high
    axes.plot([low, beyond], [height, height], color=style.colour, lw=1.0, label="_interval")


def _legend(shown: _Shown) -> list[Any]:
    told = [
        line_handle(FAMILY_STYLES[family], f"{family.replace('-', ' ')} stays")
        for family in shown.families
    ]
    told += [
        line_handle(FATE_STYLES[RENEGOTIATED], "renegotiated at the change"),
        line_handle(FATE_STYLES[EXPIRES], "expires at the change"),
    ]
    rings = [
        line_handle(
            Style(GREY, "o", "-"), f"critical: gain of {level:.2f}", **{**mark, "linestyle": "none"}
        )
        for level, mark in _MARKS.items()
    ]
    return [*told, *rings]


def _caption(study: Study, shown: _Shown) -> str:
    return (
        "Efficiency after the change, welfare over the social optimum from the state that the "
        f"change finds, against the magnitude of the change ({moment_words(shown.rows[0])}; "
        f"policy {POLICY}), a panel a kind of change. Lines: the contract of each family stays; "
        "that of the first family expires, or is renegotiated. "
        f"{_others(shown)}Below each panel, a row a family: the smallest magnitude at which "
        f"renegotiation gains {LEVELS[0]:.2f} (ring) and {LEVELS[1]:.2f} (dot) in efficiency over "
        "that family's contract that stays; "
        "no mark: no magnitude played. Bands and bars: 95% intervals where there is chance. "
        f"{_losses(shown)}{counted(shown.rows)} {source(study)}"
    )


def _losses(shown: _Shown) -> str:
    """Say how much of the optimum each family loses at most where it stays."""
    told = []
    for family in shown.families:
        curves = (_curve(shown, kind, family, STAYS) for kind in shown.kinds)
        lost = [1.0 - row["efficiency"] for curve in curves for row in curve]
        if lost:
            told.append(f"{family.replace('-', ' ')} {max(lost):.2f}")
    return f"Most that a contract that stays loses: {listed(told)}. " if told else ""


def _others(shown: _Shown) -> str:
    """Say how far the lines of other families are from those that stand for them."""
    if len(shown.families) < 2:
        return ""
    told = []
    for fate, words in ((EXPIRES, "expire"), (RENEGOTIATED, "are renegotiated")):
        apart = [
            abs(row["efficiency"] - ours[row["magnitude"]])
            for kind in shown.kinds
            for ours in [_by_magnitude(_curve(shown, kind, shown.reference(kind), fate))]
            for family in shown.families
            for row in _curve(shown, kind, family, fate)
            if row["magnitude"] in ours
        ]
        if apart:
            told.append(f"{max(apart):.2f} where they {words}")
    return f"Other families differ from it by at most {listed(told)}. " if told else ""


def _by_magnitude(curve: Sequence[Entry]) -> dict[int, float]:
    return {row["magnitude"]: row["efficiency"] for row in curve}
