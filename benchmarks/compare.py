"""Play a suite, keep its records, and sum it up."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from benchmarks import training
from benchmarks.kinds import AsJson, kind_of
from benchmarks.pool import Report, run_cells
from benchmarks.store import FIGURES, TABLE, RunFolder
from benchmarks.suite import LEARNED, Suite


def without_missing_extras(suite: Suite[Any]) -> Suite[Any]:
    """Return the suite without the policies whose packages are not installed."""
    if training.is_available():
        return suite
    return replace(suite, policies=tuple(p for p in suite.policies if p not in LEARNED))


def compare(
    suite: Suite[Any],
    *,
    folder: RunFolder,
    num_workers: int,
    report: Report = lambda _kind, _amount: None,
    command: Sequence[str] = (),
) -> list[AsJson]:
    """Play all cells of `suite` and write records, table and figure into `folder`.

    The same suite gives the same rows, whatever the number of processes; leaving cells out changes
    none of the others.

    Args:
        suite: what to play, its seed and number of episodes included.
        folder: of the run, just opened.
        num_workers: processes; 0 plays in this one.
        report: is told of progress, see `benchmarks.pool`.
        command: how the run was asked for, for the record.

    """
    started_at, start_s = datetime.now(UTC), time.monotonic()
    results = run_cells(suite, folder=folder.path, num_workers=num_workers, report=report)
    kind = kind_of(suite)
    rows = [kind.summarize(episodes, seed=suite.seed) for episodes in results.values()]
    folder.write_episodes(result.to_dict() for cell in results.values() for result in cell)
    folder.write_json(TABLE, [row.to_dict() for row in rows])
    kind.save_figure(suite, rows, results, [folder.path / name for name in FIGURES])
    folder.write_run(
        {
            "suite": suite.to_dict(),
            "command": list(command),
            "started_at": started_at.isoformat(timespec="seconds"),
            "seconds": round(time.monotonic() - start_s, 1),
        }
    )
    return rows
