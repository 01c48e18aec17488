"""Every number of a Cleanup game: its unit, its range, its default, and how it may change."""

from __future__ import annotations

import difflib
import numbers
import operator
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, NamedTuple

from cleanup_icn.state import CleanupState, Parameters

MIN_AGENTS, MAX_AGENTS = 2, 16

SCHEDULED_NAMES = (
    "pollution_threshold",
    "pollution_growth_per_step",
    "fruit_growth_per_step",
    "harvest_per_action",
    "clean_per_action",
    "prob_pollution_growth",
    "prob_fruit_growth",
)
"""The parameters that a schedule may change, in the order of `Parameters`."""

FRUIT_REGROWTHS = ("step", "linear")


class ConfigError(ValueError):
    """A configuration value that cannot be; says the name, the value and what is allowed."""

    def __init__(self, name: str, value: object, allowed: str) -> None:
        super().__init__(f"{name} = {value!r}: expected {allowed}")
        self.name = name
        self.value = value
        self.allowed = allowed

    def __reduce__(self) -> tuple[type[ConfigError], tuple[str, object, str]]:
        """Pickle by the parts, so that the error comes back whole from a worker process."""
        return type(self), (self.name, self.value, self.allowed)


class Change(NamedTuple):
    """From ``step`` (play steps, from 0) on, the named parameters have the given values."""

    step: int
    values: tuple[tuple[str, int | float], ...]


Schedule = tuple[Change, ...]
"""Changes of the world in the order of their steps, at most one `Change` a step."""


@dataclass(frozen=True, kw_only=True)
class CleanupConfig:
    """A game of Cleanup, checked when it is made.

    Raises `ConfigError` for a value outside its range or of the wrong type. ``schedule`` is given
    as a sequence of ``(step, {name: value})`` and kept as a `Schedule`; where two entries name the
    same step and parameter, the later entry holds.
    """

    num_agents: int = 2  # agents, 2..16
    horizon_steps: int = 50  # steps until the episode is truncated, at least 1
    pollution_initial: int = 0  # pollution units, 0..pollution_max
    pollution_max: int = 30  # pollution units the river holds
    pollution_threshold: int = 6  # fruit grows only while pollution is strictly below, 0..max
    pollution_growth_per_step: int = 3  # pollution units the river gains each step
    fruit_initial: int = 10  # fruit units, 0..fruit_max
    fruit_max: int = 20  # fruit units the garden holds
    fruit_growth_per_step: int = 3  # fruit units the garden gains each step in which fruit grows
    harvest_per_action: int = 4  # fruit units one harvest takes at most
    clean_per_action: int = 3  # pollution units one cleaning removes at most
    prob_pollution_growth: float = 1.0  # probability that pollution grows in a step
    prob_fruit_growth: float = 1.0  # probability that fruit grows in a step in which it may
    fruit_regrowth: str = "step"  # "step", or "linear" in how far pollution is below the threshold
    schedule: Schedule = ()  # changes of the parameters named in SCHEDULED_NAMES
    announce_changes: bool = False  # whether agents and planners know the schedule beforehand

    _starts: tuple[int, ...] = field(init=False, repr=False, compare=False)
    _segments: tuple[Parameters, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check every field and lay out the parameters over time."""
        for name in ("horizon_steps", "pollution_max", "fruit_max", *_RATES):
            low = 1 if name == "horizon_steps" else 0
            self._keep(name, _integer(name, getattr(self, name), low))
        agents = _integer("num_agents", self.num_agents, MIN_AGENTS, MAX_AGENTS)
        self._keep("num_agents", agents)
        for name, limit in _BOUNDED_BY.items():
            self._keep(name, self._checked_value(name, getattr(self, name), limit))
        for name in ("prob_pollution_growth", "prob_fruit_growth"):
            self._keep(name, _probability(name, getattr(self, name)))
        if not isinstance(self.fruit_regrowth, str) or self.fruit_regrowth not in FRUIT_REGROWTHS:
            raise ConfigError("fruit_regrowth", self.fruit_regrowth, '"step" or "linear"')
        if not isinstance(self.announce_changes, bool):
            raise ConfigError("announce_changes", self.announce_changes, "True or False")
        self._keep("schedule", self._checked_schedule(self.schedule))
        self._lay_out()

    @classmethod
    def create(
        cls, *, preset: str | None = None, max_cycles: int | None = None, **values: Any
    ) -> CleanupConfig:
        """Make a configuration from a preset and values that replace some of its own.

        ``max_cycles`` is PettingZoo's name for ``horizon_steps``.

        Raises:
            ConfigError: for an unknown name or preset, a value outside its range, or both names
                of the horizon at once.
        """
        if max_cycles is not None:
            if "horizon_steps" in values:
                raise ConfigError(
                    "max_cycles", max_cycles, "only one of max_cycles and horizon_steps"
                )
            values["horizon_steps"] = _integer("max_cycles", max_cycles, 1)
        for name, value in values.items():
            if name not in CONFIG_NAMES:
                raise ConfigError(name, value, unknown_name(name, CONFIG_NAMES))
        return cls(**{**preset_values(preset), **values})

    @property
    def start(self) -> CleanupState:
        """The state in which an episode begins: everybody in the garden."""
        return CleanupState(0, self.pollution_initial, self.fruit_initial)

    def parameters_at(self, step: int) -> Parameters:
        """Return the parameters in force at ``step`` (from 0), scheduled changes included."""
        return self._segments[bisect_right(self._starts, step) - 1]

    def changed_at(self, step: int) -> dict[str, tuple[int | float, int | float]]:
        """Return ``{name: (before, after)}`` for what changed when ``step`` began."""
        index = bisect_right(self._starts, step) - 1
        if self._starts[index] != step:
            return {}
        before = self._base_parameters() if index == 0 else self._segments[index - 1]
        return _differences(before, self._segments[index])

    def next_change(self, step: int) -> tuple[int, Parameters] | None:
        """Return the step and the parameters of the next change after ``step``, if any."""
        index = bisect_right(self._starts, step)
        if index == len(self._starts):
            return None
        return self._starts[index], self._segments[index]

    @property
    def change_steps(self) -> tuple[int, ...]:
        """Steps at which the parameters become different from those of the step before."""
        return tuple(step for step in self._starts if self.changed_at(step))

    def to_dict(self) -> dict[str, Any]:
        """Return the configuration as JSON values; ``create(**it)`` gives it back."""
        values = {name: getattr(self, name) for name in CONFIG_NAMES}
        values["schedule"] = [[change.step, dict(change.values)] for change in self.schedule]
        return values

    def _keep(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)

    def _checked_value(self, name: str, value: object, limit: str) -> int:
        return _integer(name, value, 0, getattr(self, limit), limit)

    def _checked_schedule(self, schedule: object) -> Schedule:
        merged: dict[int, dict[str, int | float]] = {}
        for index, entry in enumerate(_entries(schedule)):
            where = f"schedule[{index}]"
            step, values = _step_and_values(where, entry)
            step = _integer(f"{where} step", step, 0, self.horizon_steps - 1, "horizon_steps - 1")
            here = merged.setdefault(step, {})
            for name, value in values.items():
                here[name] = self._checked_scheduled(where, name, value)
        return tuple(Change(step, tuple(merged[step].items())) for step in sorted(merged))

    def _checked_scheduled(self, where: str, name: object, value: object) -> int | float:
        label = f"{where} {name}"
        if name not in SCHEDULED_NAMES:
            raise ConfigError(label, value, unknown_name(str(name), SCHEDULED_NAMES))
        if name == "pollution_threshold":
            return self._checked_value(label, value, "pollution_max")
        return (
            _probability(label, value) if str(name).startswith("prob_") else _integer(label, value)
        )

    def _base_parameters(self) -> Parameters:
        return Parameters(
            pollution_threshold=self.pollution_threshold,
            pollution_growth_per_step=self.pollution_growth_per_step,
            fruit_growth_per_step=self.fruit_growth_per_step,
            harvest_per_action=self.harvest_per_action,
            clean_per_action=self.clean_per_action,
            prob_pollution_growth=self.prob_pollution_growth,
            prob_fruit_growth=self.prob_fruit_growth,
            pollution_max=self.pollution_max,
            fruit_max=self.fruit_max,
            is_linear=self.fruit_regrowth == "linear",
        )

    def _lay_out(self) -> None:
        starts, segments = [0], [self._base_parameters()]
        for change in self.schedule:
            values: dict[str, Any] = dict(change.values)
            parameters = segments[-1]._replace(**values)
            if change.step == starts[-1]:
                segments[-1] = parameters
            elif parameters != segments[-1]:
                starts.append(change.step)
                segments.append(parameters)
        self._keep("_starts", tuple(starts))
        self._keep("_segments", tuple(segments))


_RATES = (
    "pollution_growth_per_step",
    "fruit_growth_per_step",
    "harvest_per_action",
    "clean_per_action",
)
_BOUNDED_BY = {
    "pollution_initial": "pollution_max",
    "pollution_threshold": "pollution_max",
    "fruit_initial": "fruit_max",
}

CONFIG_NAMES = tuple(f.name for f in fields(CleanupConfig) if f.init)
"""The keyword names of a Cleanup game."""

PRESETS: Mapping[str, Mapping[str, Any]] = {
    "default": {},
    "linear": {
        "fruit_regrowth": "linear",
        "harvest_per_action": 12,
        "fruit_growth_per_step": 12,
        "fruit_max": 24,
    },
    "costly-cleaning": {"pollution_growth_per_step": 1, "fruit_growth_per_step": 8},
}
"""Named settings: what each replaces in the defaults. Threshold studies use the last two, in which
the optimum is graded in the threshold."""


def preset_values(preset: str | None) -> dict[str, Any]:
    """Return the values a preset replaces (none for None). Raises `ConfigError` if unknown."""
    if preset is None:
        return {}
    if not isinstance(preset, str) or preset not in PRESETS:
        raise ConfigError("preset", preset, "one of " + ", ".join(PRESETS))
    return dict(PRESETS[preset])


def unknown_name(name: str, known: Iterable[str]) -> str:
    """Say what an unknown name could have been; the ``allowed`` part of a `ConfigError`."""
    known = list(known)
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"; did you mean {close[0]}?" if close else ""
    return f"a known name, one of {', '.join(known)}{hint}"


def _differences(
    before: Parameters, after: Parameters
) -> dict[str, tuple[int | float, int | float]]:
    return {
        name: (old, new)
        for name, old, new in zip(SCHEDULED_NAMES, before, after, strict=False)
        if old != new
    }


def _integer(
    name: str, value: object, low: int = 0, high: int | None = None, high_name: str = ""
) -> int:
    allowed = f"an integer of at least {low}"
    if high is not None:
        allowed = f"an integer from {low} to " + (
            f"{high_name} ({high})" if high_name else f"{high}"
        )
    if isinstance(value, bool):
        raise ConfigError(name, value, allowed)
    try:
        number = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        raise ConfigError(name, value, allowed) from None
    if number < low or (high is not None and number > high):
        raise ConfigError(name, value, allowed)
    return number


def _probability(name: str, value: Any) -> float:
    is_number = isinstance(value, numbers.Real) and not isinstance(value, bool)
    if not is_number or not 0 <= value <= 1:  # which a NaN is not
        raise ConfigError(name, value, "a number from 0 to 1")
    return float(value)


def _entries(schedule: object) -> list[Any]:
    if schedule is None:
        return []
    if isinstance(schedule, str | bytes | Mapping) or not isinstance(schedule, Iterable):
        raise ConfigError("schedule", schedule, "a sequence of (step, {name: value})")
    return list(schedule)


def _step_and_values(where: str, entry: object) -> tuple[object, Mapping[Any, Any]]:
    """Split one schedule entry; a `Change` (values as pairs) is accepted as it is."""
    allowed = "(step, {name: value})"
    if not isinstance(entry, tuple | list) or len(entry) != 2:
        raise ConfigError(where, entry, allowed)
    step, values = entry
    if isinstance(entry, Change):
        values = dict(values)
    if not isinstance(values, Mapping):
        raise ConfigError(where, entry, allowed)
    return step, values
