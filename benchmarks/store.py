"""A run's folder: what was played, every episode of it, and what came out.

```
run.json         what was run, with which versions, and whether it is complete
episodes.jsonl   one record an episode: `benchmarks.runner.EpisodeResult` for Cleanup,
                 `benchmarks.negotiation.runner.NegotiationResult` for negotiation
table.json       the rows
figure.svg, figure.png
ppo/<contract>/  checkpoints of learned policies
```
"""

from __future__ import annotations

import json
import os
import platform
import tempfile
from collections.abc import Iterable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from cleanup_icn import ConfigError

FORMAT = "commonweal-run"
RUN, EPISODES, TABLE = "run.json", "episodes.jsonl", "table.json"
FIGURES = ("figure.svg", "figure.png")
_CHECKPOINTS = ("*/*/policy.zip", "*/*/policy.json")
_VERSIONS_OF = (
    "commonweal",
    "gymnasium",
    "numpy",
    "pettingzoo",
    "sb3-contrib",
    "stable-baselines3",
    "torch",
)


class RunFolder:
    """The folder of one run; opening it removes what an earlier run left there.

    Raises:
        ConfigError: the folder holds something that is not a run, or cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.mkdir(parents=True, exist_ok=True)
            is_free = not any(path.iterdir()) or _is_run(path / RUN)
            if is_free:
                self._remove_earlier_run()
                self.write_json(RUN, {"format": FORMAT, "status": "running"})
        except OSError as error:
            reason = error.strerror or str(error)
            raise ConfigError("--out", str(path), f"a folder to write in ({reason})") from error
        if not is_free:
            raise ConfigError(
                "--out", str(path), "a new folder, an empty one, or that of an earlier run"
            )

    def write_json(self, name: str, value: Any) -> None:
        """Write one file of JSON, all of it or none."""
        self._write(name, [json.dumps(value, indent=2) + "\n"])

    def write_episodes(self, records: Iterable[Mapping[str, Any]]) -> None:
        """Write one record a line, all of them or none."""
        self._write(EPISODES, (json.dumps(record) + "\n" for record in records))

    def write_run(self, about: Mapping[str, Any]) -> None:
        """Say what was run; the run is complete from then on."""
        self.write_json(
            RUN, {"format": FORMAT, "status": "complete", **about, "versions": versions()}
        )

    def _write(self, name: str, parts: Iterable[str]) -> None:
        with tempfile.NamedTemporaryFile(
            "w", dir=self.path, prefix=f".{name}.", encoding="utf-8", delete=False
        ) as file:
            try:
                file.writelines(parts)
            except BaseException:
                os.unlink(file.name)
                raise
        os.chmod(file.name, 0o644)  # a temporary file is for its owner only
        os.replace(file.name, self.path / name)

    def _remove_earlier_run(self) -> None:
        # By name: a file that somebody put beside them stays.
        earlier = [self.path / name for name in (EPISODES, TABLE, *FIGURES)]
        for pattern in _CHECKPOINTS:
            earlier += self.path.glob(pattern)
        for file in earlier:
            file.unlink(missing_ok=True)


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that matter to a run's results."""
    found = {"python": platform.python_version()}
    for package in _VERSIONS_OF:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue  # an extra that is not installed
    return found


def _is_run(file: Path) -> bool:
    try:
        about = json.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return False
    return isinstance(about, dict) and about.get("format") == FORMAT
