"""Print what our packages add to `import pettingzoo`, as medians over fresh interpreters.

The budget is 0.15 s for `cleanup_icn`. Run by `make import-time`; a test of a wall time would
depend on the machine's other work, so the tests look at which modules are loaded instead.
"""

from __future__ import annotations

import statistics
import subprocess
import sys

ROUNDS = 7
CLOCK = "import time; start = time.perf_counter(); import {}; print(time.perf_counter() - start)"
IMPORTS = (
    "pettingzoo",
    "pettingzoo, cleanup_icn",
    "pettingzoo, negotiation_games",
    "pettingzoo, agents",
)


def seconds(modules: str) -> float:
    """Import in a fresh interpreter and return how long it took."""
    command = [sys.executable, "-c", CLOCK.format(modules)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def main() -> None:
    """Measure in turns, so that a busy moment falls on all of them, and print the medians."""
    seconds(", ".join(IMPORTS))  # compiles what is not yet compiled
    measured: dict[str, list[float]] = {modules: [] for modules in IMPORTS}
    for _ in range(ROUNDS):
        for modules, times in measured.items():
            times.append(seconds(modules))
    floor = statistics.median(measured["pettingzoo"])
    for modules, times in measured.items():
        median = statistics.median(times)
        sys.stdout.write(f"import {modules:<32} {median:6.3f} s  {median - floor:+.3f} s\n")


if __name__ == "__main__":
    main()
