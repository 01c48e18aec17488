"""Arenas: a world, or several games of one kind, with its conditions and who plays there."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, Self, TypeVar

from benchmarks.checked import NAME
from benchmarks.model_config import ModelsConfig, Table
from cleanup_icn import ConfigError

if TYPE_CHECKING:
    from benchmarks.seated_training import SeatedTraining


class Condition(Protocol):
    """What a game is played under: a frozen value that can be sent to a process."""

    @property
    def name(self) -> str:
        """Name of the condition in tables and records."""
        ...

    def to_dict(self) -> dict[str, Any]:
        """Return the condition as JSON values."""
        ...


LEARNED = ("ppo",)
"""Policies that are trained before they play."""

_PLAIN = (
    "name",
    "description",
    "shown_policy",
    "seat",
    "partners",
    "num_episodes",
    "seed",
    "training_agent_steps",
)
"""Fields of an arena that are JSON values as they are."""

STUB_PREFIX = "stub-"
"""How the names of policies begin that stand in for a model."""

ConditionT = TypeVar("ConditionT", bound=Condition)


@dataclass(frozen=True, kw_only=True)
class Arena(ABC, Generic[ConditionT]):
    """A world or family of games: each policy under each condition is a cell.

    A policy plays all seats of its episodes. With a `seat`, it plays that one alone and `partners`
    all others. Lineups, which say who sits where, are policies too.
    """

    game: ClassVar[str]  # its name in files and records

    name: str
    description: str
    conditions: tuple[ConditionT, ...]
    policies: tuple[str, ...]
    shown_policy: str  # the one whose play the figure follows, and that others are compared with
    seat: str | None = None  # of the policies, where they do not play all seats
    partners: str | None = None  # the policy on all other seats, where there is a `seat`
    lineups: tuple[Table, ...] = ()  # whose names are policies of this arena
    measures: tuple[str, ...] = ()  # columns of the table, what is compared first; (): the game's
    num_episodes: int = 20  # episodes a cell
    seed: int = 0  # of starts, dice, agents, training, resampling
    training_agent_steps: int = 120_000  # experience of a learned policy, once a condition
    models: ModelsConfig | None = None  # whose tables are policies of this arena
    trained: tuple[SeatedTraining, ...] = ()  # whose names are policies of this arena

    def __post_init__(self) -> None:
        """Check what the command line lets people choose."""
        for name, low in (("num_episodes", 1), ("seed", 0)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < low:
                raise ConfigError(name, value, f"an integer of at least {low}")
        if (self.seat is None) != (self.partners is None):
            raise ConfigError("partners", self.partners, "given together with a seat, or neither")

    @property
    @abstractmethod
    def title(self) -> str:
        """What stands above the table."""

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """Return the arena as JSON values."""

    def table_of_learned(self, policy: str) -> Table:
        """Return who sits where when a learned policy plays an arena without a seat."""
        return Table(name=policy, everyone=policy)

    @property
    def tables(self) -> tuple[Table, ...]:
        """Who sits where in the lineups, with and without models, that are policies here."""
        return (*self.lineups, *(self.models.tables if self.models is not None else ()))

    @property
    def table_names(self) -> frozenset[str]:
        """The policies that are tables at which models sit."""
        tables = self.models.tables if self.models is not None else ()
        return frozenset(table.name for table in tables)

    def with_models(self, models: ModelsConfig) -> Self:
        """Return the arena with the tables of `models` in the place of the stub models.

        Raises:
            ConfigError: a table has the name of another policy.
        """
        stubs = [name for name in self.policies if name.startswith(STUB_PREFIX)]
        at = self.policies.index(stubs[0]) if stubs else len(self.policies)
        others = [name for name in self.policies if name not in stubs]
        tables = [table.name for table in models.tables]
        for name in tables:
            if name in others:
                allowed = f"another name: a lineup of {self.name} is called so"
                raise ConfigError("models or tables", name, allowed)
        return replace(
            self,
            models=models,
            policies=(*others[:at], *tables, *others[at:]),
            shown_policy=tables[0] if self.shown_policy in stubs else self.shown_policy,
        )

    def with_trained(self, trained: Sequence[SeatedTraining]) -> Self:
        """Return the arena with trainings as further policies.

        Raises:
            ConfigError: a name is that of another policy.
        """
        policies = list(self.policies)
        for each in trained:
            if each.name in (*policies, *LEARNED):
                allowed = "a folder of a name that no other policy here has"
                raise ConfigError("--trained", each.name, allowed)
            if not NAME.fits(each.name):
                raise ConfigError("--trained", each.name, f"a folder named by {NAME.allowed}")
            policies.append(each.name)
        return replace(self, trained=(*self.trained, *trained), policies=tuple(policies))

    def players(self, policy: str) -> tuple[str, ...]:
        """Return who plays the episodes of a policy: itself, or its training seeds."""
        seeds = (each.players for each in self.trained if each.name == policy)
        return next(seeds, (policy,))

    def training_of(self, player: str) -> SeatedTraining | None:
        """Return the training of which a player is a seed; None for all other policies."""
        return next((each for each in self.trained if player in each.players), None)

    def with_policies(self, wanted: Sequence[str]) -> Self:
        """Return the arena with these of its policies alone, in its own order.

        If the one that the figure follows is not among them, it follows the first table of models
        or, without one, the first policy.
        """
        for name in wanted:
            if name not in self.policies:
                raise ConfigError("policies", name, f"some of {', '.join(self.policies)}")
        chosen = tuple(name for name in self.policies if name in wanted)
        tables = [name for name in chosen if name in self.table_names]
        shown = self.shown_policy if self.shown_policy in chosen else (tables or chosen)[0]
        return replace(self, policies=chosen, shown_policy=shown)

    def _told(self) -> dict[str, Any]:
        """Return what arenas of all games have as JSON values, but where a model is served."""
        told: dict[str, Any] = {name: getattr(self, name) for name in _PLAIN}
        told["contracts"] = [condition.to_dict() for condition in self.conditions]
        told["policies"] = list(self.policies)
        told["lineups"] = [table.to_dict() for table in self.lineups]
        told["measures"] = list(self.measures)
        if self.models is not None:
            models = self.models.to_dict()
            for model in models["models"].values():
                del model["client"]
            told |= {name: models[name] for name in ("models", "tables", "judge")}
        if self.trained:
            told["trained"] = [each.to_dict() for each in self.trained]
        return told

    @staticmethod
    def _read(told: Mapping[str, Any]) -> dict[str, Any]:
        """Return the fields that `_told` told of, but for the conditions."""
        from benchmarks.seated_training import SeatedTraining

        return {
            **{name: told[name] for name in _PLAIN},
            "policies": tuple(told["policies"]),
            "lineups": tuple(Table(**table) for table in told["lineups"]),
            "measures": tuple(told["measures"]),
            "models": ModelsConfig.from_record(told) if "models" in told else None,
            "trained": tuple(map(SeatedTraining.from_dict, told.get("trained", ()))),
        }

    def condition(self, name: str) -> ConditionT:
        """Return the condition of this name. Raises `ConfigError` where there is none."""
        by_name = {condition.name: condition for condition in self.conditions}
        if name not in by_name:
            raise ConfigError("contract", name, f"one of {', '.join(by_name)}")
        return by_name[name]

    def plays(self, policy: str, condition: ConditionT) -> bool:
        """Whether the policy is played under the condition: a training under its own."""
        own = (each.contract for each in self.trained if each.name == policy)
        return next(own, condition.name) == condition.name


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A policy under a condition, both by name; of a training, one training seed of it."""

    policy: str
    contract: str


def cells_of(arena: Arena[Any]) -> list[Cell]:
    """Return the arena's cells in the order of its tables."""
    return [
        Cell(policy=player, contract=condition.name)
        for policy in arena.policies
        for condition in arena.conditions
        if arena.plays(policy, condition)
        for player in arena.players(policy)
    ]
