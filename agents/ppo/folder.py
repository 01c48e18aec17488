"""What a training leaves in its folder, and whether a folder belongs to a training.

```
last.zip    last.json     the learner after its latest chunk: a killed training goes on from here
best.zip    best.json     the learner after the chunk with the highest score, the first such
policy.zip  policy.json   the last learner of a training that is through
progress.jsonl            a line a chunk: agent_steps, seconds, evaluation
tensorboard/              scalars
```
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import platform
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

from agents.ppo.batch import Batch
from agents.ppo.scored_actions import ScoredActions
from agents.ppo.settings import PPOSettings


class ProgressRow(NamedTuple):
    """What is known after a chunk."""

    chunk: int  # counted from 0
    agent_steps: int  # of each learner, made so far
    seconds: float  # of training and evaluation so far, pauses between runs apart
    evaluation: dict[str, float] | None  # what `evaluate` returned

    @property
    def score(self) -> float | None:
        """The evaluation's score."""
        return None if self.evaluation is None else self.evaluation["score"]


def identity(
    batch: Batch,
    settings: PPOSettings,
    *,
    seed: int,
    seat: int | None,
    meta: Mapping[str, Any] | None,
    scoring: ScoredActions | None,
) -> dict[str, Any]:
    """Return what tells a training from others, as JSON values: settings, `meta`, shapes, seed.

    `seat` is None where one policy plays all seats. `config_hash` is the SHA-256 of the canonical
    JSON of settings, `meta` and scoring.
    """
    config = {
        "settings": settings.to_dict(),
        "meta": json.loads(json.dumps(dict(meta or {}))),
        "scoring": None if scoring is None else scoring.digest(),
    }
    canonical = json.dumps(config, sort_keys=True, separators=(",", ":"))
    return {
        **config,
        "config_hash": hashlib.sha256(canonical.encode()).hexdigest(),
        "seed": seed,
        "seat": seat,
        "num_agents": batch.num_agents,
        "observation_shape": [batch.observation_size],
        "num_actions": batch.num_actions,
    }


def require_same_training(folder: Path, expected: Mapping[str, Any]) -> None:
    """Refuse another training's folder, by a `ValueError` that says what differs."""
    about = folder / "last.json"
    if not about.exists():
        return
    found = json.loads(about.read_text(encoding="utf-8"))
    keys = [key for key in expected if key != "config_hash"]  # says nothing that the others do not
    differing = [line for key in keys for line in _differences(key, found, expected)]
    if differing:
        raise ValueError(f"out = {folder}: holds another training:\n" + "\n".join(differing))


def sidecar(identity_: Mapping[str, Any], *, chunk: int, agent_steps: int) -> dict[str, Any]:
    """Return what stands beside a checkpoint."""
    return {
        **identity_,
        "agent_steps": agent_steps,
        "chunk": chunk,
        "versions": {"python": platform.python_version(), **_versions()},
    }


def write_whole(path: Path, text: str) -> None:
    """Write a file that is whole at every moment."""
    unfinished = path.with_name("." + path.name)
    unfinished.write_text(text, encoding="utf-8")
    os.replace(unfinished, path)


def write_json(path: Path, values: Mapping[str, Any]) -> None:
    """Write a JSON object for people to read."""
    write_whole(path, json.dumps(values, indent=2) + "\n")


def read_progress(folder: Path) -> list[ProgressRow]:
    """Return the rows of `progress.jsonl`, of which there may be none yet."""
    path = folder / "progress.jsonl"
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").splitlines()
    return [ProgressRow(**json.loads(line)) for line in lines]


def write_progress(folder: Path, rows: list[ProgressRow]) -> None:
    """Write `progress.jsonl`."""
    write_whole(
        folder / "progress.jsonl", "".join(json.dumps(row._asdict()) + "\n" for row in rows)
    )


def checked_evaluation(evaluation: Mapping[str, Any]) -> dict[str, float]:
    """Return an evaluation as JSON values; one without a finite score raises `ValueError`."""
    values = {name: float(value) for name, value in evaluation.items()}
    score = values.get("score", math.nan)
    if not math.isfinite(score):
        raise ValueError(f"score = {evaluation.get('score')!r}: expected a finite number")
    return values


def _differences(key: str, found: Any, expected: Any) -> list[str]:
    was, is_ = found.get(key), expected.get(key)
    if was == is_:
        return []
    if isinstance(was, dict) and isinstance(is_, dict):
        inner = [line for name in {**was, **is_} for line in _differences(name, was, is_)]
        return [f"{key}.{line}" for line in inner]
    return [f"{key} = {is_!r}: expected {was!r}"]


def _versions() -> dict[str, str]:
    found = {}
    for name in ("commonweal", "numpy", "sb3-contrib", "stable-baselines3", "torch"):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue  # run from a source folder, the project itself is not installed
    return found
