"""Suites: which policies are compared under which contracts in which world."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from benchmarks.conditions import MODEL_JUDGE, Condition, Fixed, Negotiated
from benchmarks.model_config import ModelsConfig
from benchmarks.negotiation.suite import NEGOTIATION_SMOKE
from benchmarks.suite import Suite
from cleanup_icn import CleanupConfig, ConfigError
from cleanup_icn.contracts import Contract, Wage
from cleanup_icn.starts import Starts


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


@dataclass(frozen=True, kw_only=True)
class CleanupSuite(Suite[Condition]):
    """A comparison in one world of Cleanup under several contract conditions."""

    scenario: Scenario

    @property
    def title(self) -> str:
        """What stands above the table."""
        return f"{self.name}: {self.scenario.name}"

    def with_models(self, models: ModelsConfig) -> Self:
        """Return the suite with the tables of `models` in the place of the stub models.

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
        """Return the suite as JSON values."""
        return {
            "name": self.name,
            "description": self.description,
            "scenario": self.scenario.to_dict(),
            "contracts": [condition.to_dict() for condition in self.conditions],
            **self.players_to_dict(),
            "num_episodes": self.num_episodes,
            "seed": self.seed,
            "training_agent_steps": self.training_agent_steps,
        }


def wage_for_cleaning(rate: float) -> Contract:
    """Return the contract by which the others pay whoever cleans `rate` for each unit removed."""
    return Contract([Wage(payer="others", payee="all", per="cleaned", rate=rate)])


CLEANUP_SMOKE = CleanupSuite(
    name="cleanup-smoke",
    description=(
        "Scripted, stub-model and PPO agents in Cleanup under no contract, a fixed contract and "
        "iterated contract negotiation; halfway the threshold rises from 6 to 12, unannounced"
    ),
    scenario=Scenario(
        name="linear, threshold 6 to 12 at step 25",
        config=CleanupConfig.create(preset="linear", schedule=[(25, {"pollution_threshold": 12})]),
        pollution_initial=(0, 5),
        fruit_initial=(0, 24),
    ),
    conditions=(
        Fixed(name="none", contract=Contract()),
        Fixed(name="fixed", contract=wage_for_cleaning(1.0)),
        Negotiated(
            name="icn",
            judge="change",
            menu=(Contract(), *map(wage_for_cleaning, (0.5, 1.0, 1.5, 2.0, 3.0))),
        ),
    ),
    policies=(
        "all-harvest",
        "division-of-labour",
        "conditional-cooperator",
        "contract-follower",
        "planner",
        "random",
        "stub-cooperative",
        "stub-selfish",
        "stub-erratic",
        "ppo",
    ),
    shown_policy="contract-follower",
)

SUITES: Mapping[str, Suite[Any]] = {
    suite.name: suite for suite in (CLEANUP_SMOKE, NEGOTIATION_SMOKE)
}
"""The built-in suites by name."""


def suite_named(name: str) -> Suite[Any]:
    """Return a built-in suite. Raises `ConfigError` for a name there is none of."""
    if name not in SUITES:
        raise ConfigError("suite", name, "one of " + ", ".join(SUITES))
    return SUITES[name]
