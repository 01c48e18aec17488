"""Episodes made by hand, and folders of runs to keep them in."""

from __future__ import annotations

from benchmarks import compare
from benchmarks.arena import cells_of
from benchmarks.episode_row import EpisodeRow, KeptEpisode
from benchmarks.store import PlannedCell, RunFolder
from benchmarks.work import Task, play_task

SUITE = {
    "name": "s",
    "arenas": [{"name": "a", "policies": ["p", "q"], "seed": 0}],
    "models": {"m": {"style": "direct", "max_tokens": 512}},
}
CELLS = [
    PlannedCell("a", "q", "none", 3),
    PlannedCell("a", "p", "none", 3),
    PlannedCell("b", "p", "fixed", 2),
]
"""Cells whose order is not that of their names."""


def make_kept(cell=CELLS[0], episode=0, record=None, **numbers):
    """Return an episode of a cell with a record and numbers of its own."""
    row = {
        "seed": 7 + episode,
        "started_at": "2026-01-01T00:00:00.000+00:00",
        "ended_at": "2026-01-01T00:00:01.500+00:00",
        "wall_s": 1.5,
        "measures": {"welfare": 3.25, "gini": None},
        "malformed": 1,
        "calls": 2,
        "prompt_tokens": 30,
        "completion_tokens": 4,
        "latency_s": 0.5,
        **numbers,
    }
    arena, policy, contract, _ = cell
    named = {"arena": arena, "policy": policy, "contract": contract, "episode": episode}
    return KeptEpisode(
        row=EpisodeRow(**named, **row), record={**named} if record is None else record
    )


def all_kept():
    """Return the episodes of all cells in the order of tables."""
    return [make_kept(cell, k) for cell in CELLS for k in range(cell.num_episodes)]


def open_folder(path, suite=None, *, resume=False):
    """Open the folder of a run of `SUITE`."""
    return RunFolder(path, SUITE if suite is None else suite, CELLS, resume=resume)


def play_alone(suite, out, *, backwards=False):
    """Play a suite and keep its episodes, without tables and figures; first or last cell first."""
    tasks = [
        Task(arena=arena, cell=cell, episodes=tuple(range(arena.num_episodes)))
        for arena in suite.arenas
        for cell in cells_of(arena)
    ]
    with compare.open_folder(out, suite) as folder:
        for task in reversed(tasks) if backwards else tasks:
            kept = list(play_task(task, folder=out))
            for each in reversed(kept) if backwards else kept:
                folder.keep_episode(each)
