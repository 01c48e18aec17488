from __future__ import annotations

import asyncio
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents import Usage
from agents.llm import (
    ORDERS,
    ChatAgent,
    ChatError,
    ChatReply,
    ContextLengthError,
    Message,
    PromptParts,
    ServerGoneError,
    TextSeat,
)

EIGHT_LINES = tuple(f"line {index} {'=' * 20}" for index in range(8))


class Status(Enum):
    OK = "ok"
    MISSING = "missing"


@dataclass
class Parsed:
    action: int
    status: object


def parse(answer):
    return Parsed(7, Status.OK) if "seven" in answer else Parsed(0, Status.MISSING)


class Client:
    """Says `texts` in turn, the last for ever, and keeps what it was asked.

    A prompt of more than `room` characters is too long for it. `form` is what it says that it held
    its answers to.
    """

    def __init__(self, *texts, room=10**9, form="text"):
        self.texts = texts or ("seven",)
        self.room, self.form = room, form
        self.asked = []

    def complete(self, messages, *, seed, form=None):
        self.asked.append((tuple(messages), seed, form))
        if sum(len(message.content) for message in messages) > self.room:
            raise ContextLengthError(f"more than {self.room} characters")
        answered = min(self.num_fitting - 1, len(self.texts) - 1)
        return ChatReply(
            self.texts[answered], 11, 3, 0.5, "stop", cached_tokens=5, attempts=2, form=self.form
        )

    async def complete_async(self, messages, *, seed, form=None):
        await asyncio.sleep(0)
        return self.complete(messages, seed=seed, form=form)

    @property
    def prompts(self):
        return [messages for messages, _, _ in self.asked]

    @property
    def num_fitting(self):
        return sum(len("".join(m.content for m in asked)) <= self.room for asked in self.prompts)


class FailingClient:
    def __init__(self, error):
        self.error = error

    def complete(self, messages, *, seed, form=None):
        raise self.error

    async def complete_async(self, messages, *, seed, form=None):
        raise self.error


class TableSeat(TextSeat):
    """A seat with rules, a sheet and a record that a test makes longer."""

    def __init__(self, record=()):
        super().__init__(parse=parse)
        self.record = tuple(record)
        self.heeded, self.num_resets, self.asked_for = [], 0, []

    def reset(self):
        self.num_resets += 1

    def parts(self, observation, steps):
        self.asked_for.append(tuple(steps))
        return "RULES", "SHEET", self.record, str(observation)

    def form(self, steps, *, max_chars):
        return {"choice": [*steps, str(max_chars)]}

    def heed(self, answer):
        self.heeded.append(answer)


def words(**told):
    return TextSeat(parse=parse, **told)


def text_of(messages):
    return "\n\n".join(message.content for message in messages)


def both_ways(make_agent, *observations, seed=3):
    """Act in both ways on fresh agents; the decisions and calls are the same."""
    outcomes = []
    for way in ("act", "act_async"):
        client, agent = make_agent()
        agent.reset(seed=seed)
        decisions = []
        for observation in observations:
            try:
                decided = getattr(agent, way)(observation)
                decisions.append(asyncio.run(decided) if way == "act_async" else decided)
            except ChatError as error:
                decisions.append((type(error), str(error)))
        outcomes.append((decisions, client.asked))
    assert outcomes[0] == outcomes[1]
    return outcomes[0]


def test_rules_come_first_and_the_observation_last():
    client = Client()
    agent = ChatAgent(client, words(rules="Two places."))
    agent.act({"text": "Step 1.", "observation": [0.0], "action_mask": [1]})
    agent.act("Step 2.")
    assert client.prompts == [
        (Message("system", "Two places."), Message("user", "Step 1.")),
        (Message("system", "Two places."), Message("user", "Step 2.")),
    ]


@pytest.mark.parametrize("order", ORDERS)
def test_the_prompt_is_laid_out_in_the_order_asked_for(order):
    client = Client()
    ChatAgent(client, TableSeat(["LINE"]), order=order).act("NOW")
    told = text_of(client.prompts[0])
    expected = ["RULES", "LINE", "SHEET", "NOW"]
    if order == "sheet-first":
        expected = ["RULES", "SHEET", "LINE", "NOW"]
    assert told.split("\n\n") == expected


def test_a_decision_carries_the_answer_and_its_cost():
    decision = ChatAgent(Client("seven"), words()).act("Step 1.")
    assert (decision.action, decision.said, decision.status) == (7, "seven", "ok")
    assert decision.usage == Usage(11, 3, 5, 0.5, 2)
    (call,) = decision.calls
    assert (call.text, call.status, call.form, call.left_out) == ("seven", "ok", "text", 0)


@pytest.mark.parametrize("status", [Status.MISSING, "missing"])
def test_an_unreadable_answer_is_a_fallback_with_a_status(status):
    seat = TextSeat(parse=lambda answer: Parsed(0, status))
    decision = ChatAgent(Client("???"), seat).act("Step 1.")
    assert (decision.action, decision.status, decision.said) == (0, "missing", "???")


def test_a_malformed_answer_is_sent_back_with_what_was_wrong():
    seat = words(expected="Say seven.")
    (decision,), asked = both_ways(
        lambda: ((client := Client("six", "seven")), ChatAgent(client, seat)), "Step 1."
    )
    assert (decision.action, decision.said, decision.status) == (7, "seven", "ok")
    assert [call.status for call in decision.calls] == ["missing", "ok"]
    assert [call.text for call in decision.calls] == ["six", "seven"]
    assert decision.usage == Usage(22, 6, 10, 1.0, 4)
    first, second = (messages for messages, _, _ in asked)
    assert second[: len(first)] == first
    assert second[len(first) :] == (
        Message("assistant", "six"),
        Message("user", "Your answer could not be read (missing). Say seven."),
    )


@given(st.integers(0, 4), st.integers(0, 6))
def test_repairs_end_at_their_number_and_the_fallback_stands(max_repairs, num_malformed):
    texts = [*("bad " * (i + 1) for i in range(num_malformed)), "seven"]
    client, seat = Client(*texts), TableSeat()
    decision = ChatAgent(client, seat, max_repairs=max_repairs).act("Step 1.")
    num_calls = min(num_malformed, max_repairs) + 1
    assert len(client.asked) == len(decision.calls) == num_calls
    is_read = num_malformed <= max_repairs
    assert (decision.status, decision.action) == (("ok", 7) if is_read else ("missing", 0))
    assert decision.said == decision.calls[-1].text == texts[num_calls - 1]
    assert seat.heeded == [decision.said]
    assert len({seed for _, seed, _ in client.asked}) == num_calls
    assert len({call.prompt_key for call in decision.calls}) == num_calls
    for previous, messages in pairwise(client.prompts):
        assert messages[0] == previous[0]
        assert messages[-1].role == "user"
        assert "missing" in messages[-1].content


def test_answers_are_held_to_the_seat_s_form_unless_that_is_not_wanted():
    for structured, expected in ((True, {"choice": ["think", "80"]}), (False, None)):
        client = Client("no", form="choice")
        agent = ChatAgent(client, TableSeat(), style=["think"], structured=structured, max_chars=80)
        decision = agent.act("Step 1.")
        assert [form for _, _, form in client.asked] == [expected] * 2
        assert {call.form for call in decision.calls} == {"choice"}


def test_a_style_is_given_to_the_seat_as_its_steps():
    seat = TableSeat()
    ChatAgent(Client(), seat, style="observe-explore-plan").act("Step 1.")
    assert seat.asked_for == [("observe", "explore", "plan")]


def test_equal_questions_have_equal_keys_whatever_the_seed():
    agent = ChatAgent(Client(), TableSeat())
    first, again, other = (agent.act(step).calls[0].prompt_key for step in ("a", "a", "b"))
    assert first == again != other


@given(st.integers(0, 2**64 - 1), st.integers(1, 3))
@settings(max_examples=25)
def test_all_calls_of_an_episode_have_seeds_of_their_own_which_reset_repeats(seed, max_repairs):
    client = Client("never read")
    agent = ChatAgent(client, words(), max_repairs=max_repairs)
    for episode_seed in (seed, seed, seed + 1):
        agent.reset(seed=episode_seed)
        for _ in range(20):
            agent.act("Step.")
    seeds = [asked for _, asked, _ in client.asked]
    num = len(seeds) // 3
    assert num == 20 * (max_repairs + 1)
    assert seeds[:num] == seeds[num : 2 * num]
    assert len(set(seeds[:num])) == num
    assert seeds[:num] != seeds[2 * num :]
    assert all(0 <= each < 2**32 for each in seeds)


def test_a_reset_begins_an_episode_for_the_seat_too_and_forgets_what_was_left_out():
    client, seat = Client(room=90), TableSeat("x" * 9 for _ in range(9))
    agent = ChatAgent(client, seat)
    before = seat.num_resets
    assert agent.act("Step 1.").calls[0].left_out > 0
    seat.record = ()
    agent.reset(seed=1)
    assert seat.num_resets == before + 1
    assert agent.act("Step 1.").calls[0].left_out == 0


@pytest.mark.parametrize(
    "error", [ChatError("connection refused"), ServerGoneError("connection refused")]
)
def test_a_dead_server_is_an_error_not_a_move(error):
    agent = ChatAgent(FailingClient(error), words())
    with pytest.raises(type(error), match="connection refused"):
        agent.act("Step 1.")
    with pytest.raises(type(error), match="connection refused"):
        asyncio.run(agent.act_async("Step 1."))


@pytest.mark.parametrize("observation", [{"observation": [0.0]}, {"text": 3}, None])
def test_an_observation_without_text_is_refused(observation):
    with pytest.raises(TypeError, match="without text"):
        ChatAgent(Client(), words()).act(observation)


@pytest.mark.parametrize("order", ORDERS)
def test_a_record_too_long_loses_its_oldest_half_and_nothing_else(order):
    def make():
        client = Client(room=200)
        return client, ChatAgent(client, TableSeat(EIGHT_LINES), order=order)

    (decision,), asked = both_ways(make, "NOW")
    assert len(asked) == 2
    assert asked[0][1] == asked[1][1]
    assert decision.calls[0].left_out == 4
    told = text_of(asked[1][0])
    assert "\n".join(EIGHT_LINES[4:]) in told
    assert "line 3" not in told
    assert "first 4 lines of the record are left out" in told
    assert all(part in told for part in ("RULES", "SHEET", "NOW"))


@pytest.mark.parametrize(("record_lines", "shown"), [(None, 8), (9, 8), (3, 3), (1, 1), (0, 0)])
def test_a_model_is_shown_as_many_of_the_last_lines_as_asked_for(record_lines, shown):
    client = Client()
    agent = ChatAgent(client, TableSeat(EIGHT_LINES), record_lines=record_lines)
    assert agent.act("NOW").calls[0].left_out == 0
    told = text_of(client.prompts[0])
    assert [line for line in EIGHT_LINES if line in told] == list(EIGHT_LINES[8 - shown :])
    remark = f"The first {8 - shown} lines of the record are left out."
    assert (remark in told) == (0 < shown < 8)
    assert ("left out" in told) == (0 < shown < 8)


def test_of_the_lines_shown_the_oldest_half_goes_where_they_are_too_long():
    client = Client(room=170)
    agent = ChatAgent(client, TableSeat(EIGHT_LINES), record_lines=6)
    assert agent.act("NOW").calls[0].left_out == 3
    told = text_of(client.prompts[-1])
    assert [line for line in EIGHT_LINES if line in told] == list(EIGHT_LINES[5:])
    assert "first 5 lines of the record are left out" in told
    hopeless = ChatAgent(Client(room=5), TableSeat(EIGHT_LINES), record_lines=0)
    with pytest.raises(ChatError, match="without any of its record"):
        hopeless.act("NOW")


def test_a_prompt_too_long_without_its_record_is_an_error_that_says_so():
    record = [f"line {index}" for index in range(8)]

    def make():
        client = Client(room=5)
        return client, ChatAgent(client, TableSeat(record))

    (came,), asked = both_ways(make, "NOW")
    assert came[0] is not ContextLengthError
    assert "without any of its record is too long for the model's context" in came[1]
    assert "more than 5 characters" in came[1]
    assert all("RULES" in text_of(messages) for messages, _, _ in asked)
    assert len(asked) <= 6


line_lengths = st.lists(st.integers(0, 30), min_size=150, max_size=250)


@given(line_lengths, st.integers(250, 600), st.sampled_from(ORDERS))
@settings(max_examples=25, deadline=None)
def test_over_a_long_game_the_prefix_shifts_rarely(lengths, room, order):
    client, seat = Client(room=room), TableSeat()
    agent = ChatAgent(client, seat, order=order)
    left_out, shown_after_cut = [0], [0]
    for index, length in enumerate(lengths):
        seat.record = (*seat.record, f"{index}:" + "x" * length)
        (call,) = agent.act("NOW").calls
        told = text_of(client.prompts[-1])
        assert told.count("RULES") == told.count("SHEET") == told.count("NOW") == 1
        assert "\n".join(seat.record[call.left_out :]) in told
        if call.left_out != left_out[-1]:
            left_out.append(call.left_out)
            shown_after_cut.append(len(seat.record) - call.left_out)
    for before, after in pairwise(left_out):
        assert after > before
    # A cut drops about half of what was shown: as many lines at least as were shown after it.
    for (before, after), shown in zip(pairwise(left_out), shown_after_cut[1:], strict=True):
        assert after - before >= shown - 1
    assert len(left_out) - 1 <= 2 + len(lengths) * 2 * 34 / (room - 100)


def test_an_episode_asks_no_more_often_than_its_prefix_shifts():
    client, seat = Client(room=500), TableSeat()
    agent = ChatAgent(client, seat)
    for step in range(400):
        seat.record = (*seat.record, f"step {step}: all wait")
        agent.act("NOW")
    refused = len(client.asked) - 400
    # Some 21 lines fit, so that a cut leaves room for ten or so; 40 cuts in 400 steps.
    assert 20 <= refused <= 45


def test_a_repair_that_does_not_fit_with_the_record_is_made_without_its_oldest_half():
    rambling = "x" * 60
    client, seat = Client(rambling, "seven", room=350), TableSeat(EIGHT_LINES)
    decision = ChatAgent(client, seat).act("NOW")
    assert [call.status for call in decision.calls] == ["missing", "ok"]
    assert [call.left_out for call in decision.calls] == [0, 4]
    assert client.prompts[-1][-2:] == (
        Message("assistant", rambling),
        Message("user", seat.complaint("missing")),
    )


@pytest.mark.parametrize("num_lines", [0, 8])
def test_a_repair_for_which_there_is_no_room_leaves_the_fallback(num_lines):
    record = [f"line {index}" for index in range(num_lines)]
    rambling = "x" * 500

    def make():
        client = Client(rambling, room=200)
        return client, ChatAgent(client, TableSeat(record))

    (first, second), _ = both_ways(make, "NOW", "THEN")
    assert (first.action, first.status, first.said) == (0, "missing", rambling)
    assert len(first.calls) == 1
    assert second.calls[0].left_out == 0  # what was not the record's fault is not taken from it


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_repairs": -1},
        {"max_chars": 0},
        {"record_lines": -1},
        {"order": "random"},
        {"style": "wise"},
        {"style": ["ponder"]},
    ],
)
def test_a_setting_that_cannot_be_is_refused(wrong):
    with pytest.raises(ValueError, match="expected"):
        ChatAgent(Client(), words(), **wrong)


@given(
    st.lists(st.sampled_from(["seven", "six", "x" * 80]), min_size=1, max_size=12),
    st.integers(30, 400),
    st.integers(0, 3),
    st.integers(0, 20),
    st.sampled_from(ORDERS),
)
@settings(deadline=None)
def test_asking_both_ways_makes_the_same_calls(texts, room, max_repairs, num_lines, order):
    def make():
        client = Client(*texts, room=room)
        seat = TableSeat(f"line {index}" for index in range(num_lines))
        return client, ChatAgent(client, seat, max_repairs=max_repairs, order=order)

    outcomes, asked = both_ways(make, "Step 1.", "Step 2.", "Step 3.")
    assert len(outcomes) == 3
    assert asked


def test_the_fields_of_a_prompt_are_in_the_order_in_which_seats_give_them():
    assert PromptParts._fields == ("rules", "sheet", "record", "instruction")
