"""Suites: what one comparison plays, in one arena or in several."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

from benchmarks.arena import Arena
from benchmarks.cleanup import arena as cleanup
from benchmarks.model_config import Budget, ModelsConfig
from benchmarks.negotiation import arena as negotiation
from benchmarks.seated_training import SeatedTraining
from cleanup_icn import ConfigError

ARENAS: Mapping[str, type[Arena[Any]]] = {
    cleanup.GAME: cleanup.CleanupArena,
    negotiation.GAME: negotiation.NegotiationArena,
}
"""The kinds of arena by the game that is played in them."""


@dataclass(frozen=True, kw_only=True)
class Suite:
    """Arenas that are played, summed up and shown together."""

    name: str
    description: str
    arenas: tuple[Arena[Any], ...]  # of different names
    budget: Budget = field(
        default_factory=Budget
    )  # of the models, where they have none of their own

    @classmethod
    def of(cls, arena: Arena[Any]) -> Self:
        """Return the suite of one arena alone, with its name."""
        return cls(name=arena.name, description=arena.description, arenas=(arena,))

    @property
    def models(self) -> ModelsConfig | None:
        """The models that play, the same in all arenas; None without any."""
        return next((arena.models for arena in self.arenas if arena.models is not None), None)

    def title_of(self, arena: Arena[Any]) -> str:
        """Return what stands above an arena's table."""
        says_so = arena.name.partition("/")[0] == self.name
        return arena.title if says_so else f"{self.name}, {arena.title}"

    @property
    def policies(self) -> tuple[str, ...]:
        """The policies of all arenas, each once."""
        return tuple(dict.fromkeys(name for arena in self.arenas for name in arena.policies))

    def arena(self, name: str) -> Arena[Any]:
        """Return the arena of this name. Raises `ConfigError` where there is none."""
        by_name = {arena.name: arena for arena in self.arenas}
        if name not in by_name:
            raise ConfigError("arena", name, f"one of {', '.join(by_name)}")
        return by_name[name]

    def each(self, change: Callable[[Arena[Any]], Arena[Any]]) -> Self:
        """Return the suite with every arena changed alike."""
        return replace(self, arenas=tuple(map(change, self.arenas)))

    def with_run(self, *, num_episodes: int | None, seed: int | None) -> Self:
        """Return the suite with another number of episodes a cell, or another seed."""
        wanted = {"num_episodes": num_episodes, "seed": seed}
        given: dict[str, Any] = {name: n for name, n in wanted.items() if n is not None}
        return self.each(lambda arena: replace(arena, **given))

    def with_models(
        self,
        models: ModelsConfig,
        *,
        misfits: Callable[[Arena[Any]], Mapping[str, ConfigError]] = lambda _arena: {},
    ) -> Self:
        """Return the suite with the tables of `models` in the place of the stub models.

        A table sits in every arena that it fits. The suite's budget holds where `models` has none
        of its own.

        Args:
            models: who sits at the tables.
            misfits: tells of an arena which tables do not fit it, and why, by their names.

        Raises:
            ConfigError: a table fits no arena; the first one says why.
        """
        if models.budget == Budget():
            models = replace(models, budget=self.budget)
        refused = {arena.name: misfits(arena) for arena in self.arenas}
        for table in models.tables:
            problems = [found[table.name] for found in refused.values() if table.name in found]
            if problems and len(problems) == len(self.arenas):
                raise problems[0]

        def seated(arena: Arena[Any]) -> Arena[Any]:
            fitting = tuple(t for t in models.tables if t.name not in refused[arena.name])
            return arena.with_models(replace(models, tables=fitting)) if fitting else arena

        return self.each(seated)

    def with_policies(self, wanted: Sequence[str]) -> Self:
        """Return the suite with these policies alone, in the arenas that have any of them.

        Raises:
            ConfigError: no arena has a policy of that name.
        """
        for name in wanted:
            if name not in self.policies:
                raise ConfigError("policies", name, f"some of {', '.join(self.policies)}")
        chosen = (
            arena.with_policies([name for name in wanted if name in arena.policies])
            for arena in self.arenas
            if not set(wanted).isdisjoint(arena.policies)
        )
        return replace(self, arenas=tuple(chosen))

    def without(self, missing: Sequence[str]) -> Self:
        """Return the suite without some policies, and without arenas that have no others."""
        if not missing:
            return self
        return self.with_policies([name for name in self.policies if name not in missing])

    def with_trained(self, seat: Callable[[Arena[Any]], SeatedTraining]) -> Self:
        """Return the suite with a training as a further policy of the first arena that takes it.

        Raises:
            ConfigError: no arena does, the first one says why; or another arena has another
                training of that name, which a run would keep in the same place.
        """
        refusals = []
        for index, arena in enumerate(self.arenas):
            try:
                seated = arena.with_trained([seat(arena)])
            except ConfigError as error:
                refusals.append(error)
            else:
                self._refuse_namesake(seated.trained[-1])
                arenas = (*self.arenas[:index], seated, *self.arenas[index + 1 :])
                return replace(self, arenas=arenas)
        raise refusals[0]

    def _refuse_namesake(self, training: SeatedTraining) -> None:
        seated = (each for arena in self.arenas for each in arena.trained)
        for each in seated:
            if each.name == training.name and each.checkpoints != training.checkpoints:
                allowed = "a folder of a name that no other training here has"
                raise ConfigError("--trained", training.name, allowed)

    def to_dict(self) -> dict[str, Any]:
        """Return the suite as JSON values."""
        return {
            "name": self.name,
            "description": self.description,
            "arenas": [arena.to_dict() for arena in self.arenas],
            "budget": self.budget.to_dict(),
        }

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Self:
        """Return the suite that `to_dict` told of, with models that cannot be asked.

        Raises:
            ConfigError: this version writes no such suite.
        """
        try:
            arenas = tuple(_arena_from_dict(each) for each in told["arenas"])
            budget = Budget(**told.get("budget", {}))
            return cls(
                name=told["name"], description=told["description"], arenas=arenas, budget=budget
            )
        except (KeyError, TypeError, AttributeError) as error:
            allowed = f"a suite as this version writes it ({error})"
            raise ConfigError("suite", told.get("name"), allowed) from error


def _arena_from_dict(told: Mapping[str, Any]) -> Arena[Any]:
    made: Any = ARENAS[told["game"]]
    arena: Arena[Any] = made.from_dict(told)
    return arena
