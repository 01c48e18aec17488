"""A taught model examined: it plays drawn settings beside the policies to compare it with."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from agents.llm.model_folder import check_model
from agents.llm.styles import DIRECT
from benchmarks import compare as comparison
from benchmarks.database import FILE, StoreError
from benchmarks.episode_row import EpisodeRow
from benchmarks.executors.local import InProcess
from benchmarks.kinds import misfits
from benchmarks.model_config import ClientSpec, ModelsConfig, ModelSpec, RunSettings
from benchmarks.statistics import Estimate, estimate_mean, estimate_rate
from benchmarks.store import RunReader, open_run
from benchmarks.teaching.taught_models import most_tokens
from cleanup_icn import ConfigError
from cleanup_icn.wordings import OWN

if TYPE_CHECKING:
    from agents.llm import ChatClient
    from benchmarks.suite import Suite
    from benchmarks.teaching.lessons import Lessons

STUDENT = "taught"
"""Name of the model in an examination's rows."""

OWN_SEAT: Mapping[str, str] = {"efficiency": "own_return", "final_success": "own_score"}
"""What a player is judged by, in Cleanup and in negotiation, and what its own seat comes to."""

_MOST_AT_ONCE = 64
"""Questions in a batch, and episodes under way: what two cores answer no faster in more."""


@dataclass(frozen=True, kw_only=True)
class Questioning:
    """How a model is asked in an examination; `as_taught` says how one was taught to be."""

    record_lines: int | None = 0  # last lines of the public record that it is shown; None: all
    wording: str = OWN  # a name in `cleanup_icn.wordings.WORDINGS`
    style: str = DIRECT  # of its thoughts, a name in `agents.llm.styles.STYLES`
    temperature: float = 0.0
    structured: str = "off"  # or "auto": answers are held to their form where that can be done
    max_tokens: int = 96  # of the longest answer

    def models(self, folder: str | Path) -> ModelsConfig:
        """Return the model of a folder, asked like this, at every seat of its table.

        Raises:
            ConfigError: a setting cannot be.
        """
        spec = ModelSpec(
            name=STUDENT,
            client=ClientSpec(kind="transformers"),
            model=str(folder),
            max_repairs=0,
            **asdict(self),
        )
        return ModelsConfig(models={STUDENT: spec}, run=RunSettings(max_in_flight=_MOST_AT_ONCE))


@dataclass(frozen=True, kw_only=True)
class Score:
    """What a player came to, over the settings of an examination."""

    measure: str  # the main one of the game: "efficiency" in Cleanup, else "final_success"
    main: Estimate  # of that measure, over settings
    own: float | None  # mean of what the player's seat came to; None where it has them all

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        shown = self.main
        main = {self.measure: shown.mean, "low": shown.low, "high": shown.high, "n": shown.n}
        return main if self.own is None else {**main, OWN_SEAT[self.measure]: self.own}


@dataclass(frozen=True, kw_only=True)
class Examination:
    """What came of an examination."""

    student: Score
    answers: int  # that the student gave
    valid: float  # share of them that could be read
    conditions: Mapping[str, Score]  # the student's, by what was in force
    policies: Mapping[str, Score]  # those to compare with
    seconds: float  # all told

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            **self.student.to_dict(),
            "valid": self.valid,
            "answers": self.answers,
            "seconds": self.seconds,
            "conditions": {name: score.to_dict() for name, score in self.conditions.items()},
            "policies": {name: score.to_dict() for name, score in self.policies.items()},
        }


def check_folder(folder: str | Path) -> Path:
    """Return the folder of a model. Raises `ConfigError` where there is none in it."""
    try:
        found = check_model(str(folder))
    except ValueError as error:
        told = str(error).partition("expected ")[2] or str(error)
        raise ConfigError("DIR", str(folder), told) from None
    if found is None:
        raise ConfigError("DIR", str(folder), "the folder of a model, as train-lm writes it")
    return found


def as_taught(folder: Path, lessons: str | None = None) -> tuple[Lessons, Questioning]:
    """Return what the model of a folder was taught, and how it is asked accordingly.

    Its folder says so in `teaching.json`. Where `lessons` names them no such file is needed, and
    without a whole one no public record is shown and no thoughts are asked for. The words are the
    game's own, whichever it was taught in: they are among those of every wording that can be
    taught.

    Raises:
        ConfigError: there are no such lessons, or the folder does not say which.
    """
    from agents.lm.taught import TEACHING_FILE, describe
    from benchmarks.teaching.lessons import lessons_named

    about: Mapping[str, Any] = {}
    try:
        about = describe(folder).about
    except ValueError as error:
        if lessons is None:
            allowed = f"given for a folder that does not say what was taught ({error})"
            raise ConfigError("--lessons", lessons, allowed) from None
    named = lessons if lessons is not None else about.get("lessons")
    if not isinstance(named, str):
        raise ConfigError("--lessons", named, f"given, as {TEACHING_FILE} does not tell of them")
    lines, style = about.get("record_lines", 0), about.get("style", DIRECT)
    asked = Questioning(record_lines=lines, style=style, max_tokens=most_tokens(style))
    return lessons_named(named), asked


def examine(
    folder: str | Path,
    suite: Suite,
    *,
    asked: Questioning | None = None,
    out: Path | None = None,
    seed: int = 0,
    clients: Mapping[str, ChatClient] | None = None,
) -> Examination:
    """Let the model of a folder play a suite, in this process and without a server.

    Args:
        folder: an ordinary Hugging Face folder with a tokenizer and a chat template.
        suite: an arena a setting; its policies are those to compare with.
        asked: how the model is asked; None for as `Questioning` has it by default.
        out: folder of the run that is kept, new or empty; None keeps none.
        seed: of resampling.
        clients: by model, `STUDENT` alone, in the folder's place.

    Raises:
        ConfigError: there is no model in the folder, something else is in `out`, or the model
            cannot be asked like this in the suite's game.
        StoreError: an episode was not played to its end.
    """
    with run_folder(out) as run:
        return play_examination(folder, suite, run, asked=asked, seed=seed, clients=clients)


@contextmanager
def run_folder(out: Path | None) -> Iterator[Path]:
    """Give the folder of a run: `out`, which is kept, or else one that is removed at the end."""
    if out is not None:
        yield out
        return
    with TemporaryDirectory(prefix="commonweal-") as folder:
        yield Path(folder)


def play_examination(
    folder: str | Path,
    suite: Suite,
    run: Path,
    *,
    asked: Questioning | None = None,
    seed: int = 0,
    clients: Mapping[str, ChatClient] | None = None,
    is_alone: bool = False,
) -> Examination:
    """Play an examination into the folder of a run, new or empty; the rest as for `examine`.

    Where the model `is_alone` the suite's policies are not played.
    """
    began_s = time.monotonic()
    if (run / FILE).exists():
        raise ConfigError("--out", str(run), "a folder without a run in it")
    models = (asked or Questioning()).models(check_folder(folder) if clients is None else folder)
    seated = suite.with_models(models, misfits=partial(misfits, models=models))
    if is_alone:
        seated = seated.with_policies([STUDENT])
    with _clients(models, clients) as answering, comparison.open_folder(run, seated) as opened:
        played = comparison.play_missing(
            seated, folder=opened, executor=InProcess(), clients=answering
        )
        played.end_run(seated, opened, command=())
    if played.missing:
        why = next(iter(played.failures), played.stopped)
        raise StoreError(f"{played.missing} episodes were not played to their end: {why}")
    with open_run(run) as reader:
        return _summed_up(reader, seed=seed, seconds=time.monotonic() - began_s)


@contextmanager
def _clients(
    models: ModelsConfig, clients: Mapping[str, ChatClient] | None
) -> Iterator[Mapping[str, ChatClient]]:
    """Give what answers: these clients, or the model, loaded for as long as it is asked."""
    if clients is not None:
        yield clients
        return
    from agents.llm.transformers_client import TransformersClient

    spec = models.models[STUDENT]
    with TransformersClient(
        spec.model,
        temperature=spec.temperature,
        top_p=spec.top_p,
        max_tokens=spec.max_tokens,
        max_batch=_MOST_AT_ONCE,
    ) as client:
        yield {STUDENT: client}


def _summed_up(reader: RunReader, *, seed: int, seconds: float) -> Examination:
    """Return what the episodes of a run come to."""
    rows = list(reader.rows())
    own = [row for row in rows if row.policy == STUDENT]
    answers = sum(row.calls for row in own)
    others = dict.fromkeys(row.policy for row in rows if row.policy != STUDENT)
    conditions = dict.fromkeys(row.contract for row in own)
    return Examination(
        student=_score(own, seed=seed),
        answers=answers,
        valid=1.0 - sum(row.malformed for row in own) / max(1, answers),
        conditions={
            name: _score([row for row in own if row.contract == name], seed=seed)
            for name in conditions
        },
        policies={
            name: _score([row for row in rows if row.policy == name], seed=seed) for name in others
        },
        seconds=round(seconds, 1),
    )


def _score(rows: Sequence[EpisodeRow], *, seed: int) -> Score:
    """Return what one player's rows come to, a setting's conditions and episodes together."""
    by_setting: dict[str, list[EpisodeRow]] = {}
    for row in rows:
        by_setting.setdefault(row.arena, []).append(row)
    settings = list(by_setting.values())
    measure = next(name for name in OWN_SEAT if name in rows[0].measures)
    own = _of_settings(settings, OWN_SEAT[measure])
    values = _of_settings(settings, measure)
    is_rate = set(values) <= {0.0, 1.0} and measure == "final_success"
    return Score(
        measure=measure,
        main=estimate_rate([value == 1.0 for value in values])
        if is_rate
        else estimate_mean(values, seed=seed),
        own=sum(own) / len(own) if own else None,
    )


def _of_settings(settings: Sequence[Sequence[EpisodeRow]], measure: str) -> list[float]:
    """Return the mean of a measure in each setting in which it says something."""
    found = ([row.measures.get(measure) for row in rows] for rows in settings)
    known = [[value for value in values if value is not None] for values in found]
    return [sum(values) / len(values) for values in known if values]
