"""Learning with partners: one seat learns among policies drawn for every episode.

It is tested with each of the partners that it learned with and with others that it never met.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from benchmarks.drift import differences
from benchmarks.learning.bot_rows import ROW_POLICIES, row_policy
from benchmarks.learning.cleanup import CleanupExperiment
from benchmarks.learning.experiment import (
    ACTION_SEED,
    SHARED,
    Experiment,
    Measure,
    Measured,
    Policy,
    Reference,
)
from benchmarks.learning.frozen import StartSet
from benchmarks.learning.seeds import TEST, Seeds, episode_seeds
from benchmarks.learning.terms import DrawnContract, Terms
from cleanup_icn import CleanupConfig, ConfigError
from cleanup_icn.observe import agent_names
from cleanup_icn.starts import Starts

if TYPE_CHECKING:
    from agents.ppo.batch import RowPolicy
    from benchmarks.learning.folder import TrainingFolder

Floats = npt.NDArray[np.float64]

MEASURES = (
    Measure("own_return", "own return"),
    Measure("own_return_held_out", "held-out partners"),
    Measure("efficiency", "efficiency"),
    Measure("efficiency_held_out", "held-out partners"),
)


class Met(NamedTuple):
    """Episodes with one partner, (E,) each."""

    own: Floats  # return of the seat that learns, transfers included
    welfare: Floats  # of all agents
    optimum: Floats  # the social optimum from the same starts


@dataclass(frozen=True, kw_only=True)
class PartnerExperiment(Experiment):
    """Cleanup under one contract, in which one seat learns; its own return is the score.

    Partners are names of `benchmarks.learning.bot_rows.ROW_POLICIES` or folders that `commonweal
    train` left, of which each training seed is a partner. All other seats are taken
    by partners of the same population, each drawn by itself for every episode.

    Raises:
        ConfigError: an unknown partner, one trained in another world or under another contract or
            one on both sides, or a seat or a contract that cannot be.
    """

    config: CleanupConfig
    starts: Starts
    terms: DrawnContract
    seat: int
    partners: tuple[str, ...]  # to learn with
    held_out: tuple[str, ...]  # to be tested with

    def __post_init__(self) -> None:
        """Check what the parts do not check alone."""
        names = agent_names(self.config.num_agents)
        if self.seat not in range(len(names)):
            raise ConfigError("partners.seat", self.seat, f"one of {', '.join(names)}")
        if self.sharing != SHARED:
            raise ConfigError("training.sharing", self.sharing, f"{SHARED!r}: one seat learns")
        if len(self.terms.contracts) != 1:
            raise ConfigError("contract.kind", self.terms.kind, '"none" or "fixed"')
        for key, given in (("training", self.partners), ("held_out", self.held_out)):
            if not given:
                raise ConfigError(f"partners.{key}", list(given), "at least one partner")
            for name in given:
                self._check_partner(f"partners.{key}", name)
        both = {*map(_who, self.partners)} & {*map(_who, self.held_out)}
        if both:
            raise ConfigError("partners.held_out", min(both), "a partner that is not learned with")

    def _check_partner(self, key: str, name: str) -> None:
        if name in ROW_POLICIES:
            return
        if not Path(name).is_dir():
            allowed = f"one of {', '.join(ROW_POLICIES)}, or the folder of a training"
            raise ConfigError(key, name, allowed)
        self._open(Path(name))

    @property
    def measures(self) -> Sequence[Measure]:
        """The own return first."""
        return MEASURES

    @property
    def references(self) -> Sequence[Reference]:
        """What the best script earns in this seat with the partners to learn with."""
        seeds = episode_seeds(TEST, self.evaluation.episodes)
        earned = {
            name: float(self._meet(self._script(name), self._training, seeds).own.mean())
            for name in ROW_POLICIES
        }
        best = max(earned, key=lambda name: earned[name])
        return (Reference(f"best script, {best}", earned[best]),)

    def make_batch(self, num_lanes: int) -> Any:
        """Make lanes to train on, of one agent each."""
        return self._seated(num_lanes, self._training, auto_reset=True)

    def evaluate(self, policy: Policy, seeds: Seeds, *, complete: bool = True) -> Measured:
        """Play the episodes of these seeds; a complete evaluation meets every partner in each."""
        own: Any = policy
        if not complete:
            met = self._meet(own, self._training, seeds)
            return {"measures": {MEASURES[0].name: float(met.own.mean())}}
        every = {**self._training, **self._unknown}
        by_partner = {name: self._meet(own, {name: each}, seeds) for name, each in every.items()}
        known = [by_partner[name] for name in self._training]
        unknown = [by_partner[name] for name in self._unknown]
        values = (_own(known), _own(unknown), _efficiency(known), _efficiency(unknown))
        measures = {measure.name: value for measure, value in zip(MEASURES, values, strict=True)}
        episodes = {
            name: {
                "held_out": name in self._unknown,
                "own_return": float(met.own.mean()),
                "efficiency": _efficiency([met]),
                **{key: each.tolist() for key, each in met._asdict().items()},
            }
            for name, met in by_partner.items()
        }
        return {"measures": measures, "episodes": episodes}

    def details(self, results: Sequence[Mapping[str, Any]]) -> Sequence[Any]:
        """Return how the seat does with each partner."""
        from benchmarks.learning.partners_table import render_partners

        return [render_partners(results)]

    def to_dict(self) -> dict[str, Any]:
        """Return the experiment as JSON values."""
        ranges = [list(self.starts.pollution_initial), list(self.starts.fruit_initial)]
        return {
            "game": "partners",
            "name": self.name,
            "world": {**self.config.to_dict(), "starts": ranges},
            "contract": self.terms.to_dict(),
            "partners": {
                "seat": self.seat,
                "training": list(self.partners),
                "held_out": list(self.held_out),
            },
            **self._learning_to_dict(),
        }

    @property
    def _training(self) -> dict[str, RowPolicy]:
        return self._named(self.partners)

    @property
    def _unknown(self) -> dict[str, RowPolicy]:
        return self._named(self.held_out)

    def _named(self, names: Sequence[str]) -> dict[str, RowPolicy]:
        found: dict[str, RowPolicy] = {}
        for name in names:
            if name in ROW_POLICIES:
                found[name] = self._script(name)
            else:
                found |= self._trained(Path(name))
        return found

    def _script(self, name: str) -> RowPolicy:
        return row_policy(name, self.config, self.terms.contracts[0])

    def _trained(self, path: Path) -> dict[str, RowPolicy]:
        """Return what every training seed of a folder learned."""
        from benchmarks.learning.runs import load_learned

        folder, experiment = self._open(path)
        found: dict[str, RowPolicy] = {}
        for seed in folder.finished_seeds():
            policy: Any = load_learned(experiment, folder.of_seed(seed))
            found[f"{path}/seed-{seed}"] = policy
        return found

    def _open(self, path: Path) -> tuple[TrainingFolder, Experiment]:
        """Return a training whose policies can take any seat in this world and contract."""
        from benchmarks.learning.folder import open_training

        folder, experiment = open_training(path)
        if not isinstance(experiment, CleanupExperiment | PartnerExperiment):
            raise ConfigError("partners", str(path), "a training of cleanup or partners")
        theirs, ours = (_game(each.config, each.terms) for each in (experiment, self))
        for key, trained, played in differences(theirs, ours):
            raise ConfigError(f"partners: {path}: {key}", trained, f"{played!r}, as here")
        if experiment.sharing != SHARED:
            allowed = f"{SHARED!r}: a partner may take any seat"
            raise ConfigError(f"partners: {path}: sharing", experiment.sharing, allowed)
        if not folder.finished_seeds():
            raise ConfigError("partners", str(path), "a training with a finished seed")
        return folder, experiment

    def _lanes(self, num_lanes: int, *, auto_reset: bool) -> Any:
        return self.terms.make_batch(
            self.config, num_lanes, starts=self.starts, auto_reset=auto_reset
        )

    def _seated(
        self, num_lanes: int, partners: Mapping[str, RowPolicy], *, auto_reset: bool
    ) -> Any:
        from agents.ppo import OneSeat

        population = tuple(partners.values())
        others = [i for i in range(self.config.num_agents) if i != self.seat]
        lanes = self._lanes(num_lanes, auto_reset=auto_reset)
        return OneSeat(lanes, self.seat, dict.fromkeys(others, population))

    def _meet(self, own: RowPolicy, partners: Mapping[str, RowPolicy], seeds: Seeds) -> Met:
        from agents.ppo import play_episodes

        welfare = np.zeros(len(seeds))

        def note(step: Any, playing: npt.NDArray[np.bool_]) -> None:
            features = step[-1]
            welfare[:] += features.game_reward.sum(axis=1) * playing

        played = play_episodes(
            self._seated(len(seeds), partners, auto_reset=False),
            own,
            seeds=seeds,
            action_seed=ACTION_SEED,
            deterministic=self.evaluation.deterministic,
            on_step=note,
        )
        starts = StartSet.drawn(self.starts, seeds)
        return Met(played.returns[:, 0], welfare, starts.optimum(self.config))


def _who(name: str) -> str:
    """Return a script's name, or where a folder is, however it was written."""
    return name if name in ROW_POLICIES else str(Path(name).resolve())


def _game(config: CleanupConfig, terms: Terms) -> dict[str, Any]:
    """Return what is played, as JSON values; what a contract is called does not belong to it."""
    told = {key: value for key, value in terms.to_dict().items() if key != "kind"}
    return {"world": config.to_dict(), "contract": told}


def _own(met: Sequence[Met]) -> float:
    return float(np.mean([each.own.mean() for each in met]))


def _efficiency(met: Sequence[Met]) -> float:
    """Return welfare over the optimum, summed over partners and episodes."""
    best = float(sum(each.optimum.sum() for each in met))
    return float(sum(each.welfare.sum() for each in met)) / best if best > 0.0 else 1.0
