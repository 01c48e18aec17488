"""Contract conditions: under which contract a game is played, or how one is agreed on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

from pettingzoo import ParallelEnv

import cleanup_icn
from benchmarks import arena as arenas
from cleanup_icn import CleanupConfig, CleanupEnv, ConfigError, icn
from cleanup_icn.contracts import Ask, Contract, ContractEncoder, ContractWrapper
from cleanup_icn.starts import Starts

Env: TypeAlias = ParallelEnv[str, Any, Any]

MAX_CLAUSES = 1
"""Clauses that a contract's vector has room for at least."""

MODEL_JUDGE = "model"
"""In the place of a judge's name: a model is asked."""


def longest(contracts: Iterable[Contract]) -> int:
    """Return how many clauses a contract's vector must have room for."""
    return max((MAX_CLAUSES, *(len(contract.clauses) for contract in contracts)))


class Condition(arenas.Condition, Protocol):
    """A contract condition, and how to make the environment, or many of them as one batch."""

    @property
    def contracts(self) -> tuple[Contract, ...]:
        """Every contract that may come to be in force, but for those written during talks."""
        ...

    def make_env(
        self, config: CleanupConfig, *, observation: str = "both", ask: Ask | None = None
    ) -> Env:
        """Make the game under this condition.

        `ask` asks the model that judges, where one does.
        """
        ...

    def make_batch(
        self, config: CleanupConfig, num_lanes: int, *, starts: Starts | None = None
    ) -> Any:
        """Make lanes to train on, each as `make_env` makes it, from drawn starts if there are any.

        An episode that has ended is followed by the next.
        """
        ...


def contract_encoder(config: CleanupConfig, *, max_clauses: int = MAX_CLAUSES) -> ContractEncoder:
    """Return what turns contracts in this world into vectors."""
    return ContractEncoder(
        agents=[f"agent_{i}" for i in range(config.num_agents)],
        feature_names=CleanupEnv.contract_features,
        public_names=CleanupEnv.public_features,
        max_clauses=max_clauses,
        horizon_steps=config.horizon_steps,
    )


@dataclass(frozen=True, kw_only=True)
class Fixed:
    """One contract from the first step to the last; the null contract for none."""

    name: str
    contract: Contract
    settle: str = "step"  # when transfers are added to rewards: "step" or "episode_end"
    limited_liability: bool = False  # whether no agent pays more than it has

    @property
    def contracts(self) -> tuple[Contract, ...]:
        """The one contract."""
        return (self.contract,)

    def make_env(
        self, config: CleanupConfig, *, observation: str = "both", ask: Ask | None = None
    ) -> Env:
        """Make Cleanup wrapped in the contract; nobody judges."""
        del ask
        game = cleanup_icn.parallel_env(observation=observation, **config.to_dict())
        wrapped: Env = ContractWrapper(game, self.contract, **self._settings(config))
        return wrapped

    def make_batch(
        self, config: CleanupConfig, num_lanes: int, *, starts: Starts | None = None
    ) -> Any:
        """Make lanes of Cleanup under the contract."""
        from cleanup_icn.batch.contracts import BatchContract

        settings = self._settings(config)
        return BatchContract(
            config, [self.contract], num_lanes, auto_reset=True, starts=starts, **settings
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the condition as JSON values."""
        return {
            "name": self.name,
            "contract": self.contract.to_dict(),
            "settle": self.settle,
            "limited_liability": self.limited_liability,
        }

    def _settings(self, config: CleanupConfig) -> dict[str, Any]:
        return {
            "settle": self.settle,
            "limited_liability": self.limited_liability,
            "encoder": contract_encoder(config, max_clauses=longest(self.contracts)),
        }


@dataclass(frozen=True, kw_only=True)
class Negotiated:
    """Iterated contract negotiation: a judge calls for talks, the agents choose from a menu.

    The fields from `max_rounds` on are those of `cleanup_icn.icn.ICNConfig`.
    """

    name: str
    judge: str  # when talks are held, see `cleanup_icn.icn.parallel_env`, or `MODEL_JUDGE`
    menu: tuple[Contract, ...]  # what may be proposed
    initial_contract: Contract = field(default_factory=Contract)  # in force before any talks
    ask_every_steps: int = 1  # play steps between two questions to a model that judges
    max_rounds: int = 3
    disagreement: str = "keep"
    negotiation_cost_steps: int = 0
    history: bool = True
    settle: str = "step"
    limited_liability: bool = False

    @property
    def is_judged_by_model(self) -> bool:
        """Whether a model decides when talks are held."""
        return self.judge == MODEL_JUDGE

    @property
    def contracts(self) -> tuple[Contract, ...]:
        """The menu, and the contract that an episode begins with."""
        return (*self.menu, self.initial_contract)

    def make_env(
        self, config: CleanupConfig, *, observation: str = "both", ask: Ask | None = None
    ) -> Env:
        """Make Cleanup with negotiation; the episode begins with the initial contract."""
        judge: Any = self.judge
        if self.is_judged_by_model:
            judge = icn.ModelJudge(ask or _nobody_to_ask, every_steps=self.ask_every_steps)
        settings = {**self._settings(), "judge": judge}
        game: Env = icn.parallel_env(observation=observation, **settings, **config.to_dict())
        return game

    def make_batch(
        self, config: CleanupConfig, num_lanes: int, *, starts: Starts | None = None
    ) -> Any:
        """Make lanes of Cleanup with negotiation. Raises `ConfigError` where a model judges."""
        from cleanup_icn.batch.icn import BatchICN

        return BatchICN(config, self.icn_config(), num_lanes, auto_reset=True, starts=starts)

    def icn_config(self) -> icn.ICNConfig:
        """Return the settings of the negotiation. Raises `ConfigError` where a model judges."""
        return icn.ICNConfig(**self._settings())

    def to_dict(self) -> dict[str, Any]:
        """Return the condition as JSON values."""
        told = {
            "name": self.name,
            "judge": self.judge,
            "menu": [contract.to_dict() for contract in self.menu],
            "initial_contract": self.initial_contract.to_dict(),
            **{name: getattr(self, name) for name in NEGOTIATION_SETTINGS},
        }
        return told | ({"every_steps": self.ask_every_steps} if self.is_judged_by_model else {})

    def _settings(self) -> dict[str, Any]:
        return {
            "judge": self.judge,
            "menu": self.menu,
            "initial_contract": self.initial_contract,
            "max_clauses": longest(self.contracts),
            **{name: getattr(self, name) for name in NEGOTIATION_SETTINGS},
        }


NEGOTIATION_SETTINGS = (
    "max_rounds",
    "disagreement",
    "negotiation_cost_steps",
    "history",
    "settle",
    "limited_liability",
)
"""Settings of talks beside the judge and the contracts."""


def condition_from_dict(told: Mapping[str, Any]) -> Fixed | Negotiated:
    """Return the condition that a `to_dict` told of."""
    plain = {key: value for key, value in told.items() if key not in _CONTRACTS}
    if "judge" not in told:
        return Fixed(contract=Contract.from_dict(told["contract"]), **plain)
    every_steps = plain.pop("every_steps", 1)
    return Negotiated(
        menu=tuple(map(Contract.from_dict, told["menu"])),
        initial_contract=Contract.from_dict(told["initial_contract"]),
        ask_every_steps=every_steps,
        **plain,
    )


_CONTRACTS = ("contract", "menu", "initial_contract")


def _nobody_to_ask(*_: Any) -> str:
    raise ConfigError("judge", MODEL_JUDGE, "a model to ask; the arena was begun without one")
