"""One policy in training, chunk by chunk."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.logger import Logger, TensorBoardOutputFormat

from agents.ppo.batch import Batch
from agents.ppo.checkpoint import Model, load_model, new_model, save_model
from agents.ppo.folder import ProgressRow, sidecar, write_json
from agents.ppo.global_state import restored_global_state
from agents.ppo.network import MaskedPolicy
from agents.ppo.scored_actions import ScoredActions
from agents.ppo.settings import PPOSettings
from agents.ppo.vec_env import BatchVecEnv

OnRollout = Callable[[int], None]


class Learner:
    """A policy, its settings and its folder; what it has learned lies in the folder alone.

    Every chunk starts from the checkpoint of the one before, with all chance set from the seed and
    the number of the chunk: so it makes no difference whether the process is the same.
    """

    def __init__(
        self,
        folder: Path,
        settings: PPOSettings,
        *,
        batch: Batch,
        num_rows: int,
        chance: tuple[int, ...],
        identity: Mapping[str, Any],
        scoring: ScoredActions | None = None,
    ) -> None:
        rollout = num_rows * settings.n_steps
        if rollout % settings.batch_size == 1:
            raise ValueError(
                f"batch_size = {settings.batch_size}: expected one that leaves no minibatch of a "
                f"single agent-step in a rollout of {rollout}: nothing can be normalised in that"
            )
        self.folder, self._settings, self._chance = folder, settings, chance
        self._identity, self._scoring = identity, scoring
        self._rollout_steps = rollout
        self._num_rollouts = -(-settings.total_agent_steps // rollout)
        folder.mkdir(parents=True, exist_ok=True)
        self.logger = _TensorBoard(folder / "tensorboard")
        with restored_global_state():
            self._know(self._model(BatchVecEnv(batch)))

    @property
    def checkpoint(self) -> Path:
        """Where the learner lies after its latest chunk."""
        return self.folder / "last.zip"

    @property
    def num_chunks(self) -> int:
        """Chunks of the whole training."""
        return -(-self._num_rollouts // self._settings.evaluate_every_rollouts)

    @property
    def chunks_done(self) -> int:
        """Chunks made so far."""
        rollouts = self.agent_steps // self._rollout_steps
        return -(-rollouts // self._settings.evaluate_every_rollouts)

    def train_chunk(self, batch: Batch, on_rollout: OnRollout) -> None:
        """Make the next chunk in `batch` and keep what was learned.

        `on_rollout` is told the agent-steps of this chunk after every rollout.
        """
        settings, chunk = self._settings, self.chunks_done
        rows = BatchVecEnv(
            batch,
            reward_scale=settings.reward_scale,
            bootstrap_truncation=settings.bootstrap_truncation,
        )
        model = self._model(rows)
        model.set_random_seed(self._seed_of(chunk))
        model.set_logger(self.logger)
        if settings.anneal:
            rate = settings.learning_rate * (1.0 - chunk / self.num_chunks)
            model.lr_schedule = lambda _: rate
        made = chunk * settings.evaluate_every_rollouts
        rollouts = min(settings.evaluate_every_rollouts, self._num_rollouts - made)
        model.learn(
            rollouts * self._rollout_steps,
            callback=_AfterRollouts(rows, on_rollout),
            log_interval=None,  # written by the callback, which leaves out no rollout
            reset_num_timesteps=False,
        )
        # In this order a checkpoint never lies beside no word, or beside another training's.
        write_json(self.folder / "last.json", self._sidecar(chunk, model.num_timesteps))
        save_model(model, self.checkpoint)
        self._know(model)

    def log_evaluation(self, evaluation: Mapping[str, float]) -> None:
        """Write an evaluation of the latest chunk beside the scalars of training."""
        for name, value in evaluation.items():
            self.logger.record(f"evaluation/{name}", value)
        self.logger.dump(self.agent_steps)

    def copy_to(self, name: str, row: ProgressRow) -> Path:
        """Copy the checkpoint of the latest chunk, and what is known of it; returns its path."""
        copy = self.folder / f"{name}.zip"
        unfinished = self.folder / f".{name}.zip"
        shutil.copyfile(self.checkpoint, unfinished)
        os.replace(unfinished, copy)
        about = {**self._sidecar(row.chunk, self.agent_steps), "evaluation": row.evaluation}
        write_json(copy.with_suffix(".json"), about)
        return copy

    def _model(self, rows: BatchVecEnv) -> Model:
        """Return the learner as its latest chunk left it, or as it begins."""
        if self.checkpoint.exists():
            return load_model(self.checkpoint, rows)
        seed = self._seed_of(0)
        return new_model(rows, self._settings, seed=seed, scoring=self._scoring)

    def _know(self, model: Model) -> None:
        self.agent_steps = int(model.num_timesteps)
        self.policy = MaskedPolicy.from_sb3(model.policy, reward_scale=model.reward_scale)

    def _sidecar(self, chunk: int, agent_steps: int) -> dict[str, Any]:
        return sidecar(self._identity, chunk=chunk, agent_steps=agent_steps)

    def _seed_of(self, chunk: int) -> int:
        """Return the seed from which all chance of a chunk follows."""
        return int(np.random.SeedSequence((*self._chance, chunk)).generate_state(1)[0])


class _TensorBoard(Logger):
    """Writes scalars into a folder, which is made with the first of them."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder=None, output_formats=[])
        self._folder = folder

    def dump(self, step: int = 0) -> None:
        if not self.output_formats:
            self.output_formats.append(TensorBoardOutputFormat(str(self._folder)))
        super().dump(step)


class _AfterRollouts(BaseCallback):
    """Reports every rollout, and writes its scalars when the learner has learned from it."""

    def __init__(self, rows: BatchVecEnv, on_rollout: OnRollout) -> None:
        super().__init__()
        self._rows, self._on_rollout = rows, on_rollout
        self._is_first = True

    def _on_training_start(self) -> None:
        self._steps_before = self.model.num_timesteps

    def _on_step(self) -> bool:
        return True

    def _on_rollout_start(self) -> None:
        # The learner learns between the end of a rollout and the start of the next.
        if not self._is_first:
            self.logger.dump(self._logged_steps)
        self._is_first = False

    def _on_rollout_end(self) -> None:
        self._logged_steps = self.model.num_timesteps
        mean_return = self._rows.pop_mean_return()
        if mean_return is not None:
            self.logger.record("rollout/episode_return", mean_return)
        self._on_rollout(self.model.num_timesteps - self._steps_before)

    def _on_training_end(self) -> None:
        self.logger.dump(self._logged_steps)
