"""Episodes of a run played again from their records, without any model."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from agents.llm import ChatError
from agents.llm.recorded_client import RecordedClient
from benchmarks.cells import seat_players
from benchmarks.driver import play
from benchmarks.judging import judge_of
from benchmarks.kinds import Episode, is_judged_by_model, kind_of, read_record
from benchmarks.model_config import ClientSpec, JudgeSpec, ModelsConfig, ModelSpec, Table
from benchmarks.seated_training import SeatedTraining
from benchmarks.speakers import Speakers
from benchmarks.store import differences
from benchmarks.suite import Cell, Suite
from benchmarks.suites import suite_named
from cleanup_icn import ConfigError


@dataclass(frozen=True, kw_only=True)
class Replayed:
    """One episode played again."""

    policy: str
    contract: str
    episode: int
    difference: str | None  # the first place where it is not what was recorded; None: nowhere

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "policy": self.policy,
            "contract": self.contract,
            "episode": self.episode,
            "difference": self.difference,
        }


def replay_run(
    about: Mapping[str, Any], records: Iterable[Mapping[str, Any]], *, folder: Path
) -> Iterator[Replayed]:
    """Play episodes again; models answer what was recorded, all others decide anew.

    Args:
        about: what the run says of itself, as in ``run.json``.
        records: of the episodes.
        folder: of the run, where the checkpoints of learned policies are.

    Raises:
        ConfigError: the run is not one that this version can play.
    """
    suite = suite_from_dict(about["suite"])
    for record in records:
        recorded = read_record(suite, record)
        yield Replayed(
            policy=recorded.policy,
            contract=recorded.contract,
            episode=recorded.episode,
            difference=_difference(suite, recorded, record, folder),
        )


def suite_from_dict(told: Mapping[str, Any]) -> Suite[Any]:
    """Return the suite that a run said it plays, with models that cannot be asked.

    Raises:
        ConfigError: it is no built-in suite, or that suite has changed since.
    """
    try:
        models = _models_from_dict(told)
        named = suite_named(told["name"])
        seated = named if models is None else named.with_models(models)
        suite = replace(
            seated,
            num_episodes=told["num_episodes"],
            seed=told["seed"],
            policies=tuple(told["policies"]),
            trained=tuple(map(SeatedTraining.from_dict, told.get("trained", ()))),
        )
    except (KeyError, TypeError) as error:
        allowed = f"a suite as this version writes it ({error})"
        raise ConfigError("suite", told.get("name"), allowed) from error
    for key, then, now in differences(dict(told), suite.to_dict()):
        raise ConfigError(f"suite {suite.name}: {key}", then, f"{now!r}, as it is in this version")
    return suite


def _models_from_dict(told: Mapping[str, Any]) -> ModelsConfig | None:
    if "models" not in told:
        return None
    nowhere = ClientSpec(kind="stub")
    judge = told.get("judge")
    return ModelsConfig(
        models={
            name: ModelSpec(**{**spec, "client": nowhere}) for name, spec in told["models"].items()
        },
        tables=tuple(Table(**table) for table in told["tables"]),
        judge=JudgeSpec(**judge) if judge else None,
    )


def _difference(
    suite: Suite[Any], recorded: Episode, record: Mapping[str, Any], folder: Path
) -> str | None:
    try:
        again = _play_again(suite, recorded, folder)
    except ChatError as error:
        return str(error)
    found = differences(dict(record), json.loads(json.dumps(again.to_dict())))
    return next((f"{key}: {was!r} was recorded, now {now!r}" for key, was, now in found), None)


def _play_again(suite: Suite[Any], recorded: Episode, folder: Path) -> Any:
    kind = kind_of(suite)
    cell = Cell(policy=recorded.policy, contract=recorded.contract)
    condition = suite.condition(cell.contract)
    judge = None
    if suite.models is not None and is_judged_by_model(condition):
        answers = RecordedClient(recorded.judge_calls)
        judge = judge_of(suite.models, suite, recorded.episode, lambda _model: answers)
    env = kind.make_env(suite, condition, ask=judge)
    if cell.policy in suite.table_names and suite.models is not None:
        calls = recorded.calls_by_seat()
        speakers = Speakers(suite.models, lambda _model, seat: RecordedClient(calls[seat]))
        table = next(t for t in suite.models.tables if t.name == cell.policy)
        agents = kind.seat_table(table, env, speakers)
    else:
        agents = seat_players(suite, cell, env, run=folder)
    game = kind.begin(suite, cell, recorded.episode, env=env, agents=agents, judge=judge)
    return play(game, agents)
