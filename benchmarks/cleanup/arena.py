"""Arenas of Cleanup: which policies are compared under which contracts in which world."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np

from benchmarks.arena import Arena
from benchmarks.cleanup.conditions import (
    MODEL_JUDGE,
    Condition,
    Negotiated,
    condition_from_dict,
)
from benchmarks.model_config import ModelsConfig
from cleanup_icn import CleanupConfig
from cleanup_icn.contracts import Contract, Wage
from cleanup_icn.starts import Starts

GAME = "cleanup"


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """A world, and the range from which every episode's start is drawn, ends included."""

    name: str
    config: CleanupConfig
    pollution_initial: tuple[int, int]  # pollution units, lowest and highest
    fruit_initial: tuple[int, int]  # fruit units, lowest and highest

    def draw_start(self, rng: np.random.Generator) -> dict[str, int]:
        """Draw the ``options`` of one episode's reset, uniformly."""
        return {
            "pollution_initial": int(rng.integers(*self.pollution_initial, endpoint=True)),
            "fruit_initial": int(rng.integers(*self.fruit_initial, endpoint=True)),
        }

    @property
    def starts(self) -> Starts:
        """The same range, for lanes that draw their starts themselves."""
        return Starts(pollution_initial=self.pollution_initial, fruit_initial=self.fruit_initial)

    @property
    def change_step(self) -> int | None:
        """First step at which the world is no longer what it was; None if it never changes."""
        return next((step for step in self.config.change_steps if step > 0), None)

    def to_dict(self) -> dict[str, Any]:
        """Return the scenario as JSON values."""
        return {
            "name": self.name,
            "config": self.config.to_dict(),
            "pollution_initial": list(self.pollution_initial),
            "fruit_initial": list(self.fruit_initial),
        }

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Self:
        """Return the scenario that `to_dict` told of."""
        return cls(
            name=told["name"],
            config=CleanupConfig.create(**told["config"]),
            pollution_initial=tuple(told["pollution_initial"]),
            fruit_initial=tuple(told["fruit_initial"]),
        )


@dataclass(frozen=True, kw_only=True)
class CleanupArena(Arena[Condition]):
    """A comparison in one world of Cleanup under several contract conditions."""

    game: ClassVar[str] = GAME
    scenario: Scenario

    @property
    def title(self) -> str:
        """What stands above the table."""
        says_so = self.name.endswith(self.scenario.name)
        return self.name if says_so else f"{self.name}: {self.scenario.name}"

    def with_models(self, models: ModelsConfig) -> Self:
        """Return the arena with the tables of `models` in the place of the stub models.

        If a model judges, each condition with negotiation comes a second time, judged by it; the
        tables alone play it.
        """
        seated = super().with_models(models)
        if models.judge is None:
            return seated
        judged = [
            replace(
                condition,
                name=f"{condition.name}-model-judge",
                judge=MODEL_JUDGE,
                ask_every_steps=models.judge.every_steps,
            )
            for condition in self.conditions
            if isinstance(condition, Negotiated)
        ]
        return replace(seated, conditions=(*self.conditions, *judged))

    def plays(self, policy: str, condition: Condition) -> bool:
        """Whether the policy is played under the condition: the model's judgement by tables."""
        if isinstance(condition, Negotiated) and condition.is_judged_by_model:
            return policy in self.table_names
        return super().plays(policy, condition)

    def to_dict(self) -> dict[str, Any]:
        """Return the arena as JSON values."""
        return {
            "game": self.game,
            **self._told(),
            "scenario": self.scenario.to_dict(),
        }

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Self:
        """Return the arena that `to_dict` told of, with models that cannot be asked."""
        conditions = tuple(map(condition_from_dict, told["contracts"]))
        scenario = Scenario.from_dict(told["scenario"])
        return cls(**cls._read(told), conditions=conditions, scenario=scenario)


def wage_for_cleaning(rate: float) -> Contract:
    """Return the contract by which the others pay whoever cleans `rate` for each unit removed."""
    return Contract([Wage(payer="others", payee="all", per="cleaned", rate=rate)])
