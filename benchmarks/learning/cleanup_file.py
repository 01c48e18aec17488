"""What a file says of an experiment in Cleanup: its world and its contract."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from benchmarks.cleanup.conditions import longest
from benchmarks.cleanup.contract_file import CONTRACT, check_names, read_contract, read_menu
from benchmarks.cleanup.world_file import read_world
from benchmarks.learning.cleanup import CleanupExperiment
from benchmarks.learning.experiment import Experiment
from benchmarks.learning.terms import ICN_KEYS, AgreedContract, DrawnContract, Terms
from benchmarks.sections import SectionReader
from cleanup_icn import CleanupConfig, ConfigError
from cleanup_icn.contracts import Contract
from cleanup_icn.icn import ICNConfig
from cleanup_icn.icn.config import SETTLEMENTS

_SETTLING = ("settle", "limited_liability")


def read_cleanup(reader: SectionReader) -> Callable[..., Experiment] | None:
    """Read ``[world]`` and ``[contract]``; see `benchmarks.learning.config_file.ReadGame`."""
    world = read_world(reader, "world", reader.section("world"))
    terms = _read_terms(reader, reader.section("contract"), world[0] if world else None)
    if world is None or terms is None:
        return None
    config, starts = world
    return partial(CleanupExperiment, config=config, starts=starts, terms=terms)


def _read_terms(
    reader: SectionReader, given: dict[str, Any], config: CleanupConfig | None
) -> Terms | None:
    kinds = {"none": _none, "fixed": _fixed, "random": _random, "icn": _icn}
    kind = reader.word("contract", given, "kind", tuple(kinds))
    if not kind:
        return None
    terms = kinds[kind](reader, given)
    if terms is not None and config is not None:
        check_names(reader, "contract", terms.contracts, config)
    return terms


def _none(reader: SectionReader, given: dict[str, Any]) -> Terms | None:
    for key in given:
        reader.refuse("key in [contract]", key, "none beside kind where there is no contract")
    return DrawnContract(kind="none", contracts=(Contract(),))


def _fixed(reader: SectionReader, given: dict[str, Any]) -> Terms | None:
    written = {key: given.pop(key) for key in CONTRACT if key in given}
    contract = read_contract(reader, "contract", written)
    return _drawn(reader, given, kind="fixed", contracts=[contract])


def _random(reader: SectionReader, given: dict[str, Any]) -> Terms | None:
    menu = read_menu(reader, "contract.menu", given.pop("menu", None))
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
    menu = read_menu(reader, "contract.menu", given.pop("menu", None))
    initial = read_contract(
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
