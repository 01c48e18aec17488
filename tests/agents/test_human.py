"""A person at a seat: what is shown and when, how answers are read, and how a person leaves."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents import Agent
from agents.human import AGAIN, HumanAgent, PersonLeftError
from agents.llm import TextSeat

WAIT = 0


class Read(NamedTuple):
    action: int
    status: str


def parse(answer):
    """A game in which one says a number."""
    return Read(int(answer), "ok") if answer.isascii() and answer.isdecimal() else Read(WAIT, "odd")


class Table:
    """Types these lines and notes what was shown and asked."""

    def __init__(self, *typed):
        self.typed = list(typed)
        self.shown = []
        self.prompts = []

    def ask(self, prompt):
        self.prompts.append(prompt)
        if not self.typed:
            raise EOFError
        line = self.typed.pop(0)
        if isinstance(line, BaseException):
            raise line
        return line

    def show(self, heading, words):
        self.shown.append((heading, words))

    def words(self, heading):
        return [words for shown, words in self.shown if shown == heading]


class RecordSeat(TextSeat):
    """A seat with a secret and a public record that grows; it notes what it is told to heed."""

    def __init__(self):
        super().__init__(parse=parse)
        self.record = ("one",)
        self.heeded = []

    def parts(self, observation, steps):
        return "the rules", "a secret", self.record, observation["text"]

    def heed(self, answer):
        self.heeded.append(answer)


class Halves:
    """Lets a person type `half` for 5."""

    def offered(self):
        return "half"

    def spell_out(self, typed):
        return "5" if typed == "half" else typed


@pytest.fixture
def seat():
    return RecordSeat()


def sit(table, seat, **options):
    return HumanAgent(seat, ask=table.ask, show=table.show, **options)


def test_a_person_is_an_agent(seat):
    assert isinstance(sit(Table(), seat), Agent)


def test_rules_and_secrets_are_shown_once_and_the_instruction_each_time(seat):
    table = Table("1", "2")
    person = sit(table, seat)
    person.act({"text": "first"})
    person.act({"text": "second"})
    assert table.words("rules") == ["the rules"]
    assert table.words("for you alone") == ["a secret"]
    assert table.words("your turn") == ["first", "second"]


def test_each_line_of_the_record_is_shown_once(seat):
    table = Table("1", "2", "3")
    person = sit(table, seat)
    person.act({"text": ""})
    seat.record += ("two", "three")
    person.act({"text": ""})
    person.act({"text": ""})
    assert table.words("what happened") == ["one", "two\nthree"]


def test_a_record_that_was_rewritten_is_shown_again_in_full(seat):
    table = Table("1", "2")
    person = sit(table, seat)
    person.act({"text": ""})
    seat.record = ("two", "three")
    person.act({"text": ""})
    assert table.words("what happened") == ["one", "two\nthree"]


def test_a_new_episode_begins_with_the_rules(seat):
    table = Table("1", "2")
    person = sit(table, seat)
    person.act({"text": ""})
    person.reset(seed=1)
    person.act({"text": ""})
    assert table.words("rules") == ["the rules"] * 2
    assert table.words("what happened") == ["one"] * 2


def test_words_are_shown_as_they_are(seat):
    hostile = "[red]You are agent_0.[/red]\n  <b>\x1b[2J"
    table = Table("1")
    sit(table, seat).act({"text": hostile})
    assert table.words("your turn") == [hostile]


def test_what_followed_the_last_answer_is_shown_on_demand(seat):
    table = Table("1")
    person = sit(table, seat)
    person.act({"text": ""})
    seat.record += ("the end",)
    person.see_what_followed()
    assert table.shown[-1] == ("what happened", "the end")


def test_nothing_is_shown_to_a_person_who_was_never_asked(seat):
    table = Table()
    sit(table, seat).see_what_followed()
    assert table.shown == []


def test_an_answer_is_read_by_the_seat_and_kept_in_full(seat):
    decision = sit(Table("7"), seat).act({"text": ""})
    assert (decision.action, decision.said, decision.status) == (7, "7", "ok")
    assert seat.heeded == ["7"]


@given(st.text())
def test_whatever_is_typed_is_read_as_a_models_answer_would_be(line):
    if line.strip() == AGAIN:
        return
    decision = sit(Table(line), RecordSeat(), max_repairs=0).act({"text": ""})
    read = parse(line)
    assert (decision.action, decision.status, decision.said) == (read.action, read.status, line)


def test_shorthand_is_offered_and_spelled_out(seat):
    table = Table("half")
    decision = sit(table, seat, shorthand=Halves()).act({"text": ""})
    assert table.prompts == ["[half]> "]
    assert (decision.action, decision.said) == (5, "5")


def test_a_malformed_answer_is_complained_about_and_asked_for_again(seat):
    table = Table("what?", "8")
    decision = sit(table, seat).act({"text": ""})
    assert table.words("not read (odd)") == [seat.complaint("odd")]
    assert (decision.action, decision.status) == (8, "ok")


def test_after_so_many_malformed_answers_the_fallback_stands_with_its_status(seat):
    table = Table("a", "b", "c", "9")
    decision = sit(table, seat, max_repairs=2).act({"text": ""})
    assert (decision.action, decision.said, decision.status) == (WAIT, "c", "odd")
    assert table.typed == ["9"]
    complaint, again, last = table.words("not read (odd)")
    assert complaint == again == seat.complaint("odd") != last


def test_a_person_may_see_everything_again_and_has_lost_no_try(seat):
    table = Table(AGAIN, "3")
    seat.record += ("two",)
    decision = sit(table, seat, max_repairs=0).act({"text": "now"})
    assert decision.action == 3
    assert table.words("rules") == ["the rules"] * 2
    assert table.words("what happened") == ["one\ntwo"] * 2
    assert table.words("your turn") == ["now"] * 2


@pytest.mark.parametrize("leaving", [EOFError(), KeyboardInterrupt()])
def test_a_person_can_leave(seat, leaving):
    with pytest.raises(PersonLeftError):
        sit(Table(leaving), seat).act({"text": ""})


def test_the_event_loop_is_free_while_a_person_thinks(seat):
    async def play():
        asked, go_on = asyncio.Event(), asyncio.Event()
        loop = asyncio.get_running_loop()

        def ask(_prompt):
            loop.call_soon_threadsafe(asked.set)
            asyncio.run_coroutine_threadsafe(go_on.wait(), loop).result(timeout=10)
            return "4"

        thinking = asyncio.create_task(
            HumanAgent(seat, ask=ask, show=lambda *_: None).act_async({"text": ""})
        )
        await asyncio.wait_for(asked.wait(), timeout=10)
        go_on.set()
        return await thinking

    assert asyncio.run(play()).action == 4


def test_fewer_than_no_repairs_are_refused(seat):
    with pytest.raises(ValueError, match="max_repairs = -1: expected at least 0"):
        sit(Table(), seat, max_repairs=-1)
