"""Episodes of a run played again from their records, without any model."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from agents.llm import ChatError
from agents.llm.recorded_client import RecordedClient
from benchmarks.arena import Arena, Cell
from benchmarks.cells import seat_players
from benchmarks.drift import differences
from benchmarks.driver import play
from benchmarks.episode_row import KeptEpisode
from benchmarks.judging import judge_of
from benchmarks.kinds import Episode, is_judged_by_model, kind_of, read_record
from benchmarks.lineups import lineup_of
from benchmarks.speakers import Speakers
from benchmarks.store import RunReader
from benchmarks.suite import Suite
from benchmarks.work import Stopwatch, kept_episode


@dataclass(frozen=True, kw_only=True)
class Replayed:
    """One episode played again."""

    number: int  # of the run's episodes, from 0
    arena: str
    policy: str
    contract: str
    episode: int  # of its cell, from 0
    difference: str | None  # the first place where it is not what was recorded; None: nowhere

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return asdict(self)


def replay_run(reader: RunReader, *, number: int | None = None) -> Iterator[Replayed]:
    """Play the episodes again, or the one of this number; one at a time is in memory.

    Models answer what was recorded, all others decide anew; learned policies play the checkpoints
    in the run's folder.

    Raises:
        ConfigError: the run is not one that this version can play, or has no such episode.
    """
    suite = Suite.from_dict(reader.about["suite"])
    chosen: Iterator[tuple[int, KeptEpisode]] = enumerate(reader.episodes())
    if number is not None:
        chosen = iter([(number, reader.episode(number))])
    for index, kept in chosen:
        row = kept.row
        yield Replayed(
            number=index,
            arena=row.arena,
            policy=row.policy,
            contract=row.contract,
            episode=row.episode,
            difference=_difference(suite.arena(row.arena), kept, reader.path),
        )


def _difference(arena: Arena[Any], kept: KeptEpisode, run: Path) -> str | None:
    recorded = read_record(arena, kept.record)
    try:
        again = kept_episode(arena, _play_again(arena, recorded, run), Stopwatch())
    except ChatError as error:
        return str(error)
    found = differences(_told(kept), _told(again))
    return next((f"{key}: {was!r} was recorded, now {now!r}" for key, was, now in found), None)


def _told(kept: KeptEpisode) -> dict[str, Any]:
    """Return all of an episode but when it was played, as JSON values."""
    times = ("started_at", "ended_at", "wall_s")
    row = {name: value for name, value in asdict(kept.row).items() if name not in times}
    told: dict[str, Any] = json.loads(json.dumps({**kept.record, "row": row}))
    return told


def _play_again(arena: Arena[Any], recorded: Episode, run: Path) -> Any:
    kind = kind_of(arena)
    cell = Cell(policy=recorded.policy, contract=recorded.contract)
    condition = arena.condition(cell.contract)
    judge = None
    if arena.models is not None and is_judged_by_model(condition):
        answers = RecordedClient(recorded.judge_calls)
        judge = judge_of(arena.models, arena, recorded.episode, lambda _model: answers)
    env = kind.make_env(arena, condition, ask=judge)
    if cell.policy in arena.table_names and arena.models is not None:
        calls = recorded.calls_by_seat()
        speakers = Speakers(arena.models, lambda _model, seat: RecordedClient(calls.get(seat, ())))
        agents = kind.seat_table(lineup_of(arena, cell.policy), env, speakers)
    else:
        agents = seat_players(arena, cell, env, run=run)
    game = kind.begin(arena, cell, recorded.episode, env=env, agents=agents, judge=judge)
    return play(game, agents)
