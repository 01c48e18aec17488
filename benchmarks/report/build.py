"""A run's report: read every episode once, write a folder that a browser opens from disk."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from shlex import join
from typing import Any

from benchmarks.arena import Arena
from benchmarks.compare import planned_trainings
from benchmarks.comparisons import Comparison, compared_measures
from benchmarks.database import is_being_written
from benchmarks.episode_row import EpisodeRow, KeptEpisode
from benchmarks.report.conditions import condition_in_words, described
from benchmarks.report.data_files import write_receive
from benchmarks.report.figures import ShownFigure
from benchmarks.report.games import EpisodeWriter, Figures, figures_for
from benchmarks.report.learning_figures import draw_curves
from benchmarks.report.measures import ShownMeasure, shown_measures
from benchmarks.report.pair_figures import draw_pairs
from benchmarks.report.site_files import copy_site
from benchmarks.report.tables import (
    Cells,
    comparisons_of,
    estimates_of,
    shown_comparisons,
    table_of,
)
from benchmarks.store import RUNNING, open_run
from benchmarks.suite import Suite
from benchmarks.watch import KILLED
from cleanup_icn import ConfigError

REPORT = "report"
"""Where in a run's folder its report stands, unless another place is named."""

INDEX = "index.html"
PACK_SIZE = 20
"""Episodes in one file of transcripts: small enough to load at once, few enough files."""

Progress = Callable[[int, int], None]
"""Is told how many episodes are written, and how many there are."""

_FAILURES_TOLD = 3
_COLUMNS = ("arena", "policy", "contract", "episode", "seed", "status", "malformed", "calls")


def build_report(
    run: Path,
    out: Path | None = None,
    *,
    report: Progress = lambda _done, _all: None,
) -> Path:
    """Write the report of a run, be it over, stopped or still going on; returns its folder.

    It has what the run had kept when it was begun. The folder is whole or not there: an earlier
    report stays until this one is written, then gives way to it.

    Args:
        run: folder of the run.
        out: folder of the report; by default ``report`` in that of the run.
        report: is told of progress.

    Raises:
        ConfigError: there is no run, or one of another version; or `out` holds something else than
            a report, or cannot be written.
        StoreError: the run's file is damaged.
    """
    folder = run / REPORT if out is None else out
    with open_run(run) as reader:
        about = reader.about
        suite = Suite.from_dict(about["suite"])
        total = len(reader)
        draft = _draft_for(folder)
        try:
            gathered = _write_episodes(draft, suite, reader.episodes(), total, report)
            _write_tables(draft, run, suite, about, gathered)
            copy_site(draft)
            _replace(folder, draft)
        except OSError as error:
            raise _unwritable(folder, error) from error
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    return folder


def status_of(run: Path, about: Mapping[str, Any]) -> str:
    """Return how a run stands: what it says of itself, or `KILLED` where nobody writes it on."""
    said = str(about.get("status", RUNNING))
    if said != RUNNING or is_being_written(run):
        return said
    with open_run(run) as again:  # it may have ended, or been resumed, just before that was asked
        said = str(again.about.get("status", RUNNING))
    return RUNNING if said != RUNNING or is_being_written(run) else KILLED


@dataclass(kw_only=True)
class _Gathered:
    """What is kept of all episodes: numbers, never records."""

    rows: list[EpisodeRow] = field(default_factory=list)
    figures: dict[str, Figures] = field(default_factory=dict)  # by arena


def _write_episodes(
    draft: Path, suite: Suite, episodes: Iterable[KeptEpisode], total: int, report: Progress
) -> _Gathered:
    """Write the transcripts, a file a pack, and the table of episodes."""
    gathered = _Gathered(figures={arena.name: figures_for(arena) for arena in suite.arenas})
    writers = {arena.name: EpisodeWriter(arena) for arena in suite.arenas}
    pack: list[str] = []
    for number, kept in enumerate(episodes):
        arena = kept.row.arena
        shown = writers[arena].show(kept.record, number=number)
        gathered.figures[arena].add(shown.digest)
        gathered.rows.append(kept.row)
        pack.append(shown.packed)
        if len(pack) == PACK_SIZE:
            _write_pack(draft, number // PACK_SIZE, pack)
            pack = []
        report(number + 1, max(total, number + 1))
    if pack:
        _write_pack(draft, len(gathered.rows) // PACK_SIZE, pack)
    write_receive(draft / "data" / "episodes.js", "episodes", _index(gathered.rows))
    return gathered


def _write_pack(draft: Path, number: int, pack: Sequence[str]) -> None:
    name = f"transcripts/{number:05d}"
    write_receive(draft / "data" / f"{name}.js", name, list(pack))


def _index(rows: Sequence[EpisodeRow]) -> dict[str, Any]:
    """Return the table of episodes as the viewer takes it."""
    told = (*_COLUMNS, "tokens")
    found = dict.fromkeys(name for row in rows for name in row.measures)
    measures = [name for name in found if name not in told]
    names: dict[str, dict[str, int]] = {"arena": {}, "policy": {}, "contract": {}}
    table = []
    for row in rows:
        indices = [
            known.setdefault(getattr(row, column), len(known)) for column, known in names.items()
        ]
        status = "malformed" if row.malformed else "ok"
        tokens = row.prompt_tokens + row.completion_tokens
        numbers = (row.episode, row.seed, status, row.malformed, row.calls, tokens)
        table.append([*indices, *numbers, *(_short(row.measures.get(name)) for name in measures)])
    return {
        "columns": [*told, *measures],
        "names": {column: list(numbers) for column, numbers in names.items()},
        "rows": table,
    }


def _short(value: float | None) -> float | None:
    """Return a value without digits that nobody reads: they are half of the file."""
    return None if value is None else round(value, 6)


def _write_tables(
    draft: Path, run: Path, suite: Suite, about: Mapping[str, Any], gathered: _Gathered
) -> None:
    """Draw the figures and write what the first page shows."""
    drawn = comparisons_of(run, about, gathered.rows, suite.arenas)
    told = {
        "title": suite.name,
        "description": _description(suite, about),
        "suite": suite.name,
        "seed": suite.arenas[0].seed,
        **_told_of_time(about, gathered.rows),
        "status": status_of(run, about),
        "versions": about.get("versions", {}),
        "num_episodes": len(gathered.rows),
        "pack_size": PACK_SIZE,
        "arenas": [
            _arena(draft, run, suite, arena, gathered=gathered, drawn=drawn)
            for arena in suite.arenas
        ],
    }
    write_receive(draft / "data" / "run.js", "run", told)


def _arena(
    draft: Path,
    run: Path,
    suite: Suite,
    arena: Arena[Any],
    *,
    gathered: _Gathered,
    drawn: Sequence[Comparison],
) -> dict[str, Any]:
    rows = [row for row in gathered.rows if row.arena == arena.name]
    names = list(dict.fromkeys(name for row in rows for name in row.measures))
    measures = shown_measures(arena.game, names)
    first = compared_measures(arena)
    columns = sorted(measures, key=lambda each: each.name not in first)
    cells, readable = estimates_of(arena, rows)
    figures = [*gathered.figures[arena.name].draw(draft)]
    figures += _figures_of_cells(draft, run, suite, arena, cells=cells, measures=measures)
    return {
        "name": arena.name,
        "title": suite.title_of(arena),
        "game": arena.game,
        "description": described(arena),
        "conditions": [
            {"name": condition.name, "text": condition_in_words(condition)}
            for condition in arena.conditions
        ],
        "policies": list(arena.policies),
        "measures": [_measure(each) for each in measures],
        "table": table_of(cells, columns),
        "sensitivity": None if readable is None else table_of(readable, columns),
        "comparisons": shown_comparisons(drawn, arena),
        "figures": [figure.to_dict() for figure in figures],
    }


def _figures_of_cells(
    draft: Path,
    run: Path,
    suite: Suite,
    arena: Arena[Any],
    *,
    cells: Cells,
    measures: Sequence[ShownMeasure],
) -> Iterator[ShownFigure]:
    """Yield the figures that are not drawn episode by episode."""
    main = compared_measures(arena)[0]
    for measure in measures:
        if measure.name == main:
            means = {
                cell: (found[main].mean, found[main].n)
                for cell, found in cells.items()
                if main in found
            }
            pairs = draw_pairs(arena, means, measure=measure, report=draft)
            yield from [pairs] if pairs else []
    curves = draw_curves(arena, planned_trainings(suite), run=run, report=draft)
    yield from [curves] if curves else []


def _measure(measure: ShownMeasure) -> dict[str, Any]:
    shown = ("name", "label", "digits", "better")
    return {name: getattr(measure, name) for name in shown}


def _description(suite: Suite, about: Mapping[str, Any]) -> str:
    """Return what a suite says of itself, and what went wrong."""
    parts = [suite.description] if suite.description else []
    if parts and parts[0][-1] not in ".?!":
        parts[0] += "."
    if about.get("stopped"):
        parts.append(f"The run stopped: {about['stopped']}.")
    failures = about.get("failures") or []
    if failures:
        first = "; ".join(failures[:_FAILURES_TOLD])
        more = "; ..." if len(failures) > _FAILURES_TOLD else ""
        parts.append(f"Episodes without an answer: {len(failures)} ({first}{more}).")
    return " ".join(parts)


def _told_of_time(about: Mapping[str, Any], rows: Sequence[EpisodeRow]) -> dict[str, Any]:
    """Return when a run began, how long all its parts took, and how the last was asked for."""
    parts = [*about.get("earlier", ()), about]
    begun = [part["started_at"] for part in parts if part.get("started_at")]
    first = min((row.started_at for row in rows), default=None)
    seconds = [part["seconds"] for part in parts if part.get("seconds") is not None]
    command = about.get("command") or []
    return {
        "started_at": begun[0] if begun else first,
        "seconds": sum(seconds) if seconds else None,
        "command": join(["commonweal", *command]) if command else "",
    }


def _draft_for(folder: Path) -> Path:
    """Make a folder beside that of the report, in which it is written."""
    try:
        _refuse_strangers(folder)
        folder.parent.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    except OSError as error:
        raise _unwritable(folder, error) from error


def _refuse_strangers(folder: Path) -> None:
    """Raise unless a folder is missing, empty or a report: what is there will be removed."""
    if not folder.exists():
        return
    is_report = (folder / INDEX).is_file() and (folder / "data" / "run.js").is_file()
    if not folder.is_dir() or (any(folder.iterdir()) and not is_report):
        raise ConfigError("--out", str(folder), "a new folder, an empty one, or that of a report")


def _replace(folder: Path, draft: Path) -> None:
    """Put a draft in the place of a report."""
    os.chmod(draft, 0o755)  # a temporary folder is for its owner only
    if folder.exists():
        earlier = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
        os.replace(folder, earlier)
        os.replace(draft, folder)
        shutil.rmtree(earlier, ignore_errors=True)
    else:
        os.replace(draft, folder)


def _unwritable(folder: Path, error: OSError) -> ConfigError:
    reason = error.strerror or str(error)
    return ConfigError("--out", str(folder), f"a folder to write in ({reason})")
