"""From a recipe to a model's folder: lessons are played, a data set is made, a student is taught.

```
config.json, model.safetensors, tokenizer.json, ...   the model, an ordinary Hugging Face folder
teaching.json    how it was taught, from what, and the course of it
models.toml      the model as `commonweal compare --models` takes it, in this process
curve.svg, .png  the loss by step
work/            only while it is taught: lessons, data set and checkpoints
```
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks.database import StoreError
from benchmarks.teaching.lessons import CLEANUP
from benchmarks.teaching.recipe import Recipe
from benchmarks.teaching.taught_models import MODELS, write_models
from benchmarks.teaching.thinking import check_asked
from cleanup_icn import ConfigError

INSTALL_HINT = 'pip install "commonweal[lm]"'
_NEEDED = ("torch", "transformers", "tokenizers", "accelerate")

CURVES = ("curve.svg", "curve.png")
WORK = "work"

_LEFT = (
    "config.json",
    "generation_config.json",
    "model*.safetensors*",
    "tokenizer*",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "merges.txt",
    "chat_template*",
    "teaching.json",
    MODELS,
    *CURVES,
)
"""Files that a model's folder is made of."""

OnStage = Callable[[str], None]
OnStep = Callable[[int, int, float], None]

_NUM_WORKERS = 2


def is_available() -> bool:
    """Whether the packages of the extra `[lm]` are installed; imports none of them."""
    return all(find_spec(package) is not None for package in _NEEDED)


@dataclass(frozen=True, kw_only=True)
class School:
    """One student's way through a recipe."""

    recipe: Recipe
    out: Path
    data: Path | None  # pairs to teach from; None: the recipe's lessons
    seed: int

    def open(self, *, resume: bool, overwrite: bool) -> None:
        """Make the folder, or refuse it, before anything runs.

        Raises:
            ConfigError: a model is there, or other files are, or the data cannot be read.
        """
        if self.data is not None and not self.data.is_file():
            raise ConfigError("--data", str(self.data), "a file of pairs, as `dataset` writes it")
        if self.out.exists() and not self.out.is_dir():
            raise ConfigError("--out", str(self.out), "a folder")
        is_model = (self.out / "config.json").exists()
        if is_model and not (overwrite or resume):
            allowed = "a new folder; --overwrite replaces a model"
            raise ConfigError("--out", str(self.out), allowed)
        is_strange = self.out.is_dir() and any(self.out.iterdir()) and not self._is_ours()
        if is_strange:
            raise ConfigError("--out", str(self.out), "a new folder, an empty one, or a model's")
        try:
            if overwrite and not resume and self._is_ours():
                self._remove_model()
            self._work.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            allowed = f"a folder to write in ({error.strerror or error})"
            raise ConfigError("--out", str(self.out), allowed) from None

    def teach(self, *, resume: bool, on_stage: OnStage, on_step: OnStep) -> dict[str, Any]:
        """Teach, and return what to tell of it: JSON values.

        Raises:
            ConfigError: the data cannot be used, or what is resumed was something else.
        """
        from agents.lm.teach import teach
        from benchmarks.teaching.curve_figure import save_curve

        pairs, held_out, about = self._pairs(resume=resume, on_stage=on_stage)
        on_stage("teaching")
        try:
            taught = teach(
                pairs,
                student=self.recipe.student,
                teaching=self.recipe.teaching,
                out=self.out,
                held_out=held_out,
                about=about,
                resume=resume,
                on_step=on_step,
            )
        except ValueError as error:
            raise ConfigError("train-lm", str(self.out), str(error)) from None
        save_curve(taught.curve, [self.out / name for name in CURVES], name=self.recipe.name)
        write_models(
            self.out, record_lines=self.recipe.data.record_lines, style=self.recipe.data.style
        )
        shutil.rmtree(self._work, ignore_errors=True)
        return self._told(taught)

    @property
    def _work(self) -> Path:
        return self.out / WORK

    def _remove_model(self) -> None:
        """Remove what a teaching leaves, by name: what somebody put beside it stays."""
        for folder in (WORK, "checkpoints"):
            shutil.rmtree(self.out / folder, ignore_errors=True)
        for pattern in _LEFT:
            for file in self.out.glob(pattern):
                file.unlink()

    def _is_ours(self) -> bool:
        return (self.out / WORK).is_dir() or (self.out / "teaching.json").is_file()

    def _pairs(self, *, resume: bool, on_stage: OnStage) -> tuple[Any, Any, dict[str, Any]]:
        """Return pairs to teach from, pairs to test with, and what is told of them."""
        from agents.lm.pairs import read_pairs
        from benchmarks.teaching.dataset import held_out_file

        file = self.data
        if file is None:
            file = self._work / "pairs.jsonl"
            if not (resume and file.exists()):
                self._make_pairs(file, resume=resume, on_stage=on_stage)
        try:
            pairs = read_pairs(file)
            beside = held_out_file(file)
            held_out = read_pairs(beside) if beside.is_file() else []
        except (ValueError, OSError) as error:
            raise ConfigError("--data", str(file), f"a file of pairs ({error})") from None
        lessons = self.recipe.lessons
        if lessons.name in CLEANUP:
            check_asked(pairs, self.recipe.data.style, file=str(file))
        about = {
            "recipe": self.recipe.to_dict(),
            "lessons": lessons.name,
            "record_lines": self.recipe.data.record_lines,
            "wording": self.recipe.data.wording,
            "style": self.recipe.data.style,
            "data": None if self.data is None else self.data.name,
            "seed": self.seed,
        }
        return pairs, held_out, about

    def _make_pairs(self, file: Path, *, resume: bool, on_stage: OnStage) -> None:
        """Play the lessons and write their pairs, and the held-out ones, beside each other."""
        from benchmarks.teaching.dataset import DatasetSettings, write_dataset
        from benchmarks.teaching.lessons import lessons_named

        lessons, data = lessons_named(self.recipe.lessons.name), self.recipe.data
        run = self._work / "lessons"
        on_stage("playing the lessons")
        self._play(run, resume=resume)
        on_stage("making the data set")
        settings = DatasetSettings(
            filters=data.filters,
            relabel=lessons.teacher if data.relabel else None,
            record_lines=data.record_lines,
            wording=data.wording,
            style=data.style,
            held_out=data.held_out,
            per_episode=data.per_episode,
            seed=self.seed,
        )
        write_dataset([run], file, settings=settings)

    def _play(self, run: Path, *, resume: bool) -> None:
        from benchmarks import compare as comparison
        from benchmarks.executors.named import executor_named
        from benchmarks.teaching.lessons import lessons_named

        told = self.recipe.lessons
        suite = lessons_named(told.name).teaching_suite(episodes=told.episodes, seed=self.seed)
        executor = executor_named("processes", num_workers=_NUM_WORKERS, address=None)
        with comparison.open_folder(run, suite, resume=resume) as folder, executor:
            played = comparison.play_missing(suite, folder=folder, executor=executor)
            played.end_run(suite, folder, command=sys.argv[1:])
        if played.missing:
            raise StoreError(f"{run}: {played.missing} episodes were not played to their end")

    def _told(self, taught: Any) -> dict[str, Any]:
        size = sum(each.stat().st_size for each in self.out.iterdir() if each.is_file())
        told: Mapping[str, Any] = {
            "out": str(self.out),
            "recipe": self.recipe.name,
            "pairs": taught.num_pairs,
            "steps": self.recipe.teaching.steps,
            "loss": taught.curve[-1][1] if taught.curve else None,
            "held_out_exact": taught.held_out_exact,
            "parameters": taught.parameters,
            "megabytes": round(size / 1e6, 2),
            "seconds": taught.seconds,
        }
        return dict(told)
