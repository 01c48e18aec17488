"""The study's summary: what its figures and its page are drawn from, and nothing else."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.store import RunReader
from benchmarks.study import answers
from benchmarks.study.courses import Courses, initial_contracts
from benchmarks.study.episodes import read_cells
from benchmarks.study.regions import FULL, QUICK, kept_regions
from benchmarks.study.rows import rows_of
from benchmarks.whole_file import write_whole

STUDY = "study.json"
"""The summary's name in the folder of the run."""

DIGITS = 6
"""Decimals that are kept of a number."""

_SORTED_BY = (
    "group",
    "kind",
    "sign",
    "magnitude",
    "moment",
    "pace",
    "policy",
    "family",
    "condition",
    "cost",
    "judge",
    "history",
    "disagreement",
    "level",
)
_QUICK = "quick"


def write_study(
    folder: Path,
    *,
    size: str,
    command: Sequence[str] = (),
    num_workers: int | None = None,
) -> dict[str, Any]:
    """Sum up a run of the study, write it to `STUDY` in the run's folder and return it.

    Args:
        folder: of the run; its acceptance regions are solved and kept there, unless they are.
        size: of the study, "quick" or "full".
        command: how the run was asked for.
        num_workers: processes that solve the regions, see `benchmarks.study.regions`.

    Raises:
        ConfigError: the folder holds no run, or not one of the study.
    """
    regions = kept_regions(folder, QUICK if size == _QUICK else FULL, num_workers=num_workers)
    with RunReader(folder) as reader:
        study = summary_of(reader, size=size, command=command, regions=regions)
    text = json.dumps(study, indent=1, allow_nan=False)
    write_whole(folder / STUDY, [text + "\n"])
    return study


def summary_of(
    reader: RunReader,
    *,
    size: str,
    command: Sequence[str] = (),
    regions: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """Return the summary of what a run has kept so far, as JSON values.

    Lists are sorted, numbers are rounded to `DIGITS` decimals, what is missing is None.
    """
    about = reader.about
    courses = Courses(initial_contracts(about["suite"]))
    cells = read_cells(reader, courses.add)
    lists: dict[str, Sequence[Mapping[str, Any]]] = {
        "rows": rows_of(cells),
        "critical_magnitudes": answers.critical_magnitudes(cells),
        "tradeoff": answers.tradeoff(cells),
        "best_judge": answers.best_judge(cells),
        "history": answers.history(cells),
        "stale": answers.stale(cells),
        "gains": answers.gains(cells),
        "sets": answers.sets(cells),
        "regions": regions,
        "courses": courses.to_list(),
    }
    return {
        "size": size,
        "command": list(command),
        "n": sum(len(cell.episodes) for cell in cells),
        "versions": about["versions"],
        "seconds": seconds_of(about),
        **{name: plain(sorted(found, key=_order)) for name, found in lists.items()},
    }


def seconds_of(about: Mapping[str, Any]) -> float:
    """Return what all parts of a run took together, of those that came to their end."""
    parts = [*about.get("earlier", ()), about]
    return float(plain(float(sum(part.get("seconds", 0.0) for part in parts))))


def plain(value: Any) -> Any:
    """Return JSON values with rounded numbers; one that is not finite is missing."""
    if isinstance(value, float):
        return round(value, DIGITS) + 0.0 if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {name: plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    return value


def _order(entry: Mapping[str, Any]) -> list[tuple[bool, Any]]:
    """Return what an entry is sorted by: the fields it has, a missing value first.

    Where an entry is about a whole curve, the magnitude is what was found out.
    """
    names = [name for name in _SORTED_BY if name in entry]
    return [
        (entry[name] is not None, 0 if entry[name] is None else entry[name])
        for name in names
        if (name, "curve" in entry) != ("magnitude", True)
    ]
