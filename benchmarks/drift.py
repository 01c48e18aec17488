"""Where two runs, or what they say of themselves, are not the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.checked import Unquoted
from cleanup_icn import ConfigError


def differences(earlier: Any, now: Any, key: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Yield where two JSON values differ, what stood there and what stands there now."""
    if isinstance(earlier, dict) and isinstance(now, dict):
        for name in dict.fromkeys((*earlier, *now)):
            inner = f"{key}.{name}" if key else name
            yield from differences(earlier.get(name), now.get(name), inner)
    elif isinstance(earlier, list) and isinstance(now, list) and len(earlier) == len(now):
        for index, (before, after) in enumerate(zip(earlier, now, strict=True)):
            yield from differences(before, after, f"{key}[{index}]")
    elif earlier != now:
        yield key, earlier, now


class DriftError(ConfigError):
    """A run to be resumed is not the run that is asked for: a line for everything that differs."""

    def __init__(self, found: Sequence[ConfigError]) -> None:
        super().__init__(found[0].name, found[0].value, found[0].allowed)
        self.found = tuple(found)

    def __str__(self) -> str:
        return "\n".join(map(str, self.found))

    def __reduce__(self) -> Any:
        """Pickle by what was found."""
        return type(self), (self.found,)


_FREE = ("budget", "description")
"""What a suite may say otherwise when its run is resumed: it changes no episode."""


def refuse_drift(earlier: Mapping[str, Any], now: Mapping[str, Any], *, path: Path) -> None:
    """Raise unless a run to be resumed is the run that is asked for; all that differs is told.

    What may be spent, and words about the whole, may change.

    Raises:
        DriftError: it is another.
    """
    found = [
        ConfigError(
            f"--resume with {key}",
            _brief(after),
            f"{_brief(before)!r}, as the run in {path} was begun",
        )
        for key, before, after in differences(dict(earlier), dict(now))
        if key.partition(".")[0] not in _FREE
    ]
    if found:
        raise DriftError(found)


_LONGEST_SHOWN = 200


def _brief(value: Any) -> Any:
    """Return a value as it is told: of one too long for a line how many parts it has."""
    if isinstance(value, list | dict) and len(repr(value)) > _LONGEST_SHOWN:
        return Unquoted(f"({len(value)} entries)")
    return value
