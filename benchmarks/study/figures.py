"""The figures of a study, drawn from its summary alone, and what is said below each."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.drawing import save_drawn
from benchmarks.study.acceptance_figure import acceptance_figure
from benchmarks.study.course_figure import course_figure
from benchmarks.study.critical_figure import critical_figure
from benchmarks.study.judges_figure import judges_figure
from benchmarks.study.study_figure import StudyFigure

SUFFIXES = (".png", ".svg")
"""Formats in which every figure is saved."""

_FIGURES = (course_figure, critical_figure, judges_figure, acceptance_figure)


def figures_of(study: Mapping[str, Any]) -> list[StudyFigure]:
    """Return the figures that a study has something to show in.

    They are ``course``, ``critical-change``, ``judges`` and ``acceptance``, in this order.

    Args:
        study: the summary, as `benchmarks.study.summary` writes it.
    """
    return [figure for make in _FIGURES if (figure := make(study)) is not None]


def save_figures(study: Mapping[str, Any], folder: Path) -> list[Path]:
    """Draw a study's figures and save each as PNG and as SVG; return the files.

    The same summary gives the same bytes of an SVG. A figure without anything to show is left out.

    Args:
        study: the summary, as `benchmarks.study.summary` writes it.
        folder: where to save; made if need be.
    """
    folder.mkdir(parents=True, exist_ok=True)
    saved: list[Path] = []
    for figure in figures_of(study):
        paths = [folder / f"{figure.name}{suffix}" for suffix in SUFFIXES]
        save_drawn(figure.draw, paths, name=figure.name, size=figure.size)
        saved += paths
    return saved


def captions(study: Mapping[str, Any]) -> dict[str, str]:
    """Return what is said below each figure, by its name; all numbers are the study's."""
    return {figure.name: figure.caption for figure in figures_of(study)}
