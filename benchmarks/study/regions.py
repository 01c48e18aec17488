"""How a change reshapes the space of contracts: which are acceptable, which bring the optimum.

Contracts with a wage and a share, on a grid, are assessed by the solver before a change and after
it, each time against no contract. The state that the change finds is that of equilibrium play under
the wage that brings the optimum about at the least transfer. A run keeps what came out, for it
takes a minute.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.study.changes import WorldChange
from benchmarks.study.courses import words_of
from benchmarks.study.treatments import Treatment
from benchmarks.versions import versions
from benchmarks.whole_file import write_whole
from benchmarks.workers import tell, workers
from cleanup_icn.contracts import Contract
from cleanup_icn.solve import design

REGIONS = "regions.json"
"""What a run keeps of its regions, beside its episodes."""

_FAMILY = "least-wage"


@dataclass(frozen=True, kw_only=True)
class RegionGrid:
    """Which contracts are assessed, at which changes."""

    kind: str = "linear-threshold"
    moment: int = 25  # play step of the change
    magnitudes: tuple[int, ...]
    rates: tuple[float, ...]  # of the wage, reward units a unit cleaned
    fractions: tuple[float, ...]  # of the share


FULL = RegionGrid(
    magnitudes=(2, 4, 8, 16),
    rates=tuple(0.25 * k for k in range(13)),
    fractions=tuple(round(0.1 * k, 1) for k in range(11)),
)
QUICK = RegionGrid(magnitudes=(8,), rates=(0.0, 1.0, 2.0, 3.0), fractions=(0.0, 0.5, 1.0))

Entry = dict[str, Any]


def kept_regions(folder: Path, grid: RegionGrid, *, num_workers: int | None = None) -> list[Entry]:
    """Return the regions that a run's folder keeps, solved and kept first if it has none of these.

    Args:
        folder: of the run.
        grid: what is assessed; with another one, or another version, they are solved again.
        num_workers: processes that solve, 0 for this one alone; by default two where the machine
            has as many processors.
    """
    file, key = folder / REGIONS, _key(grid)
    if file.is_file():
        kept = json.loads(file.read_text())
        if kept["key"] == key:
            found: list[Entry] = kept["regions"]
            return found
    found = solved_regions(grid, num_workers=num_workers)
    write_whole(file, [json.dumps({"key": key, "regions": found}, indent=2) + "\n"])
    return found


def solved_regions(grid: RegionGrid, *, num_workers: int | None = None) -> list[Entry]:
    """Solve the regions, a process a magnitude, in the order of the magnitudes."""
    wanted = 2 if num_workers is None else num_workers
    wanted = min(wanted, len(grid.magnitudes), os.cpu_count() or 1)
    under = Treatment(family=_FAMILY).contract(_change(grid, 0).base_config())
    if wanted < 2:
        return [solved_region(grid, each, under=under) for each in grid.magnitudes]
    with workers(wanted) as processes:
        futures = [processes.submit(_tell_region, grid, each, under) for each in grid.magnitudes]
        by_magnitude = {entry["magnitude"]: entry for entry in processes.heard(futures)}
    return [by_magnitude[each] for each in grid.magnitudes]


def solved_region(grid: RegionGrid, magnitude: int, *, under: Contract) -> Entry:
    """Assess all contracts of a grid before and after one change; JSON values.

    Each of the four masks is (rates, fractions). `under` is in force until the change.
    """
    change = _change(grid, magnitude)
    base = change.base_config()
    contracts = design.wage_and_share(grid.rates, grid.fractions)
    found = design.compare_regions(
        base, change.config(), contracts, step=change.moment, under=under
    )
    return {
        "kind": grid.kind,
        "magnitude": magnitude,
        "moment": grid.moment,
        "under": words_of(under),
        "rates": list(grid.rates),
        "fractions": list(grid.fractions),
        "before": _mask(design.acceptance_region(found.before), grid),
        "after": _mask(design.acceptance_region(found.after), grid),
        "implements_before": _mask(design.implementing_region(found.before), grid),
        "implements_after": _mask(design.implementing_region(found.after), grid),
        "overlap": found.accepted.jaccard,
        "survives": found.accepted.survives,
        "implements_overlap": found.implementing.jaccard,
        "implements_survives": found.implementing.survives,
    }


def _tell_region(grid: RegionGrid, magnitude: int, under: Contract) -> None:
    tell(solved_region(grid, magnitude, under=under))


def _change(grid: RegionGrid, magnitude: int) -> WorldChange:
    return WorldChange(kind=grid.kind, magnitude=magnitude, moment=grid.moment, pace="sudden")


def _mask(flat: Any, grid: RegionGrid) -> list[list[bool]]:
    shape = (len(grid.rates), len(grid.fractions))
    found: list[list[bool]] = np.reshape(flat, shape).tolist()
    return found


def _key(grid: RegionGrid) -> Entry:
    """Return what regions depend on, as JSON gives it back."""
    worlds = [_change(grid, magnitude).config().to_dict() for magnitude in (0, *grid.magnitudes)]
    told = {**asdict(grid), "worlds": worlds, "version": versions().get("commonweal")}
    key: Entry = json.loads(json.dumps(told))
    return key
