"""The agent that asks a chat model what to do."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

import numpy as np

from agents.llm.chat import (
    AnswerForm,
    ChatClient,
    ChatError,
    ChatReply,
    ContextLengthError,
    Message,
    prompt_key,
)
from agents.llm.prompt import (
    RECORD_FIRST,
    PromptParts,
    compose,
    lines_shown,
    lines_to_leave_out,
)
from agents.llm.seat import Read, Seat
from agents.llm.styles import steps_of
from agents.protocol import OK_STATUS, Call, Decision


@dataclass(frozen=True)
class Question:
    """What a client is asked."""

    messages: tuple[Message, ...]
    seed: int
    form: AnswerForm | None

    @property
    def key(self) -> str:
        """Digest by which a recorded answer is found to be one to this question."""
        return prompt_key(self.messages, self.form)


class _TooLongError(ChatError):
    """The prompt does not fit, even without its record."""


_Deliberation: TypeAlias = Generator[Question, ChatReply, Decision]


class ChatAgent:
    """Asks `client` in the words of `seat` and lets the seat read the answer.

    A malformed answer is sent back with what was wrong, up to `max_repairs` times, before the
    seat's fallback stands. A prompt too long for the model loses the older half of the record lines
    in it, never the rules or the sheet; a call's `left_out` counts these and not the lines that
    `record_lines` keeps from every prompt. `ChatError` from the client passes through: a server
    that is down is no move in the game.

    Args:
        client: the model.
        seat: what is asked, and how answers are read.
        style: a name in `STYLES` or a list of steps: which thoughts to ask for first.
        order: the layout of the prompt, see `compose`.
        structured: whether to hold answers to the seat's form, where the client can.
        max_repairs: how often a malformed answer is sent back.
        max_chars: longest free words in an answer held to a form, in characters; a server cuts an
            answer at its token limit, and one cut cannot be read.
        record_lines: how many of the last lines of the record the model is shown; None for all,
            0 for none.
    """

    def __init__(
        self,
        client: ChatClient,
        seat: Seat,
        *,
        style: str | Sequence[str] = "direct",
        order: str = RECORD_FIRST,
        structured: bool = True,
        max_repairs: int = 1,
        max_chars: int = 1_000,
        record_lines: int | None = None,
    ) -> None:
        if max_repairs < 0 or max_chars < 1:
            raise ValueError(
                f"max_repairs = {max_repairs}, max_chars = {max_chars}: expected at least 0 and 1"
            )
        compose(PromptParts(), order=order, record_lines=record_lines)  # refuses what cannot be
        self._client, self._seat = client, seat
        self._steps = steps_of(style)
        self._order, self._structured = order, structured
        self._max_repairs, self._max_chars = max_repairs, max_chars
        self._record_lines = record_lines
        self.reset(seed=0)

    def reset(self, *, seed: int) -> None:
        """Begin a new episode: the seed of its k-th question follows from `seed` and k."""
        self._seed = seed
        self._num_calls = 0
        self._left_out = 0
        self._seat.reset()

    def act(self, observation: Any) -> Decision:
        """Ask and wait for the answer."""
        deliberation = self._deliberate(observation)
        go_on = partial(next, deliberation)
        while True:
            try:
                question = go_on()
            except StopIteration as done:
                return _decision(done)
            try:
                reply = self._client.complete(
                    question.messages, seed=question.seed, form=question.form
                )
                go_on = partial(deliberation.send, reply)
            except ChatError as error:
                go_on = partial(deliberation.throw, error)

    async def act_async(self, observation: Any) -> Decision:
        """Ask and leave the event loop free until the answer is there."""
        deliberation = self._deliberate(observation)
        go_on = partial(next, deliberation)
        while True:
            try:
                question = go_on()
            except StopIteration as done:
                return _decision(done)
            try:
                reply = await self._client.complete_async(
                    question.messages, seed=question.seed, form=question.form
                )
                go_on = partial(deliberation.send, reply)
            except ChatError as error:
                go_on = partial(deliberation.throw, error)

    def _deliberate(self, observation: Any) -> _Deliberation:
        """Yield what to ask, take the replies, and return the decision."""
        parts = PromptParts(*self._seat.parts(observation, self._steps))
        form = self._seat.form(self._steps, max_chars=self._max_chars) if self._structured else None
        calls: list[Call] = []
        repairs: tuple[Message, ...] = ()
        while True:
            left_out = self._left_out
            try:
                question, reply = yield from self._ask(parts, repairs, form)
            except _TooLongError:
                if not calls:
                    raise
                self._left_out = left_out  # there is no room for a repair: the fallback stands
                break
            read = self._seat.parse(reply.text)
            calls.append(_call(question, reply, read, left_out=self._left_out))
            if calls[-1].status == OK_STATUS or len(calls) > self._max_repairs:
                break
            wrong = self._seat.complaint(calls[-1].status)
            repairs += (Message("assistant", reply.text), Message("user", wrong))
        self._seat.heed(reply.text)
        return Decision(read.action, reply.text, calls[-1].status, tuple(calls))

    def _ask(
        self, parts: PromptParts, repairs: tuple[Message, ...], form: AnswerForm | None
    ) -> Generator[Question, ChatReply, tuple[Question, ChatReply]]:
        """Ask once, with as much of the record as the model's context holds."""
        seed = self._next_seed()
        num_lines = lines_shown(len(parts.record), self._record_lines)
        while True:
            prompt = compose(
                parts,
                order=self._order,
                left_out=self._left_out,
                record_lines=self._record_lines,
            )
            question = Question((*prompt, *repairs), seed, form)
            try:
                reply = yield question
            except ContextLengthError as error:
                if self._left_out >= num_lines:
                    raise _TooLongError(
                        "the prompt without any of its record is too long for the model's "
                        f"context: {error}"
                    ) from error
                self._left_out = lines_to_leave_out(num_lines, self._left_out)
                continue
            return question, reply

    def _next_seed(self) -> int:
        """Return the 32-bit seed of the next call; calls of an episode have unrelated ones."""
        sequence = np.random.SeedSequence((self._seed, self._num_calls))
        self._num_calls += 1
        return int(sequence.generate_state(1)[0])


def _call(question: Question, reply: ChatReply, read: Read, *, left_out: int) -> Call:
    status = str(getattr(read.status, "value", read.status))
    return reply.as_call(status=status, prompt_key=question.key, left_out=left_out)


def _decision(done: StopIteration) -> Decision:
    decision: Decision = done.value
    return decision
