"""Supervised teaching: a causal language model learns to give the answers of pairs.

The loss is the cross-entropy of the answers and their ends; what is asked is not learned.
transformers' Trainer does the steps. A teaching leaves an ordinary Hugging Face folder with
`teaching.json` beside the model, and while it is under way

```
checkpoints/teaching.json     what is taught, so that no other teaching goes on from here
checkpoints/checkpoint-250/   weights, optimizer and generators after so many steps
```
"""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from agents.lm.examples import NO_LOSS, Example, collate, encode_pairs
from agents.lm.isolation import isolated
from agents.lm.pairs import Pair
from agents.lm.settings import StudentSettings, TeachingSettings
from agents.lm.student import Student, check_base, make_student
from agents.lm.taught import TEACHING_FILE, Taught, describe, differences, versions, write
from agents.lm.trainer import OnStep, last_checkpoint, make_teacher

try:
    import torch
except ImportError as error:
    raise ImportError("teaching needs PyTorch: pip install 'commonweal[lm]'") from error

_CHECKPOINTS = "checkpoints"
_CURVE_STEPS = 10
_MOST_HELD_OUT = 1000
_HELD_OUT_BATCH = 64


def _nothing(step: int, total: int, loss: float) -> None:
    del step, total, loss


class _Lesson(NamedTuple):
    """What is taught, encoded."""

    examples: list[Example]
    held_out: list[Example]
    num_too_long: int


def teach(
    pairs: Sequence[Pair],
    *,
    student: StudentSettings,
    teaching: TeachingSettings,
    out: Path,
    held_out: Sequence[Pair] = (),
    about: Mapping[str, Any] | None = None,
    resume: bool = False,
    on_step: OnStep = _nothing,
) -> Taught:
    """Teach a student and leave it in a folder.

    On the CPU the same pairs, settings and threads give the same weights, bit for bit, also where
    it was stopped and gone on with. Global generators stay as they were; nothing is fetched or
    printed. Pairs longer than the context are left out and counted.

    Args:
        pairs: what is taught, at least one.
        student: what is taught to.
        teaching: how.
        out: the folder; it may hold other files, but no model.
        held_out: pairs that are not taught; at most 1,000 of them, evenly spread, are examined.
        about: JSON values to keep in `teaching.json`.
        resume: go on from the last checkpoint of the same teaching in `out`, if it has one; a
            teaching that is through is returned as it stands.
        on_step: called after each step.

    Raises:
        ValueError: `out` holds a model or another teaching; a bad base; no pair fits the context.
        FloatingPointError: the loss is no longer a number.
        ImportError: LoRA is asked for and peft is not installed.
    """
    started = time.perf_counter()
    if not pairs:
        raise ValueError("pairs = []: expected at least one pair")
    check_base(student)
    identity, checkpoints = _identity(pairs, student, teaching), out / _CHECKPOINTS
    if (done := _opened(out, identity, resume=resume)) is not None:
        return done
    with isolated(seed=teaching.seed, threads=teaching.threads):
        learner = make_student(student, pairs)
        lesson = _encoded(learner, pairs, _spread(held_out, _MOST_HELD_OUT))
        _begin(checkpoints, identity)
        trainer = make_teacher(learner, lesson.examples, teaching, checkpoints, on_step=on_step)
        trainer.start(last_checkpoint(checkpoints), started=started)
        outcome = _finished(learner, lesson, out)
    taught = Taught(
        folder=out,
        **identity,
        **outcome,
        about=dict(about or {}),
        curve=_curve(trainer.state.log_history),
        precision=trainer.precision,
        seconds=trainer.seconds(),
        versions=versions(),
    )
    write(taught)
    shutil.rmtree(checkpoints)
    return taught


def _finished(learner: Student, lesson: _Lesson, out: Path) -> dict[str, Any]:
    """Save the student as it is to play, and examine it so."""
    learner = learner.finished()
    learner.save(out)
    return {
        "held_out_exact": _exactness(learner, lesson.held_out),
        "num_held_out": len(lesson.held_out),
        "num_pairs": len(lesson.examples),
        "num_too_long": lesson.num_too_long,
        "parameters": learner.model.num_parameters(),
    }


def _identity(
    pairs: Sequence[Pair], student: StudentSettings, teaching: TeachingSettings
) -> dict[str, Any]:
    """Return what tells a teaching from others, as JSON values."""
    digest = hashlib.sha256()
    for pair in pairs:
        told = [[message.role, message.content] for message in pair.messages]
        digest.update(json.dumps([told, pair.answer]).encode())
    return {
        "student": student.to_dict(),
        "teaching": teaching.to_dict(),
        "data_digest": digest.hexdigest(),
    }


def _opened(out: Path, identity: dict[str, Any], *, resume: bool) -> Taught | None:
    """Refuse a folder with anything else; return what it holds where all is taught already."""
    under_way = out / _CHECKPOINTS / TEACHING_FILE
    if resume and (out / TEACHING_FILE).exists():
        taught = describe(out)
        _require_same(out, identity, vars(taught))
        shutil.rmtree(out / _CHECKPOINTS, ignore_errors=True)  # a kill may have spared them
        return taught
    if resume and under_way.exists():
        _require_same(out, identity, json.loads(under_way.read_text(encoding="utf-8")))
        return None
    for name in (TEACHING_FILE, "config.json", _CHECKPOINTS):
        if (out / name).exists():
            raise ValueError(
                f"out = {out}: expected a folder without {name}, or the same teaching and resume"
            )
    return None


def _begin(checkpoints: Path, identity: dict[str, Any]) -> None:
    checkpoints.mkdir(parents=True, exist_ok=True)
    (checkpoints / TEACHING_FILE).write_text(json.dumps(identity), encoding="utf-8")


def _require_same(out: Path, identity: dict[str, Any], found: Mapping[str, Any]) -> None:
    differing = differences(identity, found)
    if differing:
        raise ValueError(f"out = {out}: holds another teaching:\n" + "\n".join(differing))


def _spread(pairs: Sequence[Pair], most: int) -> list[Pair]:
    number = min(len(pairs), most)
    return [pairs[index * len(pairs) // number] for index in range(number)]


def _encoded(learner: Student, pairs: Sequence[Pair], held: Sequence[Pair]) -> _Lesson:
    taught, examined = (
        encode_pairs(
            each, learner.tokenizer, ends=learner.ends, context_tokens=learner.context_tokens
        )
        for each in (pairs, held)
    )
    if not taught.examples:
        raise ValueError(
            f"context_tokens = {learner.context_tokens}: expected more, as no pair is so short"
        )
    return _Lesson(taught.examples, examined.examples, taught.num_too_long + examined.num_too_long)


def _curve(history: Sequence[Mapping[str, float]]) -> tuple[tuple[int, float], ...]:
    losses = [(int(entry["step"]), entry["loss"]) for entry in history if "loss" in entry]
    parts = [losses[i : i + _CURVE_STEPS] for i in range(0, len(losses), _CURVE_STEPS)]
    return tuple((part[-1][0], sum(loss for _, loss in part) / len(part)) for part in parts)


def _exactness(learner: Student, examples: Sequence[Example]) -> float | None:
    """Return the share of answers each of whose tokens is the likeliest after those before it."""
    if not examples:
        return None
    ordered = sorted(examples, key=lambda example: example.num_tokens)
    exact = 0
    for start in range(0, len(ordered), _HELD_OUT_BATCH):
        exact += _num_exact(learner, ordered[start : start + _HELD_OUT_BATCH])
    return exact / len(ordered)


def _num_exact(learner: Student, examples: Sequence[Example]) -> int:
    batch = collate(examples, pad=learner.pad, takes=learner.takes)
    labels = batch.pop("labels").to(learner.model.device)[:, 1:]
    inputs = {
        name: value.to(learner.model.device) if isinstance(value, torch.Tensor) else value
        for name, value in batch.items()
    }
    with torch.inference_mode():
        likeliest = learner.model(**inputs).logits[:, :-1].argmax(-1)
    return int(((likeliest == labels) | (labels == NO_LOSS)).all(1).sum())
