"""Suites of drawn settings, lessons and their examinations: each arena has a seed of its own.

Settings of lessons and of examinations never coincide, whatever the seeds: the seeds of arenas are
odd in lessons and even in examinations.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.seeds import seed_of
from benchmarks.suite import Suite
from cleanup_icn import ConfigError

if TYPE_CHECKING:
    from benchmarks.arena import Arena
    from benchmarks.teaching.lessons import Lessons

TAUGHT, HELD_OUT, PARTNERS = "taught", "held-out", "partners"
"""Kinds of examination that every game has."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Draw:
    """What one arena is drawn from."""

    name: str  # of the arena
    index: int  # in its suite
    seed: int  # of the arena
    rng: np.random.Generator  # of its setting


Drawer = Callable[[Draw], "Arena[Any]"]


@dataclass(frozen=True)
class DrawnSuites:
    """How the suites of one game are drawn.

    `kinds` are all kinds of examination of the game. Settings are drawn by a kind's place among
    them, so another order means other settings.
    """

    kinds: tuple[str, ...]

    def teaching(self, lessons: Lessons, draw: Drawer, *, episodes: int, seed: int) -> Suite:
        """Return what is played to teach from: `episodes` arenas, each played once.

        Raises:
            ConfigError: `episodes` is below 1, or `seed` below 0.
        """
        _check(episodes, seed)
        purpose = len(self.kinds)
        return Suite(
            name=f"lessons-{lessons.name}",
            description=lessons.description,
            arenas=tuple(
                draw(_draw(f"lesson/{index:04d}", seed, purpose, index, is_lesson=True))
                for index in range(episodes)
            ),
        )

    def examination(
        self, lessons: Lessons, kind: str, draw: Drawer, *, episodes: int, seed: int
    ) -> Suite:
        """Return `episodes` arenas of a kind of examination that the lessons have.

        Raises:
            ConfigError: there is no such kind, `episodes` is below 1, or `seed` below 0.
        """
        if kind not in lessons.kinds:
            raise ConfigError("kind", kind, f"one of {', '.join(lessons.kinds)}")
        _check(episodes, seed)
        purpose = self.kinds.index(kind)
        return Suite(
            name=f"examination-{lessons.name}-{kind}",
            description=f"{lessons.description} Examined: {kind}.",
            arenas=tuple(
                draw(_draw(f"{kind}/{index:03d}", seed, purpose, index, is_lesson=False))
                for index in range(episodes)
            ),
        )


def _check(episodes: int, seed: int) -> None:
    for name, value, low in (("episodes", episodes, 1), ("seed", seed, 0)):
        if isinstance(value, bool) or not isinstance(value, int) or value < low:
            raise ConfigError(name, value, f"an integer of at least {low}")


def _draw(name: str, seed: int, purpose: int, index: int, *, is_lesson: bool) -> Draw:
    return Draw(
        name=name,
        index=index,
        seed=seed_of(seed, purpose, index) // 2 * 2 + is_lesson,
        rng=np.random.default_rng((seed, purpose, index)),
    )
