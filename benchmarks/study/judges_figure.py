"""The trade-off of judges: what calling for talks more often brings at each cost of talks."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from benchmarks.drawing import Style
from benchmarks.study.study_figure import (
    INK,
    POLICY,
    TEXT,
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

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLUMNS, _MOST_PANELS = 2, 6
_PANEL, _LEGEND = 2.35, 0.35  # inches
_SPREAD = 0.45  # of the costs at one judge, in judges
_MARKERS = ("o", "s", "D", "^", "v", "P")
_WORLD = ("kind", "magnitude", "moment", "pace", "policy", "family")
_BEST = "best at its cost"


class _World(NamedTuple):
    """One world and who plays in it; a panel."""

    fields: Entry
    entries: tuple[Entry, ...]  # judge, cost, efficiency, negotiations
    best: Mapping[float, str]  # by cost, the best judge

    @property
    def judges(self) -> list[str]:
        """Those who call for the fewest talks first."""
        return sorted({entry["judge"] for entry in self.entries}, key=self._order)

    def talks(self, judge: str) -> list[float]:
        """Return how many negotiations are held at each cost."""
        found = (each["negotiations"] for each in self.entries if each["judge"] == judge)
        return [float(number) for number in found if number is not None]

    def _order(self, judge: str) -> tuple[float, float, str]:
        reached = [each["efficiency"] for each in self.entries if each["judge"] == judge]
        return float(np.mean(self.talks(judge) or [0.0])), float(np.mean(reached)), judge


def judges_figure(study: Study) -> StudyFigure | None:
    """Return the figure of the trade-off; None where no judges were compared.

    Shown are the worlds of exact players; of a study without them, those of all policies.
    """
    worlds = _worlds(study)
    if not worlds:
        return None
    exact = [world for world in worlds if world.fields["policy"] == POLICY]
    shown = (exact or worlds)[:_MOST_PANELS]
    columns = min(_COLUMNS, len(shown))
    rows = math.ceil(len(shown) / columns)
    costs = sorted({entry["cost"] for world in shown for entry in world.entries})
    styles = _styles(costs)
    return StudyFigure(
        name="judges",
        size=(WIDE * columns / _COLUMNS, rows * _PANEL + _LEGEND * (3 - columns)),
        draw=lambda figure: _draw(figure, shown, styles, columns),
        caption=_caption(study, shown, num_worlds=len(worlds)),
    )


def _worlds(study: Study) -> list[_World]:
    by_world: dict[tuple[Any, ...], list[Entry]] = {}
    for entry in study["tradeoff"]:
        if entry["efficiency"] is not None:
            by_world.setdefault(_key(entry), []).append(entry)
    best: dict[tuple[Any, ...], dict[float, str]] = {}
    for entry in study["best_judge"]:
        best.setdefault(_key(entry), {})[entry["cost"]] = entry["judge"]
    return [
        _World(entries[0], tuple(entries), best.get(key, {})) for key, entries in by_world.items()
    ]


def _key(entry: Entry) -> tuple[Any, ...]:
    return tuple(entry.get(name) for name in _WORLD)


def _styles(costs: Sequence[float]) -> dict[float, Style]:
    """Return darker lines for cheaper talks, told apart in grey and by the colour-blind."""
    from matplotlib import colormaps
    from matplotlib.colors import to_hex

    shades = colormaps["viridis"](np.linspace(0.05, 0.78, max(2, len(costs))))
    return {
        cost: Style(to_hex(shade), _MARKERS[k % len(_MARKERS)], "-")
        for k, (cost, shade) in enumerate(zip(costs, shades, strict=False))
    }


def _draw(
    figure: Figure, worlds: Sequence[_World], styles: Mapping[float, Style], columns: int
) -> None:
    figure.set_layout_engine("constrained", w_pad=0.04, h_pad=0.04)
    rows = math.ceil(len(worlds) / columns)
    grid = figure.add_gridspec(rows, columns)
    first = None
    for index, world in enumerate(worlds):
        row, column = divmod(index, columns)
        axes = figure.add_subplot(grid[row, column], sharey=first, label=f"judges {index}")
        first = first or axes
        _draw_world(axes, world, styles)
        dress(axes, y="efficiency of the episode" if column == 0 else "")
        axes.set_title(_title(world), loc="left", fontsize=TEXT)
    handles = [line_handle(style, f"{cost:g}") for cost, style in styles.items()]
    for handle, cost in zip(handles, styles, strict=True):
        handle.set_label(f"talks cost {cost:g} {'step' if cost == 1 else 'steps'}")
    ring = line_handle(Style(INK, "o", "-"), _BEST, linestyle="none", **_ring())
    legend_below(figure, [*handles, ring])


def _ring() -> dict[str, Any]:
    return {"markerfacecolor": "none", "markeredgewidth": 1.0, "markersize": 8.5}


def _draw_world(axes: Axes, world: _World, styles: Mapping[float, Style]) -> None:
    judges = world.judges
    offsets = np.linspace(-_SPREAD / 2, _SPREAD / 2, len(styles))
    for offset, (cost, style) in zip(offsets, styles.items(), strict=True):
        found = {entry["judge"]: entry for entry in world.entries if entry["cost"] == cost}
        at = {judge: k + float(offset) for k, judge in enumerate(judges) if judge in found}
        _draw_cost(axes, {x: found[judge] for judge, x in at.items()}, style, f"cost {cost:g}")
        best = world.best.get(cost)
        if best in at:
            reached = found[best]["efficiency"]
            ring = {"color": INK, "marker": "o", "linestyle": "none", **_ring()}
            axes.plot([at[best]], [reached], label=f"{_BEST} {cost:g}", **ring)
    axes.grid(axis="y", color="#E4E4E4", lw=0.6)
    axes.set_axisbelow(True)
    axes.set_xticks(
        range(len(judges)),
        [f"{judge} ({_range(world.talks(judge))})" for judge in judges],
        rotation=40,
        ha="right",
        rotation_mode="anchor",
    )
    axes.set_xlim(-0.6, len(judges) - 0.4)


def _draw_cost(axes: Axes, found: Mapping[float, Entry], style: Style, label: str) -> None:
    """Draw a line through what judges come to at one cost, by their place, with intervals."""
    for x, entry in found.items():
        if entry.get("low") is not None and entry.get("high") is not None:
            axes.plot([x, x], [entry["low"], entry["high"]], color=style.colour, lw=1.0)
    axes.plot(
        list(found),
        [entry["efficiency"] for entry in found.values()],
        color=style.colour,
        marker=style.marker,
        markersize=3.4,
        lw=0.8,
        label=label,
    )


def _range(numbers: Sequence[float]) -> str:
    if not numbers:
        return "unknown"
    low, high = (f"{round(end, 1):g}" for end in (min(numbers), max(numbers)))
    return low if low == high else f"{low} to {high}"


def _title(world: _World) -> str:
    kind = world.fields["kind"].replace("-", " ")
    change = f"{kind} {world.fields['magnitude']:+d} {moment_words(world.fields)}"
    policy = world.fields["policy"]
    return change if policy == POLICY else f"{change}: {policy}"


def _caption(study: Study, shown: Sequence[_World], *, num_worlds: int) -> str:
    told = [f"{_title(world)}: " + ", ".join(_best_words(world)) for world in shown if world.best]
    left_out = f" Of {num_worlds} panels {len(shown)} are shown." if num_worlds > len(shown) else ""
    policies = listed(sorted({world.fields["policy"] for world in shown}))
    entries = [entry for world in shown for entry in world.entries]
    return (
        f"The trade-off of when to talk, policy {policies}. Efficiency of the whole episode by "
        "judge, in brackets how many negotiations it calls for, the fewest to the left; a line a "
        "cost of talks, in steps of forced waiting after each. Ringed: the best judge at each "
        "cost, of equals the one that calls for the fewest talks. Bars: 95% intervals where there "
        "is chance."
        + (f" Best: {'; '.join(told)}." if told else "")
        + f"{left_out} {counted(entries)} {source(study)}"
    )


def _best_words(world: _World) -> list[str]:
    """Say of every judge that is best somewhere at which costs it is."""
    by_judge: dict[str, list[str]] = {}
    for cost, judge in sorted(world.best.items()):
        by_judge.setdefault(judge, []).append(f"{cost:g}")
    return [f"{judge} at cost {listed(costs)}" for judge, costs in by_judge.items()]
