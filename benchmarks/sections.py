"""Sections of a file as values, with note of all that is wrong with them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeVar

from benchmarks.checked import ABSENT, TableReader, Unquoted

T = TypeVar("T")


class SectionReader(TableReader):
    """Turns the sections of a file into values and gathers all that is wrong with them.

    `source` stands before every problem.
    """

    def __init__(self, written: Mapping[str, Any], *, source: str) -> None:
        super().__init__(source)
        self._written = written

    def section(self, name: str) -> dict[str, Any]:
        """Return a copy of the section of this name; an empty one if there is none."""
        given = self._written.get(name, {})
        if isinstance(given, Mapping):
            return dict(given)
        self.refuse(name, given, f"a section [{name}]")
        return {}

    def word(self, where: str, given: dict[str, Any], key: str, known: Collection[str]) -> str:
        """Take out a key that must be one of several words; "" where it is not."""
        value = given.pop(key, ABSENT)
        if isinstance(value, str) and value in known:
            return value
        self.refuse(f"{where}.{key}", value, f"one of {', '.join(known)}")
        return ""

    def made_of(
        self,
        where: str,
        make: Callable[..., T],
        given: Mapping[str, Any],
        *,
        known: Collection[str],
    ) -> T | None:
        """Make a value of a section's keys, or note everything that is wrong with them.

        `make` raises `ValueError` with lines of the form "name = value: expected allowed". The
        keys that it refuses are left out and the others tried again, so that each is checked.
        """
        self.refuse_unknown(f"[{where}]", given, known)
        left = {key: value for key, value in given.items() if key in known}
        num_problems = len(self.problems)
        while True:
            try:
                made = make(**left)
            except ValueError as error:
                refused = {self._note(where, line) for line in str(error).splitlines()}
                if refused.isdisjoint(left):
                    return None
                left = {key: value for key, value in left.items() if key not in refused}
            else:
                return made if len(self.problems) == num_problems else None

    def _note(self, where: str, line: str) -> str:
        """Note one line of an error; returns the key that it is about."""
        name, _, rest = line.partition(" = ")
        value, _, allowed = rest.partition(": expected ")
        self.refuse(f"{where}.{name}" if name else where, Unquoted(value), allowed)
        return name.partition(" ")[0].partition("[")[0].partition(".")[0]
