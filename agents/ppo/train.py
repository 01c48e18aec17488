"""Training: from a batch to policies and their checkpoints, through kills and restarts."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from agents.ppo.batch import Batch
from agents.ppo.folder import (
    ProgressRow,
    checked_evaluation,
    identity,
    read_progress,
    require_same_training,
    write_progress,
)
from agents.ppo.global_state import restored_global_state
from agents.ppo.learner import Learner
from agents.ppo.network import MaskedPolicy
from agents.ppo.one_seat import OneSeat
from agents.ppo.scored_actions import ScoredActions
from agents.ppo.settings import PPOSettings

Evaluate = Callable[[MaskedPolicy], Mapping[str, float]]
EvaluateSeats = Callable[[tuple[MaskedPolicy, ...]], Mapping[str, float]]
OnProgress = Callable[[int], None]


@dataclass(frozen=True, eq=False, kw_only=True)
class TrainedPolicy:
    """What a training leaves: the policy as it ended and as it was best, and how it got there.

    Without an evaluation the last is the best.
    """

    policy: MaskedPolicy
    checkpoint: Path
    best: MaskedPolicy
    best_checkpoint: Path
    agent_steps: int
    progress: tuple[ProgressRow, ...]


def train(
    batch: Batch,
    settings: PPOSettings,
    *,
    seed: int,
    out: Path,
    evaluate: Evaluate | None = None,
    meta: Mapping[str, Any] | None = None,
    on_progress: OnProgress | None = None,
    scoring: ScoredActions | None = None,
) -> TrainedPolicy:
    """Train one policy for all seats by proximal policy optimization.

    Training goes in chunks of `settings.evaluate_every_rollouts` rollouts; at the start of each the
    batch is reset, so a chunk should hold whole episodes. A training that was killed goes on after
    its last whole chunk when called again, and ends with the same parameters as one that was not.
    The same seed, settings and versions give the same parameters. Global random state and PyTorch's
    thread count are afterwards as they were. Lanes are seeded from 2**31 on: see `lane_seeds`.

    Args:
        batch: the game, with `settings.num_lanes` lanes that restart by themselves.
        settings: every hyper-parameter.
        seed: a non-negative integer of at most 32 bits.
        out: folder of the training, made if missing; see `agents.ppo.folder` for what it holds. One
            in which another training stands raises `ValueError`.
        evaluate: judges the policy after every chunk by numbers, among them "score", the higher the
            better; on episodes that training never meets, as is the caller's to see to.
        meta: what else the checkpoints shall say about the training (JSON values).
        on_progress: is told the agent-steps made so far, once a rollout.
        scoring: makes the policy score actions by features; see `ScoredActions`.
    """
    _require_absent(out, "seat-0")
    learner = _learner(out, batch, settings, seed=seed, meta=meta, scoring=scoring)
    judge: EvaluateSeats | None = None
    if evaluate is not None:
        judge = lambda policies: evaluate(policies[0])  # noqa: E731  # named only to be passed on
    (trained,) = _train_in_turns(
        [learner], lambda _: batch, settings, out=out, evaluate=judge, on_progress=on_progress
    )
    return trained


def train_independent(
    batch: Batch,
    settings: PPOSettings,
    *,
    seed: int,
    out: Path,
    evaluate: EvaluateSeats | None = None,
    meta: Mapping[str, Any] | None = None,
    on_progress: OnProgress | None = None,
    scoring: ScoredActions | None = None,
) -> tuple[TrainedPolicy, ...]:
    """Train a policy for every seat, none of which sees what the others learn from.

    The learners take turns, a chunk each, seat by seat: while one learns, the others play what they
    have learned so far and stay as they are. With chunks that are short beside the whole training
    this comes near to all learning at once, and every learner faces players that stand still while
    it looks. A learner makes `settings.total_agent_steps` agent-steps of its own seat, so the game
    is played N times as long as under `train` for the same experience a policy.

    Each learner's folder is `out/seat-<index>`, as `train` leaves one; `out/progress.jsonl` has the
    evaluations, which are joint: the best policies of all seats are those of one and the same
    moment. Arguments are those of `train`; `evaluate` is given the policies of all seats, and
    `on_progress` the agent-steps of all learners together.
    """
    _require_absent(out, "last.json")
    learners = [
        _learner(
            out / f"seat-{seat}",
            batch,
            settings,
            seed=seed,
            seat=seat,
            meta=meta,
            scoring=scoring,
        )
        for seat in range(batch.num_agents)
    ]

    def among_the_others(seat: int) -> Batch:
        others = {other: learner.policy for other, learner in enumerate(learners) if other != seat}
        return OneSeat(batch, seat, others)

    return _train_in_turns(
        learners, among_the_others, settings, out=out, evaluate=evaluate, on_progress=on_progress
    )


def _learner(
    folder: Path,
    batch: Batch,
    settings: PPOSettings,
    *,
    seed: int,
    seat: int | None = None,
    meta: Mapping[str, Any] | None,
    scoring: ScoredActions | None,
) -> Learner:
    _require_fitting(batch, settings, seed=seed, scoring=scoring)
    about = identity(batch, settings, seed=seed, seat=seat, meta=meta, scoring=scoring)
    require_same_training(folder, about)
    num_seats = batch.num_agents if seat is None else 1
    return Learner(
        folder,
        settings,
        batch=batch,
        num_rows=batch.num_lanes * num_seats,
        chance=(seed,) if seat is None else (seed, seat),
        identity=about,
        scoring=scoring,
    )


def _require_fitting(
    batch: Batch, settings: PPOSettings, *, seed: int, scoring: ScoredActions | None
) -> None:
    if not 0 <= seed < 2**32:
        raise ValueError(f"seed = {seed!r}: expected an integer from 0 to 2**32 - 1")
    if settings.num_lanes != batch.num_lanes:
        raise ValueError(
            f"num_lanes = {settings.num_lanes}: expected {batch.num_lanes}, as the batch has"
        )
    if scoring is None:
        return
    if settings.algorithm != "maskable-ppo":
        raise ValueError(
            f"algorithm = {settings.algorithm!r}: expected 'maskable-ppo' where actions are scored"
        )
    shape = (scoring.observation_size, scoring.num_actions)
    if shape != (batch.observation_size, batch.num_actions):
        raise ValueError(
            f"scoring = {shape[0]} numbers and {shape[1]} actions: expected "
            f"{batch.observation_size} and {batch.num_actions}, as the batch has"
        )


def _require_absent(out: Path, name: str) -> None:
    """Refuse the folder of a training of the other kind, shared or independent."""
    if (out / name).exists():
        raise ValueError(f"out = {out}: holds another training, which left {name}")


def _train_in_turns(
    learners: Sequence[Learner],
    batch_of: Callable[[int], Batch],
    settings: PPOSettings,
    *,
    out: Path,
    evaluate: EvaluateSeats | None,
    on_progress: OnProgress | None,
) -> tuple[TrainedPolicy, ...]:
    """Make what is missing of every learner's chunks and of their evaluations."""
    progress = read_progress(out)[: min(learner.chunks_done for learner in learners)]
    started = time.monotonic() - (progress[-1].seconds if progress else 0.0)

    def tell(steps_of_chunk: int) -> None:
        if on_progress is not None:
            on_progress(steps_of_chunk + sum(learner.agent_steps for learner in learners))

    with restored_global_state(), ExitStack() as closing:
        for learner in learners:
            closing.callback(learner.logger.close)
        torch.set_num_threads(settings.torch_threads)
        for chunk in range(len(progress), learners[0].num_chunks):
            for seat, learner in enumerate(learners):
                if learner.chunks_done <= chunk:
                    learner.train_chunk(batch_of(seat), tell)
            evaluation = None
            if evaluate is not None:
                policies = tuple(learner.policy for learner in learners)
                evaluation = checked_evaluation(evaluate(policies))
            seconds = time.monotonic() - started
            row = ProgressRow(chunk, learners[0].agent_steps, seconds, evaluation)
            _keep(learners, row, progress)
            progress.append(row)
            write_progress(out, progress)
    return tuple(_finish(learner, progress) for learner in learners)


def _keep(learners: Sequence[Learner], row: ProgressRow, before: Sequence[ProgressRow]) -> None:
    """Record an evaluation; the learners that it puts above all before are the best."""
    if row.evaluation is None:
        return
    scores = [earlier.score for earlier in before if earlier.score is not None]
    is_best = row.evaluation["score"] > max(scores, default=-math.inf)
    for learner in learners:
        learner.log_evaluation(row.evaluation)
        if is_best:
            learner.copy_to("best", row)


def _finish(learner: Learner, progress: Sequence[ProgressRow]) -> TrainedPolicy:
    checkpoint = learner.copy_to("policy", progress[-1])
    best_checkpoint = learner.folder / "best.zip"
    is_judged = progress[-1].evaluation is not None
    return TrainedPolicy(
        policy=learner.policy,
        checkpoint=checkpoint,
        best=MaskedPolicy.load(best_checkpoint) if is_judged else learner.policy,
        best_checkpoint=best_checkpoint if is_judged else checkpoint,
        agent_steps=learner.agent_steps,
        progress=tuple(progress),
    )
