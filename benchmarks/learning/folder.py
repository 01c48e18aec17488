"""The folder of a training: what was learned, and what each training seed left.

```
experiment.json  what is learned, in which world, with which versions
seed-K/          of training seed K: checkpoints and logs of `agents.ppo.train`, and result.json,
                 its test: measures, and the numbers of every episode
table.json       the rows
curves.svg, curves.png
```
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.checked import ModelConfigError
from benchmarks.drift import differences
from benchmarks.learning.config_file import experiment_of
from benchmarks.learning.experiment import Experiment
from benchmarks.versions import versions
from benchmarks.whole_file import write_whole
from cleanup_icn import ConfigError

FORMAT = "commonweal-training"
EXPERIMENT, RESULT, TABLE, PROGRESS = (
    "experiment.json",
    "result.json",
    "table.json",
    "progress.jsonl",
)
CURVES = ("curves.svg", "curves.png")


class TrainingFolder:
    """The folder of one experiment; training goes on from what is there.

    Args:
        path: of the folder.
        experiment: what is to be learned, as JSON values.
        name: of the experiment.
        written: the tables of the file that says so.

    Raises:
        ConfigError: the folder holds something else, or the training of another experiment (all
            that differs is told), or cannot be written.
    """

    def __init__(
        self,
        path: Path,
        experiment: Mapping[str, Any],
        *,
        name: str,
        written: Mapping[str, Any],
    ) -> None:
        self.path = path
        told = json.loads(json.dumps(experiment))  # as it will be read again
        try:
            path.mkdir(parents=True, exist_ok=True)
            earlier = _read_record(path)
            if earlier is not None:
                refuse_differences(earlier["experiment"], told, f"--out {path}: ")
                return
            if any(not file.name.startswith(f".{EXPERIMENT}.") for file in path.iterdir()):
                raise ConfigError(
                    "--out", str(path), "a new folder, an empty one, or that of an earlier training"
                )
            record = {"format": FORMAT, "name": name, "written": written, "experiment": told}
            write_json(path / EXPERIMENT, {**record, "versions": versions()})
        except OSError as error:
            reason = error.strerror or str(error)
            raise ConfigError("--out", str(path), f"a folder to write in ({reason})") from error

    def of_seed(self, seed: int) -> Path:
        """Return the folder of a training seed."""
        return self.path / f"seed-{seed}"

    def result(self, seed: int) -> dict[str, Any] | None:
        """Return the result of a training seed; None if it is not finished."""
        return _read_json(self.of_seed(seed) / RESULT)

    def finished_seeds(self) -> list[int]:
        """Return the training seeds that have a result, in order."""
        numbers = [folder.name.removeprefix("seed-") for folder in self.path.glob("seed-*")]
        seeds = sorted(int(number) for number in numbers if number.isdecimal())
        return [seed for seed in seeds if self.result(seed) is not None]

    def progress(self, seed: int) -> list[dict[str, Any]]:
        """Return what was evaluated during the training of a seed, the first first."""
        return read_progress(self.of_seed(seed))


def open_training(path: Path) -> tuple[TrainingFolder, Experiment]:
    """Return the folder of a training that was begun, and its experiment.

    Raises:
        ConfigError: there is none, or this version makes another experiment of the same file.
    """
    record = _read_record(path)
    if record is None:
        raise ConfigError("training", str(path), f"a folder that `train` wrote ({EXPERIMENT})")
    experiment = experiment_of(record["name"], record["written"], source=f"{path / EXPERIMENT}: ")
    folder = TrainingFolder(
        path, experiment.to_dict(), name=record["name"], written=record["written"]
    )
    return folder, experiment


def _read_record(path: Path) -> dict[str, Any] | None:
    """Return what a folder says of its training; None where there is none."""
    record = _read_json(path / EXPERIMENT)
    return record if record is not None and record.get("format") == FORMAT else None


def read_progress(folder: Path) -> list[dict[str, Any]]:
    """Return the lines of a training seed's progress; none where it has not begun."""
    file = folder / PROGRESS
    written = file.read_text(encoding="utf-8") if file.exists() else ""
    return [json.loads(line) for line in written.splitlines()]


def write_json(file: Path, value: Any) -> None:
    """Write a file of JSON, all of it or none."""
    write_whole(file, [json.dumps(value, indent=1) + "\n"])


def _read_json(file: Path) -> dict[str, Any] | None:
    try:
        value = json.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None
    return value if isinstance(value, dict) else None


def refuse_differences(earlier: Any, now: Any, source: str) -> None:
    """Raise `ConfigError` with everything in which two experiments differ; `source` says where."""
    differing = [
        ConfigError(f"{source}{key}", after, f"{before!r}, as its training was begun with")
        for key, before, after in differences(earlier, now)
    ]
    if differing:
        raise ModelConfigError(differing)


def rows_of(folder: TrainingFolder, seeds: Sequence[int]) -> list[dict[str, Any]]:
    """Return the row of each of these training seeds that is finished."""
    results = [folder.result(seed) for seed in seeds]
    return [result["row"] for result in results if result is not None]
