import pytest
from hypothesis import given
from hypothesis import strategies as st

torch = pytest.importorskip("torch", reason="needs commonweal[lm]")
transformers = pytest.importorskip("transformers", reason="needs commonweal[lm]")
pytest.importorskip("jinja2", reason="applies chat templates")

from students import signal_pair, signal_pairs  # noqa: E402

from agents.llm import Message  # noqa: E402
from agents.lm import Pair  # noqa: E402
from agents.lm.examples import (  # noqa: E402
    NO_LOSS,
    Example,
    beginnings,
    collate,
    draw_order,
    encode_pairs,
    token_rows,
)
from agents.lm.tokenizer import train_tokenizer  # noqa: E402

PAIRS = signal_pairs(60)
TOKENIZER = train_tokenizer(PAIRS, vocab_size=300)
END = TOKENIZER.eos_token_id
TAKES = ("input_ids", "attention_mask", "position_ids", "logits_to_keep")
EXAMPLES = st.lists(
    st.builds(
        Example,
        st.lists(st.integers(5, 9), min_size=1, max_size=9),
        st.lists(st.integers(5, 9), min_size=1, max_size=4),
    ),
    min_size=1,
    max_size=5,
)


def encoded(pairs, *, tokenizer=TOKENIZER, ends=(END,), context_tokens=256):
    return encode_pairs(pairs, tokenizer, ends=ends, context_tokens=context_tokens)


def with_template(template):
    """Return the tokenizer with another chat template."""
    other = train_tokenizer(PAIRS, vocab_size=300)
    other.chat_template = template
    return other


def test_an_example_is_the_templated_prompt_and_then_the_answer_and_its_end():
    pair = signal_pair("red", 7)
    (example,), _ = encoded([pair])
    told = [{"role": m.role, "content": m.content} for m in pair.messages]
    prompt = TOKENIZER.apply_chat_template(told, tokenize=False, add_generation_prompt=True)
    assert example.prompt == TOKENIZER.encode(prompt, add_special_tokens=False)
    assert TOKENIZER.decode(example.answer) == pair.answer + "<|end|>"
    whole = TOKENIZER.apply_chat_template(
        [*told, {"role": "assistant", "content": pair.answer}], tokenize=False
    )
    assert example.prompt + example.answer == TOKENIZER.encode(whole, add_special_tokens=False)


@given(st.lists(st.text(max_size=30) | st.sampled_from(["<|end|>", "a <|user|>", "<|user|> b"])))
def test_texts_encoded_together_are_encoded_as_each_alone(texts):
    alone = [TOKENIZER.encode(text, add_special_tokens=False) for text in texts]
    assert token_rows(TOKENIZER, texts) == alone


def test_a_tokenizer_whose_special_tokens_take_in_spaces_is_not_fed_in_pieces():
    greedy = train_tokenizer(PAIRS, vocab_size=300)
    token = transformers.AddedToken("<|user|>", lstrip=True, special=True)
    greedy.add_special_tokens({"additional_special_tokens": [token]})
    texts = ["Step   <|user|> is"] * 3
    assert token_rows(greedy, texts) == [greedy.encode(t, add_special_tokens=False) for t in texts]


def test_what_a_template_adds_around_an_answer_is_learned_up_to_the_end():
    thinking = with_template(
        "{% for m in messages %}{% if m.role == 'assistant' %}"
        "<|assistant|>:thought: {{ m.content }}<|end|>\n\n{% else %}{{ m.content }}{% endif %}"
        "{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}"
    )
    (example,), _ = encoded([signal_pair("red", 7)], tokenizer=thinking)
    assert thinking.decode(example.answer) == ":thought: Action: wait<|end|>"


def test_a_template_that_ends_no_answer_or_changes_the_prompt_has_the_end_put_there():
    endless = with_template(
        "{% for m in messages %}{{ m.content }}{% endfor %}"
        "{% if add_generation_prompt %}<|assistant|>(think){% endif %}"
    )
    (example,), _ = encoded([signal_pair("red", 7)], tokenizer=endless)
    assert endless.decode(example.prompt).endswith("<|assistant|>(think)")
    assert endless.decode(example.answer) == "Action: wait<|end|>"


def test_a_template_that_takes_no_such_messages_is_named():
    strict = with_template("{{ raise_exception('no system role') }}")
    with pytest.raises(ValueError, match="chat template: takes no messages of system, user"):
        encoded([signal_pair("red", 7)], tokenizer=strict)


def test_pairs_longer_than_the_context_are_left_out_and_counted():
    short, long = signal_pair("red", 7), Pair((Message("user", "12 " * 200),), "wait")
    (example,), _ = encoded([short])
    examples, num_too_long = encoded([short, long], context_tokens=example.num_tokens)
    assert (examples, num_too_long) == ([example], 1)
    assert encoded([short], context_tokens=example.num_tokens - 1) == ([], 1)


@given(EXAMPLES, st.sampled_from([TAKES, ("position_ids",), ()]), st.booleans())
def test_only_answers_have_labels_and_every_answer_token_has_its_own(examples, takes, shares):
    batch = collate(examples, pad=0, takes=takes, shares=shares)
    width = batch["labels"].shape[1]
    for row, example in zip(batch["labels"].tolist(), examples, strict=True):
        num = len(example.answer)
        assert row[width - num :] == example.answer
        assert row[: width - num] == [NO_LOSS] * (width - num)
        assert width - num >= 1  # what the answer's first token is told from
    assert batch.get("logits_to_keep", width) == width


@given(EXAMPLES, st.booleans())
def test_a_batch_holds_every_token_once_whatever_is_shared(examples, shares):
    batch = collate(examples, pad=0, takes=TAKES, shares=shares)
    shared = batch.get("shared_ids", torch.zeros(1, 0, dtype=torch.long))[0].tolist()
    for index, example in enumerate(examples):
        mask = batch["attention_mask"][index]
        assert mask[: len(shared)].all()
        own = mask[len(shared) :].bool()
        row = batch["input_ids"][index][own].tolist()
        assert shared + row == example.prompt + example.answer
        places = batch["position_ids"][index][own].tolist()
        assert places == list(range(len(shared), example.num_tokens))
        assert not batch["input_ids"][index][~own].any()


@given(
    st.lists(st.integers(1, 99), min_size=1, max_size=40),
    st.integers(1, 12),
    st.integers(1, 7),
    st.integers(0, 3),
)
def test_nothing_is_taught_again_before_all_is_taught(lengths, num_batches, batch_size, seed):
    order = draw_order(lengths, num_batches=num_batches, batch_size=batch_size, seed=seed)
    counts = [order.count(index) for index in range(len(lengths))]
    assert len(order) == num_batches * batch_size
    assert max(counts) - min(counts) <= 1
    again = draw_order(lengths, num_batches=num_batches, batch_size=batch_size, seed=seed)
    assert order == again


def test_batches_are_of_one_group_as_far_as_they_go():
    lengths = [10] * 320
    groups = [index % 2 for index in range(320)]
    order = draw_order(lengths, num_batches=20, batch_size=16, seed=0, groups=groups)
    batches = [{groups[i] for i in order[k : k + 16]} for k in range(0, 320, 16)]
    assert all(len(batch) == 1 for batch in batches)


def test_prompts_that_begin_alike_are_of_one_group():
    begun = [[1, 2, 3], [1, 2, 4], [5, 2, 3]]
    groups = beginnings([Example(prompt, [0]) for prompt in begun], num_tokens=2)
    assert groups[0] == groups[1] != groups[2]


def test_batches_are_of_like_lengths_and_come_in_no_order_of_length():
    lengths = [1 + index % 100 for index in range(800)]
    order = draw_order(lengths, num_batches=50, batch_size=16, seed=0)
    batches = [[lengths[i] for i in order[k : k + 16]] for k in range(0, 800, 16)]
    assert max(max(batch) - min(batch) for batch in batches) <= 2
    means = [sum(batch) / 16 for batch in batches]
    assert means != sorted(means)
    assert order != draw_order(lengths, num_batches=50, batch_size=16, seed=1)
