"""transformers' Trainer, held to what a teaching needs: one order, one device, no word."""

from __future__ import annotations

import math
import shutil
import time
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from agents.lm.examples import Example, beginnings, collate, draw_order
from agents.lm.forward import is_bfloat16, remembered
from agents.lm.settings import TeachingSettings
from agents.lm.student import Student

try:
    import_module("accelerate")  # which the Trainer needs: to fail here, with advice
    import torch
    from torch.utils.data import Dataset, SequentialSampler
    from transformers import (
        LlamaForCausalLM,
        PrinterCallback,
        Trainer,
        TrainerCallback,
        TrainingArguments,
    )
    from transformers.trainer import TRAINER_STATE_NAME
    from transformers.trainer_callback import TrainerState
except ImportError as error:
    raise ImportError(
        "teaching needs PyTorch, transformers and accelerate: pip install 'commonweal[lm]'"
    ) from error

_ADAM_BETAS = (0.9, 0.98)  # the second as for other small transformers taught briefly
_LONGEST_GRADIENT = 1.0

OnStep = Callable[[int, int, float], None]
"""Takes a step that was made, counted from 1, the number of all, and its loss."""


def last_checkpoint(checkpoints: Path) -> Path | None:
    """Return the last whole checkpoint; one that a kill cut short is removed."""
    whole = []
    for folder in checkpoints.glob("checkpoint-*"):
        if (folder / TRAINER_STATE_NAME).exists():  # written last
            whole.append(folder)
        else:
            shutil.rmtree(folder)
    return max(whole, key=lambda each: int(each.name.rpartition("-")[2]), default=None)


class _InOrder(Dataset[Example]):
    """Examples in the order they are taught, from the first step to the last."""

    def __init__(self, examples: Sequence[Example], order: Sequence[int]) -> None:
        self._examples = examples
        self._order = order

    def __len__(self) -> int:
        return len(self._order)

    def __getitem__(self, index: int) -> Example:
        return self._examples[self._order[index]]


class _Steps(TrainerCallback):
    """Tells of each step, and stops where the loss is lost."""

    def __init__(self, on_step: OnStep) -> None:
        self._on_step = on_step

    def on_log(self, args: Any, state: Any, control: Any, **others: Any) -> None:
        del args, control, others
        logged = state.log_history[-1]
        if "loss" not in logged:
            return  # the summary at the end
        if not math.isfinite(logged["loss"]):
            raise FloatingPointError(
                f"loss = {logged['loss']} at step {state.global_step}: expected a finite number; "
                "a smaller learning_rate may help"
            )
        self._on_step(state.global_step, state.max_steps, logged["loss"])


class Teacher(Trainer):
    """transformers' Trainer over one pass of examples that are in order already."""

    _started: float = 0.0  # when this run began, on the performance counter
    _seconds_before: float = 0.0  # of runs that ended before they were through

    def start(self, checkpoint: Path | None, *, started: float) -> None:
        """Teach, from a checkpoint where there is one; leave the model's `forward` as it was."""
        self._started = started
        if checkpoint is not None:
            state = TrainerState.load_from_json(str(checkpoint / TRAINER_STATE_NAME))
            self._seconds_before = state.log_history[-1]["seconds"]
        self.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
        self.accelerator.unwrap_model(self.model, keep_fp32_wrapper=False)

    @property
    def precision(self) -> str:
        """What the forward pass is computed in."""
        return "bfloat16" if self.args.bf16 else "float32"

    def seconds(self) -> float:
        """Return how long the teaching has taken so far, pauses between runs apart."""
        return self._seconds_before + time.perf_counter() - self._started

    def _get_train_sampler(self, *args: Any, **kwargs: Any) -> Any:
        del args, kwargs
        return SequentialSampler(self.train_dataset)  # type: ignore[arg-type]

    def compute_loss(self, model: Any, inputs: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """Return the loss; what all rows begin with is computed once."""
        shared = inputs.pop("shared_ids", None)
        if shared is not None:
            inputs["past_key_values"] = remembered(model, shared, len(inputs["input_ids"]))
            inputs["use_cache"] = True
        return super().compute_loss(model, inputs, *args, **kwargs)

    def log(self, logs: dict[str, float], *args: Any, **kwargs: Any) -> None:
        """Keep the time with what is logged, so that a checkpoint knows it."""
        super().log({**logs, "seconds": self.seconds()}, *args, **kwargs)


def _shares(model: Any) -> bool:
    """Whether rows may be taught after a beginning that is computed once for all.

    It saves a third of a step or more where the system text is long. Other models keep other
    things than keys and values, and dropout would be the same in all rows.
    """
    return isinstance(model, LlamaForCausalLM) and model.config.attention_dropout == 0


def make_teacher(
    learner: Student,
    examples: Sequence[Example],
    teaching: TeachingSettings,
    checkpoints: Path,
    *,
    on_step: OnStep,
) -> Teacher:
    """Return what teaches a student such examples, and keeps checkpoints in a folder.

    Args:
        learner: the student.
        examples: at least one, in the order that the seed is for.
        teaching: how it is taught.
        checkpoints: the folder that checkpoints go to.
        on_step: called after each step.
    """
    order = draw_order(
        [example.num_tokens for example in examples],
        num_batches=teaching.steps,
        batch_size=teaching.batch_size,
        seed=teaching.seed,
        groups=beginnings(examples),
    )
    trainer = Teacher(
        model=learner.model,
        args=_arguments(teaching, checkpoints),
        train_dataset=_InOrder(examples, order),
        data_collator=partial(
            collate, pad=learner.pad, takes=learner.takes, shares=_shares(learner.model)
        ),
        callbacks=[_Steps(on_step)],
    )
    trainer.remove_callback(PrinterCallback)
    return trainer


def _arguments(teaching: TeachingSettings, checkpoints: Path) -> TrainingArguments:
    arguments = TrainingArguments(
        output_dir=str(checkpoints),
        max_steps=teaching.steps,
        per_device_train_batch_size=teaching.batch_size,
        learning_rate=teaching.learning_rate,
        lr_scheduler_type="linear",
        warmup_steps=teaching.warmup_steps,
        weight_decay=teaching.weight_decay,
        adam_beta1=_ADAM_BETAS[0],
        adam_beta2=_ADAM_BETAS[1],
        max_grad_norm=_LONGEST_GRADIENT,
        bf16=is_bfloat16(teaching.precision),
        seed=teaching.seed,
        save_steps=teaching.save_every_steps,
        save_total_limit=1,
        logging_steps=1,
        logging_nan_inf_filter=False,
        use_cpu=not torch.cuda.is_available(),
        remove_unused_columns=False,
        report_to="none",
        log_level="error",
        disable_tqdm=True,
    )
    if arguments.n_gpu > 1:
        arguments._n_gpu = 1  # a batch is `batch_size` pairs, on however many there are
    return arguments
