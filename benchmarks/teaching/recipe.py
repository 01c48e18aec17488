"""How a student is taught: from a TOML file to checked values, all errors at once.

```toml
description = "..."
[lessons]
name = "cleanup"      # in `benchmarks.teaching.lessons.LESSONS`
episodes = 1600
[data]
per_episode = 20      # questions drawn from an episode; all without it
held_out = 0.05       # share of the seeds that only test what was learned
record_lines = 0      # lines of the public record in a prompt, or "all"
wording = "own"       # or "varied": Cleanup in other words and orders each time
style = "direct"      # or "chain-of-thought": the teacher thinks aloud before it answers
relabel = true        # whether answers are those of the lessons' teacher, whoever played
filters = []          # as `commonweal dataset --filter`
[student]             # `agents.lm.settings.StudentSettings`
[teaching]            # `agents.lm.settings.TeachingSettings`
```
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

from agents.llm.styles import DIRECT, STYLES
from agents.lm.settings import StudentSettings, TeachingSettings
from benchmarks.checked import (
    FLAG,
    Checked,
    ModelConfigError,
    Rule,
    number,
    one_of,
    one_of_nearest,
    whole,
)
from benchmarks.sections import SectionReader
from benchmarks.teaching.lessons import CLEANUP, LESSONS
from benchmarks.teaching.thinking import check_thinks
from cleanup_icn import ConfigError
from cleanup_icn.wordings import OWN, TAUGHT_WORDINGS

_PRESETS = files("benchmarks.teaching") / "presets"
_SUFFIX = ".toml"
_SECTIONS = ("description", "lessons", "data", "student", "teaching")

_FILTERS = Rule(
    "a list of filters KEY=VALUE",
    lambda v: isinstance(v, list | tuple) and all(isinstance(each, str) for each in v),
    keep=tuple,
)
_LINES = Rule(
    'an integer of at least 0, or "all"',
    lambda v: v == "all" or (type(v) is int and v >= 0),
    keep=lambda v: None if v == "all" else v,
)
_SHARE = number("a share from 0 to below 1", lambda v: 0 <= v < 1)


@dataclass(frozen=True, kw_only=True)
class LessonSettings(Checked):
    """Which lessons are played, and how many episodes of them."""

    name: str = "cleanup"
    episodes: Annotated[int, whole(1)] = 800


@dataclass(frozen=True, kw_only=True)
class DataSettings(Checked):
    """What of the lessons is taught."""

    per_episode: Annotated[int | None, whole(1)] = None
    held_out: Annotated[float, _SHARE] = 0.05
    record_lines: Annotated[Any, _LINES] = 0  # kept as None where it is "all"
    wording: Annotated[str, one_of(TAUGHT_WORDINGS)] = OWN
    style: Annotated[str, one_of(STYLES)] = DIRECT  # how it is asked
    relabel: Annotated[bool, FLAG] = True
    filters: Annotated[tuple[str, ...], _FILTERS] = ()


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """All that decides what a student becomes, but for the seed."""

    name: str
    description: str
    lessons: LessonSettings
    data: DataSettings
    student: StudentSettings
    teaching: TeachingSettings

    def to_dict(self) -> dict[str, Any]:
        """Return the recipe as JSON values."""
        return {
            "name": self.name,
            "description": self.description,
            "lessons": self.lessons.to_dict(),
            "data": self.data.to_dict(),
            "student": self.student.to_dict(),
            "teaching": self.teaching.to_dict(),
        }


def preset_names() -> list[str]:
    """Return the names of the presets."""
    names = (file.name for file in _PRESETS.iterdir())
    return sorted(name.removesuffix(_SUFFIX) for name in names if name.endswith(_SUFFIX))


def load_recipe(config: str, *, is_preset: bool) -> Recipe:
    """Read a preset, by its name, or a file.

    Raises:
        ConfigError: with everything that is wrong, a line each: the file, the section, the key,
            the value and what is allowed.
    """
    if is_preset:
        if config not in preset_names():
            raise ConfigError("--preset", config, one_of_nearest(config, preset_names()))
        return recipe_of(
            config, tomllib.loads((_PRESETS / f"{config}{_SUFFIX}").read_text("utf-8"))
        )
    path = Path(config)
    try:
        written = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise ConfigError("--config", config, f"a readable TOML file ({why})") from None
    return recipe_of(path.stem, written, source=f"{config}: ")


def preset_for(lessons: str) -> Recipe:
    """Return the bundled recipe that teaches from these lessons: each has one of its name."""
    return load_recipe(lessons, is_preset=True)


def recipe_of(name: str, written: Mapping[str, Any], *, source: str = "") -> Recipe:
    """Make a recipe of what is written in a file.

    Raises:
        ConfigError: with everything that is wrong.
    """
    reader = SectionReader(written, source=source)
    reader.refuse_unknown("the file", written, _SECTIONS)
    description = written.get("description", "")
    if not isinstance(description, str):
        reader.refuse("description", description, "words between quotes")
    lessons = reader.value(LessonSettings, "lessons", _unnamed(reader))
    data = reader.value(DataSettings, "data", reader.section("data"))
    told = reader.section("lessons").get("name", LessonSettings.name)
    if data is not None and data.wording != OWN and told in LESSONS and told not in CLEANUP:
        reader.refuse("data.wording", data.wording, f"{OWN}: {told} is told in no other words")
    _refuse_silent_teacher(reader, told, data)
    student = reader.made_of(
        "student", StudentSettings, reader.section("student"), known=_names(StudentSettings)
    )
    teaching = reader.made_of(
        "teaching", TeachingSettings, reader.section("teaching"), known=_names(TeachingSettings)
    )
    if reader.problems or lessons is None or data is None or student is None or teaching is None:
        raise ModelConfigError(reader.problems)
    return Recipe(
        name=name,
        description=description,
        lessons=LessonSettings(name=told, episodes=lessons.episodes),
        data=data,
        student=student,
        teaching=teaching,
    )


def _refuse_silent_teacher(reader: SectionReader, told: str, data: DataSettings | None) -> None:
    """Note a problem where thoughts are asked for that the lessons' teacher does not have."""
    if data is None or not data.relabel or told not in LESSONS:
        return
    try:
        check_thinks(LESSONS[told].teacher, data.style)
    except ConfigError as error:
        reader.refuse("data.style", data.style, error.allowed)


def _unnamed(reader: SectionReader) -> dict[str, Any]:
    """Return the section on lessons without their name, which is checked here."""
    given = reader.section("lessons")
    name = given.pop("name", None)
    if name is not None and name not in LESSONS:
        reader.refuse("lessons.name", name, one_of_nearest(name, LESSONS))
    return given


def _names(settings: Any) -> list[str]:
    return [each.name for each in fields(settings)]
