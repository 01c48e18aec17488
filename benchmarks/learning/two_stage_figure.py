"""The figure of contract learning: what contracts are worth, who accepts them, what is chosen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.drawing import STYLES, plain, save_drawn
from benchmarks.learning.two_stage import CRITIC, TwoStage, wage_rate

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from benchmarks.learning.two_stage_report import TwoStageResult

FIGURES = ("values.svg", "values.png")

_SHADE, _GREY = "#DDEBDD", "#444444"
_CONFIGURED = 0  # the first start is the configured one
_MOST_DRAWN = len(STYLES)


def save_values_figure(result: TwoStageResult, paths: Iterable[Path]) -> None:
    """Draw what a training seed learned, and save under every path.

    On the left the configured start: what each agent earns under each contract, what its critic
    expects, where every other agent accepts, and what is chosen. On the right all test starts: how
    often a contract passes, and how often it is in force.
    """
    save_drawn(
        lambda figure: _draw(figure, result), paths, name=result.experiment.name, size=(12.0, 5.2)
    )


def _draw(figure: Figure, result: TwoStageResult) -> None:
    figure.set_layout_engine("constrained", w_pad=0.12, h_pad=0.08)
    worth, chosen = figure.subplots(1, 2, width_ratios=(1.25, 1))
    order, places, labels = _axis(result.experiment)
    _draw_values(worth, result, order, places)
    _draw_choices(chosen, result, order, labels)
    worth.set_xlabel("wage per unit cleaned" if places != list(range(len(order))) else "contract")
    worth.set_xticks(places, labels, rotation=45 if max(map(len, labels)) > 5 else 0)
    for axes in (worth, chosen):
        plain(axes)


def _axis(experiment: TwoStage) -> tuple[list[int], list[float], list[str]]:
    """Return the menu's order along the axis, where each contract stands, and what it is called."""
    rates = [wage_rate(contract) for contract in experiment.terms.contracts]
    known = [rate for rate in rates if rate is not None]
    if len(known) == len(rates):
        order = sorted(range(len(rates)), key=lambda k: known[k])
        return order, [known[k] for k in order], [f"{known[k]:g}" for k in order]
    order = list(range(len(rates)))
    return order, [float(k) for k in order], [str(k) for k in order]


def _draw_values(
    axes: Axes, result: TwoStageResult, order: Sequence[int], places: Sequence[float]
) -> None:
    experiment = result.experiment
    critic, judged = result.worths.critic.values[_CONFIGURED], result.judged.mean[_CONFIGURED]
    error = result.judged.standard_error[_CONFIGURED]
    passes = result.table.accepted[_CONFIGURED].all(axis=1)
    _shade(axes, passes[list(order)], places)
    for agent in range(min(experiment.config.num_agents, _MOST_DRAWN)):
        style = STYLES[agent]
        axes.errorbar(
            places,
            judged[order, agent],
            1.96 * error[order, agent],
            color=style.colour,
            marker=style.marker,
            label=f"agent_{agent}, played",
        )
        axes.plot(
            places,
            critic[order, agent],
            color=style.colour,
            linestyle=":",
            label=f"agent_{agent}, its critic",
        )
    at = dict(zip(order, places, strict=True))
    low, high = axes.get_ylim()
    axes.set_ylim(low - 0.16 * (high - low), high)
    marks = _marks(result)
    for row, (label, marker, contracts) in enumerate(marks):
        height = low - (0.05 + 0.035 * row) * (high - low)
        xs = [at[int(k)] for k in contracts]
        axes.plot(xs, [height] * len(xs), marker, color=_GREY, label=label, fillstyle="none")
    optimum = float(result.optimum[_CONFIGURED]) / experiment.config.num_agents
    axes.axhline(optimum, color="#000000", linestyle=":", linewidth=1, label="optimum, an agent")
    axes.set_ylabel("return of an episode, reward units")
    pollution, fruit = (int(each[_CONFIGURED]) for each in result.starts)
    axes.set_title(f"{experiment.name}: from pollution {pollution}, fruit {fruit}", loc="left")
    axes.legend(frameon=False, fontsize=8, ncols=2, loc="upper center", bbox_to_anchor=(0.5, -0.16))


def _marks(result: TwoStageResult) -> list[tuple[str, str, Any]]:
    kind, found = result.experiment.proposals.values, result.decisions
    return [
        ("in force, learned (by proposer)", "v", found.learned[:, _CONFIGURED]),
        (f"in force, solved by {kind}", "D", found.solved[kind][:, _CONFIGURED]),
        ("best that all accept", "*", found.best_accepted[[_CONFIGURED]]),
    ]


def _shade(axes: Axes, accepted: Sequence[bool], places: Sequence[float]) -> None:
    """Shade the contracts that everybody accepts, each as far as half-way to its neighbours."""
    middles = [(a + b) / 2 for a, b in pairwise(places)]
    edge = (places[1] - places[0]) / 2 if len(places) > 1 else 0.5
    bounds = [places[0] - edge, *middles, places[-1] + edge]
    label = "all accept, by the payoffs"
    for index, is_accepted in enumerate(accepted):
        if is_accepted:
            axes.axvspan(*bounds[index : index + 2], color=_SHADE, linewidth=0, label=label)
            label = "_"


def _draw_choices(
    axes: Axes, result: TwoStageResult, order: Sequence[int], labels: Sequence[str]
) -> None:
    kind, found = result.experiment.proposals.values, result.decisions
    passes = np.stack([result.table.passes(each) for each in result.experiment.proposers])
    heights = np.arange(len(order))
    shares = [float(passes[:, :, k].mean()) for k in order]
    axes.barh(heights, shares, height=0.8, color=_SHADE, label="all others accept")
    for offset, style, chosen, label in (
        (-0.17, STYLES[0], found.learned, "in force, learned"),
        (0.17, STYLES[1], found.solved[kind], f"in force, solved by {kind}"),
    ):
        shares = [float((chosen == k).mean()) for k in order]
        axes.barh(heights + offset, shares, height=0.28, color=style.colour, label=label)
    axes.set_yticks(heights, labels)
    axes.set_xlim(0, 1)
    axes.set_xlabel(f"share of {passes.shape[0] * passes.shape[1]} proposers and starts")
    axes.set_title(f"all test starts, payoffs: {'critic' if kind == CRITIC else kind}", loc="left")
    axes.legend(frameon=False, fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=3)
