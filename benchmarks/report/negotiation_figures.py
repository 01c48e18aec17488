"""Figures of negotiations: what p1 proposes turn by turn, and who agrees to it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from benchmarks.drawing import Style
from benchmarks.negotiation.arena import NegotiationArena, Setting
from benchmarks.negotiation.runner import NegotiationResult
from benchmarks.report.figures import (
    Floats,
    Sample,
    ShownFigure,
    few,
    legend_in_rows,
    legend_lines_of,
    lone_axes,
    named_file,
    save_panels,
    styles_of,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LARGEST_DOT = 160.0
"""Area of the dot for all of a policy's proposals, square points."""

_MEASURES: tuple[tuple[str, Literal["-", ":"], str], ...] = (
    ("own", "-", "p1's own score"),
    ("collective", ":", "mean of all parties"),
)


@dataclass(frozen=True, kw_only=True)
class Bargain:
    """What figures need of one episode: p1's proposals by its turn, the opening first.

    Entries are None for a turn without a proposal.
    """

    policy: str
    contract: str  # name of the setting
    own: tuple[float | None, ...]  # p1's score, points
    collective: tuple[float | None, ...]  # mean score of all parties, points
    agreeing: tuple[int | None, ...]  # parties that would accept


def bargain_of(result: NegotiationResult) -> Bargain:
    """Return what figures need of an episode."""
    turns = [turn for turn in result.turns if turn.party == result.proposer]
    return Bargain(
        policy=result.policy,
        contract=result.contract,
        own=tuple(turn.own_score for turn in turns),
        collective=tuple(turn.collective_score for turn in turns),
        agreeing=tuple(turn.agreeing for turn in turns),
    )


class NegotiationFigures:
    """The figures of one arena, drawn when all its episodes have been added."""

    def __init__(self, arena: NegotiationArena) -> None:
        self._arena = arena
        self._scores: dict[tuple[str, str], list[tuple[Floats, Floats]]] = defaultdict(list)
        self._agreeing: dict[tuple[str, str], Counter[tuple[float, int]]] = defaultdict(Counter)

    def add(self, bargain: Bargain) -> None:
        """Take note of an episode."""
        cell = bargain.policy, bargain.contract
        self._scores[cell].append((_numbers(bargain.own), _numbers(bargain.collective)))
        after_opening = zip(bargain.own[1:], bargain.agreeing[1:], strict=True)
        self._agreeing[cell].update(
            (own, agreeing)
            for own, agreeing in after_opening
            if own is not None and agreeing is not None
        )

    def draw(self, report: Path) -> list[ShownFigure]:
        """Draw all of them, two a game, into a report's folder."""
        figures = []
        for game in self._arena.games:
            settings = [
                setting
                for setting in self._arena.conditions
                if setting.game == game and any(cell[1] == setting.name for cell in self._scores)
            ]
            if settings:
                figures.append(self._draw_scores(report, game, settings))
                figures.append(self._draw_agreeing(report, game, settings))
        return figures

    def _cells(self, settings: Sequence[Setting]) -> dict[str, list[tuple[Setting, list[str]]]]:
        """Return, by policy, the settings that it was played in, and by which players."""
        found: dict[str, list[tuple[Setting, list[str]]]] = {}
        for policy in self._arena.policies:
            for setting in settings:
                players = [
                    player
                    for player in self._arena.players(policy)
                    if (player, setting.name) in self._scores
                ]
                if players:
                    found.setdefault(policy, []).append((setting, players))
        chosen, _ = few(list(found), self._arena.shown_policy)
        return {policy: found[policy] for policy in chosen}

    def _draw_scores(self, report: Path, game: str, settings: Sequence[Setting]) -> ShownFigure:
        cells = self._cells(settings)
        styles = styles_of(s.incentives for s in self._arena.conditions)
        courses = {
            (policy, setting.name): self._mean_scores(players, setting)
            for policy, played in cells.items()
            for setting, players in played
        }
        top = 1.08 * max(float(np.nanmax(each.courses)) for each in courses.values())

        def draw_panel(panel: Any, policy: str) -> None:
            axes = lone_axes(panel, policy)
            for setting, _ in cells[policy]:
                style, course = styles[setting.incentives], courses[policy, setting.name].courses
                for (_, line, _), values in zip(_MEASURES, course, strict=True):
                    axes.plot(
                        values,
                        color=style.colour,
                        marker=style.marker,
                        markersize=4,
                        linestyle=line,
                    )
            _label(axes, "p1's turn; 0 is the opening", "points", top=top)
            _whole_numbers(axes.xaxis)

        file = named_file(self._arena.name, game, "scores")
        save_panels(
            list(cells),
            draw_panel,
            report / file,
            panel_height=2.3,
            finish=lambda head: _legend(head, settings, styles, with_lines=True),
            legend_lines=legend_lines_of(len(settings) + len(_MEASURES)),
        )
        return ShownFigure(
            file=file,
            title=f"Own and collective score by turn: {game}",
            caption=(
                "What p1's proposals are worth, by p1's turn, a panel a policy: to p1 itself, "
                "without bonus (solid), and to all parties in the mean (dotted). Means over the "
                f"episodes in which p1 proposed in that turn, {self._counted(cells)}; no "
                "intervals are drawn."
            ),
            alt=_scores_alt(game, cells, courses),
        )

    def _draw_agreeing(self, report: Path, game: str, settings: Sequence[Setting]) -> ShownFigure:
        cells = self._cells(settings)
        styles = styles_of(s.incentives for s in self._arena.conditions)
        num_parties = settings[0].load().num_parties
        counts = {
            (policy, setting.name): sum(
                (self._agreeing[player, setting.name] for player in players), Counter()
            )
            for policy, played in cells.items()
            for setting, players in played
        }

        def draw_panel(panel: Any, policy: str) -> None:
            axes = lone_axes(panel, policy)
            axes.axhline(num_parties - 1, color="#BBBBBB", linewidth=1, zorder=0)
            for setting, _ in cells[policy]:
                _draw_dots(axes, counts[policy, setting.name], styles[setting.incentives])
            _label(axes, "p1's score of its proposal", "parties agreeing", top=num_parties + 0.5)
            axes.set_xlim(0, 105)
            _whole_numbers(axes.yaxis)

        file = named_file(self._arena.name, game, "agreement")
        save_panels(
            list(cells),
            draw_panel,
            report / file,
            panel_height=2.3,
            finish=lambda head: _legend(head, settings, styles, with_lines=False),
            legend_lines=legend_lines_of(len(settings)),
        )
        return ShownFigure(
            file=file,
            title=f"Agreement by deal: {game}",
            caption=(
                "How many parties would accept a proposal of p1, by p1's own score of it, a panel "
                "a policy; the area of a mark is how often that came among the policy's proposals "
                f"after the opening, {self._counted(cells)}. From the grey line on, "
                f"{num_parties - 1} of {num_parties}, a deal can pass."
            ),
            alt=_agreeing_alt(game, cells, counts, enough=num_parties - 1),
        )

    def _mean_scores(self, players: Iterable[str], setting: Setting) -> Sample:
        """Return the mean own and collective score by turn, (2, turns); NaN where nobody did."""
        episodes = [pair for player in players for pair in self._scores[player, setting.name]]
        longest = max(len(own) for own, _ in episodes)
        padded = np.full((len(episodes), 2, longest), np.nan)
        for row, pair in zip(padded, episodes, strict=True):
            for line, values in zip(row, pair, strict=True):
                line[: len(values)] = values
        known = ~np.isnan(padded)
        totals = np.where(known, padded, 0.0).sum(axis=0)
        counts = known.sum(axis=0)
        means = np.divide(totals, counts, out=np.full_like(totals, np.nan), where=counts > 0)
        return Sample(courses=means, is_of_seeds=False)

    def _counted(self, cells: Mapping[str, Sequence[tuple[Setting, Sequence[str]]]]) -> str:
        sizes = [
            sum(len(self._scores[player, setting.name]) for player in players)
            for played in cells.values()
            for setting, players in played
        ]
        low, high = min(sizes), max(sizes)
        return f"n = {low} a cell" if low == high else f"n = {low} to {high} a cell"


def _numbers(values: Sequence[float | None]) -> Floats:
    return np.array([np.nan if value is None else value for value in values], np.float64)


def _draw_dots(axes: Axes, counts: Mapping[tuple[float, int], int], style: Style) -> None:
    total = max(1, sum(counts.values()))
    axes.scatter(
        [own for own, _ in counts],
        [agreeing for _, agreeing in counts],
        s=np.maximum(_LARGEST_DOT * np.array(list(counts.values()), np.float64) / total, 6.0),
        marker=style.marker,
        facecolors="none",
        edgecolors=style.colour,
        linewidths=1.3,
        clip_on=False,
    )


def _label(axes: Axes, x: str, y: str, *, top: float) -> None:
    axes.set_xlabel(x, fontsize=9)
    axes.set_ylabel(y, fontsize=9)
    axes.tick_params(labelsize=8)
    axes.set_ylim(0, top)


def _whole_numbers(axis: Any) -> None:
    axis.get_major_locator().set_params(integer=True)


def _legend(
    head: Any, settings: Sequence[Setting], styles: Mapping[str, Style], *, with_lines: bool
) -> None:
    from matplotlib.lines import Line2D

    handles = [
        Line2D(
            [],
            [],
            color=styles[setting.incentives].colour,
            marker=styles[setting.incentives].marker,
            lw=1.6 * with_lines,
            markerfacecolor=None if with_lines else "none",
            label=setting.incentives,
        )
        for setting in settings
    ]
    if with_lines:
        handles += [
            Line2D([], [], color="#444444", linestyle=line, lw=1.6, label=words)
            for _, line, words in _MEASURES
        ]
    legend_in_rows(head, handles)


def _scores_alt(
    game: str,
    cells: Mapping[str, Sequence[tuple[Setting, Sequence[str]]]],
    courses: Mapping[tuple[str, str], Sample],
) -> str:
    told = []
    for policy, played in cells.items():
        for setting, _ in played:
            own, collective = courses[policy, setting.name].courses
            told.append(
                f"{policy}, {setting.incentives}: own score from {own[0]:.0f} to {own[-1]:.0f}, "
                f"mean of all parties from {collective[0]:.0f} to {collective[-1]:.0f}"
            )
    return (
        f"Line charts of the score of p1's proposals by turn in {game}, from the opening to the "
        f"final proposal. {'; '.join(told)}."
    )


def _agreeing_alt(
    game: str,
    cells: Mapping[str, Sequence[tuple[Setting, Sequence[str]]]],
    counts: Mapping[tuple[str, str], Mapping[tuple[float, int], int]],
    *,
    enough: int,
) -> str:
    told = []
    for policy, played in cells.items():
        for setting, _ in played:
            found = counts[policy, setting.name]
            total = sum(found.values())
            can = sum(n for (_, agreeing), n in found.items() if agreeing >= enough)
            share = f"{can / total:.0%}" if total else "none"
            told.append(f"{policy}, {setting.incentives}: {share}")
    return (
        f"Scatter plots of agreeing parties by p1's score in {game}. Share of p1's proposals that "
        f"at least {enough} parties would accept: {'; '.join(told)}."
    )
