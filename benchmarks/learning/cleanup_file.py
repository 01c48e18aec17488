"""What a file says of an experiment in Cleanup: its world and its contract."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from benchmarks.checked import ABSENT
from benchmarks.learning.cleanup import CleanupExperiment
from benchmarks.learning.experiment import Experiment
from benchmarks.learning.sections import SectionReader
from benchmarks.learning.terms import ICN_KEYS, AgreedContract, DrawnContract, Terms, longest
from benchmarks.suites import wage_for_cleaning
from cleanup_icn import CleanupConfig, ConfigError
from cleanup_icn.config import CONFIG_NAMES
from cleanup_icn.contracts import Contract
from cleanup_icn.icn import ICNConfig
from cleanup_icn.icn.config import SETTLEMENTS
from cleanup_icn.starts import Starts

_SETTLING = ("settle", "limited_liability")
_CONTRACT = ("clauses", "duration")


def read_cleanup(reader: SectionReader) -> Callable[..., Experiment] | None:
    """Read ``[world]`` and ``[contract]``; see `benchmarks.learning.config_file.ReadGame`."""
    world = reader.section("world")
    ranges = world.pop("starts", None)
    known = (*CONFIG_NAMES, "preset")
    config = reader.made_of("world", CleanupConfig.create, world, known=(*known, "starts"))
    starts = _read_starts(reader, ranges, config) if ranges is not None and config else None
    terms = _read_terms(reader, reader.section("contract"), config)
    if config is None or terms is None or (ranges is not None and starts is None):
        return None
    return partial(CleanupExperiment, config=config, starts=starts, terms=terms)


def _read_starts(reader: SectionReader, given: Any, config: CleanupConfig) -> Starts | None:
    """Return the ranges that starts are drawn from; what has no range starts as configured."""
    names = ("pollution_initial", "fruit_initial")
    if not isinstance(given, Mapping):
        reader.refuse("world.starts", given, f"a section [world.starts] of {', '.join(names)}")
        return None
    fixed = {name: (getattr(config, name),) * 2 for name in names}

    def make(**ranges: Any) -> Starts:
        kept = {k: tuple(v) if isinstance(v, list) else v for k, v in ranges.items()}
        starts = Starts(**{**fixed, **kept})
        try:
            starts.check(config)
        except ConfigError as error:
            name = error.name.removeprefix("starts.")
            raise ConfigError(name, error.value, error.allowed) from None
        return starts

    return reader.made_of("world.starts", make, given, known=names)


def _read_terms(
    reader: SectionReader, given: dict[str, Any], config: CleanupConfig | None
) -> Terms | None:
    kinds = {"none": _none, "fixed": _fixed, "random": _random, "icn": _icn}
    kind = reader.word("contract", given, "kind", tuple(kinds))
    if not kind:
        return None
    terms = kinds[kind](reader, given)
    if terms is not None and config is not None:
        _check_names(reader, terms, config)
    return terms


def _none(reader: SectionReader, given: dict[str, Any]) -> Terms | None:
    for key in given:
        reader.refuse("key in [contract]", key, "none beside kind where there is no contract")
    return DrawnContract(kind="none", contracts=(Contract(),))


def _fixed(reader: SectionReader, given: dict[str, Any]) -> Terms | None:
    written = {key: given.pop(key) for key in _CONTRACT if key in given}
    contract = _contract(reader, "contract", written)
    return _drawn(reader, given, kind="fixed", contracts=[contract])


def _random(reader: SectionReader, given: dict[str, Any]) -> Terms | None:
    menu = _menu(reader, given.pop("menu", None))
    return _drawn(reader, given, kind="random", contracts=menu)


def _drawn(
    reader: SectionReader, given: dict[str, Any], *, kind: str, contracts: Sequence[Contract | None]
) -> Terms | None:
    def make(*, settle: Any = "step", limited_liability: Any = False) -> DrawnContract:
        if settle not in SETTLEMENTS:
            raise ConfigError("settle", settle, f"one of {', '.join(SETTLEMENTS)}")
        if not isinstance(limited_liability, bool):
            raise ConfigError("limited_liability", limited_liability, "true or false")
        complete = tuple(contract for contract in contracts if contract is not None)
        return DrawnContract(
            kind=kind, contracts=complete, settle=settle, limited_liability=limited_liability
        )

    made = reader.made_of("contract", make, given, known=_SETTLING)
    return made if None not in contracts else None


def _icn(reader: SectionReader, given: dict[str, Any]) -> Terms | None:
    menu = _menu(reader, given.pop("menu", None))
    initial = _contract(
        reader, "contract.initial_contract", given.pop("initial_contract", {"clauses": []})
    )
    contracts = [c for c in (*menu, initial) if c is not None]

    def make(**settings: Any) -> ICNConfig:
        return ICNConfig(
            menu=tuple(contracts[: len(menu)]),
            initial_contract=initial or Contract(),
            max_clauses=longest(contracts),
            **settings,
        )

    icn = reader.made_of("contract", make, given, known=ICN_KEYS)
    if icn is None or None in menu or initial is None:
        return None
    return AgreedContract(icn=icn)


def _menu(reader: SectionReader, given: Any) -> list[Contract | None]:
    """Return the null contract and those of a list: wages for cleaning by rate, or tables."""
    if not isinstance(given, list) or not given:
        allowed = "a list of wages for each unit cleaned, or of tables with clauses"
        reader.refuse("contract.menu", ABSENT if given is None else given, allowed)
        return [None]
    menu: list[Contract | None] = [Contract()]
    for index, entry in enumerate(given):
        where = f"contract.menu[{index}]"
        if isinstance(entry, Mapping):
            menu.append(_contract(reader, where, entry))
        else:
            menu.append(reader.made_of(where, partial(wage_for_cleaning, entry), {}, known=()))
    return menu


def _contract(reader: SectionReader, where: str, given: Any) -> Contract | None:
    def make(**written: Any) -> Contract:
        return Contract.from_dict({"version": 1, "clauses": (), **written})

    if not isinstance(given, Mapping):
        reader.refuse(where, given, "a table with clauses")
        return None
    if "clauses" not in given:
        reader.refuse(f"{where}.clauses", ABSENT, "a list of clauses")
    return reader.made_of(where, make, given, known=_CONTRACT)


def _check_names(reader: SectionReader, terms: Terms, config: CleanupConfig) -> None:
    """Refuse contracts that name an agent or a quantity that the world does not have."""
    from benchmarks.conditions import contract_encoder

    contracts = terms.contracts
    encoder = contract_encoder(config, max_clauses=longest(contracts))
    for contract in contracts:
        reader.made_of("contract", partial(encoder.check, contract), {}, known=())
