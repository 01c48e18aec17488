"""Where an arena stands in the study: its group, its change, and what it is called."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.study.changes import WorldChange

MAIN = "main"
GROUPS = (MAIN, "bare", "tradeoff", "history", "sets", "learned")
"""Groups of arenas; the names of those of all but the first begin with the group's."""

NOISY_EPISODES = 20
DRAWN_EPISODES = 3
"""Episodes a cell: where the world has dice; where exact players may mix, each with its draws."""

_SEED = "seed-"


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where an arena stands in the study; its name tells."""

    group: str
    change: WorldChange
    training_seed: int | None = None  # of the policies that are trained there

    @property
    def name(self) -> str:
        """Name of the arena, such as ``learned/seed-1/linear-threshold/+4/25/sudden``."""
        seed = () if self.training_seed is None else (f"{_SEED}{self.training_seed}",)
        group = () if self.group == MAIN else (self.group,)
        return "/".join((*group, *seed, self.change.name))

    @property
    def num_episodes(self) -> int:
        """How often a cell is played there, unless learners or models play."""
        if self.change.is_noisy:
            return NOISY_EPISODES
        is_first_shown = (self.group, self.change.moment, self.change.pace) == (MAIN, 25, "sudden")
        return DRAWN_EPISODES if is_first_shown else 1

    @classmethod
    def from_name(cls, name: str) -> Place:
        """Return the place that an arena's name tells. Raises `ConfigError` where it is none."""
        group, rest = MAIN, name
        if name.partition("/")[0] in GROUPS:
            group, _, rest = name.partition("/")
        seed, _, after = rest.partition("/")
        number = seed.removeprefix(_SEED)
        if seed.startswith(_SEED) and number.isdecimal():
            change = WorldChange.from_name(after)
            return cls(group=group, change=change, training_seed=int(number))
        return cls(group=group, change=WorldChange.from_name(rest))
