"""The figure of a comparison in negotiation: who succeeds, and what p1 proposes turn by turn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.arena import Cell
from benchmarks.drawing import STYLES, Style, draw_by_policy, plain, save_drawn
from benchmarks.negotiation.arena import NegotiationArena
from benchmarks.negotiation.metrics import NegotiationRow
from benchmarks.negotiation.runner import NegotiationResult, Turn

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Results = Mapping[Cell, Sequence[NegotiationResult]]

_SPREAD = 0.36
"""Height that the settings of one policy take, in rows."""

_LARGEST_DOT = 220.0
"""Area of the dot for all of a setting's proposals, square points."""


def save_figure(
    arena: NegotiationArena,
    rows: Sequence[NegotiationRow],
    results: Results,
    paths: Iterable[Path],
) -> None:
    """Draw all cells and save the figure under every path, in the format of its suffix.

    A column a game. Top: final success of every policy. Below, of the shown policy, the two figures
    of Abdelnabi et al. (NeurIPS 2024 D&B): own and collective score of p1's proposals by its turn,
    and how many parties agree to them by p1's score.
    """
    height = 7.2 + 0.3 * len(arena.policies)
    save_drawn(
        lambda figure: _draw(figure, arena, rows, results),
        paths,
        name=arena.name,
        size=(max(9.0, 1.0 + 4.0 * len(arena.games)), height),
    )


def _draw(
    figure: Figure, arena: NegotiationArena, rows: Sequence[NegotiationRow], results: Results
) -> None:
    figure.set_layout_engine("constrained", w_pad=0.08, h_pad=0.08)
    names = dict.fromkeys(setting.incentives for setting in arena.conditions)
    styles = dict(zip(names, cycle(STYLES), strict=False))
    heights = (0.9 + 0.3 * len(arena.policies), 2.6, 2.6)
    all_axes: Any = figure.subplots(
        3, len(arena.games), squeeze=False, height_ratios=heights, sharey="row"
    )
    for game, (success, scores, agreeing) in zip(arena.games, all_axes.T, strict=True):
        _draw_success(success, arena, [row for row in rows if row.game == game], styles)
        success.set_title(game, loc="left")
        for setting in arena.conditions:
            if setting.game == game:
                shown = results.get(Cell(policy=arena.shown_policy, contract=setting.name), ())
                _draw_scores(scores, shown, styles[setting.incentives])
                _draw_agreeing(agreeing, shown, styles[setting.incentives])
    _label(all_axes, arena, rows)
    figure.legend(
        handles=_legend(styles), loc="outside upper center", ncols=len(styles) + 2, frameon=False
    )


def _draw_success(
    axes: Axes,
    arena: NegotiationArena,
    rows: Sequence[NegotiationRow],
    styles: Mapping[str, Style],
) -> None:
    marks = [(row.policy, row.incentives, row.estimates["final_success"]) for row in rows]
    draw_by_policy(axes, arena.policies, marks, styles, spread=_SPREAD)
    axes.set_xlim(0.0, 1.02)


def _draw_scores(axes: Axes, results: Sequence[NegotiationResult], style: Style) -> None:
    """Draw the mean own and collective score of p1's proposals by its turn, the opening first."""
    own, collective = (_by_turn(results, measure) for measure in ("own_score", "collective_score"))
    axes.plot(own, color=style.colour, marker=style.marker, markersize=4, linestyle="-")
    axes.plot(collective, color=style.colour, marker=style.marker, markersize=4, linestyle=":")


def _draw_agreeing(axes: Axes, results: Sequence[NegotiationResult], style: Style) -> None:
    """Draw a dot for every pair of p1's score and agreeing parties, its area how often it came."""
    counted = Counter(
        (turn.own_score, turn.agreeing)
        for turns in _p1_turns(results)
        for turn in turns[1:]
        if turn.own_score is not None and turn.agreeing is not None
    )
    areas = np.array(list(counted.values())) / max(1, counted.total())
    axes.scatter(
        [own for own, _ in counted],
        [agreeing for _, agreeing in counted],
        s=np.maximum(_LARGEST_DOT * areas, 6.0),
        marker=style.marker,
        facecolors="none",
        edgecolors=style.colour,
        linewidths=1.4,
        clip_on=False,
    )


def _label(all_axes: Any, arena: NegotiationArena, rows: Sequence[NegotiationRow]) -> None:
    for axes in all_axes.flat:
        plain(axes)
    for axes in all_axes[0]:
        axes.set_xlabel(f"final success, n = {rows[0].n}, 95% intervals")
    for axes in all_axes[1]:
        axes.set_xlabel(f"p1's turn ({arena.shown_policy}); 0 is the opening")
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.set_ylim(bottom=0)
    sizes = [
        next(setting.load().num_parties for setting in arena.conditions if setting.game == game)
        for game in arena.games
    ]
    for axes, num_parties in zip(all_axes[2], sizes, strict=True):
        axes.set_xlabel(f"p1's score of its proposal ({arena.shown_policy})")
        axes.yaxis.get_major_locator().set_params(integer=True)
        axes.set_ylim(0, max(sizes) + 0.5)
        _mark_enough(axes, num_parties - 1)
    all_axes[1, 0].set_ylabel("score of p1's proposal, points")
    all_axes[2, 0].set_ylabel("parties that agree")


def _mark_enough(axes: Axes, parties: int) -> None:
    """Draw from how many agreeing parties on a deal can pass."""
    axes.axhline(parties, color="#BBBBBB", linewidth=1, zorder=0)
    axes.annotate(
        "can pass",
        xy=(1.0, parties),
        xycoords=("axes fraction", "data"),
        xytext=(0, 3),
        textcoords="offset points",
        ha="right",
        fontsize=9,
        color="#666666",
    )


def _legend(styles: Mapping[str, Style]) -> list[Any]:
    from matplotlib.lines import Line2D

    incentives = [
        Line2D([], [], color=s.colour, marker=s.marker, lw=1.6, label=name)
        for name, s in styles.items()
    ]
    own = Line2D([], [], color="#444444", linestyle="-", lw=1.6, label="p1's own score")
    mean = Line2D([], [], color="#444444", linestyle=":", lw=1.6, label="mean of all parties")
    return [*incentives, own, mean]


def _p1_turns(results: Sequence[NegotiationResult]) -> Iterator[list[Turn]]:
    """Yield p1's turns of every episode, the opening first."""
    for result in results:
        yield [turn for turn in result.turns if turn.party == result.proposer]


def _by_turn(results: Sequence[NegotiationResult], measure: str) -> list[float]:
    """Return the mean of a measure by p1's turn over the episodes in which it made a proposal."""
    found: list[list[float]] = []
    for turns in _p1_turns(results):
        for index, turn in enumerate(turns):
            if index == len(found):
                found.append([])
            value = getattr(turn, measure)
            if value is not None:
                found[index].append(value)
    return [float(np.mean(values)) if values else float("nan") for values in found]
