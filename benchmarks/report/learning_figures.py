"""Learning curves of the policies that were trained in a run."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from benchmarks.arena import Arena
from benchmarks.drawing import STYLES, plain
from benchmarks.report.figures import ShownFigure, named_file, save_svg, styles_of
from benchmarks.work import Training

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RETURN = "rollout/episode_return"
"""The scalar that training writes for TensorBoard after every rollout."""


class Curve(NamedTuple):
    """How well a policy did in the course of its training."""

    player: str
    contract: str
    agent_steps: tuple[int, ...]
    scores: tuple[float, ...]


def curve_of(training: Training, run: Path) -> Curve | None:
    """Return the curve of a training in a run's folder; None where it left none.

    It is that of its evaluations, if there were any, else of the episodes that it learned from.
    Both are read by packages of the extra `[ppo]`.
    """
    folder = training.folder(run)
    if not folder.is_dir() or find_spec("tensorboard") is None or find_spec("torch") is None:
        return None
    from agents.ppo.folder import read_progress

    judged = [row for row in read_progress(folder) if row.score is not None]
    points = [(row.agent_steps, row.score or 0.0) for row in judged] or _returns(folder)
    if not points:
        return None
    steps, scores = zip(*points, strict=True)
    return Curve(training.player, training.contract, tuple(steps), tuple(scores))


def _returns(folder: Path) -> list[tuple[int, float]]:
    if not (folder / "tensorboard").is_dir():
        return []
    reading: Any = import_module("tensorboard.backend.event_processing.event_accumulator")
    written = reading.EventAccumulator(
        str(folder / "tensorboard"), size_guidance={reading.SCALARS: 0}
    )
    written.Reload()
    if RETURN not in written.Tags()["scalars"]:
        return []
    return [(scalar.step, scalar.value) for scalar in written.Scalars(RETURN)]


def draw_curves(
    arena: Arena[Any], trainings: Sequence[Training], *, run: Path, report: Path
) -> ShownFigure | None:
    """Draw the learning curves of an arena; None where nothing was trained for it."""
    curves = [
        curve
        for training in trainings
        if training.arena.name == arena.name and (curve := curve_of(training, run)) is not None
    ]
    if not curves:
        return None
    file = named_file(arena.name, "learning")
    save_svg(lambda figure: _draw(figure, arena, curves), report / file, size=(7.2, 4.2))
    return ShownFigure(
        file=file,
        title="Learning curves",
        caption=(
            "Return of an agent as training counts it, in the episodes that it learned from (mean "
            "of each rollout) or was tested on, by the agent-steps made so far, a line a training; "
            "n = 1 training seed a line, which has no interval."
        ),
        alt=_alt(curves),
    )


def _draw(figure: Figure, arena: Arena[Any], curves: Sequence[Curve]) -> None:
    figure.set_layout_engine("constrained", w_pad=0.1, h_pad=0.08)
    axes = figure.add_subplot()
    styles = styles_of(condition.name for condition in arena.conditions)
    players = list(dict.fromkeys(curve.player for curve in curves))
    for curve in curves:
        style = styles.get(curve.contract, STYLES[0])
        name = curve.contract if len(players) == 1 else f"{curve.player}, {curve.contract}"
        axes.plot(
            curve.agent_steps,
            curve.scores,
            color=style.colour,
            linestyle=style.line,
            linewidth=1.8,
            label=name,
        )
    axes.set_xlabel("agent-steps")
    axes.set_ylabel("return of an agent")
    axes.set_xlim(left=0)
    axes.set_title(", ".join(players), loc="left", fontsize=10)
    axes.legend(frameon=False, fontsize=9, loc="best")
    plain(axes)


def _alt(curves: Sequence[Curve]) -> str:
    told = (
        f"{curve.player} under {curve.contract} from {curve.scores[0]:.1f} to "
        f"{curve.scores[-1]:.1f} in {curve.agent_steps[-1]:,} agent-steps"
        for curve in curves
    )
    return f"Line chart of returns during training: {'; '.join(told)}."
