"""The model that is taught: a small Llama made anew, or one from a folder, whole or by LoRA."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any

from agents.lm.pairs import Pair
from agents.lm.settings import StudentSettings
from agents.lm.silence import without_progress_bars

try:
    import torch
    from transformers import (
        AutoModelForCausalLM,
        AutoTokenizer,
        GenerationConfig,
        LlamaConfig,
        LlamaForCausalLM,
    )
except ImportError as error:
    raise ImportError(
        "a student needs PyTorch and transformers: pip install 'commonweal[lm]'"
    ) from error

_INNER = 3
"""Times the width: a layer's inner width. Wider gained nothing in the games here."""

_INITIAL_SPREAD = 0.05
"""Standard deviation of the first weights: the usual 0.02 is for models ten times as wide."""

_LORA_SCALE = 2
"""What LoRA adds is multiplied by it (its alpha over its rank)."""


@dataclass(frozen=True, eq=False)
class Student:
    """A model, its tokenizer, and what is needed to teach and to save it."""

    model: Any
    tokenizer: Any
    ends: frozenset[int]  # tokens that end an answer
    context_tokens: int  # longest prompt with its answer
    takes: frozenset[str]  # names of the arguments of the model's `forward`
    saved_as: torch.dtype  # of the weights in the folder

    @property
    def pad(self) -> int:
        """The token to pad with."""
        pad: int | None = self.tokenizer.pad_token_id
        return min(self.ends) if pad is None else pad

    def finished(self) -> Student:
        """Return it as it is saved: what LoRA added merged in, weights of their type, for play."""
        merge = getattr(self.model, "merge_and_unload", None)
        model = self.model if merge is None else merge()
        model = model.to(dtype=self.saved_as).eval()
        model.config.dtype = self.saved_as
        model.config.use_cache = True
        return replace(self, model=model)

    def save(self, folder: Path) -> None:
        """Write an ordinary Hugging Face folder: weights as safetensors, tokenizer, template."""
        self.model.save_pretrained(folder)
        self.tokenizer.save_pretrained(folder)


def make_student(settings: StudentSettings, pairs: Sequence[Pair]) -> Student:
    """Return a student yet to be taught; first weights come from PyTorch's global generator.

    Args:
        settings: what it is; a `base` is loaded from its folder, and nothing is fetched.
        pairs: what a tokenizer of its own is made from.

    Raises:
        ValueError: the base lacks something, named by field and value.
    """
    if settings.base is None:
        return _from_scratch(settings, pairs)
    return _from_folder(settings, Path(settings.base).expanduser())


def check_base(settings: StudentSettings) -> None:
    """Refuse a base that is no folder with a model.

    Raises:
        ValueError: names the field, the value, and what is expected.
        ImportError: LoRA is asked for and peft is not installed.
    """
    if settings.base is None:
        return
    folder = Path(settings.base).expanduser()
    if not (folder / "config.json").is_file():
        raise ValueError(f"base = {settings.base!r}: expected a folder with a saved model")
    if settings.lora_rank is not None:
        _peft()


def _from_scratch(settings: StudentSettings, pairs: Sequence[Pair]) -> Student:
    from agents.lm.tokenizer import train_tokenizer

    tokenizer = train_tokenizer(pairs, vocab_size=settings.vocab_size)
    tokenizer.model_max_length = settings.context_tokens
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=settings.width,
        intermediate_size=settings.width * _INNER,
        num_hidden_layers=settings.layers,
        num_attention_heads=settings.heads,
        num_key_value_heads=settings.heads,
        max_position_embeddings=settings.context_tokens,
        tie_word_embeddings=True,
        initializer_range=_INITIAL_SPREAD,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
        bos_token_id=None,
    )
    model = LlamaForCausalLM(config)
    model.set_attn_implementation(_attention())
    model.generation_config = GenerationConfig(  # type: ignore[no-untyped-call]
        eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id
    )
    return _student(model, tokenizer, settings, torch.float32)


def _from_folder(settings: StudentSettings, folder: Path) -> Student:
    tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    if not tokenizer.chat_template:
        raise ValueError(f"base = {settings.base!r}: expected a tokenizer with a chat template")
    if tokenizer.eos_token_id is None:
        raise ValueError(f"base = {settings.base!r}: expected a tokenizer with an end token")
    with without_progress_bars():
        model: Any = AutoModelForCausalLM.from_pretrained(
            folder, local_files_only=True, attn_implementation=_attention()
        )
    saved_as = next(model.parameters()).dtype
    if settings.lora_rank is None:
        model = model.float()  # small changes would be lost in a narrower type
        return _student(model, tokenizer, settings, saved_as)
    student = _student(model, tokenizer, settings, saved_as)
    return replace(student, model=_with_lora(model, settings.lora_rank))


def _student(
    model: Any, tokenizer: Any, settings: StudentSettings, saved_as: torch.dtype
) -> Student:
    limit = getattr(model.config.get_text_config(), "max_position_embeddings", None)
    named = model.generation_config.eos_token_id
    ends = {*(named if isinstance(named, list) else [named]), tokenizer.eos_token_id} - {None}
    return Student(
        model=model,
        tokenizer=tokenizer,
        ends=frozenset(ends),
        context_tokens=min(settings.context_tokens, limit or settings.context_tokens),
        takes=frozenset(inspect.signature(model.forward).parameters),
        saved_as=saved_as,
    )


def _with_lora(model: Any, rank: int) -> Any:
    peft = _peft()
    config = peft.LoraConfig(
        r=rank,
        lora_alpha=rank * _LORA_SCALE,
        target_modules="all-linear",
        task_type="CAUSAL_LM",
    )
    return peft.get_peft_model(model, config)


def _peft() -> Any:
    try:
        return import_module("peft")
    except ImportError as error:
        raise ImportError("lora_rank needs peft: pip install 'commonweal[lm]'") from error


def _attention() -> str:
    """Return how to compute attention: on a CPU, where rows are short, the plain way is best."""
    return "sdpa" if torch.cuda.is_available() else "eager"
