"""From a TOML file to a suite: checked wholly before anything runs, all errors at once."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from benchmarks.arena import LEARNED, Arena
from benchmarks.checked import (
    ABSENT,
    NAME,
    NAMES,
    PAIR,
    TABLE_NAME,
    WORDS,
    Checked,
    ModelConfigError,
    namesakes,
    one_of_nearest,
    whole,
)
from benchmarks.cleanup import suite_file as cleanup_file
from benchmarks.kinds import CLEANUP, NEGOTIATION, Kind
from benchmarks.model_config import Budget, Table
from benchmarks.negotiation import suite_file as negotiation_file
from benchmarks.sections import SectionReader
from benchmarks.suite import Suite
from benchmarks.suite_grid import GRID, points
from cleanup_icn import ConfigError

_SUFFIX = ".toml"

ReadGame = Callable[[SectionReader, str, Mapping[str, Any]], Callable[..., Arena[Any]] | None]
"""Reads a game's own keys of an arena, whose place in the file is given, and returns what makes the
arena of the fields that all games have; None where something is wrong, which the reader was told.
"""


class GameFile(NamedTuple):
    """How arenas of a game are read."""

    read: ReadGame
    keys: tuple[str, ...]  # beside those of all games
    seats_of: Callable[[Any], list[tuple[str, ...]]]  # names of seats, by condition
    unlearnable: Callable[[Any], Iterator[ConfigError]]  # why no policy can learn in it
    unplayable: Callable[[Any], Iterator[ConfigError]]  # which policies cannot play in it, and why
    kind: Kind
    first_seat: str  # the one that the first of two takes who meet


GAMES: Mapping[str, GameFile] = {
    "cleanup": GameFile(
        read=cleanup_file.read_arena,
        keys=cleanup_file.KEYS,
        seats_of=cleanup_file.seats_of,
        unlearnable=cleanup_file.unlearnable,
        unplayable=cleanup_file.unplayable,
        kind=CLEANUP,
        first_seat="agent_0",
    ),
    "negotiation": GameFile(
        read=negotiation_file.read_arena,
        keys=negotiation_file.KEYS,
        seats_of=negotiation_file.seats_of,
        unlearnable=negotiation_file.unlearnable,
        unplayable=lambda _: iter(()),
        kind=NEGOTIATION,
        first_seat="proposer",
    ),
}


def bundled_folder() -> Path:
    """Return where the bundled suites are: a TOML file each."""
    return Path(str(files("benchmarks") / "suites"))


def bundled_suites() -> Mapping[str, Suite]:
    """Return the bundled suites by name; each is read when it is first asked for."""
    return _bundled(bundled_folder())


def suite_named(name: str) -> Suite:
    """Return the bundled suite of this name. Raises `ConfigError` where there is none."""
    suites = bundled_suites()
    if name not in suites:
        raise ConfigError("suite", name, one_of_nearest(name, tuple(suites)))
    return suites[name]


def load_suite(name_or_path: str) -> Suite:
    """Return a bundled suite, or read one from a TOML file.

    Raises:
        ConfigError: with everything that is wrong with the file, a line each: the file, the key,
            the value and what is allowed.
    """
    suites, path = bundled_suites(), Path(name_or_path)
    if name_or_path in suites:
        return suites[name_or_path]
    if path.suffix != _SUFFIX and not path.is_file():
        allowed = "a TOML file, or " + one_of_nearest(name_or_path, tuple(suites))
        raise ConfigError("suite", name_or_path, allowed)
    return _read_file(path, path.stem, source=f"{path}: ")


def suite_of(name: str, written: Mapping[str, Any], *, source: str = "") -> Suite:
    """Make a suite of what is written in a file.

    Args:
        name: what it is called unless the file says otherwise.
        written: the tables.
        source: stands before every error.

    Raises:
        ConfigError: with everything that is wrong.
    """
    reader = SectionReader(written, source=source)
    reader.refuse_unknown("the file", written, (*_SUITE_KEYS, "budget", "arenas"))
    plain = {key: written[key] for key in _SUITE_KEYS if key in written}
    about = reader.made(_SuiteKeys, "", {"name": name, **plain})
    budget = reader.value(Budget, "budget", reader.section("budget"))
    inherited = {key: plain[key] for key in _INHERITED if key in plain and _fits(key, plain[key])}
    arenas = list(_arenas(reader, written.get("arenas", ABSENT), about, inherited))
    _refuse_twins(reader, arenas)
    if about is None or budget is None or reader.problems:
        raise ModelConfigError(_each_once(reader.problems))
    description = about.description or ""
    return Suite(name=about.name, description=description, arenas=tuple(arenas), budget=budget)


def _each_once(problems: Iterable[ConfigError]) -> tuple[ConfigError, ...]:
    """Leave out what was found again at another point of a grid."""
    return tuple({str(problem): problem for problem in problems}.values())


@dataclass(frozen=True, kw_only=True)
class _SuiteKeys(Checked):
    """What a file says of the suite as a whole."""

    name: Annotated[str, NAME]
    description: Annotated[str | None, WORDS] = None
    seed: Annotated[int, whole(0)] = 0
    episodes: Annotated[int, whole(1)] = 20
    measures: Annotated[tuple[str, ...], NAMES] = ()
    training_agent_steps: Annotated[int, whole(1)] = 120_000


@dataclass(frozen=True, kw_only=True)
class _ArenaKeys(_SuiteKeys):
    """What a file says of an arena, whatever the game."""

    policies: Annotated[tuple[str, ...], NAMES] = ()
    cross_play: Annotated[tuple[str, ...], NAMES] = ()
    shown_policy: Annotated[str | None, TABLE_NAME] = None
    seat: Annotated[str | None, WORDS] = None
    partners: Annotated[str | None, NAME] = None


_INHERITED = ("description", "seed", "episodes", "measures", "training_agent_steps")
_SUITE_KEYS = ("name", *_INHERITED)
_ARENA_KEYS = tuple(each.name for each in fields(_ArenaKeys))


def _arenas(
    reader: SectionReader, given: Any, about: _SuiteKeys | None, inherited: Mapping[str, Any]
) -> Iterator[Arena[Any]]:
    """Yield the arenas that are right, those of a grid one by one."""
    if not isinstance(given, list) or not given or not all(isinstance(e, Mapping) for e in given):
        reader.refuse("arenas", given, "at least one [[arenas]]")
        return
    for index, written in enumerate(given):
        where = f"arenas[{index}]"
        named = written.get("name", ABSENT)
        if len(given) == 1 and about is not None and "name" not in written:
            named = about.name
        for point in points(reader, where, written):
            name = f"{named}/{point.label}" if point.label and NAME.fits(named) else named
            arena = _arena(reader, where, {**inherited, **point.written, "name": name})
            if arena is not None:
                yield arena


def _arena(reader: SectionReader, where: str, written: dict[str, Any]) -> Arena[Any] | None:
    left = dict(written)
    game = reader.word(where, left, "game", tuple(GAMES))
    if not game:
        return None
    file = GAMES[game]
    reader.refuse_unknown(f"[{where}]", left, (*_ARENA_KEYS, "lineups", GRID, *file.keys))
    plain = {key: left[key] for key in _ARENA_KEYS if key in left}
    reader.made(_ArenaKeys, where, plain)  # notes what is wrong; the rest is checked all the same
    keys = _ArenaKeys(**{"name": _UNNAMED, **{k: v for k, v in plain.items() if _fits(k, v)}})
    lineups = _lineups(reader, where, left.get("lineups", []), file.kind.policies)
    lineups += _meetings(keys.cross_play, file)
    policies = tuple(dict.fromkeys((*keys.policies, *(table.name for table in lineups))))
    is_readable = all(_fits(key, plain.get(key, ())) for key in ("policies", "cross_play"))
    _check_names(
        reader,
        where,
        keys,
        policies=policies,
        lineups=lineups,
        kind=file.kind,
        is_readable=is_readable,
    )
    make = file.read(reader, where, left)
    if make is None or not policies or (keys.seat is None) != (keys.partners is None):
        return None
    arena = make(
        name=keys.name,
        description=keys.description or "",
        policies=policies,
        lineups=tuple(lineups),
        shown_policy=keys.shown_policy or policies[0],
        seat=keys.seat,
        partners=keys.partners,
        measures=keys.measures,
        num_episodes=keys.episodes,
        seed=keys.seed,
        training_agent_steps=keys.training_agent_steps,
    )
    if arena.seat is not None or arena.lineups:
        _check_seats(reader, where, arena, file.seats_of(arena))
    learned = set(policies) & set(LEARNED)
    problems = [*(file.unlearnable(arena) if learned else ()), *file.unplayable(arena)]
    for problem in problems:
        reader.refuse(f"{where}.{problem.name}", problem.value, problem.allowed)
    return arena


_UNNAMED = "unnamed"


def _fits(key: str, value: Any) -> bool:
    """Whether this one key may have this value."""
    try:
        _ArenaKeys(**{"name": _UNNAMED, key: value})
    except ModelConfigError:
        return False
    return True


def _lineups(reader: SectionReader, where: str, given: Any, known: Sequence[str]) -> list[Table]:
    """Return the lineups that are written out."""
    if not isinstance(given, list) or not all(isinstance(each, Mapping) for each in given):
        reader.refuse(f"{where}.lineups", given, f"tables [[{where}.lineups]]")
        given = []
    tables = []
    for index, written in enumerate(given):
        at = f"{where}.lineups[{index}]"
        reader.refuse_unknown(f"[{at}]", written, _TABLE_KEYS)
        values = {key: written.get(key) for key in _TABLE_KEYS if key != "seats"}
        table = reader.made(Table, at, {**values, "seats": written.get("seats", {})})
        if table is None:
            continue
        if table.name in known:
            reader.refuse(f"{at}.name", table.name, "another name: a policy is called so")
        for seat, player in {"everyone": table.everyone, **table.seats}.items():
            if player not in known:
                reader.refuse(f"{at}.{seat}", player, one_of_nearest(player, known))
        tables.append(table)
    return tables


_TABLE_KEYS = ("name", "everyone", "seats")


def _meetings(names: Sequence[str], file: GameFile) -> list[Table]:
    """Return a lineup for every ordered pair: one plays the first seat, the other all others."""
    return [
        Table(name=f"{one}{PAIR}{other}", everyone=other, seats={file.first_seat: one})
        for one in names
        for other in names
    ]


def _check_names(
    reader: SectionReader,
    where: str,
    keys: _ArenaKeys,
    *,
    policies: Collection[str],
    lineups: Sequence[Table],
    kind: Kind,
    is_readable: bool,
) -> None:
    """Refuse names of policies and measures that stand for nothing, or not for what is needed."""
    known = (*kind.policies, *(table.name for table in lineups))
    able = [name for name in kind.policies if name not in LEARNED]
    for key, names, allowed in (
        ("policies", keys.policies, known),
        ("cross_play", keys.cross_play, kind.policies),
        ("measures", keys.measures, tuple(kind.measures)),
        ("partners", (keys.partners,), able),
        ("shown_policy", (keys.shown_policy,), tuple(policies)),
    ):
        for name in names:
            if name is not None and allowed and name not in allowed:
                reader.refuse(f"{where}.{key}", name, one_of_nearest(name, allowed))
    if not policies and is_readable:
        reader.refuse(f"{where}.policies", list(policies), "at least one policy or lineup")
    if (keys.seat is None) != (keys.partners is None):
        missing, given = ("partners", "seat") if keys.partners is None else ("seat", "partners")
        reader.refuse(f"{where}.{missing}", ABSENT, f"one, as there is {given}")


def _check_seats(
    reader: SectionReader, where: str, arena: Arena[Any], seats: Sequence[Sequence[str]]
) -> None:
    """Refuse a seat that is not one in every condition, and seats of lineups that none has."""
    everywhere = [name for name in seats[0] if all(each.count(name) == 1 for each in seats)]
    anywhere = dict.fromkeys(name for each in seats for name in each)
    if arena.seat is not None and arena.seat not in everywhere:
        reader.refuse(f"{where}.seat", arena.seat, one_of_nearest(arena.seat, everywhere))
    for table in arena.lineups:
        for seat in table.seats:
            if seat not in anywhere:
                at = f"{where}.lineups.{table.name}.{seat}"
                reader.refuse(at, table.seats[seat], f"a seat: {one_of_nearest(seat, anywhere)}")


def _refuse_twins(reader: SectionReader, arenas: Sequence[Arena[Any]]) -> None:
    for name in namesakes([arena.name for arena in arenas]):
        reader.refuse("arenas.name", name, "a name that no other arena has")


def _read_file(file: Path, name: str, *, source: str) -> Suite:
    try:
        written = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise ConfigError("suite", str(file), f"a readable TOML file ({why})") from None
    return suite_of(name, written, source=source)


class _Bundled(Mapping[str, Suite]):
    """The suites of a folder, in the order of their names."""

    def __init__(self, folder: Path) -> None:
        found = (file for file in folder.iterdir() if file.name.endswith(_SUFFIX))
        self._files = {file.name.removesuffix(_SUFFIX): file for file in found}
        self._read: dict[str, Suite] = {}

    def __getitem__(self, name: str) -> Suite:
        if name not in self._read:
            file = self._files[name]
            self._read[name] = _read_file(file, name, source=f"{file.name}: ")
        return self._read[name]

    def __contains__(self, name: object) -> bool:
        return name in self._files

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._files))

    def __len__(self) -> int:
        return len(self._files)


@cache
def _bundled(folder: Path) -> Mapping[str, Suite]:
    return _Bundled(folder)
