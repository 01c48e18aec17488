"""Changes of the world: what changes, by how much, when and how fast; and what each is called."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from cleanup_icn import CleanupConfig, ConfigError

GRADUAL_STEPS = 10
"""Steps over which a gradual change is spread."""

GRADUAL_PARTS = 5
"""In so many parts at most, as equal as whole numbers can be."""

REPEATED_STEPS = 12
"""Steps between the parts of a change that comes twice or thrice."""

NOISY_PROB = 0.9
"""Probability that pollution grows in a step of a noisy world, before the change and after."""

PACES = ("sudden", "gradual", "twice", "thrice", "announced", "noisy")
"""How a change comes.

``sudden``: all at once. ``gradual``: over `GRADUAL_STEPS`, in up to `GRADUAL_PARTS` parts.
``twice``, ``thrice``: half or a third of it at the moment, the rest `REPEATED_STEPS` later each.
``announced``: sudden, and known from the start. ``noisy``: sudden, in a world with dice.
"""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A parameter that changes, from the value it has in a base world."""

    name: str
    label: str  # for the axis of a plot
    preset: str  # of Cleanup
    parameter: str  # that changes
    magnitudes: tuple[int, ...]  # that the full study plays; 0 is the control
    base: Mapping[str, int]  # what is set beside the preset

    @property
    def base_value(self) -> int:
        """The parameter before any change."""
        return int(getattr(CleanupConfig.create(preset=self.preset, **self.base), self.parameter))


_UP = (0, 1, 2, 3, 4, 6, 8, 10, 12, 14, 16, 18)

KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        kind.name: kind
        for kind in (
            Kind(
                name="linear-threshold",
                label="rise of the pollution threshold from 6 (linear)",
                preset="linear",
                parameter="pollution_threshold",
                magnitudes=_UP,
                base=MappingProxyType({"pollution_threshold": 6}),
            ),
            Kind(
                name="linear-threshold-falling",
                label="fall of the pollution threshold from 18 (linear)",
                preset="linear",
                parameter="pollution_threshold",
                magnitudes=(0, -1, -2, -3, -4, -6, -8, -10, -12, -14),
                base=MappingProxyType({"pollution_threshold": 18}),
            ),
            Kind(
                name="costly-threshold",
                label="rise of the pollution threshold from 6 (costly cleaning)",
                preset="costly-cleaning",
                parameter="pollution_threshold",
                magnitudes=_UP,
                base=MappingProxyType({"pollution_threshold": 6}),
            ),
            Kind(
                name="cleaning-rate",
                label="change of what one cleaning removes, from 3",
                preset="linear",
                parameter="clean_per_action",
                magnitudes=(-2, -1, 0, 1, 2, 3, 4, 5, 6),
                base=MappingProxyType({"pollution_threshold": 12}),
            ),
            Kind(
                name="pollution-growth",
                label="change of the pollution that a step brings, from 3",
                preset="linear",
                parameter="pollution_growth_per_step",
                magnitudes=(-2, -1, 0, 1, 2, 3, 4, 5, 6),
                base=MappingProxyType({"pollution_threshold": 12}),
            ),
            Kind(
                name="harvest-rate",
                label="change of what one harvest takes, from 12",
                preset="linear",
                parameter="harvest_per_action",
                magnitudes=(-10, -8, -6, -4, -3, -2, -1, 0, 4, 8),
                base=MappingProxyType({"pollution_threshold": 12}),
            ),
        )
    }
)
"""The kinds of change, by name; all for two agents over 50 steps."""

_NAME = re.compile(r"(?P<kind>[a-z-]+)/(?P<magnitude>[+-]\d+)/(?P<moment>\d+)/(?P<pace>[a-z]+)")


@dataclass(frozen=True, kw_only=True)
class WorldChange:
    """One change of one world.

    Raises `ConfigError` for an unknown kind or pace, or a world that cannot be.
    """

    kind: str
    magnitude: int  # in units of the parameter; 0: the world stays as it is
    moment: int  # play step from which the change, or its first part, holds
    pace: str

    def __post_init__(self) -> None:
        """Check the names, and that there is such a world."""
        if self.kind not in KINDS:
            raise ConfigError("kind", self.kind, f"one of {', '.join(KINDS)}")
        if self.pace not in PACES:
            raise ConfigError("pace", self.pace, f"one of {', '.join(PACES)}")
        self.config()

    @property
    def name(self) -> str:
        """What the change is called, such as ``linear-threshold/+4/25/sudden``."""
        return f"{self.kind}/{self.magnitude:+d}/{self.moment}/{self.pace}"

    @classmethod
    def from_name(cls, name: str) -> WorldChange:
        """Return the change of this name. Raises `ConfigError` where it is none."""
        found = _NAME.fullmatch(name)
        if found is None:
            raise ConfigError("change", name, "as in linear-threshold/+4/25/sudden")
        change = cls(
            kind=found["kind"],
            magnitude=int(found["magnitude"]),
            moment=int(found["moment"]),
            pace=found["pace"],
        )
        if change.name != name:
            raise ConfigError("change", name, change.name)
        return change

    @property
    def of_kind(self) -> Kind:
        """The kind of change."""
        return KINDS[self.kind]

    @property
    def is_noisy(self) -> bool:
        """Whether chance plays a part, so that one episode is not enough."""
        return self.pace == "noisy"

    @property
    def parts(self) -> tuple[tuple[int, int], ...]:
        """When it changes, and how far it is changed then: (step, part of the magnitude so far)."""
        return tuple((self.moment + later, sofar) for later, sofar in self._parts_later())

    def base_config(self) -> CleanupConfig:
        """Return the world as it is before the change, and as it would stay."""
        values: dict[str, Any] = dict(self.of_kind.base)
        if self.is_noisy:
            values["prob_pollution_growth"] = NOISY_PROB
        return CleanupConfig.create(preset=self.of_kind.preset, **values)

    def config(self) -> CleanupConfig:
        """Return the world with its change."""
        kind = self.of_kind
        schedule = [
            (step, {kind.parameter: kind.base_value + sofar})
            for step, sofar in self.parts
            if self.magnitude
        ]
        values = self.base_config().to_dict()
        return CleanupConfig.create(
            **{**values, "schedule": schedule, "announce_changes": self.pace == "announced"}
        )

    def _parts_later(self) -> list[tuple[int, int]]:
        """Return how many steps after the moment how much of the magnitude is reached."""
        size, sign = abs(self.magnitude), 1 if self.magnitude > 0 else -1
        if self.pace == "gradual":
            num = max(1, min(GRADUAL_PARTS, size))
            later = [part * GRADUAL_STEPS // num for part in range(num)]
        else:
            num = {"twice": 2, "thrice": 3}.get(self.pace, 1)
            later = [part * REPEATED_STEPS for part in range(num)]
        # Where it cannot be divided evenly the first parts are the larger ones.
        return [(later[k], sign * -(-size * (k + 1) // num)) for k in range(num)]
