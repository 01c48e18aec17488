"""Pairs to teach from: both of their forms in JSON, and the files they stand in."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.llm.chat import Message
from agents.lm.pairs import FORMATS, Pair, pair_from_json, pair_to_json, read_pairs

ASKED = {"role": "user", "content": "What now?"}
ANSWERED = {"role": "assistant", "content": "Action: wait"}
PAIR = Pair((Message("user", "What now?"),), "Action: wait")

words = st.text(max_size=30)
messages = st.builds(Message, st.sampled_from(["system", "user", "assistant"]), words)
pairs = st.builds(
    lambda before, last, answer: Pair((*before, Message("user", last)), answer),
    st.lists(messages, max_size=3),
    words,
    words,
)


@given(pairs, st.sampled_from(FORMATS))
def test_a_pair_is_read_back_from_json_as_it_was_written(pair, form):
    written = json.loads(json.dumps(pair_to_json(pair, format=form)))
    assert pair_from_json(written) == pair


def test_the_forms_are_those_that_trainers_take():
    assert pair_to_json(PAIR, format="chat") == {"messages": [ASKED, ANSWERED]}
    assert pair_to_json(PAIR, format="prompt-completion") == {
        "prompt": [ASKED],
        "completion": [ANSWERED],
    }


def test_another_form_is_refused_by_name():
    with pytest.raises(ValueError, match=r"format = 'alpaca': expected one of chat, prompt-comp"):
        pair_to_json(PAIR, format="alpaca")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([], r"pair = \[\]: expected an object with messages"),
        ({"text": "x"}, r"pair = \['text'\]: expected messages, or prompt and completion"),
        ({"messages": "x"}, r"messages = 'x': expected a list of at least 2 messages"),
        ({"messages": [ANSWERED]}, r"messages = .*: expected a list of at least 2 messages"),
        ({"prompt": [], "completion": [ANSWERED]}, r"prompt = \[\]: expected a list of at least 1"),
        ({"prompt": [ASKED], "completion": []}, r"completion = \[\]: expected a list of at least"),
        ({"prompt": [ASKED], "completion": [ANSWERED] * 2}, r"completion = .*: expected one"),
        ({"messages": [ASKED, 3]}, r"messages\[1\] = 3: expected an object with role"),
        (
            {"messages": [{"role": "tool", "content": ""}, ANSWERED]},
            r"messages\[0\].role = 'tool': expected one of system, user, assistant",
        ),
        (
            {"messages": [ASKED, {"role": "assistant", "content": None}]},
            r"messages\[1\].content = None: expected a string",
        ),
        ({"messages": [ASKED, ASKED]}, r"role of the answer = 'user': expected assistant"),
        (
            {"prompt": [ANSWERED], "completion": [ANSWERED]},
            r"last message before the answer = 'assistant': expected user",
        ),
    ],
)
def test_what_is_no_pair_is_refused_by_key_and_value(value, message):
    with pytest.raises(ValueError, match=message):
        pair_from_json(value)


def test_a_file_may_hold_both_forms_empty_lines_and_further_keys(tmp_path):
    file = tmp_path / "pairs.jsonl"
    lines = [pair_to_json(PAIR, format=form) | {"about": {"seed": 3}} for form in FORMATS]
    file.write_text("\n\n".join(map(json.dumps, lines)) + "\n", encoding="utf-8")
    assert read_pairs(file) == [PAIR, PAIR]


@pytest.mark.parametrize("line", ["{", '{"messages": [1, 2]}'])
def test_a_broken_line_is_named_by_file_and_number(tmp_path, line):
    file = tmp_path / "pairs.jsonl"
    file.write_text(f"{json.dumps(pair_to_json(PAIR, format='chat'))}\n\n{line}\n")
    with pytest.raises(ValueError, match=r"pairs\.jsonl, line 3: "):
        read_pairs(file)
