"""What a file says of a world of Cleanup: its settings, and the range of its starts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmarks.sections import SectionReader
from cleanup_icn import CleanupConfig, ConfigError
from cleanup_icn.config import CONFIG_NAMES
from cleanup_icn.starts import Starts

STARTS = "starts"
_RANGES = ("pollution_initial", "fruit_initial")


def read_world(
    reader: SectionReader, where: str, given: Mapping[str, Any]
) -> tuple[CleanupConfig, Starts | None] | None:
    """Read a preset, settings and ranges of starts; None where the settings are wrong.

    Without ranges, or with wrong ones, there are no starts. What has no range of its own starts as
    configured.
    """
    world = dict(given)
    ranges = world.pop(STARTS, None)
    known = (*CONFIG_NAMES, "preset", STARTS)
    config = reader.made_of(where, CleanupConfig.create, world, known=known)
    if config is None:
        return None
    if ranges is None:
        return config, None
    return config, _read_starts(reader, f"{where}.{STARTS}", ranges, config)


def _read_starts(
    reader: SectionReader, where: str, given: Any, config: CleanupConfig
) -> Starts | None:
    if not isinstance(given, Mapping):
        reader.refuse(where, given, f"a section [{where}] of {', '.join(_RANGES)}")
        return None
    fixed = {name: (getattr(config, name),) * 2 for name in _RANGES}

    def make(**ranges: Any) -> Starts:
        kept = {k: tuple(v) if isinstance(v, list) else v for k, v in ranges.items()}
        starts = Starts(**{**fixed, **kept})
        try:
            starts.check(config)
        except ConfigError as error:
            name = error.name.removeprefix("starts.")
            raise ConfigError(name, error.value, error.allowed) from None
        return starts

    return reader.made_of(where, make, given, known=_RANGES)
