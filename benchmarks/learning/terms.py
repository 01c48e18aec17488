"""The contract of an experiment: none, one, one drawn for every episode, or one agreed on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from benchmarks.cleanup.conditions import NEGOTIATION_SETTINGS, contract_encoder, longest
from cleanup_icn import CleanupConfig
from cleanup_icn.contracts import Contract
from cleanup_icn.icn import ICNConfig
from cleanup_icn.starts import Starts


class Terms(Protocol):
    """Under which contract a game is played, and how lanes of it are made."""

    @property
    def contracts(self) -> tuple[Contract, ...]:
        """Every contract that may come to be in force."""
        ...

    def make_batch(
        self, config: CleanupConfig, num_lanes: int, *, starts: Starts | None, auto_reset: bool
    ) -> Any:
        """Make lanes of Cleanup under these terms; what is seen includes the contract in force."""
        ...

    def to_dict(self) -> dict[str, Any]:
        """Return the terms as JSON values."""
        ...


@dataclass(frozen=True, kw_only=True)
class DrawnContract:
    """A contract for every episode, drawn uniformly; the same one always where there is but one."""

    kind: str  # "none", "fixed" or "random"
    contracts: tuple[Contract, ...]
    settle: str = "step"
    limited_liability: bool = False

    def make_batch(
        self, config: CleanupConfig, num_lanes: int, *, starts: Starts | None, auto_reset: bool
    ) -> Any:
        """Make lanes of Cleanup under the contract."""
        from cleanup_icn.batch.contracts import BatchContract

        return BatchContract(
            config,
            self.contracts,
            num_lanes,
            settle=self.settle,
            limited_liability=self.limited_liability,
            encoder=contract_encoder(config, max_clauses=longest(self.contracts)),
            auto_reset=auto_reset,
            starts=starts,
            draw_contracts=len(self.contracts) > 1,
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the terms as JSON values."""
        return {
            "kind": self.kind,
            "contracts": [contract.to_dict() for contract in self.contracts],
            "settle": self.settle,
            "limited_liability": self.limited_liability,
        }


@dataclass(frozen=True, kw_only=True)
class AgreedContract:
    """A contract that the agents talk about before and while they play."""

    icn: ICNConfig

    @property
    def contracts(self) -> tuple[Contract, ...]:
        """The menu, and the contract that an episode begins with."""
        return (*self.icn.menu, self.icn.initial_contract)

    def make_batch(
        self, config: CleanupConfig, num_lanes: int, *, starts: Starts | None, auto_reset: bool
    ) -> Any:
        """Make lanes of Cleanup with talks."""
        from cleanup_icn.batch.icn import BatchICN

        return BatchICN(config, self.icn, num_lanes, auto_reset=auto_reset, starts=starts)

    def to_dict(self) -> dict[str, Any]:
        """Return the terms as JSON values."""
        icn = self.icn
        plain = {name: getattr(icn, name) for name in ICN_KEYS}
        return {
            "kind": "icn",
            **plain,
            "menu": [contract.to_dict() for contract in icn.menu],
            "initial_contract": icn.initial_contract.to_dict(),
        }


ICN_KEYS = ("judge", *NEGOTIATION_SETTINGS)
"""Settings of negotiation that a file may give, beside the contracts."""
