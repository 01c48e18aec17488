"""Policies that `commonweal train` left, as players of a world in which they were trained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from agents import Agent
from benchmarks.cleanup.arena import CleanupArena
from benchmarks.cleanup.conditions import Condition, Env, Fixed, Negotiated
from benchmarks.drift import differences
from benchmarks.learning.cleanup import CleanupExperiment
from benchmarks.learning.experiment import Policy
from benchmarks.learning.folder import open_training
from benchmarks.learning.terms import AgreedContract, DrawnContract, Terms
from cleanup_icn import ConfigError


@dataclass(frozen=True, kw_only=True)
class TrainedPlayers:
    """The training seeds of one experiment: each is a player under the contract it was trained for.

    Attributes:
        path: of the folder.
        name: what the group is called, after the folder.
        contract: name of the condition.
        seeds: of the trainings that are finished.
        sharing: whether one policy plays all seats.
    """

    path: str
    name: str
    contract: str
    seeds: tuple[int, ...]
    sharing: str

    @classmethod
    def of(cls, path: Path, arena: CleanupArena) -> TrainedPlayers:
        """Return the players in a folder.

        Raises:
            ConfigError: it is no training of Cleanup, or not in the arena's world or under one of
                its contracts, or no training seed is finished.
        """
        folder, experiment = open_training(path)
        if not isinstance(experiment, CleanupExperiment):
            raise ConfigError("--trained", str(path), "a training of cleanup")
        theirs, ours = experiment.config.to_dict(), arena.scenario.config.to_dict()
        for key, trained, played in differences(theirs, ours):
            allowed = f"{played!r}, as in the world that is played"
            raise ConfigError(f"--trained {path}: world.{key}", trained, allowed)
        seeds = folder.finished_seeds()
        if not seeds:
            raise ConfigError("--trained", str(path), "a training with at least one finished seed")
        return cls(
            path=str(path.resolve()),
            name=path.resolve().name,
            contract=_condition_of(path, experiment.terms, arena),
            seeds=tuple(seeds),
            sharing=experiment.sharing,
        )

    @property
    def player_names(self) -> tuple[str, ...]:
        """A name for each training seed."""
        return tuple(f"{self.name}/{seed}" for seed in self.seeds)

    def agents(self, player: str, env: Env) -> Mapping[str, Agent]:
        """Return an agent for every seat, of the training seed that this player is."""
        seed = self.seeds[self.player_names.index(player)]
        return seated(_learned(self.path, seed), env)

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON values; where the folder stands does not belong to it."""
        return {"name": self.name, "contract": self.contract, "seeds": list(self.seeds)}


def seated(policy: Policy, env: Env, *, deterministic: bool = False) -> Mapping[str, Agent]:
    """Return an agent for every seat: one policy on all of them, or one a seat.

    ``deterministic`` takes the likeliest action instead of drawing.
    """
    from agents.ppo import PPOAgent

    seats = env.possible_agents
    given: Any = policy if isinstance(policy, list) else [policy] * len(seats)
    return {
        seat: PPOAgent(own, deterministic=deterministic)
        for seat, own in zip(seats, given, strict=True)
    }


@lru_cache(maxsize=64)
def _learned(path: str, seed: int) -> Policy:
    from benchmarks.learning.runs import load_learned

    folder, experiment = open_training(Path(path))
    return load_learned(experiment, folder.of_seed(seed))


def _condition_of(path: Path, terms: Terms, arena: CleanupArena) -> str:
    for condition in arena.conditions:
        if _is_same(terms, condition):
            return condition.name
    names = ", ".join(condition.name for condition in arena.conditions)
    allowed = f"that of a condition of {arena.name}: {names}"
    raise ConfigError(f"--trained {path}: contract", terms.to_dict(), allowed)


def _is_same(terms: Terms, condition: Condition) -> bool:
    """Whether lanes under these terms are what is played under the condition."""
    if isinstance(terms, DrawnContract) and isinstance(condition, Fixed):
        learned = (terms.contracts, terms.settle, terms.limited_liability)
        return learned == (condition.contracts, condition.settle, condition.limited_liability)
    if isinstance(terms, AgreedContract) and isinstance(condition, Negotiated):
        if condition.is_judged_by_model:
            return False
        return terms.to_dict() == AgreedContract(icn=condition.icn_config()).to_dict()
    return False
