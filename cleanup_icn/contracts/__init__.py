"""Contracts between agents, for any PettingZoo environment.

A contract is data: clauses, a duration, parties. It is read and written as JSON and as English,
each the inverse of the other, and it is executed by moving reward between agents::

    Contract --from_json/to_json-- JSON        contract_schema() describes the JSON
             --from_text/to_text-- English     contract_line() is what observations show
             --transfers()-------- {agent: transfer} of one step
             --Accounts----------- many steps: book, settle, limited liability
             --ContractEncoder---- a vector for learners
             --ContractWrapper---- all of it around a parallel or AEC environment

A NaturalLanguageContract is plain words instead; enforce() asks a judge what they move, and
NaturalLanguageWrapper does so in every step of a parallel environment.

Every fault in a contract, or in the way it is put to use, is a ContractError that names the
field, the value and what is allowed. Nothing here knows a game.
"""

from __future__ import annotations

from cleanup_icn.contracts.accounts import Accounts, Settlement
from cleanup_icn.contracts.aec_wrapper import AECContractWrapper
from cleanup_icn.contracts.clauses import (
    Clause,
    Condition,
    ContractError,
    Fine,
    LumpSum,
    Quota,
    Share,
    Wage,
)
from cleanup_icn.contracts.encode import ContractEncoder
from cleanup_icn.contracts.english import contract_line
from cleanup_icn.contracts.natural import (
    Ask,
    Case,
    Court,
    NaturalLanguageContract,
    RecordedAsk,
    Ruling,
    RulingStatus,
    enforce,
    fenced,
    read_ruling,
    ruling_form,
)
from cleanup_icn.contracts.natural_wrapper import NaturalLanguageWrapper
from cleanup_icn.contracts.parallel_wrapper import ParallelContractWrapper
from cleanup_icn.contracts.schema import contract_schema
from cleanup_icn.contracts.terms import Contract, Duration
from cleanup_icn.contracts.transfer import transfers
from cleanup_icn.contracts.wrapper import ContractWrapper, Transition

__all__ = [
    "AECContractWrapper",
    "Accounts",
    "Ask",
    "Case",
    "Clause",
    "Condition",
    "Contract",
    "ContractEncoder",
    "ContractError",
    "ContractWrapper",
    "Court",
    "Duration",
    "Fine",
    "LumpSum",
    "NaturalLanguageContract",
    "NaturalLanguageWrapper",
    "ParallelContractWrapper",
    "Quota",
    "RecordedAsk",
    "Ruling",
    "RulingStatus",
    "Settlement",
    "Share",
    "Transition",
    "Wage",
    "contract_line",
    "contract_schema",
    "enforce",
    "fenced",
    "read_ruling",
    "ruling_form",
    "transfers",
]
