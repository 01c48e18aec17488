"""The tables that a run is exported as: a row an episode, or a row an agent and turn.

Rows come in the order of the run's tables, whatever the order of play, and hold nothing of where or
when a run was played but the times named in `TIMES`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import Enum
from typing import Any, NamedTuple

from agents import Call
from benchmarks.arena import Arena
from benchmarks.cleanup import arena as cleanup
from benchmarks.cleanup.runner import EpisodeResult, StepRecord
from benchmarks.episode_row import EpisodeRow
from benchmarks.export_words import action_in_words
from benchmarks.kinds import kind_of, read_record
from benchmarks.lineups import players_by_seat
from benchmarks.negotiation import arena as negotiation
from benchmarks.negotiation.runner import NegotiationResult
from benchmarks.report.cleanup_transcript import taken_apart
from benchmarks.store import RunReader
from benchmarks.suite import Suite

TIMES = ("started_at", "ended_at", "wall_s", "latency_s")
"""The columns in which exports of equal runs may differ."""

EPISODES, TURNS = "episodes", "turns"
WHATS = (EPISODES, TURNS)

Row = dict[str, Any]
"""The cells of a row by column; what is not there is None."""


class CellType(Enum):
    """What stands in a column, where it is not empty."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    TIME = "time"  # ISO 8601, UTC


class Column(NamedTuple):
    """A column of a table."""

    name: str
    type: CellType


def _columns(kind: CellType, names: str) -> tuple[Column, ...]:
    return tuple(Column(name, kind) for name in names.split())


_TEXT, _INTEGER, _NUMBER, _TIME = CellType
_MALFORMED = "malformed"

# What an arena measures under the name of a column of all games: shares and counts are not mixed.
_OTHER_NAMES: Mapping[str, Mapping[str, str | None]] = {
    cleanup.GAME: {_MALFORMED: None},  # the count, as it stands in the column of that name
    negotiation.GAME: {_MALFORMED: "malformed_share"},
}
_OF_RUN = (
    *_columns(_INTEGER, "number"),
    *_columns(_TEXT, "arena game world incentives contract policy"),
    *_columns(_INTEGER, "training_seed episode"),
)
_COST = (
    *_columns(_INTEGER, "calls prompt_tokens completion_tokens"),
    *_columns(_NUMBER, "latency_s"),
)
_OF_TURN: Mapping[str, tuple[Column, ...]] = {
    cleanup.GAME: (
        *_columns(_INTEGER, "step"),
        *_columns(_TEXT, "phase"),
        *_columns(_NUMBER, "reward transfer"),
        *_columns(_INTEGER, "pollution fruit"),
    ),
    negotiation.GAME: (
        *_columns(_TEXT, "deal"),
        *_columns(_INTEGER, "own_score"),
        *_columns(_NUMBER, "collective_score"),
        *_columns(_INTEGER, "agreeing illegal"),
    ),
}


def columns_of(suite: Suite, what: str, *, with_scratchpads: bool = False) -> tuple[Column, ...]:
    """Return the columns of a run's table; with several games, those of all of them.

    Args:
        suite: of the run.
        what: `EPISODES` or `TURNS`.
        with_scratchpads: whether answers are there in full, with what nobody else heard.

    """
    games = list(dict.fromkeys(arena.game for arena in suite.arenas))
    head = [c for c in _OF_RUN if c.name != "incentives" or negotiation.GAME in games]
    if what == EPISODES:
        measured = dict.fromkeys(
            name for arena in suite.arenas for name in _measures(arena).values()
        )
        return (
            *head,
            *_columns(_INTEGER, "seed"),
            *(Column(name, _NUMBER) for name in measured),
            *_columns(_INTEGER, _MALFORMED),
            *_COST,
            *_columns(_TIME, "started_at ended_at"),
            *_columns(_NUMBER, "wall_s"),
        )
    return (
        *head,
        *_columns(_INTEGER, "turn"),
        *_columns(_TEXT, "agent player"),
        *_columns(_INTEGER, "action"),
        *_columns(_TEXT, "action_text said status"),
        *(column for game in games for column in _OF_TURN[game]),
        *_COST,
        *(_columns(_TEXT, "answer") if with_scratchpads else ()),
    )


class RunRows:
    """The rows of a run's tables.

    Args:
        reader: of the run.
        suite: that it plays.
    """

    def __init__(self, reader: RunReader, suite: Suite) -> None:
        self._reader = reader
        self._arenas = {arena.name: arena for arena in suite.arenas}
        self._measures = {arena.name: _measures(arena) for arena in suite.arenas}
        self._players: dict[tuple[str, str, str], Mapping[str, str]] = {}

    def of(self, what: str) -> Iterator[Row]:
        """Yield the rows of a table; one episode at a time is in memory.

        Raises:
            ConfigError: a record is not one that this version writes.
        """
        return self._episodes() if what == EPISODES else self._turns()

    def _episodes(self) -> Iterator[Row]:
        names = ("seed", _MALFORMED, *(column.name for column in _COST), *TIMES)
        for number, row in enumerate(self._reader.rows()):
            measured = {
                column: _number(row.measures.get(name))
                for name, column in self._measures[row.arena].items()
            }
            told = {name: getattr(row, name) for name in names}
            yield {**_head(self._arenas[row.arena], number, row), **measured, **told}

    def _turns(self) -> Iterator[Row]:
        for number, kept in enumerate(self._reader.episodes()):
            arena = self._arenas[kept.row.arena]
            head, players = _head(arena, number, kept.row), self._players_of(kept.row)
            for turn in _TURNS_OF[arena.game](arena, read_record(arena, kept.record)):
                yield {**head, "player": players[turn["agent"]], **turn}

    def _players_of(self, row: EpisodeRow) -> Mapping[str, str]:
        cell = (row.arena, row.policy, row.contract)
        if cell not in self._players:
            self._players[cell] = _players(self._arenas[row.arena], row.policy, row.contract)
        return self._players[cell]


def _measures(arena: Arena[Any]) -> dict[str, str]:
    """Return the columns of what an arena measures, by the names that they have in rows."""
    named = _OTHER_NAMES[arena.game]
    found = {name: named.get(name, name) for name in kind_of(arena).measures}
    return {name: column for name, column in found.items() if column is not None}


def _number(measured: float | None) -> float | None:
    return None if measured is None else float(measured)


def _head(arena: Arena[Any], number: int, row: EpisodeRow) -> Row:
    training = arena.training_of(row.policy)
    condition = arena.condition(row.contract)
    if isinstance(arena, cleanup.CleanupArena):
        world, incentives = arena.scenario.name, None
    else:
        world, incentives = condition.game, condition.incentives
    return {
        "number": number,
        "arena": row.arena,
        "game": arena.game,
        "world": world,
        "incentives": incentives,
        "contract": row.contract,
        "policy": row.policy if training is None else training.name,
        "training_seed": None if training is None else int(row.policy.rpartition("/")[2]),
        "episode": row.episode,
    }


def _players(arena: Arena[Any], policy: str, contract: str) -> dict[str, str]:
    """Return who plays each seat, by the name of the policy or training."""
    kind = kind_of(arena)
    seats = kind.seat_names(kind.make_env(arena, arena.condition(contract)))
    training = arena.training_of(policy)
    return players_by_seat(arena, policy if training is None else training.name, seats)


def _cleanup_turns(arena: cleanup.CleanupArena, result: EpisodeResult) -> Iterator[Row]:
    menu = getattr(arena.condition(result.contract), "menu", ())
    for turn, step in enumerate(result.steps):
        for seat, agent in enumerate(result.agents):
            act, cost = _cleanup_act(step, seat, menu), _cost(step.calls[seat])
            yield {"turn": turn, "agent": agent, **act, **cost}


def _cleanup_act(step: StepRecord, seat: int, menu: Sequence[Any]) -> Row:
    action, answer = step.actions[seat], step.answers[seat]
    return {
        "step": step.step,
        "phase": step.phase,
        "action": action if isinstance(action, int) else None,
        "action_text": action_in_words(step.phase, action, menu),
        "said": taken_apart(answer)[0],
        "status": step.statuses[seat],
        "reward": step.game_rewards[seat],
        "transfer": step.transfers[seat],
        "pollution": step.pollution,
        "fruit": step.fruit,
        "answer": answer,
    }


def _negotiation_turns(
    _arena: negotiation.NegotiationArena, result: NegotiationResult
) -> Iterator[Row]:
    for number, turn in enumerate(result.turns):
        yield {
            "turn": number,
            "agent": turn.party,
            "action": turn.action,
            "action_text": "no proposal" if turn.deal is None else f"propose {turn.deal}",
            "said": turn.public,
            "status": turn.status,
            "deal": turn.deal,
            "own_score": turn.own_score,
            "collective_score": turn.collective_score,
            "agreeing": turn.agreeing,
            "illegal": turn.illegal,
            **_cost(turn.calls),
            "answer": turn.answer,
        }


_TURNS_OF: Mapping[str, Callable[[Any, Any], Iterator[Row]]] = {
    cleanup.GAME: _cleanup_turns,
    negotiation.GAME: _negotiation_turns,
}


def _cost(calls: Sequence[Call]) -> Row:
    return {
        "calls": len(calls),
        "prompt_tokens": sum(call.prompt_tokens for call in calls),
        "completion_tokens": sum(call.completion_tokens for call in calls),
        "latency_s": float(sum(call.latency_s for call in calls)),
    }
