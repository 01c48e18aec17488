"""A chat client over a transformers model in this process: padded batches, a seed for every row.

For models that vLLM cannot load, and for machines where it cannot run (extra `[lm]`).
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

from agents.llm.batching import BatchingClient, Outcome, Request, Sampling
from agents.llm.chat import FREE_TEXT, ChatReply, ContextLengthError, RequestRefusedError

try:
    import torch
    from transformers import (
        AutoModelForCausalLM,
        AutoTokenizer,
        GenerationConfig,
        LogitsProcessor,
        LogitsProcessorList,
    )

    from agents.lm.silence import without_progress_bars
except ImportError as error:
    raise ImportError(
        "TransformersClient needs PyTorch and transformers: pip install 'commonweal[lm]'"
    ) from error

CHOICE = "choice"

_MOST_PADDED, _FEW_TOKENS = 1.25, 32
"""Prompts longer than so many times the shortest and so many tokens are computed apart from it."""

# A model on the CPU uses all cores: two at once would take them from each other.
_CORES = threading.Lock()


@dataclass(frozen=True)
class _Prompt:
    tokens: list[int]
    seed: int
    choices: tuple[str, ...] | None = None
    choice_tokens: tuple[list[int], ...] = ()


class TransformersClient(BatchingClient):
    """Answers with a model that transformers can load from a folder.

    Every answer is drawn with a generator of its own, so it does not depend on what is answered
    in the same batch, as far as floating point allows, nor on PyTorch's global generator, nor does
    it change that. An answer held to ``{"choice": [...]}`` is one of the choices, drawn by the
    likelihood of the whole answer, its end included, under the same temperature and `top_p`.
    ``{"json": ...}`` is not offered: such answers are free text. The prompt and the longest answer
    must fit into the model's context, else `ContextLengthError`.

    Args:
        folder: folder with model, tokenizer and chat template; nothing is fetched.
        temperature: 0 takes the likeliest token, or choice.
        top_p: probability of the likeliest tokens, or choices, that are drawn from.
        max_tokens: longest answer, in tokens.
        device: where the model computes; by default ``cuda`` where there is one, else ``cpu``.
        dtype: name of PyTorch's type for the weights; by default as transformers loads them.
        max_batch: most questions that are answered together; those of about the same length are
            computed at once.
    """

    def __init__(
        self,
        folder: str | Path,
        *,
        temperature: float = 1.0,
        top_p: float = 1.0,
        max_tokens: int = 512,
        device: str | None = None,
        dtype: str | None = None,
        max_batch: int = 16,
    ) -> None:
        self._sampling = Sampling(temperature=temperature, top_p=top_p, max_tokens=max_tokens)
        self._tokenizer, self._model = _load(folder, device, dtype)
        self._ends = _end_tokens(self._tokenizer, self._model)
        text_config = self._model.config.get_text_config()
        self._context_tokens: int | None = getattr(text_config, "max_position_embeddings", None)
        pad = self._tokenizer.pad_token_id
        self._pad: int = pad if pad is not None else next(iter(self._ends), 0)
        # The model's own settings would bend the drawing: a penalty for repetition, say.
        self._model.generation_config = GenerationConfig(  # type: ignore[no-untyped-call]
            eos_token_id=sorted(self._ends) or None, pad_token_id=self._pad
        )
        super().__init__(self._generate, max_batch=max_batch)

    def _generate(self, batch: Sequence[Request]) -> Sequence[Outcome]:
        prompts = [self._encoded(request) for request in batch]
        outcomes: dict[int, Outcome] = {}
        free: list[int] = []
        held: list[int] = []
        for index, prompt in enumerate(prompts):
            refusal = self._refusal(prompt)
            if refusal is not None:
                outcomes[index] = refusal
            else:
                (free if prompt.choices is None else held).append(index)
        on_cpu = self._model.device.type == "cpu"
        with torch.inference_mode(), _CORES if on_cpu else nullcontext():
            for group in _alike(free, prompts):
                outcomes.update(zip(group, self._written([prompts[i] for i in group]), strict=True))
            for group in _alike(held, prompts):
                outcomes.update(zip(group, self._chosen([prompts[i] for i in group]), strict=True))
        return [outcomes[index] for index in range(len(prompts))]

    def _encoded(self, request: Request) -> _Prompt:
        conversation = [{"role": m.role, "content": m.content} for m in request.messages]
        text = self._tokenizer.apply_chat_template(
            conversation, tokenize=False, add_generation_prompt=True
        )
        tokens = self._tokens(text)
        if request.form is None or CHOICE not in request.form:
            return _Prompt(tokens, request.seed)
        choices = tuple(dict.fromkeys(request.form[CHOICE]))
        choice_tokens = tuple(self._tokens(choice) for choice in choices)
        return _Prompt(tokens, request.seed, choices, choice_tokens)

    def _tokens(self, text: str) -> list[int]:
        tokens: list[int] = self._tokenizer.encode(text, add_special_tokens=False)
        return tokens

    def _refusal(self, prompt: _Prompt) -> ContextLengthError | RequestRefusedError | None:
        longest = self._sampling.max_tokens
        if prompt.choices is not None:
            if not prompt.choices:
                return RequestRefusedError("choice = []: expected at least one answer", attempts=0)
            longest = max(len(tokens) for tokens in prompt.choice_tokens) + 1
        limit = self._context_tokens
        if limit is None or len(prompt.tokens) + longest <= limit:
            return None
        return ContextLengthError(
            f"the prompt has {len(prompt.tokens)} tokens and an answer up to {longest}, but the "
            f"model's context holds {limit}",
            attempts=0,
        )

    def _written(self, prompts: Sequence[_Prompt]) -> list[ChatReply]:
        """Answer in free text, token by token."""
        if not prompts:
            return []
        asked, mask = self._padded([prompt.tokens for prompt in prompts], side="left")
        draws = _Draws(self._sampling, [self._generator(prompt.seed) for prompt in prompts])
        rows = self._model.generate(
            input_ids=asked,
            attention_mask=mask,
            max_new_tokens=self._sampling.max_tokens,
            do_sample=False,
            logits_processor=LogitsProcessorList([draws]),
        )
        answers: list[list[int]] = rows[:, asked.shape[1] :].tolist()
        return [self._read(answer, prompt) for answer, prompt in zip(answers, prompts, strict=True)]

    def _read(self, answer: list[int], prompt: _Prompt) -> ChatReply:
        """Return the reply that one row of tokens is, up to the first that ends an answer."""
        length = next((i for i, token in enumerate(answer) if token in self._ends), None)
        written = answer[:length]
        return ChatReply(
            text=self._tokenizer.decode(
                written, skip_special_tokens=True, clean_up_tokenization_spaces=False
            ),
            prompt_tokens=len(prompt.tokens),
            completion_tokens=len(written) + (length is not None),
            latency_s=0.0,
            finish_reason="length" if length is None else "stop",
            form=FREE_TEXT,
        )

    def _chosen(self, prompts: Sequence[_Prompt]) -> list[ChatReply]:
        """Answer with one of the choices."""
        replies = []
        for prompt, scores in zip(prompts, self._log_likelihoods(prompts), strict=True):
            drawn = _draw(scores, self._sampling, self._generator(prompt.seed))
            reply = ChatReply(
                text=(prompt.choices or ())[drawn],
                prompt_tokens=len(prompt.tokens),
                completion_tokens=len(prompt.choice_tokens[drawn]) + 1,
                latency_s=0.0,
                finish_reason="stop",
                form=CHOICE,
            )
            replies.append(reply)
        return replies

    def _log_likelihoods(self, prompts: Sequence[_Prompt]) -> list[torch.Tensor]:
        """Return for every prompt the log-likelihood of each of its choices, shape (choices,).

        The prompts are computed once. Then comes the first choice of every prompt, the second,
        and so on, so that memory does not grow with the number of choices.
        """
        if not prompts:
            return []
        asked, mask = self._padded([prompt.tokens for prompt in prompts], side="left")
        positions = (mask.cumsum(1) - 1).clamp(min=0)
        told = self._model(
            input_ids=asked,
            attention_mask=mask,
            position_ids=positions,
            use_cache=True,
            logits_to_keep=1,
        )
        columns = zip_longest(*(prompt.choice_tokens for prompt in prompts), fillvalue=[])
        scores = torch.stack([self._continued(told, mask, list(c)) for c in columns], dim=1)
        return [
            row[: len(prompt.choice_tokens)] for row, prompt in zip(scores, prompts, strict=True)
        ]

    def _continued(
        self, told: Any, mask: torch.Tensor, answers: Sequence[list[int]]
    ) -> torch.Tensor:
        """Return the log-likelihoods, shape (B,), of one whole answer to each of B prompts.

        `told` is what the model made of the prompts, `mask` their tokens' mask, shape (B, P).
        """
        lengths = torch.tensor([len(answer) for answer in answers], device=mask.device)
        tokens, answer_mask = self._padded(answers, side="right")
        continued = self._model(
            input_ids=tokens,
            attention_mask=torch.cat([mask, answer_mask], dim=1),
            position_ids=mask.sum(1, keepdim=True)
            + torch.arange(tokens.shape[1], device=mask.device),
            past_key_values=copy.deepcopy(told.past_key_values),  # the model appends to it
            use_cache=True,
        )
        logits = torch.cat([told.logits[:, -1:], continued.logits], dim=1)  # (B, tokens + 1, V)
        logs = logits.float().log_softmax(-1)
        likely = logs[:, :-1].gather(-1, tokens.unsqueeze(-1)).squeeze(-1)
        total = (likely * answer_mask).sum(1)
        if self._ends:
            # An answer that goes on after the choice is another answer, "move" is not "move on".
            last = logs[torch.arange(len(answers), device=mask.device), lengths]
            total = total + last[:, sorted(self._ends)].logsumexp(-1)
        return total

    def _padded(self, rows: Sequence[list[int]], *, side: str) -> tuple[torch.Tensor, torch.Tensor]:
        """Return tokens and mask, both of shape (rows, longest row, at least 1)."""
        width = max(1, *(len(row) for row in rows))
        tokens, mask = [], []
        for row in rows:
            padding, seen = [self._pad] * (width - len(row)), [1] * len(row)
            unseen = [0] * len(padding)
            tokens.append(padding + row if side == "left" else row + padding)
            mask.append(unseen + seen if side == "left" else seen + unseen)
        device = self._model.device
        return torch.tensor(tokens, device=device), torch.tensor(mask, device=device)

    def _generator(self, seed: int) -> torch.Generator:
        return torch.Generator(device=self._model.device).manual_seed(seed)


def _alike(indices: Sequence[int], prompts: Sequence[_Prompt]) -> list[list[int]]:
    """Return the prompts of these indices in groups of about the same length.

    A batch is padded to its longest prompt: a few long ones would make all others as dear.
    """
    groups: list[list[int]] = []
    for index in sorted(indices, key=lambda each: len(prompts[each].tokens)):
        shortest = len(prompts[groups[-1][0]].tokens) if groups else 0
        if not groups or len(prompts[index].tokens) > _MOST_PADDED * shortest + _FEW_TOKENS:
            groups.append([])
        groups[-1].append(index)
    return groups


class _Draws(LogitsProcessor):
    """Draws the next token of every row with the row's generator and leaves no other possible."""

    def __init__(self, sampling: Sampling, generators: Sequence[torch.Generator]) -> None:
        self._sampling = sampling
        self._generators = generators

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        del input_ids
        only = torch.full_like(scores, -torch.inf)
        for row, (row_scores, generator) in enumerate(zip(scores, self._generators, strict=True)):
            only[row, _draw(row_scores, self._sampling, generator)] = 0.0
        return only


def _draw(scores: torch.Tensor, sampling: Sampling, generator: torch.Generator) -> int:
    """Draw an index of `scores`, unnormalized log-probabilities of shape (K,)."""
    if sampling.temperature == 0:
        return int(scores.argmax())
    weights = (scores.float() / sampling.temperature).softmax(-1)
    if sampling.top_p < 1:
        ordered, order = weights.sort(descending=True, stable=True)
        likelier = ordered.cumsum(-1) - ordered
        weights = torch.zeros_like(weights).scatter(
            -1, order, ordered.masked_fill(likelier >= sampling.top_p, 0.0)
        )
    return int(torch.multinomial(weights, 1, generator=generator))


def _load(folder: str | Path, device: str | None, dtype: str | None) -> tuple[Any, Any]:
    """Return tokenizer and model; loading leaves PyTorch's global generator as it was."""
    if not Path(folder).is_dir():
        raise ValueError(f"folder = {str(folder)!r}: expected a folder with a saved model")
    weights = getattr(torch, dtype, None) if dtype is not None else None
    if dtype is not None and not isinstance(weights, torch.dtype):
        raise ValueError(f"dtype = {dtype!r}: expected a type of PyTorch's, such as bfloat16")
    tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    if not tokenizer.chat_template:
        raise ValueError(f"folder = {str(folder)!r}: expected a tokenizer with a chat template")
    with torch.random.fork_rng(devices=[]), without_progress_bars():
        model: Any = AutoModelForCausalLM.from_pretrained(folder, local_files_only=True)
    if device is None:
        device = "cuda" if torch.cuda.is_available() else "cpu"
    return tokenizer, model.to(device=device, dtype=weights).eval()


def _end_tokens(tokenizer: Any, model: Any) -> frozenset[int]:
    """Return the tokens that end an answer; some models name them in one of two places only."""
    named = model.generation_config.eos_token_id
    ends = set(named if isinstance(named, list) else [named])
    ends.add(tokenizer.eos_token_id)
    return frozenset(end for end in ends if end is not None)
