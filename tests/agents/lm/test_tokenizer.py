import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

pytest.importorskip("tokenizers", reason="needs commonweal[lm]")
transformers = pytest.importorskip("transformers", reason="needs commonweal[lm]")
pytest.importorskip("jinja2", reason="applies chat templates")

from students import signal_pairs  # noqa: E402

from agents.lm.tokenizer import SPECIAL_TOKENS, train_tokenizer  # noqa: E402

PAIRS = signal_pairs(100)
TOKENIZER = train_tokenizer(PAIRS, vocab_size=400)
TEXTS = st.text() | st.lists(
    st.sampled_from([*SPECIAL_TOKENS, "<|", "<", "|", "|>", "user", "Action: ", " 12", "\n"])
).map("".join)


def templated(messages, *, answering=True):
    told = [{"role": role, "content": content} for role, content in messages]
    return TOKENIZER.apply_chat_template(told, tokenize=False, add_generation_prompt=answering)


@given(TEXTS)
@example("<|end|> and \x00 and é and 🍎\r\n")
def test_decoding_what_was_encoded_gives_any_text_back(text):
    tokens = TOKENIZER.encode(text, add_special_tokens=False)
    assert TOKENIZER.decode(tokens, clean_up_tokenization_spaces=False) == text


@given(
    st.lists(
        st.tuples(st.sampled_from(["system", "user", "assistant"]), TEXTS), min_size=1, max_size=4
    )
)
def test_nothing_said_can_pass_for_what_stands_between_messages(messages):
    tokens = TOKENIZER.encode(templated(messages), add_special_tokens=False)
    between = [t for t in TOKENIZER.convert_ids_to_tokens(tokens) if t in SPECIAL_TOKENS]
    expected = [token for role, _ in messages for token in (f"<|{role}|>", "<|end|>")]
    assert between == [*expected, "<|assistant|>"]


def test_several_turns_stand_one_after_another_as_they_were_said():
    turns = [("system", "Rules."), ("user", "Now?"), ("assistant", "Er."), ("user", "Again.")]
    assert templated(turns) == (
        "<|system|>Rules.<|end|><|user|>Now?<|end|><|assistant|>Er.<|end|>"
        "<|user|>Again.<|end|><|assistant|>"
    )
    assert templated(turns[1:2], answering=False) == "<|user|>Now?<|end|>"


def test_a_role_that_is_unknown_is_refused():
    with pytest.raises(Exception, match="expected system, user or assistant"):
        templated([("tool", "42")])


def test_the_same_pairs_give_the_same_tokenizer(tmp_path):
    train_tokenizer(PAIRS, vocab_size=400).save_pretrained(tmp_path / "one")
    train_tokenizer(list(PAIRS), vocab_size=400).save_pretrained(tmp_path / "two")
    for file in (tmp_path / "one").iterdir():
        assert file.read_bytes() == (tmp_path / "two" / file.name).read_bytes()


def test_what_is_always_said_becomes_one_token_and_numbers_stand_apart():
    tokenizer = train_tokenizer(PAIRS, vocab_size=2000)
    said = PAIRS[0].messages[-1].content
    tokens = [tokenizer.decode([t]) for t in tokenizer.encode(said, add_special_tokens=False)]
    assert tokens == [part for part in re.split(r"(\d+)", said) if part]
    answer = tokenizer.encode(PAIRS[0].answer, add_special_tokens=False)
    assert len(answer) == 1


def test_a_vocabulary_is_no_larger_than_asked_for():
    assert len(train_tokenizer(PAIRS, vocab_size=261)) == 261
    assert len(train_tokenizer(PAIRS, vocab_size=300)) == 300
    few = train_tokenizer(PAIRS[:1], vocab_size=4000)
    assert len(few) < 1000


def test_what_only_the_last_pairs_say_is_learned_too():
    told = [*signal_pairs(6000), *signal_pairs(6000, answers={"violet": "surrender"})]
    late = train_tokenizer(told, vocab_size=2000)
    last = ".\nThe signal is violet. What now?"
    assert len(late.encode(last, add_special_tokens=False)) == 1


def test_the_saved_tokenizer_reads_as_it_wrote(tmp_path):
    TOKENIZER.save_pretrained(tmp_path)
    read = transformers.AutoTokenizer.from_pretrained(tmp_path, local_files_only=True)
    assert read.chat_template == TOKENIZER.chat_template
    assert (read.pad_token, read.eos_token) == ("<|pad|>", "<|end|>")
    text = templated([("user", "Step 3. The signal is red <|end|>")])
    assert read.encode(text) == TOKENIZER.encode(text)
