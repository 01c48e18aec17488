"""What the figures of a study have in common: how fates and families look, sizes and words."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmarks.drawing import STYLES, Style, plain
from benchmarks.study.treatments import EXPIRES, RENEGOTIATED, STAYS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Study = Mapping[str, Any]
"""A study's summary, as `benchmarks.study.summary` writes it."""

Entry = Mapping[str, Any]

WIDE = 7.0
"""Width of a figure over both columns of a paper, inches."""

TEXT, SMALL = 8.0, 7.0
"""Sizes of text, points: of titles and labels, and of ticks and legends."""

LETTER_WIDTH = 0.048
"""Of small text, inches, about."""

_HANDLE_WIDTH = 0.48  # of what stands beside a legend's words, inches

INK, GREY = "#222222", "#666666"

POLICY = "equilibrium"
"""Whose play is shown where one policy is."""

_PROGRAM = "commonweal"

_ORANGE, _BLUE, _GREEN, _PINK, _SKY = STYLES

FATE_STYLES: dict[str, Style] = {
    STAYS: Style(_ORANGE.colour, "o", "-"),
    RENEGOTIATED: Style(_BLUE.colour, "s", "-"),
    EXPIRES: Style(GREY, "v", "--"),
}
"""By what becomes of a contract."""

FATE_WORDS: Mapping[str, str] = {
    STAYS: "stays",
    RENEGOTIATED: "is renegotiated",
    EXPIRES: "expires",
}

FAMILY_STYLES: Mapping[str, Style] = {
    "least-wage": Style(_ORANGE.colour, "o", "-"),
    "fair-wage": Style("#D55E00", "P", "--"),
    "least-share": Style(_GREEN.colour, "D", "-."),
    "fair-share": Style(_PINK.colour, "^", ":"),
}
"""By family of the contract that stays."""


@dataclass(frozen=True, kw_only=True)
class StudyFigure:
    """One figure: what it is called, how it is drawn and what is said of it."""

    name: str  # of its files, without the suffix
    size: tuple[float, float]  # width and height, inches
    draw: Callable[[Figure], None]  # draws it into an empty figure
    caption: str


def dress(axes: Axes, *, x: str = "", y: str = "") -> None:
    """Label axes and draw them without frame, in the sizes of a paper's column."""
    plain(axes)
    axes.tick_params(labelsize=SMALL, length=2.5, width=0.6, pad=2)
    for spine in axes.spines.values():
        spine.set_linewidth(0.6)
    if x:
        axes.set_xlabel(x, fontsize=TEXT, labelpad=2)
    if y:
        axes.set_ylabel(y, fontsize=TEXT, labelpad=3)


def legend_below(figure: Figure, handles: Sequence[Any]) -> None:
    """Draw a legend below all panels, in as many columns as there is room for."""
    widest = _HANDLE_WIDTH + LETTER_WIDTH * max(len(handle.get_label()) for handle in handles)
    columns = max(1, int(figure.get_figwidth() / widest))
    lines = math.ceil(len(handles) / columns)
    figure.legend(
        handles=list(handles),
        loc="outside lower center",
        ncols=math.ceil(len(handles) / lines),
        frameon=False,
        fontsize=SMALL,
        handlelength=2.2,
    )


def line_handle(style: Style, label: str, **options: Any) -> Any:
    """Return what a legend shows of a line."""
    from matplotlib.lines import Line2D

    drawn = {"color": style.colour, "linestyle": style.line, "marker": style.marker, "lw": 1.6}
    return Line2D([], [], label=label, **{**drawn, "markersize": 4, **options})


def counted(entries: Iterable[Entry]) -> str:
    """Say over how many episodes or training seeds each point is."""
    by_unit: dict[str, set[int]] = {}
    for entry in entries:
        by_unit.setdefault(str(entry.get("unit", "episode")), set()).add(int(entry["n"]))
    told = []
    for unit, sizes in sorted(by_unit.items()):
        low, high = min(sizes), max(sizes)
        amount = f"{low}" if low == high else f"{low} to {high}"
        words = unit.replace("_", " ")
        told.append(f"n = {amount} {words if high == 1 else words + 's'}")
    return f"Each point: {' or '.join(told)}."


_WHERE_AND_HOW = ("--out", "--workers", "--executor", "--ray-address")
_KEPT_OR_NOT = ("--resume", "--overwrite", "--json")


def source(study: Study) -> str:
    """Say where the numbers come from: the command, but for what decides no number."""
    command = study.get("command") or ""
    words = command.split() if isinstance(command, str) else [str(word) for word in command]
    for option in _WHERE_AND_HOW:
        if option in words:
            at = words.index(option)
            words[at : at + 2] = []
    words = [each for each in words if each not in _KEPT_OR_NOT]
    if words[:1] != [_PROGRAM]:
        words = [_PROGRAM, *words]
    asked = f" by `{' '.join(words)}`" if command else ""
    return f"Numbers: study.json, size {study['size']}, {study['n']} episodes{asked}."


def moment_words(entry: Entry) -> str:
    """Say when and how a change comes, such as "at step 25, sudden"."""
    return f"at step {entry['moment']}, {entry['pace']}"


def listed(words: Sequence[str]) -> str:
    """Return words as a sentence lists them: "a", "a and b", "a, b and c"."""
    return " and ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))
