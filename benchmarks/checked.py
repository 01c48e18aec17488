"""Frozen values that check their fields by rules in the annotations and list all that is wrong."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import MISSING, fields
from difflib import get_close_matches
from functools import cache
from typing import Any, ClassVar, NamedTuple, TypeVar, get_type_hints
from urllib.parse import urlsplit

from cleanup_icn import ConfigError


class ModelConfigError(ConfigError):
    """All that is wrong with a configuration of models: `problems`, each a line of the message."""

    def __init__(self, problems: Sequence[ConfigError]) -> None:
        first = problems[0]
        super().__init__(first.name, first.value, first.allowed)
        self.problems = tuple(problems)

    def __str__(self) -> str:
        return "\n".join(map(str, self.problems))

    def __reduce__(self) -> Any:
        """Pickle by the problems, so that the error comes back whole from a worker process."""
        return type(self), (self.problems,)


class Unquoted(str):
    """Words that stand for a value in a message."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


HIDDEN, ABSENT = Unquoted("(not shown)"), Unquoted("(missing)")


class Rule(NamedTuple):
    """What a field may hold."""

    allowed: str
    fits: Callable[[Any], bool]
    keep: Callable[[Any], Any] = lambda value: value  # the allowed value in the form it is kept in
    show: Callable[[Any], object] = lambda value: value  # a refused value without what is secret


def whole(low: int) -> Rule:
    """An integer from `low` on."""
    return Rule(f"an integer of at least {low}", lambda v: type(v) is int and v >= low)


def number(allowed: str, fits: Callable[[float], bool]) -> Rule:
    """A finite number that fits; kept as a float."""

    def is_fit(value: object) -> bool:
        return type(value) in (int, float) and math.isfinite(value) and fits(value)  # type: ignore[arg-type]

    return Rule(allowed, is_fit, keep=float)


def one_of(words: Sequence[str]) -> Rule:
    """One of several words."""
    return Rule("one of " + ", ".join(words), lambda v: isinstance(v, str) and v in words)


_BEYOND_ADDRESS = re.compile(r"[@?#\s]")
"""What a URL has that says more than where a server is, perhaps a password or a key."""


def _is_url(value: object) -> bool:
    if not isinstance(value, str) or _BEYOND_ADDRESS.search(value):
        return False
    try:
        url = urlsplit(value)
        _ = url.port  # raises if it is no number
    except ValueError:
        return False
    return url.scheme in ("http", "https") and bool(url.hostname)


def _without_secrets(urls: object) -> object:
    if isinstance(urls, list | tuple):
        return [_without_secrets(url) for url in urls]
    return urls if isinstance(urls, str) and not _BEYOND_ADDRESS.search(urls) else HIDDEN


def _names_variable(value: object) -> bool:
    """Whether it is a variable's name; keys are longer, have other letters or more digits."""
    if not isinstance(value, str) or not re.fullmatch(r"[A-Z][A-Z0-9_]{0,63}", value):
        return False
    return 4 * sum(map(str.isdigit, value)) <= len(value) and ("_" in value or len(value) < 16)


NAME = Rule(
    "letters, digits and . _ - /, a letter or digit first, not two dots in a row",
    lambda v: isinstance(v, str) and bool(re.fullmatch(r"[A-Za-z0-9](\.?[A-Za-z0-9_/-])*\.?", v)),
)
PAIR = " + "
"""Stands between the names of two who meet, in the name of their lineup."""

TABLE_NAME = Rule(
    f"{NAME.allowed}; or two such names with{PAIR}between them",
    lambda v: isinstance(v, str) and len(v.split(PAIR)) <= 2 and all(map(NAME.fits, v.split(PAIR))),
)


def _are_different(names: object) -> bool:
    if not isinstance(names, list | tuple) or not all(map(TABLE_NAME.fits, names)):
        return False
    return len(set(names)) == len(names)


NAMES = Rule("a list of names, each once", _are_different, keep=tuple)
FLAG = Rule("true or false", lambda v: type(v) is bool)
WORDS = Rule("words between quotes", lambda v: isinstance(v, str) and bool(v.strip()))
URLS = Rule(
    'a list of URLs such as ["http://127.0.0.1:8000/v1"], without user, password or query',
    lambda v: isinstance(v, list | tuple) and all(map(_is_url, v)),
    keep=lambda v: tuple(url.rstrip("/") for url in v),
    show=_without_secrets,
)
KEY_VARIABLE = Rule(
    "the name of an environment variable, such as OPENAI_API_KEY, never the key itself",
    _names_variable,
    show=lambda _: HIDDEN,
)
IN_FLIGHT = Rule(
    '"auto" or an integer of at least 1', lambda v: v == "auto" or (type(v) is int and v > 0)
)
AT_LEAST_0 = number("a number of at least 0", lambda v: v >= 0)
ABOVE_0 = number("a number above 0", lambda v: v > 0)
SEATS = Rule(
    "names of policies or models by names of seats",
    lambda v: (
        isinstance(v, Mapping) and all(map(WORDS.fits, v)) and all(map(NAME.fits, v.values()))
    ),
    keep=dict,
)


class Checked:
    """A dataclass that checks its fields by the rules in their annotations."""

    _unrecorded: ClassVar[frozenset[str]] = frozenset()

    def __post_init__(self) -> None:
        """Raise `ModelConfigError` with all that is wrong."""
        problems = []
        own: Any = type(self)
        for name, hint in _hints_of(own).items():
            value = getattr(self, name)
            if value is None and getattr(type(self), name, MISSING) is None:
                continue
            for rule in getattr(hint, "__metadata__", ()):
                if rule.fits(value):
                    object.__setattr__(self, name, rule.keep(value))
                else:
                    shown = ABSENT if value is None else rule.show(value)
                    problems.append(ConfigError(name, shown, rule.allowed))
        problems = problems or list(self._conflicts())
        if problems:
            raise ModelConfigError(problems)

    def _conflicts(self) -> Iterator[ConfigError]:
        """Yield what is wrong between fields that are right one by one."""
        yield from ()

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON values, without anything secret; equal values give equal dicts."""
        named: Any = self
        kept = [f.name for f in fields(named) if f.name not in self._unrecorded]
        return {name: _json(getattr(self, name)) for name in kept}


@cache
def _hints_of(made: type) -> Mapping[str, Any]:
    return get_type_hints(made, include_extras=True)


def _json(value: Any) -> Any:
    if isinstance(value, Checked):
        return value.to_dict()
    if isinstance(value, Mapping):
        return {name: _json(one) for name, one in value.items()}
    return [_json(one) for one in value] if isinstance(value, tuple) else value


def namesakes(names: Sequence[str]) -> list[str]:
    """Return the names that are also another's, each once; in names of files ``/`` is ``-``."""
    files = [name.replace("/", "-") for name in names]
    found = dict(zip(names, files, strict=True))
    return [name for name, file in found.items() if files.count(file) > 1]


def one_of_nearest(word: object, known: Collection[str]) -> str:
    """Say what there is, and which of it is written most like `word`."""
    near = get_close_matches(str(word), known, n=1)
    return "one of " + ", ".join(known) + (f"; did you mean {near[0]}?" if near else "")


CheckedT = TypeVar("CheckedT", bound=Checked)


class TableReader:
    """Turns tables of a file into checked values and gathers all that is wrong with them.

    `source` stands before every problem.
    """

    def __init__(self, source: str = "") -> None:
        self._source = source
        self.problems: list[ConfigError] = []

    def refuse(self, name: str, value: object, allowed: str) -> None:
        """Note a problem."""
        self.problems.append(ConfigError(self._source + name, value, allowed))

    def refuse_unknown(self, where: str, given: Collection[str], known: Collection[str]) -> None:
        """Note every key that there is none of, but not its value, which may be a secret."""
        for key in given:
            if key not in known:
                self.refuse(f"key in {where}", key, one_of_nearest(key, known))

    def value(
        self,
        made: type[CheckedT],
        where: str,
        given: Mapping[str, Any],
        resolved: Mapping[str, Any] | None = None,
    ) -> CheckedT | None:
        """Make a value of a table, or note what is wrong; `resolved` goes before what is written.

        The field `name` is no key: it is what a table is called.
        """
        every: Any = made
        is_required = {f.name: f.default is MISSING for f in fields(every)}
        keys = [name for name in is_required if name != "name"]
        self.refuse_unknown(f"[{where}]", given, keys)
        written = {name: None for name in keys if is_required[name]}
        written |= {name: given[name] for name in keys if name in given}
        return self.made(made, where, {**written, **(resolved or {})})

    def made(self, made: type[CheckedT], where: str, values: Mapping[str, Any]) -> CheckedT | None:
        """Make a value of its fields, or note what is wrong with them."""
        try:
            return made(**values)
        except ModelConfigError as error:
            for problem in error.problems:
                name = f"{where}.{problem.name}" if where else problem.name
                self.refuse(name, problem.value, problem.allowed)
            return None
