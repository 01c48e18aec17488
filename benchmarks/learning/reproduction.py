"""Whether a checkpoint still does what is on record: its test, played again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.drift import differences
from benchmarks.learning.experiment import Experiment
from benchmarks.learning.folder import TrainingFolder, open_training
from benchmarks.learning.runs import test_learned
from cleanup_icn import ConfigError


@dataclass(frozen=True, kw_only=True)
class Reproduced:
    """The test of one training seed, played again."""

    seed: int
    n: int  # episodes
    score: float
    recorded_score: float
    differences: tuple[str, ...]  # every number that came out differently, a line each

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "seed": self.seed,
            "n": self.n,
            "score": self.score,
            "recorded_score": self.recorded_score,
            "same": not self.differences,
            "differences": list(self.differences),
        }


def reproduce(path: Path, *, on_seed: Callable[[int], None] = lambda _: None) -> list[Reproduced]:
    """Play the test of every finished training seed of a folder again.

    Raises:
        ConfigError: it is no folder of a training, or none of its seeds is finished.
    """
    folder, experiment = open_training(path)
    seeds = folder.finished_seeds()
    if not seeds:
        raise ConfigError("training", str(path), "a training with at least one finished seed")
    return list(_reproduce_each(experiment, folder, seeds, on_seed))


def _reproduce_each(
    experiment: Experiment, folder: TrainingFolder, seeds: list[int], on_seed: Callable[[int], None]
) -> Iterator[Reproduced]:
    score = experiment.measures[0].name
    for seed in seeds:
        on_seed(seed)
        recorded = folder.result(seed) or {}
        measured = test_learned(experiment, folder.of_seed(seed))
        now = {"row": {**recorded["row"], **measured["measures"]}, "episodes": measured["episodes"]}
        yield Reproduced(
            seed=seed,
            n=recorded["row"]["n"],
            score=measured["measures"][score],
            recorded_score=recorded["row"][score],
            differences=tuple(
                f"{key} = {after!r}: {before!r} is on record"
                for key, before, after in differences(recorded, now)
            ),
        )
