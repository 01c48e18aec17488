"""Lessons by name: what a language model is taught to play, and how it is examined."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Protocol

from cleanup_icn import ConfigError

if TYPE_CHECKING:
    from benchmarks.suite import Suite


class Lessons(Protocol):
    """A teacher, and the settings in which it is watched and its pupil examined.

    Settings are drawn from a seed. Those of lessons and of examinations never coincide, whatever
    the seeds.
    """

    @property
    def name(self) -> str:
        """Name of the lessons."""
        ...

    @property
    def teacher(self) -> str:
        """The scripted policy whose answers are right, in every place of the teaching records."""
        ...

    @property
    def description(self) -> str:
        """In one sentence, what the pupil becomes."""
        ...

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of examination; the first is of settings like those of the lessons."""
        ...

    def teaching_suite(self, *, episodes: int, seed: int) -> Suite:
        """Return what is played to teach from: `episodes` in all, or the next number that fits.

        Raises:
            ConfigError: `episodes` is below 1, or `seed` below 0.
        """
        ...

    def examination_suite(self, kind: str, *, episodes: int, seed: int) -> Suite:
        """Return `episodes` arenas, each of one drawn setting that is played once.

        Its policies are those to compare with; `Suite.with_models` seats the pupil.

        Raises:
            ConfigError: there is no such kind, `episodes` is below 1, or `seed` below 0.
        """
        ...


CLEANUP = ("cleanup", "cleanup-selfish", "cleanup-abiding", "cleanup-breaking")
NEGOTIATION = "negotiation"


class _Registry(Mapping[str, Lessons]):
    """Lessons by name; what makes them is imported when they are asked for."""

    def __getitem__(self, name: str) -> Lessons:
        if name in CLEANUP:
            from benchmarks.teaching.cleanup_lessons import CLEANUP_LESSONS

            return CLEANUP_LESSONS[name]
        if name == NEGOTIATION:
            from benchmarks.teaching.negotiation_lessons import NEGOTIATION as OF_NEGOTIATION

            return OF_NEGOTIATION
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter((*CLEANUP, NEGOTIATION))

    def __len__(self) -> int:
        return len(CLEANUP) + 1


LESSONS: Mapping[str, Lessons] = _Registry()
"""All lessons by name."""


def lessons_named(name: str) -> Lessons:
    """Return the lessons of this name. Raises `ConfigError` where there are none."""
    if name not in list(LESSONS):
        raise ConfigError("lessons", name, f"one of {', '.join(LESSONS)}")
    return LESSONS[name]
