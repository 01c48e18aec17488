"""What a file says of contracts in Cleanup: one by its clauses or as a wage, or a menu of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.checked import ABSENT
from benchmarks.cleanup.arena import wage_for_cleaning
from benchmarks.cleanup.conditions import contract_encoder, longest
from benchmarks.sections import SectionReader
from cleanup_icn import CleanupConfig, ConfigError
from cleanup_icn.contracts import Contract, ContractError

CONTRACT = ("clauses", "duration")
"""The keys of a contract that is written out."""


def contract_in(path: Path) -> Contract:
    """Return the contract of a file of its own, JSON or its English sentence.

    Raises:
        ConfigError: the file holds neither; says which part is wrong.
    """
    try:
        text = path.read_text(encoding="utf-8").strip()
        return Contract.from_json(text) if text.startswith("{") else Contract.from_text(text)
    except UnicodeDecodeError:
        raise ConfigError("contract", str(path), "a file of text") from None
    except ContractError as error:
        raise ConfigError(f"{path}: {error.field}", error.value, error.expected) from None


def read_contract(reader: SectionReader, where: str, given: Any) -> Contract | None:
    """Return a contract that is written out; None where something is wrong with it."""

    def make(**written: Any) -> Contract:
        return Contract.from_dict({"version": 1, "clauses": (), **written})

    if not isinstance(given, Mapping):
        reader.refuse(where, given, "a table with clauses")
        return None
    if "clauses" not in given:
        reader.refuse(f"{where}.clauses", ABSENT, "a list of clauses")
    return reader.made_of(where, make, given, known=CONTRACT)


def read_wage(reader: SectionReader, where: str, rate: Any) -> Contract | None:
    """Return a wage for each unit cleaned; None where there is none of this rate."""
    return reader.made_of(where, partial(wage_for_cleaning, rate), {}, known=())


def read_menu(reader: SectionReader, where: str, given: Any) -> list[Contract | None]:
    """Return the null contract and those of a list: wages for cleaning by rate, or tables."""
    if not isinstance(given, list) or not given:
        allowed = "a list of wages for each unit cleaned, or of tables with clauses"
        reader.refuse(where, ABSENT if given is None else given, allowed)
        return [None]
    menu: list[Contract | None] = [Contract()]
    for index, entry in enumerate(given):
        read = read_contract if isinstance(entry, Mapping) else read_wage
        menu.append(read(reader, f"{where}[{index}]", entry))
    return menu


def check_names(
    reader: SectionReader, where: str, contracts: Iterable[Contract], config: CleanupConfig
) -> None:
    """Refuse contracts that name an agent or a quantity that the world does not have."""
    every = tuple(contracts)
    encoder = contract_encoder(config, max_clauses=longest(every))
    for contract in every:
        reader.made_of(where, partial(encoder.check, contract), {}, known=())
