"""Cross-play: every player meets every player under every contract, seat 0 against the others.

All cells play the same episodes: starts, dice and the agents' seeds depend on the run's seed, the
episode and the seat alone. So two cells can be compared episode by episode.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from agents import Agent
from benchmarks import training
from benchmarks.arena import Cell
from benchmarks.cleanup.conditions import Env
from benchmarks.cleanup.policies import make_agents
from benchmarks.cleanup.runner import EpisodeResult, begin, from_record
from benchmarks.cleanup.training import train_policy
from benchmarks.driver import play
from benchmarks.episode_row import KeptEpisode
from benchmarks.learning.cross_play_settings import PPO, CrossPlay
from benchmarks.learning.trained_players import seated
from benchmarks.store import PlannedCell, RunFolder
from benchmarks.work import Stopwatch, kept_episode
from benchmarks.workers import tell, workers

_AND = " + "  # between the names of the two players in a record

Report = Callable[[str, int], None]
"""Is told of progress: "agent_steps" or "episodes", and how many more were made."""


class Pairing(NamedTuple):
    """A cell: who takes seat 0 and who takes the others, under which contract."""

    contract: str
    row: str
    column: str

    @property
    def cell(self) -> Cell:
        """What its episodes are called in records."""
        return Cell(policy=f"{self.row}{_AND}{self.column}", contract=self.contract)

    @classmethod
    def of(cls, result: EpisodeResult) -> Pairing:
        """Return the cell of an episode."""
        row, _, column = result.policy.partition(_AND)
        return cls(result.contract, row, column)


Played = dict[Pairing, dict[int, EpisodeResult]]
"""The episodes of each cell by number."""


def pairings(setting: CrossPlay) -> list[Pairing]:
    """Return all cells, in the order of tables."""
    return [
        Pairing(condition.name, row, column)
        for condition in setting.arena.conditions
        for row in setting.players(condition.name)
        for column in setting.players(condition.name)
    ]


def open_folder(path: Path, setting: CrossPlay, *, resume: bool = False) -> RunFolder:
    """Open the folder of a run of this setting; see `RunFolder`."""
    arena, episodes = setting.arena.name, setting.settings.episodes
    cells = [
        PlannedCell(arena, cell.policy, cell.contract, episodes)
        for cell in (pairing.cell for pairing in pairings(setting))
    ]
    return RunFolder(path, setting.to_dict(), cells, resume=resume)


@dataclass(frozen=True)
class _Training:
    """A policy that is to be trained: which, and for which contract."""

    player: str
    contract: str


def play_all(
    setting: CrossPlay,
    folder: RunFolder,
    *,
    num_workers: int,
    report: Report = lambda _kind, _amount: None,
) -> Played:
    """Train what is to be trained, play what `folder` does not have, and return all episodes.

    The episodes are the same, whatever the number of processes; 0 plays in this one.

    Raises:
        BrokenProcessPool: if a process died.
    """
    played = _kept(setting, folder)
    report("episodes", sum(map(len, played.values())))
    trainings = [
        _Training(player, condition.name)
        for condition in setting.arena.conditions
        for player in setting.group(PPO.removesuffix("-"), condition.name)
    ]
    rows = _missing_by_row(setting, played)

    def keep(kept: KeptEpisode) -> None:
        folder.keep_episode(kept)
        _put(played, kept)
        report("episodes", 1)

    for work in (
        [_Work(_train, setting, folder.path, each) for each in trainings],
        [_Work(_play_row, setting, folder.path, each) for each in rows],
    ):
        for what, *message in _done(work, num_workers):
            if what == _EPISODE:
                keep(*message)
            else:
                report(*message)
    return played


class _Work(NamedTuple):
    """A function of this module, and what it works on."""

    function: Callable[..., Iterator[Any]]
    setting: CrossPlay
    folder: Path
    subject: Any


_EPISODE, _PROGRESS = "episode", "progress"


def _done(work: Sequence[_Work], num_workers: int) -> Iterator[Any]:
    """Yield what the work tells, done in this process or in several."""
    if num_workers == 0:
        for each in work:
            yield from each.function(each.setting, each.folder, each.subject)
        return
    with workers(num_workers) as processes:
        yield from processes.heard([processes.submit(_tell_all, each) for each in work])


def _tell_all(work: _Work) -> None:
    for message in work.function(work.setting, work.folder, work.subject):
        tell(message)


def _train(setting: CrossPlay, folder: Path, wanted: _Training) -> Iterator[Any]:
    """Train a policy unless it is there; the k-th has the run's seed + k."""
    out = _checkpoints(setting, folder, wanted.player, wanted.contract)
    steps = setting.settings.ppo_agent_steps
    if training.finished_checkpoint(out) is None:
        seed = setting.settings.seed + int(wanted.player.removeprefix(PPO))
        arena = replace(setting.arena, seed=seed)
        condition = arena.condition(wanted.contract)
        train_policy(arena, condition, out=out, on_agent_steps=lambda _: None)
    yield _PROGRESS, "agent_steps", steps


def _play_row(
    setting: CrossPlay, folder: Path, missing: Mapping[Pairing, Sequence[int]]
) -> Iterator[Any]:
    """Play episodes of some cells that have seat 0 in common."""
    first = next(iter(missing))
    env: Env = setting.arena.condition(first.contract).make_env(setting.arena.scenario.config)
    in_seat_0 = _agents(setting, folder, first.row, first.contract, env)
    for pairing, episodes in missing.items():
        elsewhere = _agents(setting, folder, pairing.column, pairing.contract, env)
        seat_0, *others = env.possible_agents
        agents = {seat_0: in_seat_0[seat_0], **{seat: elsewhere[seat] for seat in others}}
        for episode in episodes:
            watch = Stopwatch()
            under_way = begin(setting.arena, pairing.cell, episode, env=env, agents=agents)
            yield _EPISODE, kept_episode(setting.arena, play(under_way, agents), watch)


def _agents(
    setting: CrossPlay, folder: Path, player: str, contract: str, env: Env
) -> Mapping[str, Agent]:
    if player in setting.settings.policies:
        return make_agents(player, env)
    for trained in setting.trained:
        if trained.contract == contract and player in trained.player_names:
            return trained.agents(player, env)
    return seated(_policy(_checkpoints(setting, folder, player, contract) / "policy.zip"), env)


@lru_cache(maxsize=64)
def _policy(checkpoint: Path) -> Any:
    from agents.ppo import MaskedPolicy

    return MaskedPolicy.load(checkpoint)


def _checkpoints(setting: CrossPlay, folder: Path, player: str, contract: str) -> Path:
    arena = setting.arena
    return training.checkpoint_folder(folder, arena.name, player, arena.condition(contract))


def _kept(setting: CrossPlay, folder: RunFolder) -> Played:
    """Return the episodes of an earlier part of the run, by cell; every cell is there."""
    played: Played = {pairing: {} for pairing in pairings(setting)}
    with folder.reader() as reader:
        for kept in reader.episodes():
            _put(played, kept)
    return played


def _put(played: Played, kept: KeptEpisode) -> None:
    result = from_record(kept.record)
    played[Pairing.of(result)][result.episode] = result


def _missing_by_row(setting: CrossPlay, played: Played) -> list[dict[Pairing, list[int]]]:
    rows: dict[tuple[str, str], dict[Pairing, list[int]]] = {}
    for pairing, done in played.items():
        missing = [k for k in range(setting.settings.episodes) if k not in done]
        if missing:
            rows.setdefault(pairing[:2], {})[pairing] = missing
    return list(rows.values())
