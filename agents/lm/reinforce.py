"""Reinforcement: a student that answers more often what went well, and does not stray too far.

The objective is that of GRPO (Shao et al. 2024, arXiv:2402.03300): the clipped ratio of PPO
(Schulman et al. 2017, arXiv:1707.06347) with an advantage for every answer and no critic, minus
`ReinforcementSettings.kl` times the divergence from the student as it was at the start. As in
Liu et al. 2025 (arXiv:2503.20783) an answer's tokens are summed up, not averaged, so that each
counts as much as those of a shorter answer. Where answers and advantages come from is not this
module's business.
"""

from __future__ import annotations

import copy
import random
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from agents.lm.examples import Example, encode_pairs
from agents.lm.forward import is_bfloat16, num_shared, remembered
from agents.lm.pairs import Pair
from agents.lm.reinforcement_settings import ReinforcementSettings
from agents.lm.settings import StudentSettings
from agents.lm.student import Student, make_student

try:
    import torch
except ImportError as error:
    raise ImportError("reinforcement needs PyTorch: pip install 'commonweal[lm]'") from error

_TOGETHER = 32
"""Answers that are computed at once: more of them do not fit into a processor's caches."""


class Attempt(NamedTuple):
    """A question, the student's own answer, and how much better it did than expected."""

    pair: Pair
    advantage: float


class Update(NamedTuple):
    """What came of an iteration's answers; means are over answers, logarithms natural."""

    num_answers: int
    kl: float  # divergence from the start, an answer, before the update
    entropy: float  # of an answer, as the sum over its tokens, before the update
    clipped: float  # share of tokens whose ratio was clipped, over all passes


class _Scored(NamedTuple):
    """An answer, and the log-probabilities of its tokens, shape (tokens,)."""

    encoded: Example
    before: torch.Tensor  # under the student that gave it
    start: torch.Tensor  # under the student at the start
    advantage: float


class _Scores(NamedTuple):
    """Of all tokens of the answers of a batch, one answer after the other; shape (tokens,)."""

    log_probs: torch.Tensor
    entropies: torch.Tensor
    rows: torch.Tensor  # the answer that a token is of


class Reinforcer:
    """A student that is reinforced, and beside it the student at the start.

    The same attempts in the same order give the same student, on the same machine with the same
    number of threads.

    Args:
        folder: Hugging Face folder of the student as it is now.
        start: the same of the student that it shall not stray from; by default `folder`.
        settings: how it is changed.
        seed: of the order in which answers are gone through.
    """

    def __init__(
        self,
        folder: Path,
        *,
        start: Path | None = None,
        settings: ReinforcementSettings | None = None,
        seed: int = 0,
    ) -> None:
        self._settings, self._seed = settings or ReinforcementSettings(), seed
        self._student = _load(folder)
        self._model: Any = self._student.model
        self._start: Any = copy.deepcopy(self._model) if start is None else _load(start).model
        self._start.requires_grad_(False)
        self._optimizer = torch.optim.AdamW(
            self._model.parameters(),
            lr=self._settings.learning_rate,
            weight_decay=self._settings.weight_decay,
        )
        self._num_updates = self._num_steps = 0

    def log_probs(self, pairs: Sequence[Pair]) -> list[float]:
        """Return the log-probability of each whole answer, its end included."""
        return self._totals(self._model, pairs)

    def divergence(self, pairs: Sequence[Pair]) -> float:
        """Return the mean divergence from the start over answers, see `Update.kl`."""
        encoded = self._encoded(pairs)
        now, then = (self._all(model, encoded)[0] for model in (self._model, self._start))
        return float(_k3(torch.cat(then) - torch.cat(now)).sum()) / max(1, len(pairs))

    def update(self, attempts: Sequence[Attempt]) -> Update:
        """Change the student by what came of its answers, and say how it stood before.

        The answers must be those of the student as it is now. Without any nothing changes.
        """
        if not attempts:
            return Update(0, 0.0, 0.0, 0.0)
        encoded = self._encoded([attempt.pair for attempt in attempts])
        before, entropies = self._all(self._model, encoded)
        start, _ = self._all(self._start, encoded)
        num, clipped, tokens = len(attempts), 0, 0
        for batch in self._batches(num):
            clipped += self._step(
                [_Scored(encoded[i], before[i], start[i], attempts[i].advantage) for i in batch]
            )
            tokens += sum(len(encoded[i].answer) for i in batch)
        self._num_updates += 1
        divergence = float(_k3(torch.cat(start) - torch.cat(before)).sum())
        entropy = float(torch.cat(entropies).sum())
        return Update(num, divergence / num, entropy / num, clipped / tokens)

    def save(self, folder: Path) -> None:
        """Write the student as an ordinary Hugging Face folder, weights in the type they had."""
        copied = copy.deepcopy(self._model)
        Student(**{**vars(self._student), "model": copied}).finished().save(folder)

    def save_state(self, file: Path) -> None:
        """Write all that it takes to go on as if there had been no break."""
        state = {
            "model": self._model.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "num_updates": self._num_updates,
            "num_steps": self._num_steps,
        }
        torch.save(state, file)

    def load_state(self, file: Path) -> None:
        """Go on where `save_state` was called."""
        state = torch.load(file, weights_only=True)
        self._model.load_state_dict(state["model"])
        self._optimizer.load_state_dict(state["optimizer"])
        self._num_updates, self._num_steps = state["num_updates"], state["num_steps"]

    def _step(self, batch: Sequence[_Scored]) -> int:
        """Take one step of the optimizer; return how many tokens' ratios were clipped."""
        self._num_steps += 1
        warmth = min(1.0, self._num_steps / max(1, self._settings.warmup_steps))
        for group in self._optimizer.param_groups:
            group["lr"] = self._settings.learning_rate * warmth
        self._optimizer.zero_grad()
        clipped = 0
        for first in range(0, len(batch), _TOGETHER):
            loss, num_clipped = self._loss(batch[first : first + _TOGETHER])
            (loss / len(batch)).backward()  # type: ignore[no-untyped-call]
            clipped += num_clipped
        torch.nn.utils.clip_grad_norm_(self._model.parameters(), self._settings.max_grad_norm)
        self._optimizer.step()
        return clipped

    def _loss(self, answers: Sequence[_Scored]) -> tuple[torch.Tensor, int]:
        """Return the loss, summed over answers, and how many tokens' ratios were clipped."""
        clip = self._settings.clip
        scores = self._scores(self._model, [each.encoded for each in answers])
        advantages = torch.tensor([each.advantage for each in answers], device=scores.rows.device)
        gain = advantages[scores.rows]
        ratio = (scores.log_probs - torch.cat([each.before for each in answers])).exp()
        within = ratio.clamp(1.0 - clip, 1.0 + clip)
        gains = torch.minimum(ratio * gain, within * gain)
        strayed = _k3(torch.cat([each.start for each in answers]) - scores.log_probs)
        loss = (self._settings.kl * strayed - gains).sum()
        return loss, int((within * gain < ratio * gain).sum())

    def _batches(self, num: int) -> Iterator[list[int]]:
        """Yield which answers each step is of, in an order that follows from seed and update."""
        draw = random.Random(f"{self._seed} {self._num_updates}")
        size = self._settings.batch_size
        for _ in range(self._settings.passes):
            order = list(range(num))
            draw.shuffle(order)
            yield from (order[first : first + size] for first in range(0, num, size))

    def _encoded(self, pairs: Sequence[Pair]) -> list[Example]:
        return encode_pairs(
            pairs,
            self._student.tokenizer,
            ends=self._student.ends,
            context_tokens=sys.maxsize,  # all were asked and answered, so all fit
        ).examples

    def _totals(self, model: Any, pairs: Sequence[Pair]) -> list[float]:
        by_token, _ = self._all(model, self._encoded(pairs))
        return [float(each.sum()) for each in by_token]

    def _all(
        self, model: Any, encoded: Sequence[Example]
    ) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
        """Return, for every answer, log-probabilities and entropies of its tokens."""
        log_probs: list[torch.Tensor] = []
        entropies: list[torch.Tensor] = []
        with torch.no_grad():
            for first in range(0, len(encoded), _TOGETHER):
                batch = encoded[first : first + _TOGETHER]
                lengths = [len(each.answer) for each in batch]
                scores = self._scores(model, batch)
                log_probs += torch.split(scores.log_probs, lengths)
                entropies += torch.split(scores.entropies, lengths)
        return log_probs, entropies

    def _scores(self, model: Any, batch: Sequence[Example]) -> _Scores:
        """Score the answers of B questions; what all prompts begin with is computed once."""
        begun = num_shared([each.prompt for each in batch])
        rows = [[*each.prompt[begun:], *each.answer] for each in batch]
        device = model.device
        width = max(map(len, rows))
        tokens = torch.zeros(len(rows), width, dtype=torch.long, device=device)
        mask = torch.zeros(len(rows), begun + width, dtype=torch.long, device=device)
        asked_for = torch.zeros(len(rows), width, dtype=torch.bool, device=device)
        for row, (filled, each) in enumerate(zip(rows, batch, strict=True)):
            tokens[row, : len(filled)] = torch.tensor(filled)
            mask[row, : begun + len(filled)] = 1
            asked_for[row, len(filled) - len(each.answer) - 1 : len(filled) - 1] = True
        shared = torch.tensor([batch[0].prompt[:begun]], dtype=torch.long, device=device)
        is_half = is_bfloat16(self._settings.precision)
        with torch.autocast(device.type, torch.bfloat16, enabled=is_half):
            hidden = model.model(
                input_ids=tokens,
                attention_mask=mask,
                past_key_values=remembered(model, shared, len(rows)),
                use_cache=True,
            ).last_hidden_state
        logs = model.lm_head(hidden[asked_for].float()).log_softmax(-1)
        answers = torch.tensor([t for each in batch for t in each.answer], device=device)
        return _Scores(
            log_probs=logs.gather(-1, answers.unsqueeze(-1)).squeeze(-1),
            entropies=-(logs.exp() * logs).sum(-1),
            rows=asked_for.nonzero()[:, 0],
        )


def _load(folder: Path) -> Student:
    """Return a model in float32, to be changed little by little, without anything drawn in it."""
    student = make_student(StudentSettings(base=str(folder)), ())
    device = "cuda" if torch.cuda.is_available() else "cpu"
    student.model.to(device=device).eval()
    return student


def _k3(difference: torch.Tensor) -> torch.Tensor:
    """Return an unbiased estimate of the divergence that is never negative (Schulman 2020).

    `difference` is the log-probability of what was drawn under the other distribution, minus that
    under the one it was drawn from.
    """
    return difference.exp() - difference - 1.0
