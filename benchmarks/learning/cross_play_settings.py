"""What a cross-play is of: a world, its contracts, and who plays with whom."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Annotated, Any, cast

from benchmarks.arena import LEARNED
from benchmarks.checked import Checked, ModelConfigError, Rule, TableReader, one_of, whole
from benchmarks.cleanup.arena import CleanupArena, Scenario, wage_for_cleaning
from benchmarks.cleanup.conditions import Fixed, Negotiated
from benchmarks.cleanup.policies import POLICIES
from benchmarks.learning.trained_players import TrainedPlayers
from benchmarks.suite_file import suite_named
from cleanup_icn import CleanupConfig, ConfigError
from cleanup_icn.contracts import Contract

_SMOKE = cast(CleanupArena, suite_named("cleanup-smoke").arenas[0])

DEFAULT = "default"
"""The name of the settings that hold where no file says otherwise, and of the default world."""

PPO = "ppo-"
"""How policies are called that are trained for a cross-play; the training seed's number follows."""

_DEFAULT_WORLD = replace(
    _SMOKE,
    name=DEFAULT,
    description="Cleanup as it is by default, under a wage that makes the optimum an equilibrium",
    scenario=Scenario(
        name="default, nothing changes",
        config=CleanupConfig.create(),
        pollution_initial=(0, 5),
        fruit_initial=(0, 20),
    ),
    conditions=(
        Fixed(name="none", contract=Contract()),
        Fixed(name="fixed", contract=wage_for_cleaning(0.6)),
        Negotiated(
            name="icn",
            judge="change",
            menu=(Contract(), *map(wage_for_cleaning, (0.2, 0.4, 0.6, 0.8, 1.0))),
        ),
    ),
)

WORLDS: Mapping[str, CleanupArena] = {
    _SMOKE.name: _SMOKE,
    DEFAULT: _DEFAULT_WORLD,
}
"""The worlds with their contract conditions."""

_KNOWN = tuple(name for name in POLICIES if name not in LEARNED)


def _are_policies(value: object) -> bool:
    if not isinstance(value, list | tuple) or not value:
        return False
    return all(name in _KNOWN for name in value) and len(set(value)) == len(value)


_POLICIES = Rule(f"different ones of {', '.join(_KNOWN)}", _are_policies, keep=tuple)


@dataclass(frozen=True, kw_only=True)
class CrossPlaySettings(Checked):
    """What a file says, or what holds where it is silent."""

    world: Annotated[str, one_of(tuple(WORLDS))] = _SMOKE.name
    policies: Annotated[tuple[str, ...], _POLICIES] = tuple(
        name for name in _SMOKE.policies if name not in LEARNED
    )
    ppo_seeds: Annotated[int, whole(0)] = 3  # policies trained for each contract
    ppo_agent_steps: Annotated[int, whole(1)] = 200_000  # experience of each
    episodes: Annotated[int, whole(1)] = 10  # a cell
    seed: Annotated[int, whole(0)] = 0  # of starts, dice, agents; training seeds count up from it


@dataclass(frozen=True, kw_only=True)
class CrossPlay:
    """Everything that is played: under each condition every player meets every player.

    The one takes seat 0, the other all other seats; a player meets itself too.
    """

    settings: CrossPlaySettings
    trained: tuple[TrainedPlayers, ...] = ()
    arena: CleanupArena = field(init=False)

    def __post_init__(self) -> None:
        """Make the arena of the world and the settings."""
        settings = self.settings
        arena = replace(
            WORLDS[settings.world],
            num_episodes=settings.episodes,
            seed=settings.seed,
            training_agent_steps=settings.ppo_agent_steps,
        )
        object.__setattr__(self, "arena", arena)
        names = [each.name for each in self.trained]
        taken = (PPO.removesuffix("-"), *settings.policies)
        if len({*names, *taken}) < len(names) + len(taken):
            allowed = f"folders of different names, and none that is called {', '.join(taken)}"
            raise ConfigError("--trained", names, allowed)

    def players(self, contract: str) -> tuple[str, ...]:
        """Return who plays under a condition, in the order of rows and columns."""
        trained = (each for each in self.trained if each.contract == contract)
        return (
            *self.settings.policies,
            *self.group(PPO.removesuffix("-"), contract),
            *(name for each in trained for name in each.player_names),
        )

    def group(self, name: str, contract: str) -> tuple[str, ...]:
        """Return the players that differ in their training seed alone."""
        if name == PPO.removesuffix("-"):
            return tuple(f"{PPO}{seed}" for seed in range(self.settings.ppo_seeds))
        found = (each for each in self.trained if (each.name, each.contract) == (name, contract))
        return tuple(player for each in found for player in each.player_names)

    def group_names(self, contract: str) -> tuple[str, ...]:
        """Return the groups of players that were trained alike."""
        own = (PPO.removesuffix("-"),) if self.settings.ppo_seeds else ()
        return (*own, *(each.name for each in self.trained if each.contract == contract))

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "kind": "cross-play",
            "settings": self.settings.to_dict(),
            "scenario": self.arena.scenario.to_dict(),
            "contracts": [condition.to_dict() for condition in self.arena.conditions],
            "trained": [each.to_dict() for each in self.trained],
        }


def load_cross_play(config: str, trained: Sequence[Path] = ()) -> CrossPlay:
    """Read a TOML file of settings, or take the default ones; seat the trainings in these folders.

    Raises:
        ConfigError: with everything that is wrong with the file, or a training of another world.
    """
    settings = CrossPlaySettings() if config == DEFAULT else _read(Path(config))
    arena = WORLDS[settings.world]
    return CrossPlay(
        settings=settings, trained=tuple(TrainedPlayers.of(path, arena) for path in trained)
    )


def _read(path: Path) -> CrossPlaySettings:
    try:
        written = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        allowed = f"{DEFAULT!r}, or a readable TOML file ({why})"
        raise ConfigError("--config", str(path), allowed) from None
    reader = TableReader(f"{path}: ")
    known = [each.name for each in fields(CrossPlaySettings)]
    reader.refuse_unknown("the file", written, known)
    given = {name: value for name, value in written.items() if name in known}
    settings = reader.made(CrossPlaySettings, "", given)
    if settings is None or reader.problems:
        raise ModelConfigError(reader.problems)
    return settings
