"""Pairs as tokens, the order they are taught in, and batches of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from typing import Any, NamedTuple

import numpy as np

from agents.lm.forward import num_shared
from agents.lm.pairs import Pair

try:
    import torch
except ImportError as error:
    raise ImportError("teaching needs PyTorch: pip install 'commonweal[lm]'") from error

NO_LOSS = -100
"""The label of a token that is not learned; what transformers' losses pass over."""

_WINDOW_BATCHES = 50
"""Of so many batches the pairs are sorted by length: the wider, the less padding."""

_TEXTS_AT_ONCE = 2000
"""What a tokenizer notes of a text beside its tokens takes many times their memory."""

_TRIED = 32
"""So many texts are encoded both in pieces and whole before pieces are trusted."""


class Example(NamedTuple):
    """A pair as tokens; the answer ends with a token that ends answers."""

    prompt: list[int]
    answer: list[int]

    @property
    def num_tokens(self) -> int:
        """Tokens of both."""
        return len(self.prompt) + len(self.answer)


class Encoded(NamedTuple):
    """The pairs that fit, in their order, and how many did not."""

    examples: list[Example]
    num_too_long: int


def encode_pairs(
    pairs: Sequence[Pair], tokenizer: Any, *, ends: Collection[int], context_tokens: int
) -> Encoded:
    """Encode pairs with a tokenizer's own chat template.

    The prompt is what a client would send, and the answer what the template puts after it, up to
    the last token of `ends`; a template that ends no answer has the tokenizer's own end put there.

    Args:
        pairs: questions and answers.
        tokenizer: a transformers tokenizer with a chat template.
        ends: tokens that end an answer.
        context_tokens: longest prompt with its answer, in tokens.

    Raises:
        ValueError: the template takes no such conversation.
    """
    texts = [_texts(pair, tokenizer) for pair in pairs]
    # Together, so that what a prompt says is encoded once.
    rows = token_rows(tokenizer, [t for asked, said in texts for t in (asked, asked + said, said)])
    examples = []
    for prompt, whole, answer in zip(rows[::3], rows[1::3], rows[2::3], strict=True):
        # A model writes its answer after the prompt's tokens as they are; where the whole text
        # would be cut otherwise, the answer is encoded by itself.
        rest = whole[len(prompt) :] if whole[: len(prompt)] == prompt else answer
        examples.append(Example(prompt, _ended(rest, tokenizer.eos_token_id, ends)))
    fitting = [example for example in examples if example.num_tokens <= context_tokens]
    return Encoded(fitting, len(examples) - len(fitting))


def draw_order(
    lengths: Sequence[int],
    *,
    num_batches: int,
    batch_size: int,
    seed: int,
    groups: Sequence[int] | None = None,
) -> list[int]:
    """Return what is taught in each of `num_batches` batches, one after another, as indices.

    Everything comes once before anything comes again, in an order drawn anew each time. Within a
    window of batches those of one group and like length are put together, and the batches are
    shuffled again. `groups` says by a number which group each is of; by default all are of one.
    """
    rng = np.random.default_rng(seed)
    wanted = num_batches * batch_size
    passes = [rng.permutation(len(lengths)) for _ in range(-(-wanted // len(lengths)))]
    stream = np.concatenate(passes)[:wanted]
    sizes = np.asarray(lengths)
    kinds = np.zeros_like(sizes) if groups is None else np.asarray(groups)
    window = batch_size * _WINDOW_BATCHES
    ordered: list[int] = []
    for start in range(0, wanted, window):
        part = stream[start : start + window]
        sorted_ = np.lexsort((sizes[part], kinds[part]))
        batches = part[sorted_].reshape(-1, batch_size)
        ordered += batches[rng.permutation(len(batches))].ravel().tolist()
    return ordered


def beginnings(examples: Sequence[Example], *, num_tokens: int = 32) -> list[int]:
    """Return a number for what each prompt begins with, the same for the same so many tokens.

    Batches of prompts that begin alike share the work on what they begin with.
    """
    numbers: dict[tuple[int, ...], int] = {}
    begun = (tuple(example.prompt[:num_tokens]) for example in examples)
    return [numbers.setdefault(tokens, len(numbers)) for tokens in begun]


def collate(
    examples: Sequence[Example], *, pad: int, takes: Collection[str], shares: bool = False
) -> dict[str, Any]:
    """Return what a causal language model's `forward` learns a batch from.

    Rows are padded on the left, so that all answers end in the last column. Where the model can
    spare its head on the prompts (`logits_to_keep`), the labels are only as wide as what it keeps.

    Args:
        examples: B of them.
        pad: the token to pad with.
        takes: names of `forward`'s arguments.
        shares: put what all prompts begin with, S tokens, apart (else S = 0).

    Returns:
        `input_ids`, (B, T), with T the longest row without what is shared; `attention_mask`,
        (B, S + T); `labels`, (B, T) or (B, `logits_to_keep`), `NO_LOSS` but on the answers; where
        taken `position_ids`, (B, T); where S > 0 `shared_ids`, (1, S).
    """
    begun = num_shared([example.prompt for example in examples]) if shares else 0
    width = max(example.num_tokens for example in examples) - begun
    tokens, mask, labels = [], [], []
    for prompt, answer in examples:
        row = prompt[begun:] + answer
        padding = width - len(row)
        tokens.append([pad] * padding + row)
        mask.append([1] * begun + [0] * padding + [1] * len(row))
        labels.append([NO_LOSS] * (width - len(answer)) + answer)
    batch: dict[str, Any] = {
        "input_ids": torch.tensor(tokens),
        "attention_mask": torch.tensor(mask),
        "labels": torch.tensor(labels),
    }
    if "position_ids" in takes:
        positions = batch["attention_mask"].cumsum(1) - 1
        batch["position_ids"] = positions.clamp(min=0)[:, begun:]
    if "logits_to_keep" in takes:
        # The token before an answer is what the answer's first token is told from.
        kept = min(width, 1 + max(len(example.answer) for example in examples))
        batch["logits_to_keep"] = kept
        batch["labels"] = batch["labels"][:, -kept:]
    if begun:
        batch["shared_ids"] = torch.tensor([examples[0].prompt[:begun]])
    return batch


def _texts(pair: Pair, tokenizer: Any) -> tuple[str, str]:
    """Return the prompt, and what the chat template puts after it."""
    asked = [{"role": message.role, "content": message.content} for message in pair.messages]
    answered = [*asked, {"role": "assistant", "content": pair.answer}]
    prompt = _templated(tokenizer, asked, add_generation_prompt=True)
    whole = _templated(tokenizer, answered, add_generation_prompt=False)
    if whole.startswith(prompt):
        return prompt, whole[len(prompt) :]
    return prompt, pair.answer


def _templated(tokenizer: Any, messages: list[dict[str, str]], **options: bool) -> str:
    from jinja2 import TemplateError

    try:
        text: str = tokenizer.apply_chat_template(messages, tokenize=False, **options)
    except TemplateError as error:
        roles = ", ".join(message["role"] for message in messages)
        raise ValueError(f"chat template: takes no messages of {roles}: {error}") from None
    return text


def token_rows(tokenizer: Any, texts: Sequence[str]) -> list[list[int]]:
    """Encode texts as they are, each as if it were encoded alone and as a whole.

    A text is cut where a special token begins, and what many texts share is encoded once.
    """
    if not _can_be_cut(tokenizer, texts):
        return _encoded(tokenizer, list(texts))
    cut = _cutter(tokenizer)
    pieces = [cut(text) for text in texts]
    different = list(dict.fromkeys(piece for row in pieces for piece in row))
    known = dict(zip(different, _encoded(tokenizer, different), strict=True))
    return [[token for piece in row for token in known[piece]] for row in pieces]


def _cutter(tokenizer: Any) -> Callable[[str], list[str]]:
    special = sorted(tokenizer.all_special_tokens, key=len, reverse=True)
    if not special:
        return lambda text: [text] if text else []
    begins = re.compile(f"(?={'|'.join(map(re.escape, special))})")
    return lambda text: [piece for piece in begins.split(text) if piece]


def _can_be_cut(tokenizer: Any, texts: Sequence[str]) -> bool:
    """Whether pieces encode as the whole does; some tokenizers take in what surrounds a token."""
    every = max(1, len(texts) // _TRIED)
    tried = [text for text in texts[::every] if text]
    cut = _cutter(tokenizer)
    return all(
        [token for row in _encoded(tokenizer, cut(text)) for token in row] == whole
        for text, whole in zip(tried, _encoded(tokenizer, tried), strict=True)
    )


def _encoded(tokenizer: Any, texts: list[str]) -> list[list[int]]:
    if not texts:
        return []
    rows: list[list[int]] = []
    for start in range(0, len(texts), _TEXTS_AT_ONCE):
        part = texts[start : start + _TEXTS_AT_ONCE]
        rows += tokenizer(
            part, add_special_tokens=False, return_attention_mask=False, verbose=False
        )["input_ids"]
    return rows


def _ended(answer: list[int], end: int, ends: Collection[int]) -> list[int]:
    for index in reversed(range(len(answer))):
        if answer[index] in ends:
            return answer[: index + 1]
    return [*answer, end]
