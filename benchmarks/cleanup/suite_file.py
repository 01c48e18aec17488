"""What a file says of an arena of Cleanup: its world, and the contracts it is played under."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from benchmarks.arena import Arena
from benchmarks.checked import ABSENT, NAME, namesakes, one_of_nearest
from benchmarks.cleanup.arena import CleanupArena, Scenario
from benchmarks.cleanup.conditions import NEGOTIATION_SETTINGS, Fixed, Negotiated, longest
from benchmarks.cleanup.contract_file import (
    CONTRACT,
    check_names,
    read_contract,
    read_menu,
    read_wage,
)
from benchmarks.cleanup.world_file import STARTS, read_world
from benchmarks.lineups import players_of
from benchmarks.sections import SectionReader
from cleanup_icn import CleanupConfig, ConfigError
from cleanup_icn.contracts import Contract
from cleanup_icn.icn import ICNConfig
from cleanup_icn.icn.config import SETTLEMENTS
from cleanup_icn.observe import agent_names
from cleanup_icn.policies import FOR_ANY_NUMBER, FOR_TWO, scripted_policy

KEYS = ("world", "contracts")
"""The keys that are read here."""

_SETTLING = ("settle", "limited_liability")


def read_arena(
    reader: SectionReader, where: str, given: Mapping[str, Any]
) -> Callable[..., Arena[Any]] | None:
    """Read the keys of `KEYS`; see `benchmarks.suite_file.ReadGame`."""
    scenario = _read_scenario(reader, f"{where}.world", given.get("world", {}))
    config = scenario.config if scenario else None
    conditions = _read_conditions(
        reader, f"{where}.contracts", given.get("contracts", ABSENT), config
    )
    if scenario is None or not conditions:
        return None
    return partial(CleanupArena, scenario=scenario, conditions=conditions)


def seats_of(arena: CleanupArena) -> list[tuple[str, ...]]:
    """Return the names of the seats of every condition."""
    return [tuple(agent_names(arena.scenario.config.num_agents))]


def unlearnable(arena: CleanupArena) -> Iterator[ConfigError]:
    """Yield why no policy can learn here: the partners cannot be played in lanes."""
    if arena.seat is not None and arena.partners not in _IN_LANES:
        yield ConfigError("partners", arena.partners, one_of_nearest(arena.partners, _IN_LANES))


def unplayable(arena: CleanupArena) -> Iterator[ConfigError]:
    """Yield which policies for two cannot play here, and why."""
    players = {player for policy in arena.policies for player in players_of(arena, policy)}
    for name in sorted(players.intersection(FOR_TWO)):
        for condition in arena.conditions:
            try:
                scripted_policy(name, condition.make_env(arena.scenario.config))
            except ConfigError as error:
                allowed = f"a policy that can play under {condition.name} ({error})"
                yield ConfigError("policies", name, allowed)


_IN_LANES = (*FOR_ANY_NUMBER, "random")


def _read_scenario(reader: SectionReader, where: str, given: Any) -> Scenario | None:
    if not isinstance(given, Mapping):
        reader.refuse(where, given, f"a table [{where}]")
        return None
    settings = {key: value for key, value in given.items() if key != "name"}
    world = read_world(reader, where, settings)
    if world is None:
        return None
    config, starts = world
    name = given.get("name", _described(settings, config))
    if not isinstance(name, str) or not name.strip():
        reader.refuse(f"{where}.name", name, "words between quotes")
        return None
    ranges = {
        key: getattr(starts, key) if starts else (getattr(config, key),) * 2
        for key in ("pollution_initial", "fruit_initial")
    }
    return Scenario(name=name, config=config, **ranges)


def _described(settings: Mapping[str, Any], config: CleanupConfig) -> str:
    """Return a name for a world: its preset, what is set beside it, and what changes when."""
    told = [str(settings.get("preset", "default"))]
    plain = (key for key in settings if key not in ("preset", "schedule", STARTS))
    told += [f"{key} {settings[key]}" for key in plain]
    for step in config.change_steps:
        changed = config.changed_at(step).items()
        told += [f"{key} {old} to {new} at step {step}" for key, (old, new) in changed]
    return ", ".join(told)


def _read_conditions(
    reader: SectionReader, where: str, given: Any, config: CleanupConfig | None
) -> tuple[Fixed | Negotiated, ...] | None:
    if not isinstance(given, list) or not given:
        reader.refuse(where, given, "at least one [[arenas.contracts]]")
        return None
    read = [_read_condition(reader, f"{where}[{i}]", each, config) for i, each in enumerate(given)]
    conditions = tuple(condition for condition in read if condition is not None)
    for name in namesakes([condition.name for condition in conditions]):
        reader.refuse(f"{where}.name", name, "a name that no other contract of the arena has")
    return conditions if len(conditions) == len(read) else None


def _read_condition(
    reader: SectionReader, where: str, given: Any, config: CleanupConfig | None
) -> Fixed | Negotiated | None:
    if not isinstance(given, Mapping):
        reader.refuse(where, given, "a table with a kind")
        return None
    left = dict(given)
    kinds = {"none": _none, "fixed": _fixed, "icn": _icn}
    kind = reader.word(where, left, "kind", tuple(kinds))
    name = left.pop("name", kind or "contract")
    if not NAME.fits(name):
        reader.refuse(f"{where}.name", name, NAME.allowed)
        return None
    condition = kinds[kind](reader, where, name, left) if kind else None
    if condition is not None and config is not None:
        check_names(reader, where, condition.contracts, config)
    return condition


def _none(reader: SectionReader, where: str, name: str, given: Mapping[str, Any]) -> Fixed | None:
    return reader.made_of(where, partial(Fixed, name=name, contract=Contract()), given, known=())


def _fixed(reader: SectionReader, where: str, name: str, given: dict[str, Any]) -> Fixed | None:
    written = {key: given.pop(key) for key in CONTRACT if key in given}
    if "wage" in given and not written:
        contract = read_wage(reader, f"{where}.wage", given.pop("wage"))
    elif "wage" in given:
        reader.refuse(f"{where}.wage", given.pop("wage"), "no wage beside clauses")
        contract = None
    else:
        contract = read_contract(reader, where, written)

    def make(*, settle: Any = "step", limited_liability: Any = False) -> Fixed:
        if settle not in SETTLEMENTS:
            raise ConfigError("settle", settle, f"one of {', '.join(SETTLEMENTS)}")
        if not isinstance(limited_liability, bool):
            raise ConfigError("limited_liability", limited_liability, "true or false")
        return Fixed(
            name=name,
            contract=contract or Contract(),
            settle=settle,
            limited_liability=limited_liability,
        )

    made = reader.made_of(where, make, given, known=(*_SETTLING, "wage", *CONTRACT))
    return made if contract is not None else None


def _icn(reader: SectionReader, where: str, name: str, given: dict[str, Any]) -> Negotiated | None:
    menu = read_menu(reader, f"{where}.menu", given.pop("menu", None))
    initial = read_contract(
        reader, f"{where}.initial_contract", given.pop("initial_contract", {"clauses": []})
    )
    complete = tuple(contract for contract in menu if contract is not None)

    def make(*, judge: Any = "change", **settings: Any) -> Negotiated:
        ICNConfig(judge=judge, menu=complete, max_clauses=longest(complete), **settings)
        return Negotiated(
            name=name,
            judge=judge,
            menu=complete,
            initial_contract=initial or Contract(),
            **settings,
        )

    known = ("judge", *NEGOTIATION_SETTINGS)
    made = reader.made_of(where, make, given, known=known)
    return made if len(complete) == len(menu) and initial is not None else None
