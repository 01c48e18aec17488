"""Contract conditions: under which contract a game is played, or how one is agreed on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from pettingzoo import ParallelEnv

import cleanup_icn
from benchmarks import suite
from cleanup_icn import CleanupConfig, CleanupEnv, ConfigError, icn
from cleanup_icn.contracts import Ask, Contract, ContractEncoder, ContractWrapper
from cleanup_icn.starts import Starts

Env: TypeAlias = ParallelEnv[str, Any, Any]

MAX_CLAUSES = 1
"""Clauses that a contract's vector has room for: those of all conditions have one length."""


MODEL_JUDGE = "model"
"""In the place of a judge's name: a model is asked."""


class Condition(suite.Condition, Protocol):
    """A contract condition, and how to make the environment, or many of them as one batch."""

    def make_env(
        self, config: CleanupConfig, *, observation: str = "both", ask: Ask | None = None
    ) -> Env:
        """Make the game under this condition; transfers settle in every step.

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

    def make_env(
        self, config: CleanupConfig, *, observation: str = "both", ask: Ask | None = None
    ) -> Env:
        """Make Cleanup wrapped in the contract; nobody judges."""
        del ask
        encoder = contract_encoder(config)
        game = cleanup_icn.parallel_env(observation=observation, **config.to_dict())
        wrapped: Env = ContractWrapper(game, self.contract, settle="step", encoder=encoder)
        return wrapped

    def make_batch(
        self, config: CleanupConfig, num_lanes: int, *, starts: Starts | None = None
    ) -> Any:
        """Make lanes of Cleanup under the contract."""
        from cleanup_icn.batch.contracts import BatchContract

        return BatchContract(
            config,
            [self.contract],
            num_lanes,
            settle="step",
            encoder=contract_encoder(config),
            auto_reset=True,
            starts=starts,
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the condition as JSON values."""
        return {"name": self.name, "contract": self.contract.to_dict()}


@dataclass(frozen=True, kw_only=True)
class Negotiated:
    """Iterated contract negotiation: a judge calls for talks, the agents choose from a menu."""

    name: str
    judge: str  # when talks are held, see `cleanup_icn.icn.parallel_env`, or `MODEL_JUDGE`
    menu: tuple[Contract, ...]  # what may be proposed
    ask_every_steps: int = 1  # play steps between two questions to a model that judges

    @property
    def is_judged_by_model(self) -> bool:
        """Whether a model decides when talks are held."""
        return self.judge == MODEL_JUDGE

    def make_env(
        self, config: CleanupConfig, *, observation: str = "both", ask: Ask | None = None
    ) -> Env:
        """Make Cleanup with negotiation; the episode begins without a contract."""
        judge: Any = self.judge
        if self.is_judged_by_model:
            judge = icn.ModelJudge(ask or _nobody_to_ask, every_steps=self.ask_every_steps)
        game: Env = icn.parallel_env(
            judge=judge,
            menu=self.menu,
            settle="step",
            max_clauses=MAX_CLAUSES,
            observation=observation,
            **config.to_dict(),
        )
        return game

    def make_batch(
        self, config: CleanupConfig, num_lanes: int, *, starts: Starts | None = None
    ) -> Any:
        """Make lanes of Cleanup with negotiation. Raises `ConfigError` where a model judges."""
        from cleanup_icn.batch.icn import BatchICN

        settings = icn.ICNConfig(
            judge=self.judge, menu=self.menu, settle="step", max_clauses=MAX_CLAUSES
        )
        return BatchICN(config, settings, num_lanes, auto_reset=True, starts=starts)

    def to_dict(self) -> dict[str, Any]:
        """Return the condition as JSON values."""
        menu = [contract.to_dict() for contract in self.menu]
        told = {"name": self.name, "judge": self.judge, "menu": menu}
        return told | ({"every_steps": self.ask_every_steps} if self.is_judged_by_model else {})


def _nobody_to_ask(*_: Any) -> str:
    raise ConfigError("judge", MODEL_JUDGE, "a model to ask; the suite was begun without one")
