"""A training as a policy of a comparison: each of its training seeds plays all seats."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from agents import Agent
from benchmarks.cleanup.arena import CleanupArena
from cleanup_icn import ConfigError

if TYPE_CHECKING:
    from benchmarks.arena import Arena
    from benchmarks.cleanup.conditions import Env

TRAINED = "trained"
"""Where in a run's folder the checkpoints of trainings are kept: ``trained/NAME/seed-K/``."""

_OPTION = "--trained"


@dataclass(frozen=True, kw_only=True)
class SeatedTraining:
    """The finished training seeds of a folder that `commonweal train cleanup` wrote.

    A run plays copies of their checkpoints, so that it can be resumed and replayed as it was begun,
    whatever becomes of the training.
    """

    name: str  # of the folder, and of the policy
    contract: str  # name of the condition in which it was trained, the only one that it plays
    files: tuple[str, ...]  # of a training seed: one policy for all seats, or one a seat, in order
    deterministic: bool  # whether it takes the likeliest action, as when it was tested
    checkpoints: Mapping[str, str]  # by training seed, the SHA-256 of its files
    source: Path | None = None  # the folder; None where only the copies are known

    @classmethod
    def of(cls, path: Path, arena: Arena[Any]) -> Self:
        """Return the training in a folder as a policy of this arena.

        Raises:
            ConfigError: it is no training of Cleanup, or not of the arena's world, range of starts
                and one of its conditions, or none of its seeds is finished.
        """
        from benchmarks.learning.folder import open_training
        from benchmarks.learning.runs import checkpoint_files
        from benchmarks.learning.trained_players import TrainedPlayers

        if not isinstance(arena, CleanupArena):
            others = f"the parties of {arena.name} are not those that p1 is trained among"
            allowed = f"an arena of Cleanup beside it; {others}"
            raise ConfigError(_OPTION, str(path), allowed)
        players = TrainedPlayers.of(path, arena)
        folder, experiment = open_training(path)
        _check_starts(path, experiment, arena)
        files = {seed: checkpoint_files(experiment, folder.of_seed(seed)) for seed in players.seeds}
        first = players.seeds[0]
        return cls(
            name=players.name,
            contract=players.contract,
            files=tuple(str(file.relative_to(folder.of_seed(first))) for file in files[first]),
            deterministic=experiment.evaluation.deterministic,
            checkpoints={str(seed): _digest(found) for seed, found in files.items()},
            source=folder.path,
        )

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Self:
        """Return a training as a run told of it, in `to_dict`."""
        return cls(**{**told, "files": tuple(told["files"])})

    @property
    def players(self) -> tuple[str, ...]:
        """A name for each training seed, as its episodes have it in records."""
        return tuple(f"{self.name}/{seed}" for seed in self.checkpoints)

    def keep_in(self, run: Path) -> None:
        """Copy the checkpoints into a run's folder, those that are not there yet.

        Raises:
            ConfigError: the training went on since it was opened.
        """
        for seed in self.checkpoints:
            kept = self._kept(run, seed)
            if self.source is not None and not self._is_kept(kept, seed):
                for file in self.files:
                    original, copy = self.source / kept.name / file, kept / file
                    copy.parent.mkdir(parents=True, exist_ok=True)
                    for suffix in (copy.suffix, ".json"):
                        shutil.copyfile(original.with_suffix(suffix), copy.with_suffix(suffix))
            self._require_kept(kept, seed)

    def seat(self, player: str, env: Env, *, run: Path) -> Mapping[str, Agent]:
        """Return an agent for every seat: a training seed, from the copy in a run's folder.

        Raises:
            ConfigError: it is not there, or is another than the run was begun with.
        """
        from agents.ppo import MaskedPolicy
        from benchmarks.learning.trained_players import seated

        seed = player.rpartition("/")[2]
        kept = self._kept(run, seed)
        self._require_kept(kept, seed)
        learned = [MaskedPolicy.load(kept / file) for file in self.files]
        policy = learned if len(learned) > 1 else learned[0]
        return seated(policy, env, deterministic=self.deterministic)

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON values; where the folder stands does not belong to it."""
        return {
            "name": self.name,
            "contract": self.contract,
            "files": list(self.files),
            "deterministic": self.deterministic,
            "checkpoints": dict(self.checkpoints),
        }

    def _kept(self, run: Path, seed: str) -> Path:
        return run / TRAINED / self.name / f"seed-{seed}"

    def _is_kept(self, kept: Path, seed: str) -> bool:
        files = [kept / file for file in self.files]
        return all(map(Path.exists, files)) and _digest(files) == self.checkpoints[seed]

    def _require_kept(self, kept: Path, seed: str) -> None:
        if not self._is_kept(kept, seed):
            allowed = "the checkpoint that the run was begun with"
            raise ConfigError(f"training seed {seed} of {self.name}", str(kept), allowed)


def _check_starts(path: Path, experiment: Any, arena: CleanupArena) -> None:
    """Refuse a training whose episodes started elsewhere than those of the arena."""
    for name in ("pollution_initial", "fruit_initial"):
        fixed = getattr(experiment.config, name)
        starts, played = experiment.starts, getattr(arena.scenario, name)
        learned = (fixed, fixed) if starts is None else getattr(starts, name)
        if tuple(learned) != tuple(played):
            allowed = f"{list(played)}, the range that {arena.name} draws from"
            raise ConfigError(f"{_OPTION} {path}: world.starts.{name}", list(learned), allowed)


def _digest(files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        try:
            digest.update(file.read_bytes())
        except OSError as error:
            allowed = f"a readable checkpoint ({error.strerror})"
            raise ConfigError(_OPTION, str(file), allowed) from error
    return digest.hexdigest()
