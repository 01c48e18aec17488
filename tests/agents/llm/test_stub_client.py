import asyncio
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.llm import Message, StubClient

ANSWER = "The river is clean.\nSo I pick fruit.\nAction: harvest"


def die_roll(text, rng):
    return f"{text}: {rng.randrange(10**9)}"


def say_answer(text, rng):
    return ANSWER


def user(text):
    return [Message("system", "rules"), Message("user", text)]


def test_the_answer_is_to_the_last_user_message():
    client = StubClient(lambda text, rng: f"you said {text}")
    talk = [*user("one"), Message("assistant", "hm"), Message("user", "two")]
    assert client.complete(talk, seed=0).text == "you said two"


def test_usage_counts_words_and_nothing_takes_time():
    reply = StubClient(say_answer).complete(user("what now ?"), seed=0)
    assert (reply.prompt_tokens, reply.completion_tokens) == (4, 10)
    assert (reply.latency_s, reply.finish_reason) == (0.0, "stop")


@given(
    texts=st.lists(st.text(), min_size=1, max_size=5),
    seed=st.integers(),
    error_rate=st.floats(0, 1),
)
def test_answers_do_not_depend_on_what_was_asked_before(texts, seed, error_rate):
    client = StubClient(die_roll, error_rate=error_rate)
    forward = {text: client.complete(user(text), seed=seed) for text in texts}
    backward = {text: client.complete(user(text), seed=seed) for text in reversed(texts)}
    assert forward == backward
    waiting = asyncio.run(client.complete_async(user(texts[0]), seed=seed))
    assert waiting == forward[texts[0]]


def test_seed_rules_and_text_each_change_the_draws():
    client = StubClient(lambda text, rng: str(rng.random()))
    questions = [(user("a"), 0), (user("a"), 1), (user("b"), 0), ([Message("user", "a")], 0)]
    assert len({client.complete(messages, seed=seed).text for messages, seed in questions}) == 4


def test_answers_are_the_same_in_every_process():
    # Written down from one run: a salted hash would give another number each time.
    assert StubClient(die_roll).complete(user("a"), seed=0).text == "a: 927874895"


def test_a_client_without_errors_never_spoils_an_answer():
    client = StubClient(say_answer)
    assert all(client.complete(user(str(i)), seed=i).text == ANSWER for i in range(200))


def test_errors_come_at_their_rate_and_in_several_kinds():
    client = StubClient(say_answer, error_rate=0.3)
    replies = [client.complete(user("go"), seed=seed) for seed in range(1000)]
    spoiled = [reply for reply in replies if reply.text != ANSWER]
    assert 240 < len(spoiled) < 360
    assert len({reply.text for reply in spoiled}) == 5
    assert {reply.finish_reason for reply in spoiled} == {"stop", "length"}


@given(st.text(), st.integers(0, 50))
def test_spoiling_never_fails_and_never_leaves_the_answer_as_it_was(answer, seed):
    client = StubClient(lambda text, rng: answer, error_rate=1.0)
    reply = client.complete(user("go"), seed=seed)
    assert reply.text != answer or not answer.strip()


def test_no_spoiled_answer_ends_in_the_choice_that_was_made():
    client = StubClient(say_answer, error_rate=1.0)
    texts = {client.complete(user("go"), seed=seed).text for seed in range(100)}
    assert not any(text.endswith("Action: harvest") for text in texts)
    assert any("Action: harvest\nAction: dance" in text for text in texts)


@pytest.mark.parametrize("error_rate", [-0.1, 1.1, float("nan")])
def test_an_error_rate_that_is_no_probability_is_refused(error_rate):
    with pytest.raises(ValueError, match=r"error_rate = .*: expected a probability from 0 to 1"):
        StubClient(say_answer, error_rate=error_rate)


def test_the_global_generator_is_left_alone():
    random.seed(5)
    expected = random.random()
    random.seed(5)
    StubClient(die_roll).complete(user("a"), seed=0)
    assert random.random() == expected
