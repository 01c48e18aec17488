"""From a TOML file to an experiment: checked wholly before anything runs, all errors at once."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import fields
from importlib.resources import files
from pathlib import Path
from typing import Any

from benchmarks.checked import ModelConfigError, one_of_nearest
from benchmarks.learning import negotiation_file, partners_file, two_stage_file
from benchmarks.learning.cleanup_file import read_cleanup
from benchmarks.learning.experiment import SHARED, EvaluationSettings, Experiment, Sharing
from benchmarks.learning.negotiation_file import read_negotiation
from benchmarks.learning.partners_file import read_partners
from benchmarks.learning.two_stage_file import read_two_stage
from benchmarks.sections import SectionReader
from cleanup_icn import ConfigError

_CONFIGS = files("benchmarks.learning") / "configs"
_SUFFIX = ".toml"

ReadGame = Callable[[SectionReader], Callable[..., Experiment] | None]
"""Reads a game's own sections and returns what makes the experiment of the fields that all games
have; None where something is wrong, which the reader was told."""

GAMES: Mapping[str, tuple[ReadGame, tuple[str, ...]]] = {
    "cleanup": (read_cleanup, ("world", "contract")),
    "negotiation": (read_negotiation, negotiation_file.SECTIONS),
    "contracts": (read_two_stage, two_stage_file.SECTIONS),
    "partners": (read_partners, partners_file.SECTIONS),
}
"""How the files of each game are read, and their sections beside `_SECTIONS`."""

_SECTIONS = ("game", "training", "evaluation")

_NOT_IN_FILES = ("evaluate_every_rollouts", "bootstrap_truncation")
"""Settings of a learner that `[evaluation]` gives, or that no game here has a use for: the horizon
ends an episode, and everybody sees it coming."""


def bundled_names(game: str | None = None) -> list[str]:
    """Return the names of the bundled experiments, of one game or of all."""
    names = sorted(
        file.name.removesuffix(_SUFFIX)
        for file in _CONFIGS.iterdir()
        if file.name.endswith(_SUFFIX)
    )
    return [name for name in names if game is None or name.startswith(f"{game}-")]


def load_experiment(config: str, *, game: str) -> tuple[Experiment, dict[str, Any]]:
    """Read a file, or the bundled one of this name; returns it and what was written in it.

    Raises:
        ConfigError: with everything that is wrong with it, a line each: the file, the table, the
            key, the value and what is allowed.
    """
    name, written = _read(config, game)
    source = f"{config}: "
    told = written.get("game")
    if told != game:
        allowed = f"{game!r} here, and elsewhere one of {', '.join(GAMES)}"
        raise ConfigError(f"{source}game", told, allowed)
    return experiment_of(name, written, source=source), written


def experiment_of(name: str, written: Mapping[str, Any], *, source: str = "") -> Experiment:
    """Make an experiment of what is written in a file.

    Raises:
        ConfigError: with everything that is wrong.
    """
    reader = SectionReader(written, source=source)
    read_game, own_sections = GAMES[written["game"]]
    reader.refuse_unknown("the file", written, (*_SECTIONS, *own_sections))
    make = read_game(reader)
    training = reader.section("training")
    sharing = reader.value(
        Sharing, "training", {k: training.pop(k) for k in ("sharing",) if k in training}
    )
    evaluation = reader.value(EvaluationSettings, "evaluation", reader.section("evaluation"))
    settings = _settings(reader, training, evaluation)
    if make is None or sharing is None or evaluation is None or settings is None or reader.problems:
        raise ModelConfigError(reader.problems)
    experiment = make(name=name, settings=settings, sharing=sharing.sharing, evaluation=evaluation)
    _check_learnable(reader, experiment)
    if reader.problems:
        raise ModelConfigError(reader.problems)
    return experiment


def _check_learnable(reader: SectionReader, experiment: Experiment) -> None:
    """Refuse settings with which no learner could begin in this game."""
    settings = experiment.settings
    rows = settings.num_lanes * settings.n_steps
    if experiment.sharing == SHARED:
        rows *= experiment.make_batch(1).num_agents
    if rows % settings.batch_size == 1:
        allowed = f"one that leaves no single agent-step of the {rows} of a rollout"
        reader.refuse("training.batch_size", settings.batch_size, allowed)
    if experiment.scoring is not None and settings.algorithm != "maskable-ppo":
        reader.refuse("training.algorithm", settings.algorithm, "maskable-ppo to judge by features")


def _settings(
    reader: SectionReader, training: Mapping[str, Any], evaluation: EvaluationSettings | None
) -> Any:
    from agents.ppo import PPOSettings

    every = {"evaluate_every_rollouts": evaluation.every} if evaluation is not None else {}
    known = [f.name for f in fields(PPOSettings) if f.name not in _NOT_IN_FILES]

    def make(**given: Any) -> PPOSettings:
        return PPOSettings.from_dict({**given, **every})

    return reader.made_of("training", make, training, known=known)


def _read(config: str, game: str) -> tuple[str, dict[str, Any]]:
    """Return the name of a configuration, and its tables."""
    path = Path(config)
    if config in bundled_names():
        return config, tomllib.loads((_CONFIGS / f"{config}{_SUFFIX}").read_text(encoding="utf-8"))
    if not path.suffix and not path.exists():
        allowed = "a TOML file, or " + one_of_nearest(config, bundled_names(game))
        raise ConfigError("--config", config, allowed)
    try:
        return path.stem, tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise ConfigError("--config", config, f"a readable TOML file ({why})") from None
