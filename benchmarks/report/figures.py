"""What the figures of a report have in common: how they are laid out, saved and described."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from benchmarks.arena import Arena
from benchmarks.drawing import STYLES, Style, plain, save_drawn
from benchmarks.statistics import CONFIDENCE, estimate_over_seeds
from benchmarks.statistics.bootstrap import widened

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Floats = npt.NDArray[np.float64]

FOLDER = "figures"
"""Where in a report figures stand."""

SEPARATOR = " + "
"""Between the names of a pair: who sits on the first seat, and who on all others."""

NUM_RESAMPLES = 2_000
"""Of a band: its ends are seen, not read off."""

INTERVALS = (
    "Bands and bars: 95% intervals, by the bootstrap over episodes or, of trainings, by Student's "
    "t over training seeds; a single one has none."
)

# The rest of Okabe and Ito's colours, where there are more conditions than styles.
_MORE_STYLES = (
    Style("#D55E00", "P", "-"),
    Style("#666666", "X", "--"),
    Style("#F0E442", "*", "-."),
)
_WIDEST, _NARROWER = 3.0, 0.75  # points; of lines that coincide all are seen
_LEGEND_COLUMNS, _LEGEND_LINE = 4, 0.22  # inches
_LONGEST_TITLE = 36  # characters
_RESAMPLES_AT_A_TIME = 100
_COLUMNS, _MOST_PANELS = 3, 12
_PANEL_WIDTH, _LEGEND_HEIGHT = 4.0, 0.6  # inches


@dataclass(frozen=True, kw_only=True)
class ShownFigure:
    """A figure of the report: where it is, and what it shows in words."""

    file: str  # within the report
    title: str
    caption: str
    alt: str  # what one sees, for those who do not see it

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return dict(vars(self))


@dataclass(frozen=True, kw_only=True)
class Sample:
    """Courses of one policy under one condition: a row an episode, or a training seed."""

    courses: Floats  # (n, steps)
    is_of_seeds: bool

    @property
    def n(self) -> int:
        """How many there are."""
        return len(self.courses)

    @property
    def mean(self) -> Floats:
        """The mean course, (steps,)."""
        means: Floats = self.courses.mean(axis=0)
        return means

    def band(self) -> tuple[Floats, Floats] | None:
        """Return the bounds of the 95% interval of the mean at each step; None for a single one."""
        if self.n < 2:
            return None
        if not self.is_of_seeds:
            return _bootstrap(self.courses)
        estimates = [estimate_over_seeds(column.tolist()) for column in self.courses.T]
        low, high = ([getattr(e, end) for e in estimates] for end in ("low", "high"))
        return np.array(low, np.float64), np.array(high, np.float64)


def _bootstrap(courses: Floats) -> tuple[Floats, Floats]:
    """Resample whole episodes; the same number of them always draws the same resamples."""
    n = len(courses)
    rng = np.random.default_rng(n)
    means = []
    for _ in range(NUM_RESAMPLES // _RESAMPLES_AT_A_TIME):
        drawn = rng.multinomial(n, np.full(n, 1.0 / n), size=_RESAMPLES_AT_A_TIME)
        means.append(drawn @ courses / n)
    tail = (1.0 - widened(CONFIDENCE, [n])) / 2.0
    low, high = np.quantile(np.concatenate(means), (tail, 1.0 - tail), axis=0)
    return low, high


def sample_of(
    arena: Arena[Any], courses: Mapping[str, Sequence[Sequence[float]]], policy: str
) -> Sample | None:
    """Return the sample of a policy: its episodes, or the means of a training's seeds.

    Args:
        arena: in which it played.
        courses: of all episodes, by player as records call it.
        policy: name in the arena.

    """
    players = [player for player in arena.players(policy) if courses.get(player)]
    if not players:
        return None
    is_of_seeds = arena.training_of(players[0]) is not None
    rows = [
        row
        for player in players
        for row in (
            [np.mean(courses[player], axis=0)] if is_of_seeds else map(np.asarray, courses[player])
        )
    ]
    return Sample(courses=np.array(rows, np.float64), is_of_seeds=is_of_seeds)


def styles_of(names: Iterable[str]) -> dict[str, Style]:
    """Return how each condition is drawn."""
    return dict(zip(dict.fromkeys(names), cycle((*STYLES, *_MORE_STYLES)), strict=False))


def few(policies: Sequence[str], shown: str) -> tuple[list[str], str]:
    """Return the policies that a figure has room for, and what to say of the others.

    Of pairs those are the ones of a policy with itself.

    Args:
        policies: all of them.
        shown: one that is never left out.

    """
    if len(policies) <= _MOST_PANELS:
        return list(policies), ""
    pairs = pairs_of(policies)
    alike = [policy for policy in policies if policy in pairs and len(set(pairs[policy])) == 1]
    first = (alike or list(policies))[:_MOST_PANELS]
    if shown in policies and shown not in first:
        first[-1] = shown
    return first, f" Of {len(policies)} policies {len(first)} are shown."


def pairs_of(policies: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Return the policies whose names are those of a pair, with the two names."""
    pairs = {}
    for policy in policies:
        first, separator, second = policy.partition(SEPARATOR)
        if separator:
            pairs[policy] = (first, second)
    return pairs


def draw_course(axes: Axes, sample: Sample, style: Style, *, over: int = 0) -> None:
    """Draw a mean course and its band, the line narrower than those that it is drawn over."""
    band = sample.band()
    if band is not None:
        steps = np.arange(len(band[0]))
        axes.fill_between(steps, *band, color=style.colour, alpha=0.18, linewidth=0)
    width = max(1.2, _WIDEST * _NARROWER**over)
    axes.plot(sample.mean, color=style.colour, linestyle=style.line, linewidth=width)
    axes.set_xlim(0, len(sample.mean) - 1)


def save_panels(
    names: Sequence[str],
    draw_panel: Callable[[Any, str], None],
    file: Path,
    *,
    panel_height: float,
    finish: Callable[[Figure], None],
    legend_lines: int = 1,
) -> None:
    """Draw a panel a name, three in a row, and save the figure as SVG.

    Args:
        names: of the panels.
        draw_panel: draws one of them into a sub-figure.
        file: of the figure; its folder is made if need be.
        panel_height: inches.
        finish: draws what stands beside the panels.
        legend_lines: room for the legend above them.

    """
    columns = min(_COLUMNS, len(names))
    rows = math.ceil(len(names) / columns)
    legend = _LEGEND_HEIGHT + _LEGEND_LINE * (legend_lines - 1)

    def draw(figure: Figure) -> None:
        figure.set_layout_engine("constrained", w_pad=0.06, h_pad=0.06)
        halves: Any = figure.subfigures(2, 1, height_ratios=(legend, rows * panel_height))
        head, body = halves
        panels = np.asarray(body.subfigures(rows, columns, squeeze=False)).ravel()
        for panel, name in zip(panels, names, strict=False):
            draw_panel(panel, name)
        finish(head)

    save_svg(draw, file, size=(_PANEL_WIDTH * columns, legend + rows * panel_height))


def legend_in_rows(head: Any, handles: Sequence[Any]) -> None:
    """Draw a legend that is no wider than the panels below it."""
    head.legend(
        handles=handles, loc="center", ncols=min(_LEGEND_COLUMNS, len(handles)), frameon=False
    )


def legend_lines_of(num_handles: int) -> int:
    """Return how many lines `legend_in_rows` needs."""
    return math.ceil(num_handles / _LEGEND_COLUMNS)


def save_svg(draw: Callable[[Figure], None], file: Path, *, size: tuple[float, float]) -> None:
    """Save what `draw` draws; ``size`` is width and height, inches."""
    file.parent.mkdir(parents=True, exist_ok=True)
    save_drawn(draw, [file], name=file.stem, size=size)


def lone_axes(panel: Any, title: str) -> Axes:
    """Return the axes of a panel that has no others."""
    axes: Axes = panel.subplots()
    name_panel(axes, title)
    plain(axes)
    return axes


def name_panel(axes: Axes, name: str) -> None:
    """Write whose panel it is, in two lines where a pair's names need them."""
    first, separator, second = name.partition(SEPARATOR)
    is_long = bool(separator) and len(name) > _LONGEST_TITLE
    lines = f"{first} +\n{second}" if is_long else name
    axes.set_title(lines, loc="left", fontsize=10)


def mark_changes(axes: Axes, steps: Sequence[int]) -> None:
    """Draw where the world changes."""
    for step in steps:
        axes.axvline(step, color="#666666", linewidth=0.9, zorder=0)


def named_file(*parts: str) -> str:
    """Return the path of a figure within the report, made of words that any file system takes."""
    words = (re.sub(r"[^a-z0-9]+", "-", part.lower()).strip("-") or "x" for part in parts)
    return f"{FOLDER}/{'.'.join(words)}.svg"


def counted(samples: Iterable[Sample | None]) -> str:
    """Say over how many episodes or training seeds means are."""
    of_episodes: set[int] = set()
    of_seeds: set[int] = set()
    for sample in samples:
        if sample is not None:
            (of_seeds if sample.is_of_seeds else of_episodes).add(sample.n)
    told = []
    for sizes, unit in ((of_episodes, "episodes a cell"), (of_seeds, "training seeds")):
        if sizes:
            low, high = min(sizes), max(sizes)
            told.append(f"n = {low} {unit}" if low == high else f"n = {low} to {high} {unit}")
    return "; ".join(told)
